"""
Curved borders by a kernel: KernelRIM
=====================================

`KernelRIM` is a multinomial regression on the kernel between a sample and the training
samples, trained by mutual information minus a ridge penalty (Krause, Perona and Gomes,
NeurIPS 2010). The width of the kernel says how far a sample's word reaches; the
penalty says how curved a border may be. Writes ``kernel_rim.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, KernelRIM

X, y = make_moons(300, noise=0.06, random_state=0)
X = StandardScaler().fit_transform(X)
models = {"RIM: straight": RIM(2, reg=0.01, n_init=5, random_state=0)}
for reg in (1e-3, 1e-1):
    models[f"KernelRIM, reg={reg:g}"] = KernelRIM(
        2,
        reg=reg,
        base_kernel="rbf",
        base_kernel_params={"gamma": 2.0},
        n_init=5,
        random_state=0,
    )

figure, axes = plt.subplots(1, 3, figsize=(12, 4))
grid = np.linspace(-2.4, 2.4, 120)
plane = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
print("model                 ARI   mutual information   samples that are unsure")
for axis, (name, model) in zip(axes, models.items(), strict=True):
    labels = model.fit_predict(X)
    score = adjusted_rand_score(y, labels)
    unsure = np.mean(model.predict_proba(X).max(axis=1) < 0.9)
    print(f"{name:20}{score:5.2f}{model.score(X):21.3f}{unsure:26.0%}")
    probability = model.predict_proba(plane)[:, 1].reshape(120, 120)
    axis.contourf(grid, grid, probability, levels=20, cmap="cividis", alpha=0.6)
    axis.scatter(*X.T, c=labels, cmap="cividis", s=14, edgecolors="white", lw=0.4)
    axis.set(title=f"{name}: ARI {score:.2f}", xticks=[], yticks=[])
figure.tight_layout()
figure.savefig("kernel_rim.png", dpi=120)
print("wrote kernel_rim.png")
