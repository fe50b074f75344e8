"""Properties of every objective, whatever the sizes, dtypes and layouts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    LAYOUTS,
    dtypes,
    examples,
    few,
    layouts,
    predictions,
    seeds,
    sizes,
    tolerance,
)

from gemclus.gemini import AVAILABLE_GEMINIS
from gemclus.gemini._registry import make_gemini

every_objective = pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
SPREADS = st.sampled_from([1e-3, 0.5, 2.0])


def problem(name, seed, n, k, spread=1.0):
    rng = np.random.default_rng(seed)
    gemini = make_gemini(name)
    X = rng.normal(size=(n, 2))
    return gemini, predictions(rng, n, k, spread), X, gemini.compute_affinity(X), rng


def few_samples(name, n):
    """Transport problems of some hundred samples take too long here."""
    return min(n, 33) if "wasserstein" in name else n


@every_objective
@given(seed=seeds, n=sizes, k=few, spread=SPREADS)
@examples(15)
def test_permutations_change_nothing(name, seed, n, k, spread):
    n = few_samples(name, n)
    gemini, P, _, A, rng = problem(name, seed, n, k, spread)
    rows, columns = rng.permutation(n), rng.permutation(k)
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    B = None if A is None else np.ascontiguousarray(A[np.ix_(rows, rows)])
    Q = np.ascontiguousarray(P[np.ix_(rows, columns)])
    moved, moved_gradient = gemini.evaluate(Q, B, return_grad=True)
    assert moved == pytest.approx(value, rel=1e-11, abs=1e-13)
    if "wasserstein" not in name and spread > 0.1:
        np.testing.assert_allclose(
            moved_gradient, gradient[np.ix_(rows, columns)], rtol=1e-9, atol=1e-12
        )


@every_objective
@given(seed=seeds, n=sizes, k=few, copies=st.integers(2, 3))
@examples(12)
def test_samples_that_come_twice_count_twice(name, seed, n, k, copies):
    # A single sample has no gradient by convention, its copies have one.
    n = few_samples(name, n) // copies + 2
    gemini, P, X, A, _ = problem(name, seed, n, k)
    value, gradient = gemini.evaluate(P, A, return_grad=True)
    many = np.tile(P, (copies, 1))
    again = gemini.compute_affinity(np.tile(X, (copies, 1)))
    repeated, slopes = gemini.evaluate(many, again, return_grad=True)
    assert repeated == pytest.approx(value, rel=1e-10, abs=1e-12)
    if "wasserstein" not in name:
        total = slopes.reshape(copies, n, k).sum(axis=0)
        np.testing.assert_allclose(total, gradient, rtol=1e-8, atol=1e-11)


@every_objective
@given(seed=seeds, n=sizes, k=few, dtype=dtypes, layout=layouts)
@examples(12)
def test_dtypes_and_layouts_change_nothing_but_rounding(
    name, seed, n, k, dtype, layout
):
    n = few_samples(name, n)
    gemini, P, _, A, _ = problem(name, seed, n, k)
    exact = P.astype(dtype).astype(np.float64)
    value, gradient = gemini.evaluate(exact, A, return_grad=True)
    other, slopes = gemini.evaluate(LAYOUTS[layout](P.astype(dtype)), A, True)
    assert slopes.dtype == dtype and slopes.shape == (n, k)
    assert other == pytest.approx(value, rel=1e-6, abs=tolerance(dtype))
    if "wasserstein" not in name:
        scale = max(1e-3, abs(gradient).max())
        np.testing.assert_allclose(
            slopes, gradient, rtol=0, atol=10 * tolerance(dtype) * scale
        )


@pytest.mark.parametrize("name", [n for n in AVAILABLE_GEMINIS if "ovo" not in n])
@given(seed=seeds, n=sizes, k=st.integers(2, 6), spread=st.sampled_from([0.5, 3.0]))
@examples(15)
def test_merged_clusters_tell_no_more(name, seed, n, k, spread):
    """One-vs-all distances are convex: of two clusters together they are less."""
    n = few_samples(name, n)
    gemini, P, _, A, _ = problem(name, seed, n, k, spread)
    merged = np.hstack([P[:, :-2], P[:, -2:].sum(axis=1, keepdims=True)])
    assert gemini.evaluate(merged, A) <= gemini.evaluate(P, A) + 1e-12


BOUNDS = {"mi": None, "kl_ova": None, "tv_ova": 1, "tv_ovo": 1}
BOUNDS |= {"hellinger_ova": 1, "hellinger_ovo": 1}


@every_objective
@given(seed=seeds, n=sizes, k=few, spread=st.sampled_from([1e-8, 1.0, 50.0]))
@examples(15)
def test_values_lie_within_their_bounds(name, seed, n, k, spread):
    n = few_samples(name, n)
    gemini, P, _, A, _ = problem(name, seed, n, k, spread)
    value = gemini.evaluate(P, A)
    assert value >= -1e-14
    if name in BOUNDS:
        assert value <= (BOUNDS[name] or np.log(k)) + 1e-9


@pytest.mark.parametrize(
    "name", ["mmd_ova", "mmd_ovo", "wasserstein_ova", "wasserstein_ovo"]
)
@given(
    seed=seeds,
    n=sizes,
    k=few,
    factor=st.sampled_from([1e-6, 0.3, 7.0, 1e6]),
    offset=st.sampled_from([0.0, -3.0, 1e3]),
)
@examples(15)
def test_geometric_objectives_scale_with_the_data(name, seed, n, k, factor, offset):
    n = few_samples(name, n)
    gemini, P, X, _, _ = problem(name, seed, n, k)
    evaluate = gemini._training_evaluator
    value = evaluate()(P, gemini._training_affinity(X))
    moved = gemini._training_affinity((X + offset) * factor)
    expected = pytest.approx(factor * value, rel=1e-7, abs=1e-9 * factor)
    assert evaluate()(P, moved) == expected
