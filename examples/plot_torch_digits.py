"""
Train a network to cluster digits
=================================

A small convolutional network learns to cluster scikit-learn's digits, images of 8 x 8
pixels, from three wishes alone: the clusters say much of the image (a GEMINI), they are
about as large as each other, and an image keeps its cluster when it is turned, shifted
and stretched a little. Takes less than a minute on a CPU. Needs PyTorch, and says so
where it is missing. Writes ``torch_digits.png``: the training, and the clusters.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

try:
    from gemclus.torch import ConsistencyLoss, GeminiLoss, TorchClustering, VATLoss
except ImportError as error:
    print(f"This example is left out. {error}")
    sys.exit(0)

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)  # the network is small


def augment(X):
    """Turn, stretch, shear and shift each image, at random."""
    n = len(X)
    angle, width, height, shear, right, down = 2 * torch.rand(6, n) - 1
    angle, width, height = 0.26 * angle, 1 + 0.15 * width, 1 + 0.15 * height
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([cos * width, 0.2 * shear - sin * width, 0.25 * right], 1),
        torch.stack([sin * height, cos * height, 0.25 * down], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), X.shape, align_corners=False)
    return functional.grid_sample(X, grid, align_corners=False)


images, digits = load_digits(return_X_y=True)
X = images.reshape(-1, 1, 8, 8) / 16
X, X_new, digits, digits_new = train_test_split(
    X, digits, test_size=0.2, random_state=0
)

trunk = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2, padding=1),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(512, 128),
    nn.BatchNorm1d(128),
    nn.ReLU(),
)
model = TorchClustering(
    trunk,
    GeminiLoss("mi", balance=3.0),  # balance: clusters of about the same size
    n_clusters=10,
    regularisers=[
        (VATLoss(eps="neighbours"), 10.0),
        (ConsistencyLoss(augment), 10.0),
    ],
    n_heads=10,  # ten clusterings on one trunk, of which the best predicts
    n_auxiliary=100,  # and a finer one, which only helps to train it
    n_init=3,  # three starts: the weaker ones end early
    init="random",
    max_epochs=60,
    learning_rate=2e-3,
    random_state=0,
)
labels = model.fit_predict(X)
kmeans = KMeans(10, n_init=10, random_state=0).fit(X.reshape(len(X), -1))

print("agreement with the digits (adjusted Rand index, 1 is perfect)")
for name, train, new in [
    ("k-means", kmeans.labels_, kmeans.predict(X_new.reshape(len(X_new), -1))),
    ("network", labels, model.predict(X_new)),
]:
    print(
        f"{name}: {adjusted_rand_score(digits, train):.3f}, "
        f"new images {adjusted_rand_score(digits_new, new):.3f}"
    )
print("objectives of the starts:", model.start_losses_.round(2))

figure, axes = plt.subplots(2, 6, figsize=(11, 4.4))
curve = axes[0, 0]
curve.plot(model.history_["loss"])
curve.set(xlabel="epoch", title="loss")
axes[1, 0].set_axis_off()
for axis, k in zip(axes[:, 1:].ravel(), range(10), strict=True):
    members = labels == k
    axis.set(xticks=[], yticks=[])
    if members.any():
        axis.imshow(X[members, 0].mean(axis=0), cmap="gray_r")
        counts = np.bincount(digits[members], minlength=10)
        axis.set_title(f"{counts.argmax()}: {counts.max() / counts.sum():.0%}", size=9)
figure.suptitle("Mean image of each cluster, its most frequent digit and its share")
figure.tight_layout()
figure.savefig("torch_digits.png", dpi=120)
print("wrote torch_digits.png")
