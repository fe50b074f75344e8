"""Every objective of the registry against its naive definition, finite
differences, and the invariances that all of them share."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from oracles import ORACLES
from sklearn.base import clone

from gemclus.gemini import AVAILABLE_GEMINIS
from gemclus.gemini._registry import GEMINIS, make_gemini
from gemclus.testing import numerical_gradient

# Piecewise linear in the predictions: their gradients jump.
SYMMETRIC = [name[:-4] for name in AVAILABLE_GEMINIS if name.endswith("_ova")]


def softmax(logits):
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def problem(name, N=13, K=3, D=2, seed=0, scale=1.0):
    generator = np.random.RandomState(seed)
    X = generator.normal(size=(N, D))
    P = softmax(scale * generator.normal(size=(N, K)))
    gemini = make_gemini(name)
    return gemini, P, gemini.compute_affinity(X)


def test_the_registry_names_every_published_objective():
    assert set(AVAILABLE_GEMINIS) == set(ORACLES)
    assert list(GEMINIS) == AVAILABLE_GEMINIS


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_value_equals_the_naive_definition(name, K):
    gemini, P, A = problem(name, K=K)
    expected = ORACLES[name](P, A)
    np.testing.assert_allclose(gemini.evaluate(P, A), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_gradient_equals_finite_differences(name, K):
    gemini, P, A = problem(name, N=11, K=K)
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    # Small enough to stay on one linear piece of the piecewise linear ones.
    Q = P.copy()
    expected = numerical_gradient(lambda: gemini.evaluate(Q, A), Q, step=1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)
    assert gemini.evaluate(P, A) == value
    assert isinstance(value, float)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_independent_predictions_give_zero(name):
    gemini, P, A = problem(name, N=40)
    P = np.tile(P[:1], (40, 1))
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    assert abs(value) <= 1e-15
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_one_cluster_and_one_sample_give_zero(name):
    for N, K in [(7, 1), (1, 4), (1, 1)]:
        gemini, P, A = problem(name, N=N, K=K)
        value, gradient = gemini.evaluate(P, A, return_grad=True)
        assert value == pytest.approx(0, abs=1e-11), (N, K)
        np.testing.assert_allclose(gradient, 0, atol=1e-11, err_msg=f"{N}, {K}")


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_an_empty_cluster_changes_nothing(name):
    gemini, P, A = problem(name)
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    extended = np.hstack([P, np.zeros((len(P), 1))])
    new_value, new_gradient = gemini.evaluate(extended, A, return_grad=True)
    # The empty column is clipped to 1e-12, which is what may show.
    assert new_value == pytest.approx(value, abs=1e-10)
    assert np.isfinite(new_gradient).all()
    np.testing.assert_array_equal(new_gradient[:, -1], 0)
    if "chi2_ovo" not in name and "kl_ovo" not in name:
        np.testing.assert_allclose(new_gradient[:, :-1], gradient, atol=1e-9)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_one_hot_predictions_are_finite_with_no_gradient(name):
    gemini, P, A = problem(name)
    hard = np.eye(3)[P.argmax(axis=1)]
    value, gradient = gemini.evaluate(hard, A, return_grad=True)
    assert np.isfinite(value)
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_permutations_of_samples_and_clusters(name):
    gemini, P, A = problem(name)
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    rows, columns = np.random.RandomState(1).permutation(13), [2, 0, 1]
    shuffled = None if A is None else np.ascontiguousarray(A[np.ix_(rows, rows)])
    new_value, new_gradient = gemini.evaluate(
        np.ascontiguousarray(P[rows][:, columns]), shuffled, return_grad=True
    )
    assert new_value == pytest.approx(value, rel=1e-12)
    if "wasserstein" not in name:  # dual potentials need not be unique
        np.testing.assert_allclose(
            new_gradient, gradient[rows][:, columns], rtol=1e-9, atol=1e-13
        )


@pytest.mark.parametrize("family", ["mmd", "wasserstein", "tv"])
def test_two_clusters_make_ova_equal_to_ovo(family):
    gemini, P, A = problem(f"{family}_ova", K=2)
    other = make_gemini(f"{family}_ovo")
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    other_value, other_gradient = other.evaluate(P, A, return_grad=True)
    assert other_value == pytest.approx(value, rel=1e-12)
    T = P * (gradient - (P * gradient).sum(axis=1, keepdims=True))
    other_T = P * (other_gradient - (P * other_gradient).sum(axis=1, keepdims=True))
    if family != "wasserstein":
        np.testing.assert_allclose(T, other_T, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_the_gradient_is_zero_where_predictions_are_clipped(name):
    gemini, P, A = problem(name)
    P = P.copy()
    P[3] = [1.0, 0.0, 0.0]
    P[5] = [0.5, 0.5, 0.0]
    _, gradient = gemini.evaluate(P, A, return_grad=True)
    np.testing.assert_array_equal(gradient[3], 0)
    assert gradient[5, 2] == 0


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_float32_predictions(name):
    gemini, P, A = problem(name, N=50)
    small = P.astype(np.float32)
    value, gradient = gemini.evaluate(small, A, return_grad=True)
    expected, exact = gemini.evaluate(small.astype(np.float64), A, return_grad=True)
    assert gradient.dtype == np.float32
    assert value == pytest.approx(expected, rel=1e-6)
    if "wasserstein" not in name:
        np.testing.assert_allclose(gradient, exact, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_inputs_are_not_modified_and_any_layout_is_accepted(name):
    gemini, P, A = problem(name)
    P.flags.writeable = False
    if A is not None:
        A.flags.writeable = False
    value = gemini.evaluate(P, A)
    assert gemini.evaluate(np.asfortranarray(P), A) == pytest.approx(value, rel=1e-13)
    assert gemini.evaluate(P.tolist(), A) == value
    assert gemini(P, A) == value


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_bad_predictions_are_refused(name):
    gemini, P, A = problem(name)
    broken = P.copy()
    broken[2, 1] = np.nan
    with pytest.raises(ValueError, match="y_pred.*finite"):
        gemini.evaluate(broken, A)
    broken[2, 1] = np.inf
    with pytest.raises(ValueError, match="y_pred.*finite"):
        gemini.evaluate(broken, A)
    with pytest.raises(ValueError, match="y_pred.*shape"):
        gemini.evaluate(P[0], A)
    with pytest.raises(TypeError, match="y_pred.*real"):
        gemini.evaluate(P.astype(complex), A)
    if A is not None:
        with pytest.raises(ValueError, match="affinity.*shape"):
            gemini.evaluate(P, A[:-1])
        with pytest.raises(ValueError, match="affinity"):
            gemini.evaluate(P, None)
        A = A.copy()
        A[0, 1] = np.nan
        with pytest.raises(ValueError, match="affinity.*finite"):
            gemini.evaluate(P, A)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_evaluations_run_in_parallel_threads(name):
    gemini, P, A = problem(name, N=60, K=4)
    expected = gemini.evaluate(P, A, return_grad=True)
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: gemini.evaluate(P, A, return_grad=True), range(16))
        )
    for value, gradient in results:
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_objectives_behave_as_estimators(name):
    gemini, P, A = problem(name)
    value = gemini.evaluate(P, A)
    for other in (clone(gemini), pickle.loads(pickle.dumps(gemini))):
        assert other.get_params() == gemini.get_params()
        assert other.evaluate(P, A) == value
    assert type(gemini).__name__ in repr(gemini)
    with pytest.raises((ValueError, TypeError), match="epsilon"):
        clone(gemini).set_params(epsilon=-1.0).evaluate(P, A)


def test_unknown_objectives_are_refused():
    with pytest.raises(ValueError, match="gemini must be one of"):
        make_gemini("mmd")
    with pytest.raises(TypeError, match="gemini must be one of"):
        make_gemini(3)
    with pytest.raises(TypeError, match="gemini must be one of"):
        make_gemini(type(make_gemini("mmd_ova")))
