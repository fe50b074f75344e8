"""Sample weights of the objectives: repetitions, removals, common factors."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from gemclus.affinity import FactoredKernel
from gemclus.gemini import AVAILABLE_GEMINIS, GEMINI, KLGEMINI, MMDGEMINI
from gemclus.gemini._base import training_affinity, training_evaluator
from gemclus.gemini._registry import make_gemini


def softmax(logits):
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def problem(N=60, K=4, D=3, seed=0):
    generator = np.random.RandomState(seed)
    X = generator.normal(size=(N, D)) + 1.0
    P = softmax(1.5 * generator.normal(size=(N, K)))
    return X, P, generator.randint(0, 4, size=N)


# How an objective may be told of the kernel or distances.
def plain(gemini, X):
    return gemini.compute_affinity(X)


def training(gemini, X):
    return training_affinity(gemini, X)


def sparse(gemini, X):
    return FactoredKernel(csr_matrix(X))


def lazy(gemini, X):
    return training_affinity(gemini.set_params(kernel="rbf"), X, minibatch=True)


def graph(gemini, X):
    kernel = csr_matrix(np.maximum(X @ X.T, 0.0))
    return training_affinity(gemini.set_params(kernel="precomputed"), X, kernel)


CASES = [(name, plain) for name in AVAILABLE_GEMINIS]
CASES += [(name, training) for name in ("mmd_ova", "mmd_ovo")]
CASES += [(name, sparse) for name in ("mmd_ova", "mmd_ovo")]
CASES += [(name, lazy) for name in ("mmd_ova", "mmd_ovo")]
CASES += [(name, graph) for name in ("mmd_ova", "mmd_ovo")]


@pytest.mark.parametrize("K", [2, 4, 140])
@pytest.mark.parametrize(("name", "affinity"), CASES)
def test_integer_weights_repeat_samples(name, affinity, K):
    if "wasserstein" in name and K > 4:
        pytest.skip("many transport problems that show nothing new")
    X, P, times = problem(K=K)
    gemini = make_gemini(name)
    rows = np.repeat(np.arange(len(X)), times)
    expected, exact = gemini.evaluate(P[rows], affinity(gemini, X[rows]), True)
    value, gradient = gemini.evaluate(P, affinity(gemini, X), True, sample_weight=times)
    assert value == pytest.approx(expected, rel=1e-12)
    # The repetitions of a sample share what it gets.
    summed = np.zeros_like(P)
    np.add.at(summed, rows, exact)
    if "wasserstein" not in name:  # dual potentials need not be unique
        scale = np.abs(summed).max()
        np.testing.assert_allclose(gradient, summed, rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_array_equal(gradient[times == 0], 0)
    assert gemini.evaluate(P, affinity(gemini, X), sample_weight=times) == value


@pytest.mark.parametrize("name", ["wasserstein_ova", "wasserstein_ovo"])
def test_wasserstein_gradients_are_slopes_of_the_weighted_value(name):
    X, P, times = problem(N=25, K=3)
    gemini = make_gemini(name)
    A = gemini.compute_affinity(X)
    weights = times + 0.5
    _, gradient = gemini.evaluate(P, A, True, sample_weight=weights)
    direction = np.random.RandomState(1).normal(size=P.shape)
    step = 1e-7
    up = gemini.evaluate(P + step * direction, A, sample_weight=weights)
    down = gemini.evaluate(P - step * direction, A, sample_weight=weights)
    slope = (gradient * direction).sum()
    assert (up - down) / (2 * step) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(("name", "affinity"), CASES)
def test_weight_zero_removes_a_sample(name, affinity):
    X, P, _ = problem()
    gemini = make_gemini(name)
    weights = np.random.RandomState(2).uniform(0.5, 2.0, size=len(X))
    weights[::3] = 0.0
    kept = weights > 0
    expected, exact = gemini.evaluate(
        P[kept], affinity(gemini, X[kept]), True, sample_weight=weights[kept]
    )
    value, gradient = gemini.evaluate(
        P, affinity(gemini, X), True, sample_weight=weights
    )
    assert value == pytest.approx(expected, rel=1e-13)
    if "wasserstein" not in name:
        np.testing.assert_allclose(gradient[kept], exact, rtol=1e-11, atol=1e-14)
    np.testing.assert_array_equal(gradient[~kept], 0)


@pytest.mark.parametrize(("name", "affinity"), CASES)
def test_a_common_factor_changes_nothing(name, affinity):
    X, P, _ = problem()
    gemini = make_gemini(name)
    A = affinity(gemini, X)
    weights = np.random.RandomState(2).uniform(0.5, 2.0, size=len(X))
    value, gradient = gemini.evaluate(P, A, True, sample_weight=weights)
    for factor in (2.0**-20, 1e-300, 1e300):
        other, slopes = gemini.evaluate(P, A, True, sample_weight=factor * weights)
        assert other == pytest.approx(value, rel=1e-13)
        if "wasserstein" not in name:
            np.testing.assert_allclose(slopes, gradient, rtol=1e-11, atol=1e-15)
    equal, slopes = gemini.evaluate(P, A, True, sample_weight=np.full(len(X), 7))
    value, gradient = gemini.evaluate(P, A, True)
    assert equal == pytest.approx(value, rel=1e-13)
    if "wasserstein" not in name:
        np.testing.assert_allclose(slopes, gradient, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_conventions_hold_with_weights(name):
    X, P, times = problem()
    gemini = make_gemini(name)
    for A in {"plain": plain, "training": training}.values():
        A = A(gemini, X)
        equal = np.tile(P[:1], (len(P), 1))
        value, gradient = gemini.evaluate(equal, A, True, sample_weight=times)
        assert abs(value) <= 1e-14
        assert np.isfinite(gradient).all()
        alone = np.zeros(len(X))
        alone[7] = 3.0
        value, gradient = gemini.evaluate(P, A, True, sample_weight=alone)
        assert value == pytest.approx(0, abs=1e-11)
        np.testing.assert_allclose(gradient, 0, atol=1e-11)
        small = P.astype(np.float32)
        value, gradient = gemini.evaluate(small, A, True, sample_weight=times)
        assert gradient.dtype == np.float32
        expected = gemini.evaluate(small.astype(float), A, sample_weight=times)
        assert value == pytest.approx(expected, rel=1e-6)
        broken = P.copy()
        broken[5, 1] = np.nan
        with pytest.raises(ValueError, match="y_pred.*finite"):
            gemini.evaluate(broken, A, sample_weight=times)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_bad_weights_are_refused(name):
    X, P, _ = problem()
    gemini = make_gemini(name)
    A = gemini.compute_affinity(X)
    good = np.ones(len(X))
    for bad, message in [
        (good[1:], r"sample_weight must have shape \(60,\).*\(59,\)"),
        (good[:, None], "sample_weight must have shape"),
        (-good, "sample_weight must not be negative, got -1"),
        (0 * good, "sample_weight must not be zero for all"),
        (np.where(good, np.nan, 0), "sample_weight must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            gemini.evaluate(P, A, sample_weight=bad)
    for bad in (["a"] * len(X), good + 1j):
        with pytest.raises(TypeError, match="sample_weight must hold"):
            gemini.evaluate(P, A, sample_weight=bad)
    value = gemini(P, A, sample_weight=good.tolist())
    assert value == gemini.evaluate(P, A, sample_weight=good)


class Plain(GEMINI):
    """An objective in the published form."""

    def compute_affinity(self, X, y=None):
        return None

    def evaluate(self, y_pred, affinity, return_grad=False):
        return KLGEMINI().evaluate(y_pred, None, return_grad)


class Swallowing(Plain):
    def evaluate(self, y_pred, affinity, return_grad=False, **kwargs):
        return KLGEMINI().evaluate(y_pred, None, return_grad)


class Passing(Plain):
    def evaluate(self, y_pred, affinity, return_grad=False, **kwargs):
        return KLGEMINI().evaluate(y_pred, None, return_grad, **kwargs)


def test_objectives_that_know_no_weights_refuse_them():
    _, P, times = problem()
    for cls in (Plain, Swallowing):
        evaluate = training_evaluator(cls())
        assert evaluate(P, None) == KLGEMINI().evaluate(P)
        with pytest.raises(ValueError, match=f"{cls.__name__}.evaluate.*sample_weight"):
            evaluate(P, None, sample_weight=times)
    with pytest.raises(ValueError, match=r"Plain.evaluate.*sample_weight"):
        Plain()(P, None, sample_weight=times)
    expected = KLGEMINI().evaluate(P, sample_weight=times)
    assert training_evaluator(Passing())(P, None, sample_weight=times) == expected
    assert Passing()(P, None, sample_weight=times) == expected


def test_training_takes_weights_step_by_step():
    X, P, times = problem()
    for name in ("mmd_ova", "wasserstein_ova", "kl_ova"):
        gemini = make_gemini(name)
        A = training_affinity(gemini, X)
        evaluate = training_evaluator(gemini)
        for weights in (times, None, times + 1):
            assert evaluate(P, A, sample_weight=weights) == pytest.approx(
                gemini.evaluate(P, A, sample_weight=weights), rel=1e-13
            )


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("offset", [5e5, 4e6])
def test_an_offset_costs_no_digits_in_single_precision(offset, ovo):
    X, P, times = problem(N=3000, K=5)
    X = (X + offset).astype(np.float32)
    P = P.astype(np.float32)
    gemini = MMDGEMINI(ovo)
    exact = X.astype(np.float64)
    exact -= exact.mean(axis=0)
    for weights in (None, times):
        for wide in (1, 200):  # beyond what the compiled passes take
            A = FactoredKernel(np.tile(X, (1, wide)))
            expected, slopes = gemini.evaluate(
                P.astype(np.float64),
                FactoredKernel(np.tile(exact, (1, wide))),
                True,
                sample_weight=weights,
            )
            value, gradient = gemini.evaluate(P, A, True, sample_weight=weights)
            assert value == pytest.approx(expected, rel=1e-6)
            scale = np.abs(slopes).max()
            np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6 * scale)
