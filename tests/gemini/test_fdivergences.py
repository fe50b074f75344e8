"""The f-divergences beyond what all objectives share: closed forms in long
double, exactness at the edges, blocks, big problems and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gemclus.gemini import (
    KLGEMINI,
    MI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
)
from gemclus.gemini._fdivergence_passes import KINDS
from gemclus.gemini._registry import make_gemini

NAMES = list(KINDS)


def predictions(N, K, seed=0, scale=1.5):
    logits = np.random.RandomState(seed).normal(scale=scale, size=(N, K))
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def closed_form(name, P):
    """Value and gradient as a table would have them, in long double."""
    P = np.clip(P.astype(np.longdouble), 1e-12, 1 - np.longdouble(1e-12))
    N, _K = P.shape
    pi = P.mean(axis=0)
    R = P / pi

    def colmean(x):
        return x.mean(axis=0)

    if name == "kl_ova":
        return (P * np.log(R)).sum() / N, np.log(R) / N
    if name == "kl_ovo":
        G = np.log(R) + (P - pi) / P - colmean(np.log(R))
        return ((P - pi) * np.log(R)).sum() / N, G / N
    if name == "tv_ova":
        s = np.sign(P - pi)
        return abs(P - pi).sum() / (2 * N), (s - colmean(s)) / (2 * N)
    if name == "tv_ovo":
        cross = P[:, :, None] * pi - P[:, None, :] * pi[:, None]
        s = np.sign(cross)
        G = (s * pi).sum(axis=2) - colmean((s * P[:, None, :]).sum(axis=2))
        return abs(cross).sum() / (2 * N), G / N
    if name == "hellinger_ova":
        S = np.sqrt(P * pi).sum(axis=1)
        G = -(np.sqrt(pi / P) + colmean(np.sqrt(P / pi))) / (2 * N)
        return 1 - S.mean(), G
    if name == "hellinger_ovo":
        S = np.sqrt(P * pi).sum(axis=1, keepdims=True)
        G = -(S * np.sqrt(pi / P) + colmean(S * np.sqrt(P / pi))) / N
        return 1 - (S**2).mean(), G
    a = (P**2 / pi).sum(axis=1, keepdims=True)
    if name == "chi2_ova":
        return (a.mean() - 1) / 2, (2 * R - colmean(R**2)) / (2 * N)
    assert name == "chi2_ovo"
    b = (pi**2 / P).sum(axis=1, keepdims=True)
    G = 2 * b * R - a / R**2 + colmean(2 * a / R - b * R**2)
    return ((a * b).mean() - 1) / 2, G / (2 * N)


# Around the 64 rows of a tile and the 2048 of a block.
@pytest.mark.parametrize(
    "N, K", [(2, 3), (63, 2), (64, 10), (65, 130), (200, 33), (2048, 3), (2049, 10)]
)
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_equal_the_closed_form(name, N, K):
    P = predictions(N, K, seed=N + K)
    value, gradient = make_gemini(name).evaluate(P, None, return_grad=True)
    expected, exact = closed_form(name, P)
    assert value == pytest.approx(float(expected), rel=1e-12, abs=1e-15)
    exact = exact.astype(np.float64)
    np.testing.assert_allclose(
        gradient, exact, rtol=1e-11, atol=1e-13 * abs(exact).max()
    )


@pytest.mark.parametrize("name", NAMES)
def test_clipped_entries_count_with_their_clipped_value(name):
    P = predictions(100, 4)
    P[::3, 1:] = 0
    P[::3, 0] = 1
    value, gradient = make_gemini(name).evaluate(P, None, return_grad=True)
    expected, exact = closed_form(name, P)
    assert value == pytest.approx(float(expected), rel=1e-12)
    exact[::3] = 0
    np.testing.assert_allclose(gradient, exact.astype(np.float64), rtol=1e-10)
    np.testing.assert_array_equal(gradient[::3], 0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_one_cluster_or_sample_gives_exactly_zero(name, dtype):
    for shape in [(100, 1), (1, 6), (1, 1)]:
        P = predictions(*shape).astype(dtype)
        value, gradient = make_gemini(name).evaluate(P, None, return_grad=True)
        assert value == 0.0
        np.testing.assert_array_equal(gradient, np.zeros(shape, dtype))
        assert make_gemini(name).evaluate(P, None) == 0.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_the_value_is_the_same_to_the_last_bit_without_gradient(name, dtype):
    for N, K in [(150, 3), (2500, 10), (5000, 40)]:
        P = predictions(N, K).astype(dtype)
        gemini = make_gemini(name)
        assert gemini.evaluate(P, None) == gemini.evaluate(P, None, True)[0]


@pytest.mark.parametrize("name", NAMES)
def test_sums_stay_accurate_over_many_samples(name):
    # Every row comes 40 000 times: value and pi are those of the small problem.
    P = predictions(7, 3)
    small, direction = make_gemini(name).evaluate(P, None, return_grad=True)
    big, gradient = make_gemini(name).evaluate(np.tile(P, (40_000, 1)), None, True)
    assert big == pytest.approx(small, rel=2e-15)
    np.testing.assert_allclose(40_000 * gradient[:7], direction, rtol=2e-13, atol=1e-16)


@pytest.mark.parametrize("name", NAMES)
def test_work_in_pieces_keeps_the_results(name):
    # More than the 2^22 numbers of one piece, in the same blocks of rows.
    P = predictions(5000, 5)
    wide = np.tile(P, (200, 1))
    value, gradient = make_gemini(name).evaluate(wide, None, return_grad=True)
    expected, direction = make_gemini(name).evaluate(P, None, return_grad=True)
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(
        200 * gradient[-5000:], direction, rtol=1e-12, atol=1e-17
    )


# Twice as many clusters: compared in pairs, so with AVX2 only, sorted.
@pytest.mark.parametrize("K", [3, 16, 60, 80])
def test_tv_at_ties_gives_a_subgradient(K):
    # Clusters in pairs with equal ratios: their differences vanish on each row.
    half = predictions(51, K)
    P = np.hstack([half, half]) / 2
    single = TVGEMINI(ovo=True).evaluate(half, None)
    value, gradient = TVGEMINI(ovo=True).evaluate(P, None, return_grad=True)
    assert value == pytest.approx(single, rel=1e-13)
    # Entries are differences of sums of up to 2 K numbers, each of them rounded.
    rounding = 2 * K * np.finfo(float).eps * abs(gradient).max()
    np.testing.assert_allclose(gradient[:, :K], gradient[:, K:], rtol=0, atol=rounding)
    # The objective is convex in direction of no proportions change: a
    # subgradient lies below its one-sided slopes.
    generator = np.random.RandomState(0)
    for _ in range(10):
        move = generator.normal(size=P.shape)
        move -= move.mean(axis=0)
        step = 1e-7
        ahead = TVGEMINI(ovo=True).evaluate(P + step * move * P.min(), None)
        slope = (gradient * move).sum() * step * P.min()
        assert ahead >= value + slope - 1e-15


@pytest.mark.parametrize("name", NAMES)
def test_thread_pool_gives_the_serial_results(name):
    problems = [predictions(3000 + i, 6, seed=i) for i in range(8)]
    gemini = make_gemini(name)
    serial = [gemini.evaluate(P, None, return_grad=True) for P in problems]
    with ThreadPoolExecutor(4) as pool:
        threaded = pool.map(
            lambda P: gemini.evaluate(P, None, return_grad=True), problems
        )
        for one, other in zip(serial, threaded, strict=True):
            assert one[0] == other[0]
            np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", [(0, 0), (70, 2), (2999, 1)])
def test_one_bad_number_anywhere_is_found(name, where):
    for bad in (np.nan, np.inf, -np.inf):
        P = predictions(3000, 3)
        P[where] = bad
        with pytest.raises(ValueError, match="y_pred must be finite"):
            make_gemini(name).evaluate(P, None)


@pytest.mark.parametrize("cls", [KLGEMINI, TVGEMINI, HellingerGEMINI, ChiSquareGEMINI])
def test_parameters_are_checked(cls):
    P = predictions(5, 3)
    for epsilon in (0.0, -1e-3, 0.6, np.nan):
        with pytest.raises(ValueError, match="epsilon"):
            cls(epsilon=epsilon).evaluate(P, None)
    with pytest.raises(TypeError, match="epsilon"):
        cls(epsilon="1e-12").evaluate(P, None)
    with pytest.raises(TypeError, match="ovo"):
        cls(ovo="yes").evaluate(P, None)
    for epsilon in (1e-100, 0.5):
        one_hot = np.eye(3)
        value, gradient = cls(ovo=True, epsilon=epsilon).evaluate(one_hot, None, True)
        assert np.isfinite(value)
        np.testing.assert_array_equal(gradient, 0)


def test_mutual_information_is_kl_one_vs_all():
    P = predictions(30, 4)
    assert MI().evaluate(P, None) == KLGEMINI().evaluate(P, None)
    assert MI().get_params() == {"epsilon": 1e-12}
    assert MI().compute_affinity(np.ones((30, 2))) is None


@pytest.mark.parametrize("name", NAMES)
def test_epsilon_clips_where_it_says(name):
    P = np.array([[0.05, 0.95], [0.3, 0.7], [0.6, 0.4]])
    gemini = make_gemini(name).set_params(epsilon=0.1)
    clipped = make_gemini(name).evaluate(np.clip(P, 0.1, 0.9), None)
    value, gradient = gemini.evaluate(P, None, return_grad=True)
    assert value == pytest.approx(clipped, rel=1e-14)
    np.testing.assert_array_equal(gradient[0], 0)
    assert (gradient[1:] != 0).all()
