"""Standardised data sets, by name, with their classes."""

from sklearn import datasets
from sklearn.preprocessing import StandardScaler

_LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "three blobs": lambda return_X_y: datasets.make_blobs(50, random_state=1),
    "five blobs": lambda return_X_y: datasets.make_blobs(
        200, n_features=4, centers=5, random_state=0
    ),
}


def load(name):
    """Samples (standardised), their classes, and how many there are."""
    X, y = _LOADERS[name](return_X_y=True)
    return StandardScaler().fit_transform(X), y, len(set(y))
