"""Tests particular to the MMD: kernels, factors, offsets."""

import numpy as np
import pytest
from estimators import PUBLISHED
from oracles import ORACLES
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import kernel_metrics, pairwise_kernels

from gemclus.affinity import FactoredKernel, kernel_affinity
from gemclus.gemini import MMDGEMINI
from gemclus.nonparametric import CategoricalMMD
from gemclus.testing import numerical_gradient

generator = np.random.RandomState(0)
X = np.abs(generator.normal(size=(40, 3)))
P = generator.dirichlet(np.ones(4), size=40)


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("kernel", sorted(kernel_metrics()))
def test_every_named_kernel(kernel, ovo):
    gemini = MMDGEMINI(ovo=ovo, kernel=kernel)
    A = gemini.compute_affinity(X)
    np.testing.assert_allclose(A, pairwise_kernels(X, metric=kernel))
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    expected = ORACLES["mmd_ovo" if ovo else "mmd_ova"](P, A)
    assert value == pytest.approx(expected, rel=1e-9)
    Q = P.copy()
    numerical = numerical_gradient(lambda: gemini.evaluate(Q, A), Q, step=1e-4)
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-9)
    # What training uses instead of the matrix gives the same.
    cheap = gemini._training_affinity(X)
    cheap_value, cheap_gradient = gemini.evaluate(P, cheap, return_grad=True)
    assert cheap_value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(cheap_gradient, gradient, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ovo", [False, True])
def test_negative_squares_of_an_indefinite_kernel_count_as_nought(ovo, dtype):
    """With minus a kernel all are negative, with one of two signs some."""
    gemini = MMDGEMINI(ovo=ovo, kernel="precomputed")
    predictions = P.astype(dtype)
    negative = gemini.compute_affinity(X, -X @ X.T)
    value, gradient = gemini.evaluate(predictions, negative, return_grad=True)
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
    mixed = (X * [1.0, -1.0, 0.2]) @ X.T
    expected = ORACLES["mmd_ovo" if ovo else "mmd_ova"](P, mixed)
    value = gemini.evaluate(predictions, gemini.compute_affinity(X, mixed))
    assert value == pytest.approx(expected, rel=1e-5 if dtype is np.float32 else 1e-9)


@pytest.mark.parametrize(
    ("kernel", "params"),
    [
        ("linear", None),
        ("cosine", None),
        ("polynomial", {"degree": 2}),
        ("poly", {"degree": 1, "coef0": 0.0}),
        ("polynomial", {"degree": 2, "gamma": 0.5, "coef0": 2.0}),
    ],
)
def test_factors_are_exact(kernel, params):
    samples = np.tile(X, (3, 1)) + np.arange(120)[:, None] / 100
    affinity = kernel_affinity(samples, kernel, params)
    assert isinstance(affinity, FactoredKernel)
    expected = pairwise_kernels(samples, metric=kernel, **(params or {}))
    np.testing.assert_allclose(np.asarray(affinity), expected, rtol=1e-12)


def test_an_offset_of_the_data_changes_nothing():
    for ovo in (False, True):
        gemini = MMDGEMINI(ovo=ovo)
        expected = gemini.evaluate(P, FactoredKernel(X), return_grad=True)
        shifted = gemini.evaluate(P, FactoredKernel(X + 1e8), return_grad=True)
        assert shifted[0] == pytest.approx(expected[0], rel=1e-6)
        np.testing.assert_allclose(shifted[1], expected[1], rtol=1e-5, atol=1e-8)


def test_clusters_that_coincide_are_at_distance_zero():
    doubled = np.hstack([P, P]) / 2
    for affinity in (FactoredKernel(X), X @ X.T):
        value, gradient = MMDGEMINI(ovo=True).evaluate(doubled, affinity, True)
        assert value == pytest.approx(ORACLES["mmd_ovo"](P, X @ X.T), rel=1e-12)
        assert np.isfinite(gradient).all()


def test_many_rows_go_through_blocks():
    rows = np.random.RandomState(1).dirichlet(np.ones(3), size=20_000)
    samples = np.random.RandomState(2).normal(size=(20_000, 2))
    value, gradient = MMDGEMINI().evaluate(rows, FactoredKernel(samples), True)
    centred = rows - rows.mean(axis=0)
    M = samples.T @ centred
    norms = np.linalg.norm(M, axis=0)
    assert value == pytest.approx(norms.sum() / 20_000, rel=1e-12)
    expected = samples @ (M / norms) / 20_000
    expected -= expected.mean(axis=0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-15)


def test_callables_and_precomputed_matrices():
    matrix = X @ X.T
    expected = MMDGEMINI().evaluate(P, matrix)
    called = MMDGEMINI(kernel=lambda samples: samples @ samples.T)
    assert called.evaluate(P, called.compute_affinity(X)) == expected
    given = MMDGEMINI(kernel="precomputed")
    assert given.evaluate(P, given.compute_affinity(X, matrix)) == expected
    with pytest.raises(ValueError, match="precomputed.*None"):
        given.compute_affinity(X)
    with pytest.raises(ValueError, match="symmetric"):
        given.compute_affinity(X, np.triu(matrix))
    with pytest.raises(ValueError, match="shape"):
        given.compute_affinity(X, matrix[:-1])
    with pytest.raises(ValueError, match="kernel must be"):
        MMDGEMINI(kernel="gaussian").compute_affinity(X)
    with pytest.raises(ValueError, match="kernel_params"):
        MMDGEMINI(kernel="rbf", kernel_params={"width": 1}).compute_affinity(X)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("ovo", [False, True])
def test_equal_rows_have_no_gradient(kernel, ovo):
    """Rounding errors of the proportions must not pass for a direction."""
    random_state = np.random.RandomState(0)
    X = random_state.normal(size=(120, 3))
    gemini = MMDGEMINI(ovo=ovo, kernel=kernel)
    affinity = gemini._training_affinity(X)
    for row in random_state.dirichlet(np.ones(3), size=50):
        value, gradient = gemini.evaluate(np.tile(row, (120, 1)), affinity, True)
        assert value == 0.0
        np.testing.assert_allclose(gradient, 0.0, atol=1e-12)


@pytest.mark.parametrize("ovo", [False, True])
def test_lazy_kernels_are_never_whole(ovo, monkeypatch):
    gemini = MMDGEMINI(ovo=ovo, kernel="rbf")
    expected = gemini.evaluate(P, gemini.compute_affinity(X), return_grad=True)
    lazy = gemini._training_affinity(X, minibatch=True)
    monkeypatch.setattr(type(lazy), "__array__", None)
    value, gradient = gemini.evaluate(P, lazy, return_grad=True)
    assert value == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-14)


def test_a_factor_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="a row for each sample"):
        FactoredKernel(X.ravel()[:40])
    with pytest.raises(ValueError, match="as y_pred has 40 rows"):
        MMDGEMINI().evaluate(P, FactoredKernel(X[:39]))


def test_lbfgs_in_single_precision_does_not_mind_an_offset():
    X, _ = make_blobs(600, 2, centers=3, random_state=0)
    X = (X + 5e5).astype(np.float32)
    params = {"solver": "lbfgs", "random_state": 0, "max_iter": 300}
    model = CategoricalMMD(3, **PUBLISHED | params).fit(X)
    exact = CategoricalMMD(3, **PUBLISHED | params).fit(X.astype(np.float64))
    # Either may end in a slightly better optimum than the other.
    assert model.objective_curve_[-1] >= 0.9999 * exact.objective_curve_[-1]
    assert adjusted_rand_score(exact.labels_, model.labels_) > 0.95
