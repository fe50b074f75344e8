"""Arguments of users: kernels, metrics and their parameters."""

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import (
    laplacian_kernel,
    manhattan_distances,
    polynomial_kernel,
    rbf_kernel,
)

from gemclus.affinity import (
    FactoredKernel,
    cross_kernel,
    distance_affinity,
    distance_matrix,
    kernel_affinity,
    kernel_matrix,
)
from gemclus.gemini import MMDGEMINI, WassersteinGEMINI
from gemclus.linear import KernelRIM, LinearMMD, LinearWasserstein
from gemclus.mlp import MLPMMD, MLPWasserstein
from gemclus.nonparametric import CategoricalMMD, CategoricalWasserstein
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD
from gemclus.tree import Kauri

X = np.random.RandomState(0).normal(size=(40, 3))
MMD_MODELS = [LinearMMD, MLPMMD, CategoricalMMD, SparseLinearMMD, SparseMLPMMD]
WASSERSTEIN_MODELS = [LinearWasserstein, MLPWasserstein, CategoricalWasserstein]


def scaled_distances(X, *, scale):
    return scale * manhattan_distances(X)


@pytest.mark.parametrize("cls", MMD_MODELS)
def test_parameters_beside_a_callable_kernel_reach_it(cls):
    settings = dict(max_iter=3, random_state=0, **PUBLISHED)
    named = cls(kernel="rbf", kernel_params={"gamma": 0.5}, **settings)
    given = cls(kernel=rbf_kernel, kernel_params={"gamma": 0.5}, **settings)
    other = cls(kernel=rbf_kernel, **settings)
    score = given.fit(X).score(X)
    assert score == pytest.approx(named.fit(X).score(X), rel=1e-9)
    assert score != pytest.approx(other.fit(X).score(X), rel=1e-3)


@pytest.mark.parametrize("cls", WASSERSTEIN_MODELS)
def test_parameters_beside_a_callable_metric_reach_it(cls):
    settings = dict(max_iter=3, random_state=0, learning_rate=1e-9, **PUBLISHED)
    plain = cls(metric="l1", **settings).fit(X).score(X)
    model = cls(metric=scaled_distances, metric_params={"scale": 3.0}, **settings)
    assert model.fit(X).score(X) == pytest.approx(3 * plain, rel=1e-6)


def test_parameters_beside_a_callable_base_kernel_reach_it():
    settings = dict(max_iter=5, random_state=0, **PUBLISHED)
    for params in ({"gamma": 0.1}, {"gamma": 2.0}):
        named = KernelRIM(base_kernel="rbf", base_kernel_params=params, **settings)
        given = KernelRIM(base_kernel=rbf_kernel, base_kernel_params=params, **settings)
        np.testing.assert_allclose(
            given.fit(X).predict_proba(X), named.fit(X).predict_proba(X), rtol=1e-9
        )


def test_parameters_beside_a_callable_reach_the_kernel_of_a_tree():
    params = {"gamma": 0.05}
    named = Kauri(kernel="laplacian", kernel_params=params).fit(X)
    given = Kauri(kernel=laplacian_kernel, kernel_params=params).fit(X)
    assert given.score(X) == pytest.approx(named.score(X), rel=1e-12)
    np.testing.assert_array_equal(given.labels_, named.labels_)
    other = Kauri(kernel=laplacian_kernel).fit(X)
    assert other.score(X) != pytest.approx(given.score(X), rel=1e-3)


def test_a_callable_of_two_arrays_is_served():
    expected = kernel_matrix(X, "rbf")
    actual = kernel_matrix(X, lambda A, B: rbf_kernel(A, B))
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    actual = kernel_matrix(X, lambda A, B, width: rbf_kernel(A, B, width), {"width": 2})
    np.testing.assert_allclose(actual, rbf_kernel(X, gamma=2), rtol=1e-12)
    actual = distance_matrix(X, lambda A, B: manhattan_distances(A, B))
    np.testing.assert_allclose(actual, distance_matrix(X, "l1"), rtol=1e-12)


def test_a_callable_of_one_sample_and_another_is_refused():
    with pytest.raises(ValueError, match=r"result of kernel\(X, X\).*got \(\)"):
        kernel_matrix(X, lambda a, b: np.exp(-((a - b) ** 2).sum()))


def one_array(samples):
    return samples @ samples.T


@pytest.mark.parametrize(
    ("compute", "argument"),
    [
        (lambda f, p: kernel_affinity(X, f, p), "kernel"),
        (
            lambda f, p: MMDGEMINI(kernel=f, kernel_params=p).compute_affinity(X),
            "kernel",
        ),
        (lambda f, p: distance_affinity(X, f, p), "metric"),
        (
            lambda f, p: WassersteinGEMINI(metric=f, metric_params=p).compute_affinity(
                X
            ),
            "metric",
        ),
        (lambda f, p: Kauri(kernel=f, kernel_params=p).fit(X), "kernel"),
    ],
)
def test_parameters_that_a_callable_does_not_take_are_refused(compute, argument):
    message = rf"{argument}_params .*'width': 2.* {argument}=one_array\(samples\)"
    with pytest.raises(ValueError, match=message):
        compute(one_array, {"width": 2})


def test_callables_of_other_signatures_are_refused():
    with pytest.raises(ValueError, match=r"called as kernel\(X\).*\(a, b, c\)"):
        kernel_affinity(X, lambda a, b, c: a)
    with pytest.raises(ValueError, match=r"kernel is called as kernel\(X\)"):
        kernel_affinity(X, lambda: X)
    message = r"base_kernel is called as base_kernel\(X, Y\).*one_array\(samples\)"
    with pytest.raises(ValueError, match=message):
        KernelRIM(base_kernel=one_array).fit(X)
    with pytest.raises(ValueError, match=r"base_kernel_params .*'width'.*rbf_kernel"):
        KernelRIM(base_kernel=rbf_kernel, base_kernel_params={"width": 1}).fit(X)


def test_a_type_error_inside_a_callable_is_its_own():
    def broken(samples, gamma=1.0):
        return samples + "a"

    with pytest.raises(TypeError) as caught:
        kernel_affinity(X, broken, {"gamma": 2.0})
    assert "kernel_params" not in str(caught.value)


@pytest.mark.parametrize(
    ("fit", "argument"),
    [
        (lambda **given: LinearMMD(**given).fit(X), "kernel"),
        (lambda **given: LinearWasserstein(**given).fit(X), "metric"),
        (
            lambda **given: KernelRIM(
                **{f"base_{name}": value for name, value in given.items()}
            ).fit(X),
            "kernel",
        ),
        (lambda **given: Kauri(**given).fit(X), "kernel"),
    ],
)
def test_arrays_as_kernels_metrics_and_parameters_are_refused(fit, argument):
    matrix = X @ X.T
    with pytest.raises(TypeError, match=rf"{argument} must be .*shape \(40, 40\)"):
        fit(**{argument: matrix})
    for params in (np.ones(3), [("gamma", 1.0)], "gamma", {1: 2.0}):
        with pytest.raises(TypeError, match=f"{argument}_params must be a dict"):
            fit(**{f"{argument}_params": params})


def test_a_matrix_as_a_kernel_is_told_where_matrices_go():
    with pytest.raises(TypeError, match="y of fit, with kernel='precomputed'"):
        kernel_affinity(X, X @ X.T)
    with pytest.raises(TypeError, match="y of fit, with metric='precomputed'"):
        LinearWasserstein(metric=np.eye(40)).fit(X)


def test_transformers_as_metrics_are_refused():
    with pytest.raises(TypeError, match="metric must be .*feature map"):
        distance_affinity(X, PCA())


@pytest.mark.parametrize("kernel", ["poly", "polynomial", "rbf", "linear", "cosine"])
def test_wrong_parameters_of_names_are_named(kernel):
    message = rf"kernel_params {{'colour': 'red'}} .*kernel={kernel!r}.*takes"
    for minibatch in (False, True):
        with pytest.raises(ValueError, match=message):
            np.asarray(kernel_affinity(X, kernel, {"colour": "red"}, None, minibatch))


@pytest.mark.parametrize("params", [{"degree": "3"}, {"gamma": "a"}, {"coef0": None}])
def test_wrong_values_of_the_polynomial_are_named(params):
    with pytest.raises(ValueError, match="kernel_params .*'poly' kernel"):
        kernel_affinity(X, "poly", params)


@pytest.mark.parametrize("degree", [2, np.int64(2), np.uint8(2), 2.0, np.float32(2)])
def test_any_whole_degree_has_a_factor(degree):
    many = np.random.RandomState(1).normal(size=(60, 2))
    affinity = kernel_affinity(many, "poly", {"degree": degree, "gamma": 0.3})
    assert isinstance(affinity, FactoredKernel) and affinity.factor.shape == (60, 6)
    expected = polynomial_kernel(many, degree=2, gamma=0.3)
    np.testing.assert_allclose(affinity, expected, rtol=1e-12)


def test_a_gamma_that_is_no_number_makes_no_factor():
    with pytest.raises(ValueError, match="finite|gamma"):
        kernel_affinity(np.ones((60, 2)), "poly", {"gamma": np.nan})


def test_factors_are_checked():
    Z = X.copy()
    Z[3, 1] = np.nan
    for factor in (Z, np.where(np.isnan(Z), np.inf, Z)):
        with pytest.raises(ValueError, match="y must have a finite factor"):
            LinearMMD(kernel="precomputed").fit(X, FactoredKernel(factor))
        with pytest.raises(ValueError, match="y must have a finite factor"):
            Kauri(kernel="precomputed").fit(X, FactoredKernel(factor))
    with pytest.raises(ValueError, match="40 samples, got a FactoredKernel of 39"):
        LinearMMD(kernel="precomputed").fit(X, FactoredKernel(X[1:]))
    with pytest.raises(TypeError, match="factor must hold real numbers"):
        FactoredKernel(X.astype(object))
    counts = np.arange(6).reshape(3, 2)
    np.testing.assert_array_equal(FactoredKernel(counts), counts @ counts.T)
    assert FactoredKernel(counts).factor.dtype == np.float64


def test_cross_kernels_pass_parameters_on():
    expected = rbf_kernel(X[:5], X, gamma=0.2)
    actual = cross_kernel(X[:5], X, rbf_kernel, {"gamma": 0.2})
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
