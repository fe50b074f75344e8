"""
Circles and moons, and new points
=================================

Clusters along curves: no straight border takes them apart. The distances that do run
along the data: shortest paths in the graph of nearest neighbours, as Isomap has them
(``metric="geodesic"``). The Wasserstein objective learns from these distances, and the
model is a small network, a function: it labels points that it has not seen, and the
whole plane. Spectral clustering finds the same clusters, and labels nothing else.
Writes ``circles_and_moons.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.mlp import MLPWasserstein

shapes = {
    "circles": lambda n, seed: make_circles(
        n, factor=0.5, noise=0.05, random_state=seed
    ),
    "moons": lambda n, seed: make_moons(n, noise=0.05, random_state=seed),
}

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4))
print("adjusted Rand index of 300 points trained on, and of 1000 new ones")
for axis, (name, draw) in zip(axes, shapes.items(), strict=True):
    X, y = draw(300, 0)
    X_new, y_new = draw(1000, 1)
    scaler = StandardScaler().fit(X)
    X, X_new = scaler.transform(X), scaler.transform(X_new)
    # Few neighbours: with the default of 10, some reach across to the other moon.
    model = MLPWasserstein(
        2, metric="geodesic", metric_params={"n_neighbors": 5}, random_state=0
    )
    labels = model.fit_predict(X)
    new = model.predict(X_new)
    print(
        f"{name:8}{adjusted_rand_score(y, labels):7.3f}"
        f"{adjusted_rand_score(y_new, new):7.3f}"
    )

    # %%
    # The colour of the plane is the probability of the second cluster.
    grid = np.linspace(-2.4, 2.4, 150)
    plane = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    probability = model.predict_proba(plane)[:, 1].reshape(150, 150)
    axis.contourf(grid, grid, probability, levels=20, cmap="coolwarm", alpha=0.35)
    colours = np.array(["tab:blue", "tab:red"])
    axis.scatter(*X_new[:300].T, c=colours[new[:300]], s=5)
    axis.scatter(*X.T, c=colours[labels], s=26, edgecolors="black", linewidths=0.6)
    axis.scatter([], [], c="0.5", s=26, edgecolors="black", label="trained on")
    axis.scatter([], [], c="0.5", s=5, label="new")
    axis.set(title=name, xticks=[], yticks=[])
    axis.legend(loc="upper right")
figure.tight_layout()
figure.savefig("circles_and_moons.png", dpi=120)
print("wrote circles_and_moons.png")
