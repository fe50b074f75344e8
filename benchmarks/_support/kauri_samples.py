"""The data that Kauri trees are timed on."""

import numpy as np
from sklearn.datasets import load_digits, make_blobs
from sklearn.preprocessing import StandardScaler


def kauri_samples(kind, n_samples, n_features):
    """Standardised ``"blobs"`` that overlap, ``"noise"`` or ``"digits"``."""
    if kind == "digits":
        X = load_digits().data
    elif kind == "noise":
        X = np.random.RandomState(0).randn(n_samples, n_features)
    else:
        X, _ = make_blobs(
            n_samples, n_features, centers=10, cluster_std=6.0, random_state=0
        )
    return StandardScaler().fit_transform(X)
