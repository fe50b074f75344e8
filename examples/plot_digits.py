"""
Cluster handwritten digits
==========================

GEMINI models beside k-means on 1797 images of handwritten digits, 8 x 8 pixels
each: how well the clusters agree with the ten digits, and how long they took.
The models are discriminative, so they cluster images that they have not seen:
the last column is the agreement on a third held out of the training. Writes
``digits_clusters.png``: what the clusters look like on average.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, LinearMMD

X, digits = load_digits(return_X_y=True)
X_train, X_new, _, digits_new = train_test_split(
    X, digits, test_size=1 / 3, stratify=digits, random_state=0
)

models = {
    "RIM": RIM(10, reg=0.01, n_init=5, random_state=0),
    "LinearMMD": LinearMMD(10, ovo=True, n_init=5, random_state=0),
    "KMeans": KMeans(10, n_init=10, random_state=0),
}

print("agreement with the digits (adjusted Rand index, 1 is perfect)")
print(f"{'model':12}{'ARI':>8}{'seconds':>10}{'ARI, new images':>18}")
clusters = {}
for name, model in models.items():
    pipeline = make_pipeline(StandardScaler(), model)
    start = time.perf_counter()
    clusters[name] = pipeline.fit_predict(X)
    seconds = time.perf_counter() - start
    ari = adjusted_rand_score(digits, clusters[name])
    new = adjusted_rand_score(digits_new, pipeline.fit(X_train).predict(X_new))
    print(f"{name:12}{ari:8.3f}{seconds:10.2f}{new:18.3f}")

figure, axes = plt.subplots(len(models), 10, figsize=(11, 4.2))
for row, (name, labels) in zip(axes, clusters.items(), strict=True):
    counts = [np.bincount(digits[labels == k], minlength=10) for k in range(10)]
    order = np.argsort([count.argmax() for count in counts], kind="stable")
    for axis, k in zip(row, order, strict=True):
        members = labels == k
        if members.any():
            axis.imshow(X[members].mean(axis=0).reshape(8, 8), cmap="gray_r")
            purity = counts[k].max() / members.sum()
            axis.set_title(f"{counts[k].argmax()}: {purity:.0%}", fontsize=9)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.suptitle(
    "Mean image of each cluster, its most frequent digit and that digit's share"
)
figure.tight_layout()
figure.savefig("digits_clusters.png", dpi=120)
print("wrote digits_clusters.png")
