"""Proximal operators: optimality, limits, layouts."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize, nnls

from gemclus.penalties import GroupLasso, HierarchicalLasso

GROUPS = {"alone": None, "groups": [[5, 0, 2], [1, 4]]}
D, K, H = 6, 3, 5


@pytest.fixture(params=range(4))
def rng(request):
    return np.random.default_rng(request.param)


def group_lasso(W, step, groups):
    penalty = GroupLasso(len(W), groups)
    B = W.copy()
    penalty.prox(B, step)
    return B, penalty


def hierarchical(W, U, step, M, groups=None):
    penalty = HierarchicalLasso(len(W), groups, M)
    B, T = W.copy(), U.copy()
    penalty.prox(B, step, T)
    return B, T, penalty


def hierarchical_objective(B, T, W, U, step, penalty):
    distances = ((B - W) ** 2).sum() + ((T - U) ** 2).sum()
    return distances / 2 + step * penalty.value(B)


def check_hierarchy(B, T, M, groups):
    for group in groups:
        bound = M * np.linalg.norm(B[group])
        assert np.abs(T[group]).max() <= bound * (1 + 1e-12)


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_value(groups, rng):
    W = rng.normal(size=(D, K))
    penalty = GroupLasso(D, groups)
    expected = [np.sqrt((W[group] ** 2).sum()) for group in penalty.groups]
    np.testing.assert_allclose(penalty.group_norms(W), expected, rtol=1e-14)
    np.testing.assert_allclose(penalty.value(W), sum(expected), rtol=1e-14)


def test_support_is_by_groups():
    W = np.zeros((D, K))
    W[0, 1] = 1e-3
    penalty = GroupLasso(D, GROUPS["groups"])
    assert np.flatnonzero(penalty.support(W)).tolist() == [0, 2, 5]


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("step", [0.0, 0.3, 1.5, 100.0])
def test_group_lasso_meets_the_optimality_conditions(groups, step, rng):
    W = rng.normal(size=(D, K))
    B, penalty = group_lasso(W, step, groups)
    for group in penalty.groups:
        norm = np.linalg.norm(B[group])
        if norm > 0:
            np.testing.assert_allclose(
                B[group] - W[group] + step * B[group] / norm, 0, atol=1e-14
            )
        else:
            assert np.linalg.norm(W[group]) <= step


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_group_lasso_against_a_convex_solver(groups, rng):
    """The dual: W minus its projection on the groups of norm at most `step`."""
    W, step = rng.normal(size=(D, K)), 1.0
    B, penalty = group_lasso(W, step, groups)

    belongs = np.array([np.isin(np.arange(D), group) for group in penalty.groups])
    belongs = np.repeat(belongs, K, axis=1)

    result = minimize(
        lambda z: ((z - W.ravel()) ** 2).sum() / 2,
        np.zeros(D * K),
        jac=lambda z: z - W.ravel(),
        method="SLSQP",
        constraints={
            "type": "ineq",
            "fun": lambda z: step**2 - belongs @ z**2,
            "jac": lambda z: -2 * belongs * z,
        },
        options={"ftol": 1e-10, "maxiter": 1000},
    )
    np.testing.assert_allclose(B, W - result.x.reshape(D, K), atol=1e-5)


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("step", [0.0, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("M", [0.0, 0.1, 1.0, 10.0])
def test_hierarchical_meets_the_optimality_conditions(groups, step, M, rng):
    W, U = rng.normal(size=(D, K)), rng.normal(size=(D, H))
    B, T, penalty = hierarchical(W, U, step, M, groups)
    check_hierarchy(B, T, M, penalty.groups)
    for group in penalty.groups:
        r, norm = np.linalg.norm(B[group]), np.linalg.norm(W[group])
        np.testing.assert_allclose(
            T[group], np.clip(U[group], -M * r, M * r), atol=1e-14
        )
        # Derivative along the direction of W of the problem in r alone.
        excess = np.maximum(np.abs(U[group]) - M * r, 0).sum()
        slope = r - norm + step - M * excess
        if r > 0:
            np.testing.assert_allclose(slope, 0, atol=1e-12)
            np.testing.assert_allclose(B[group] / r, W[group] / norm, atol=1e-12)
        else:
            assert slope >= 0


@pytest.mark.parametrize("step, M", [(0.5, 1.0), (3.0, 0.5), (2.0, 10.0), (6.0, 1.0)])
def test_hierarchical_against_a_convex_solver(step, M, rng):
    """Along the direction of the skip weights the problem is a convex one."""
    w, u = rng.normal(size=(1, K)), 2 * rng.normal(size=(1, H))
    B, T, _ = hierarchical(w, u, step, M)
    # (r, theta) is a combination of the corners of the cone |theta| <= M r, with
    # weights that are not negative; the penalty moves the target of r.
    signs = np.array(list(product([-1, 1], repeat=H)))
    corners = np.column_stack([np.ones(len(signs)), M * signs])
    weights, _ = nnls(corners.T, np.append(np.linalg.norm(w) - step, u[0]))
    r, *theta = corners.T @ weights
    np.testing.assert_allclose(np.linalg.norm(B), r, atol=1e-12)
    np.testing.assert_allclose(T[0], theta, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0])
def test_no_feasible_point_nearby_is_better(scale, rng):
    W, U, step, M = rng.normal(size=(D, K)), 2 * rng.normal(size=(D, H)), 1.0, 0.7
    groups = GROUPS["groups"]
    B, T, penalty = hierarchical(W, U, step, M, groups)
    best = hierarchical_objective(B, T, W, U, step, penalty)
    for _ in range(500):
        other = B + scale * rng.normal(size=B.shape)
        bound = M * np.array([np.linalg.norm(other[group]) for group in penalty.groups])
        bounded = np.empty_like(T)
        for group, limit in zip(penalty.groups, bound):
            bounded[group] = np.clip(U[group], -limit, limit)
        assert (
            hierarchical_objective(other, bounded, W, U, step, penalty) >= best - 1e-12
        )


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_without_a_bound_it_is_the_group_lasso(groups, rng):
    W, U = rng.normal(size=(D, K)), np.zeros((D, H))
    B, T, _ = hierarchical(W, U, 1.0, 10.0, groups)
    np.testing.assert_allclose(B, group_lasso(W, 1.0, groups)[0], atol=1e-15)
    assert not T.any()


def test_feasible_weights_are_kept_exactly_by_a_zero_step(rng):
    W, U = rng.normal(size=(D, K)), rng.normal(size=(D, H))
    B, T, _ = hierarchical(W, U, 0.0, 100.0)
    np.testing.assert_array_equal(B, W)
    np.testing.assert_array_equal(T, U)
    np.testing.assert_array_equal(group_lasso(W, 0.0, None)[0], W)


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_zero_skip_weights_have_a_limit(groups, rng):
    W, U = np.zeros((D, K)), rng.normal(size=(D, H))
    step, M = 0.2, 2.0
    B, T, penalty = hierarchical(W, U, step, M, groups)
    assert np.isfinite(B).all() and np.isfinite(T).all()
    for group in penalty.groups:
        np.testing.assert_array_equal(B[group], B[group][0, 0])
        assert B[group][0, 0] > 0
    # The operator is continuous along that direction ...
    near = hierarchical(W + 1e-9, U, step, M, groups)
    np.testing.assert_allclose(B, near[0], atol=1e-7)
    np.testing.assert_allclose(T, near[1], atol=1e-7)
    # ... and other directions reach the same objective, not a better one.
    best = hierarchical_objective(B, T, W, U, step, penalty)
    turned = hierarchical(1e-9 * rng.normal(size=W.shape), U, step, M, groups)
    other = hierarchical_objective(turned[0], turned[1], W, U, step, penalty)
    np.testing.assert_allclose(other, best, rtol=1e-7)


def test_zero_skip_weights_stay_zero_under_a_strong_penalty(rng):
    U = rng.normal(size=(D, H))
    B, T, _ = hierarchical(np.zeros((D, K)), U, 2.0 * np.abs(U).sum() + 1, 2.0)
    assert not B.any() and not T.any()


@pytest.mark.parametrize("size", [1e-320, 1e-170, 1e150])
def test_extreme_magnitudes(size):
    W = np.array([[3.0, -4.0]]) * size
    U = np.array([[7.0, 0.5, -2.0]])
    B, T, _ = hierarchical(W, U, 0.1, 1.0)
    assert np.isfinite(B).all() and np.isfinite(T).all()
    check_hierarchy(B, T, 1.0, [[0]])
    np.testing.assert_allclose(-B[0, 0] / B[0, 1], 0.75, rtol=1e-3)


def test_nan_stays_in_its_group():
    W, U = np.ones((3, 2)), 100 * np.ones((3, 4))
    W[1, 0] = np.nan
    B, T, _ = hierarchical(W, U, 0.1, 1.0)
    assert np.isnan(B[1]).all()
    assert np.isfinite(B[[0, 2]]).all() and np.isfinite(T[[0, 2]]).all()
    B, _ = group_lasso(W, 0.1, None)
    assert np.isnan(B[1]).all() and np.isfinite(B[[0, 2]]).all()


@pytest.mark.parametrize("n_hidden", [0, 1, 2, 3, 64, 1000])
def test_any_number_of_hidden_weights(n_hidden, rng):
    W, U = 0.1 * rng.normal(size=(2, K)), rng.standard_t(1, size=(2, n_hidden))
    B, _T, _ = hierarchical(W, U, 0.01, 0.3)
    for j in range(2):
        r = np.linalg.norm(B[j])
        excess = np.maximum(np.abs(U[j]) - 0.3 * r, 0).sum()
        slope = r - np.linalg.norm(W[j]) + 0.01 - 0.3 * excess
        np.testing.assert_allclose(slope, 0, atol=1e-10 * max(1, np.abs(U).sum()))


def test_float32_and_layouts(rng):
    W, U = rng.normal(size=(D, K)), 5 * rng.normal(size=(D, H))
    B, T, penalty = hierarchical(W, U, 1.0, 1.0, GROUPS["groups"])
    single = W.astype(np.float32), U.astype(np.float32)
    penalty.prox(single[0], 1.0, single[1])
    np.testing.assert_allclose(single[0], B, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(single[1], T, rtol=1e-5, atol=1e-6)
    fortran = np.asfortranarray(W), np.asfortranarray(U)
    penalty.prox(fortran[0], 1.0, fortran[1])
    np.testing.assert_array_equal(fortran[0], B)
    np.testing.assert_array_equal(fortran[1], T)
    wide = np.zeros((D, 2 * K))
    wide[:, ::2] = W
    lasso = GroupLasso(D, GROUPS["groups"])
    lasso.prox(wide[:, ::2], 0.5)
    np.testing.assert_array_equal(
        wide[:, ::2], group_lasso(W, 0.5, GROUPS["groups"])[0]
    )
    assert not wide[:, 1::2].any()


def test_threads_get_what_one_thread_gets(rng):
    """The passes release the GIL."""
    inputs = [
        (rng.normal(size=(200, K)), 5 * rng.normal(size=(200, 50))) for _ in range(16)
    ]
    expected = [hierarchical(W, U, 1.0, 1.0)[:2] for W, U in inputs]
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda pair: hierarchical(*pair, 1.0, 1.0)[:2], inputs)
        for ours, alone in zip(results, expected, strict=True):
            np.testing.assert_array_equal(ours[0], alone[0])
            np.testing.assert_array_equal(ours[1], alone[1])


def test_refusals():
    lasso, W = GroupLasso(D), np.ones((D, K))
    for step in (-0.1, np.nan):
        with pytest.raises(ValueError, match="step must be at least 0"):
            lasso.prox(W, step)
    with pytest.raises(ValueError, match="W must have a row for each of the 6"):
        lasso.prox(np.ones((D + 1, K)), 1.0)
    with pytest.raises(TypeError, match="W must be an array of floats"):
        lasso.value(np.ones((D, K), dtype=int))
    with pytest.raises(TypeError, match="one dtype"):
        HierarchicalLasso(D).prox(W, 1.0, np.ones((D, H), dtype=np.float32))
    with pytest.raises(ValueError, match="U must have a row"):
        HierarchicalLasso(D).prox(W, 1.0, np.ones((D - 1, H)))
    with pytest.raises(ValueError, match="M must be at least 0"):
        HierarchicalLasso(D, M=-1)
