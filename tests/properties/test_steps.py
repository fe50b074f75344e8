"""Optimisers, penalties, affinities and constraints, whatever they are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import pairwise_kernels
from strategies import (
    LAYOUTS,
    dtypes,
    examples,
    few,
    layouts,
    seeds,
    sizes,
    tolerance,
)

from gemclus.affinity import FactoredKernel, distance_affinity, kernel_affinity
from gemclus.optim import SGD, Adam
from gemclus.penalties import GroupLasso, HierarchicalLasso, check_groups


@pytest.mark.parametrize("optimiser", [Adam, SGD])
@given(
    seed=seeds,
    shapes=st.lists(st.tuples(few, few), min_size=1, max_size=4),
    dtype=dtypes,
    layout=layouts,
)
@examples(25)
def test_parameters_in_any_arrays_take_the_same_steps(
    optimiser, seed, shapes, dtype, layout
):
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    params = [LAYOUTS[layout](a.copy()) for a in start]
    flat = np.concatenate([a.ravel() for a in start])
    one, many = optimiser(0.1), optimiser(0.1)
    for _ in range(3):
        grads = [rng.normal(size=shape).astype(dtype) for shape in shapes]
        many.update_params(params, [LAYOUTS[layout](g) for g in grads])
        one.update_params([flat], [np.concatenate([g.ravel() for g in grads])])
    joined = np.concatenate([np.asarray(p).ravel() for p in params])
    np.testing.assert_allclose(joined, flat, rtol=0, atol=tolerance(dtype))
    assert one.step_size == many.step_size


@st.composite
def grouped(draw):
    """Groups of some features, and weights of all."""
    rng = np.random.default_rng(draw(seeds))
    n_features = draw(st.integers(1, 9))
    order = rng.permutation(n_features)
    ends = np.sort(rng.integers(0, n_features + 1, size=draw(st.integers(0, 3))))
    groups = [g.tolist() for g in np.split(order, ends)[:-1] if len(g)]
    W = rng.normal(size=(n_features, draw(few)))
    U = 3 * rng.standard_t(2, size=(n_features, draw(few)))
    return groups, W, U, draw(st.sampled_from([0.0, 0.1, 1.0, 5.0])), rng


@given(case=grouped())
@examples(60)
def test_groups_become_a_partition(case):
    groups, W, _, _, _ = case
    parts = check_groups(groups, len(W))
    assert [part.tolist() for part in parts[: len(groups)]] == groups
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(W)))
    assert all(len(part) == 1 for part in parts[len(groups) :])
    penalty = GroupLasso(len(W), groups)
    norms = [np.linalg.norm(W[part]) for part in parts]
    np.testing.assert_allclose(penalty.group_norms(W), norms)
    assert penalty.value(W) == pytest.approx(sum(norms))


@given(case=grouped(), factor=st.sampled_from([2.0**-20, 0.5, 4.0]))
@examples(60)
def test_proximal_operators_scale_and_bring_points_together(case, factor):
    groups, W, U, step, rng = case
    lasso, hierarchy = (
        GroupLasso(len(W), groups),
        HierarchicalLasso(len(W), groups, 0.7),
    )

    def shrink(W, U, step):
        B, C, T = W.copy(), W.copy(), U.copy()
        lasso.prox(B, step)
        hierarchy.prox(C, step, T)
        return B, C, T

    plain, scaled = shrink(W, U, step), shrink(factor * W, factor * U, factor * step)
    for one, other in zip(plain, scaled):
        np.testing.assert_allclose(other, factor * one, rtol=1e-9, atol=1e-12 * factor)
    near = W + 0.3 * rng.normal(size=W.shape)
    gap = np.linalg.norm(shrink(near, U, step)[0] - plain[0])
    assert gap <= np.linalg.norm(near - W) + 1e-12
    assert lasso.value(plain[0]) <= lasso.value(W) + 1e-12
    # A feature is selected exactly if its group has weights.
    support = lasso.support(plain[0])
    for part in lasso.groups:
        assert (support[part] == (np.linalg.norm(W[part]) > step)).all()


AFFINITIES = {
    "linear": lambda X: kernel_affinity(X, "linear"),
    "rbf": lambda X: kernel_affinity(X, "rbf", {"gamma": 0.5}),
    "lazy rbf": lambda X: kernel_affinity(X, "rbf", {"gamma": 0.5}, minibatch=True),
    "euclidean": lambda X: distance_affinity(X, "euclidean"),
    "lazy manhattan": lambda X: distance_affinity(X, "manhattan", minibatch=True),
}


@pytest.mark.parametrize("kind", AFFINITIES)
@given(seed=seeds, n=st.integers(1, 20), m=st.integers(1, 12))
@examples(25)
def test_selections_of_an_affinity_are_those_of_its_matrix(kind, seed, n, m):
    rng = np.random.default_rng(seed)
    affinity = AFFINITIES[kind](rng.normal(size=(n, 3)))
    full = np.asarray(affinity)
    idx, other = rng.integers(n, size=m), rng.integers(n, size=m)
    batch = affinity[idx][:, idx]
    np.testing.assert_array_equal(batch.indices, idx)
    np.testing.assert_allclose(batch, full[np.ix_(idx, idx)], atol=1e-7)
    np.testing.assert_allclose(affinity[idx, other], full[idx, other], atol=1e-12)
    np.testing.assert_allclose(affinity[np.ix_(idx, other)], full[np.ix_(idx, other)],
                               atol=1e-7)  # fmt: skip
    mask = np.arange(n) <= rng.integers(n)
    np.testing.assert_allclose(affinity[mask], full[mask], atol=1e-12)
    nested = batch.take(np.arange(m)[::-1])
    np.testing.assert_array_equal(nested.indices, idx[::-1])


@given(
    seed=seeds,
    n=sizes,
    degree=st.integers(1, 3),
    coef0=st.sampled_from([0.0, 1.0, 2.5]),
    gamma=st.sampled_from([None, 0.1, 2.0]),
)
@examples(30)
def test_polynomial_factors_are_exact(seed, n, degree, coef0, gamma):
    X = np.random.default_rng(seed).normal(size=(n + 80, 3))
    params = {"degree": degree, "coef0": coef0, "gamma": gamma}
    affinity = kernel_affinity(X, "poly", params)
    assert isinstance(affinity, FactoredKernel)
    expected = pairwise_kernels(X, metric="poly", **params)
    atol = 1e-12 * np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(affinity), expected, rtol=1e-9, atol=atol)
