"""
Beside other clusterers
=======================

Six shapes of two-dimensional data, and what eight clusterers make of them: four recipes
of this package beside `KMeans`, `GaussianMixture`, `SpectralClustering` and `HDBSCAN`
of scikit-learn. Each panel says the adjusted Rand index (1 is perfect) and the time.
No recipe was tuned to a shape: all have the same settings on all data, but the number
of clusters, which HDBSCAN finds itself. Writes ``compare_clusterers.png``.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from gemclus.data import gstm
from gemclus.linear import LinearMMD
from gemclus.mlp import MLPWasserstein
from gemclus.nonparametric import CategoricalWasserstein
from gemclus.tree import Kauri

N = 300
blobs, groups = make_blobs(N, random_state=8)
shapes = {
    "circles": make_circles(N, factor=0.5, noise=0.05, random_state=0),
    "moons": make_moons(N, noise=0.05, random_state=0),
    "varied": make_blobs(N, cluster_std=[1.0, 2.5, 0.5], random_state=170),
    "slanted": (blobs @ [[0.6, -0.6], [-0.4, 0.8]], groups),
    "blobs": (blobs, groups),
    "heavy tails": gstm(N, alpha=5, df=1, random_state=0),
}


def clusterers(K):
    """All of them, for `K` clusters."""
    geodesic = dict(metric="geodesic", ovo=True, random_state=0)
    return {
        "LinearMMD": LinearMMD(K, ovo=True, random_state=0),
        "MLPWasserstein,\ngeodesic": MLPWasserstein(K, **geodesic),
        "CategoricalWasserstein,\ngeodesic": CategoricalWasserstein(K, **geodesic),
        "Kauri": Kauri(K, random_state=0),
        "KMeans": KMeans(K, n_init=10, random_state=0),
        "GaussianMixture": GaussianMixture(K, random_state=0),
        "Spectral": SpectralClustering(K, gamma=5, random_state=0),
        "HDBSCAN": HDBSCAN(min_cluster_size=15, copy=True),
    }


# Of heavy tails, some samples are so far out that spectral clustering warns.
warnings.filterwarnings("ignore", message="Graph is not fully connected")

# %%
# The first four are functions of the sample, but the third, which gives each sample
# free probabilities. Distances along the data, ``metric="geodesic"``, take apart
# what straight distances cannot.
figure, axes = plt.subplots(
    len(shapes), 8, figsize=(15, 11), sharex="row", sharey="row"
)
print(f"{'':28}" + "".join(f"{name:>13}" for name in shapes))
table = {}
for row, (shape, (X, y)) in zip(axes, shapes.items(), strict=True):
    X = StandardScaler().fit_transform(X)
    # Heavy tails reach far; the panels show the middle.
    limits = np.quantile(X, [0.02, 0.98], axis=0).T
    for axis, (name, model) in zip(row, clusterers(len(set(y))).items(), strict=True):
        start = time.perf_counter()
        labels = model.fit_predict(X)
        seconds = time.perf_counter() - start
        score = adjusted_rand_score(y, labels)
        table.setdefault(name.replace("\n", " "), []).append(score)
        axis.scatter(*X.T, c=labels, cmap="viridis", s=6)
        axis.set(xticks=[], yticks=[], xlim=limits[0] * 1.3, ylim=limits[1] * 1.3)
        axis.set_xlabel(f"ARI {score:.2f}, {1000 * seconds:.0f} ms", size=9)
        if shape == "circles":
            axis.set_title(name, size=10)
    row[0].set_ylabel(shape)
for name, scores in table.items():
    print(f"{name:34}" + "".join(f"{score:13.2f}" for score in scores))
figure.tight_layout()
figure.savefig("compare_clusterers.png", dpi=110)
print("wrote compare_clusterers.png")
