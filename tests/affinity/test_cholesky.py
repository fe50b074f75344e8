"""Factors of positive kernels from some of their columns, and feature maps."""

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import pairwise_kernels

from gemclus.affinity import (
    FittedFeatureMap,
    KernelFactor,
    fit_feature_map,
    is_feature_map,
    is_positive_kernel,
    pivoted_cholesky,
)

X = np.random.RandomState(0).normal(size=(150, 2))


@pytest.mark.parametrize("name", ["rbf", "laplacian", "linear"])
def test_a_factor_gives_the_kernel_and_its_functions(name):
    K = pairwise_kernels(X, metric=name)
    factor = pivoted_cholesky(lambda r, c: K[np.ix_(r, c)], len(X), tol=1e-12)
    assert isinstance(factor, KernelFactor)
    scale = K.max()
    np.testing.assert_allclose(factor.L @ factor.L.T, K, atol=1e-9 * scale)
    rank = factor.L.shape[1]
    assert len(factor.pivots) == rank == len(set(factor.pivots))
    if name == "linear":
        assert rank <= 2
    # A function is the same by weights on the pivots as by coordinates.
    coordinates = np.random.RandomState(1).normal(size=(rank, 3))
    weights = np.zeros((len(X), 3))
    weights[factor.pivots] = factor.weights(coordinates)
    wanted = factor.L @ coordinates
    np.testing.assert_allclose(
        factor.L @ factor.coordinates(weights), wanted, atol=1e-6 * np.abs(wanted).max()
    )


@pytest.mark.parametrize("most", [1, 30, 100, 500])
def test_a_factor_has_no_more_pivots_than_allowed(most):
    K = pairwise_kernels(X, metric="laplacian")
    factor = pivoted_cholesky(lambda r, c: K[np.ix_(r, c)], len(X), 1e-12, most)
    assert factor.L.shape == (len(X), min(most, len(X)))
    # Columns of the pivots are exact, and what is left out is positive.
    np.testing.assert_allclose(
        factor.L @ factor.L[factor.pivots].T, K[:, factor.pivots], atol=1e-9
    )
    assert np.linalg.eigvalsh(K - factor.L @ factor.L.T)[0] > -1e-9


def test_what_is_known_to_be_positive():
    assert is_positive_kernel("rbf") and is_positive_kernel("linear")
    assert not is_positive_kernel("rbf", {"gamma": -1.0})
    assert not is_positive_kernel("sigmoid")
    assert not is_positive_kernel(pairwise_kernels)
    assert not is_positive_kernel("linear", np.ones(3))
    assert is_positive_kernel("poly", {"coef0": 0.0, "degree": 0})
    assert not is_positive_kernel("poly", {"coef0": -1e-9})


def test_feature_maps():
    transformer = Nystroem(n_components=5, random_state=0)
    assert is_feature_map(transformer)
    assert not is_feature_map("rbf") and not is_feature_map(pairwise_kernels)
    fitted = fit_feature_map(transformer, None, X)
    assert isinstance(fitted, FittedFeatureMap)
    expected = Nystroem(n_components=5, random_state=0).fit(X).transform(X[:4])
    np.testing.assert_allclose(fitted.factor(X[:4]), expected, rtol=1e-12)
    assert not hasattr(transformer, "components_")
