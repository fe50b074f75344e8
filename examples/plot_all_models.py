"""
All models on one data set
==========================

Three classes of wines, two of their measurements, and every model of the package with
a probability: straight borders, networks, kernels, sparse models, a soft tree. The
colour of the plane is the most probable cluster, its strength how probable. The
nonparametric models know no plane: they give each sample free probabilities. Writes
``all_models.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD, MLPModel, MLPWasserstein
from gemclus.nonparametric import (
    CategoricalMMD,
    CategoricalModel,
    CategoricalWasserstein,
)
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearMMD,
    SparseLinearModel,
    SparseMLPMMD,
    SparseMLPModel,
)
from gemclus.tree import Douglas

wine = load_wine(as_frame=True)
X = StandardScaler().fit_transform(wine.data[["flavanoids", "color_intensity"]])
y = wine.target

geometric = dict(ovo=True, random_state=0)
sparse = dict(alpha=0.1, learning_rate=0.01, random_state=0)
models = [
    LinearModel(3, gemini="tv_ovo", random_state=0),
    LinearMMD(3, **geometric),
    LinearWasserstein(3, **geometric),
    RIM(3, reg=0.01, random_state=0),
    KernelRIM(3, reg=0.01, base_kernel="rbf", random_state=0),
    MLPModel(3, gemini="hellinger_ova", random_state=0),
    MLPMMD(3, kernel="rbf", **geometric),
    MLPWasserstein(3, **geometric),
    SparseLinearModel(3, gemini="mmd_ovo", **sparse),
    SparseLinearMMD(3, ovo=True, **sparse),
    SparseLinearMI(3, **sparse),
    SparseMLPModel(3, gemini="mmd_ovo", **sparse),
    SparseMLPMMD(3, ovo=True, **sparse),
    Douglas(3, random_state=0),
    CategoricalModel(3, gemini="mmd_ovo", random_state=0),
    CategoricalMMD(3, kernel="rbf", **geometric),
    CategoricalWasserstein(3, **geometric),
]

figure, axes = plt.subplots(3, 6, figsize=(15, 7.6), sharex=True, sharey=True)
grid = np.linspace(-2.5, 4, 80)
plane = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
colours = plt.get_cmap("viridis")(np.linspace(0.05, 0.92, 3))[:, :3]
for axis, model in zip(axes.ravel(), models, strict=False):
    labels = model.fit_predict(X)
    name = type(model).__name__
    score = adjusted_rand_score(y, labels)
    print(f"{name:24} ARI {score:.2f}, GEMINI {model.score(X):.3f}")
    axis.set(title=f"{name}: {score:.2f}", xticks=[], yticks=[])
    if not name.startswith("Categorical"):
        mixed = 1 - 0.5 * (1 - model.predict_proba(plane) @ colours)
        axis.imshow(
            mixed.reshape(80, 80, 3), origin="lower", extent=2 * [grid[0], grid[-1]]
        )
    axis.scatter(*X.T, c=colours[labels], s=9, edgecolors="white", linewidths=0.3)
axes[-1, -1].set_axis_off()
figure.suptitle("Title: adjusted Rand index with the cultivars, from two measurements")
figure.tight_layout()
figure.savefig("all_models.png", dpi=110)
print("wrote all_models.png")
