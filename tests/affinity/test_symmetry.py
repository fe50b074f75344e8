"""Matrices that are not symmetric are refused, wherever the difference is."""

import numpy as np
import pytest

from gemclus.affinity import distance_affinity, kernel_affinity
from gemclus.linear import LinearMMD, LinearWasserstein
from gemclus.tree import Kauri

N = 1500  # more rows than are compared at a time
X = np.random.RandomState(0).normal(size=(N, 2))
matrix = np.abs(X @ X.T)
MODELS = {
    "LinearMMD": LinearMMD(kernel="precomputed", max_iter=1),
    "LinearWasserstein": LinearWasserstein(metric="precomputed", max_iter=1),
    "Kauri": Kauri(kernel="precomputed"),
}


@pytest.mark.parametrize("make", [kernel_affinity, distance_affinity])
@pytest.mark.parametrize(
    "where", [(0, 1), (3, 1499), (1499, 3), (700, 699), (698, 1400), (1499, 1498)]
)
@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0])
def test_each_entry_is_compared(make, where, size):
    """Also one that is small beside the largest of them."""
    changed = matrix.copy()
    changed[where] += size * matrix.max()
    i, j = sorted(where)
    named = rf"({i}, {j}).*({j}, {i})|({j}, {i}).*({i}, {j})".replace("(", r"\(")
    with pytest.raises(ValueError, match="symmetric.*" + named.replace(")", r"\)")):
        make(X, "precomputed", y=changed)


def test_rounding_is_no_asymmetry():
    for scale in (1e-200, 1.0, 1e200):
        rounded = matrix * scale
        rounded[3, 1400] *= 1 + 1e-15
        kernel_affinity(X, "precomputed", y=rounded)
        kernel_affinity(X, "precomputed", y=-rounded)
        distance_affinity(X, "precomputed", y=rounded)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_refuse_a_late_asymmetry(model):
    small = matrix[:300, :300].copy()
    small[299, 1] += 1e-9 * small.max()
    with pytest.raises(ValueError, match="symmetric"):
        model.fit(X[:300], small)


def test_a_callable_kernel_is_checked_as_well():
    changed = matrix.copy()
    changed[1400, 2] += 1e-9 * matrix.max()
    with pytest.raises(ValueError, match=r"kernel\(X\) must be symmetric"):
        kernel_affinity(X, lambda samples: changed)
