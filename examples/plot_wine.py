"""
Cluster the wines of three growers
==================================

Two GEMINI models beside k-means on 178 wines described by 13 chemical
measurements: how well each recovers the three growers, and the map of
p(y | x) that a discriminative model has for new wines too. Writes
``wine_clusters.png``.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from gemclus.linear import LinearMMD, LinearModel
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.preprocessing import StandardScaler

wine = load_wine()
X = StandardScaler().fit_transform(wine.data)

models = {
    "LinearMMD, one-vs-one": LinearMMD(3, ovo=True, solver="lbfgs", random_state=0),
    "LinearModel, MMD rbf": LinearModel(3, solver="lbfgs", random_state=0),
    "KMeans": KMeans(3, n_init=10, random_state=0),
}
models["LinearModel, MMD rbf"].set_params(gemini="mmd_ovo")

print(f"{'model':24}{'ARI':>8}{'NMI':>8}{'seconds':>9}")
for name, model in models.items():
    start = time.perf_counter()
    labels = model.fit_predict(X)
    seconds = time.perf_counter() - start
    ari = adjusted_rand_score(wine.target, labels)
    nmi = normalized_mutual_info_score(wine.target, labels)
    print(f"{name:24}{ari:8.3f}{nmi:8.3f}{seconds:9.3f}")
