"""The f-divergences beyond what all objectives share: definitions at the edges of
blocks, exactness, big problems and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from oracles import ORACLES

from gemclus.gemini import (
    KLGEMINI,
    MI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
)
from gemclus.gemini._fdivergence_passes import KINDS
from gemclus.gemini._registry import make_gemini
from gemclus.testing import numerical_gradient

NAMES = list(KINDS)


def predictions(N, K, seed=0, scale=1.5):
    return softmax(np.random.RandomState(seed).normal(scale=scale, size=(N, K)))


def softmax(logits):
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def slope(name, logits, direction):
    """Derivative of the definition in a direction of the logits."""
    # Short, since TV has kinks, in long double.
    step, logits = np.longdouble(1e-9), logits.astype(np.longdouble)
    points = [
        ORACLES[name](softmax(logits + shift * step * direction), None)
        for shift in (-2, -1, 1, 2)
    ]
    return (points[0] - 8 * points[1] + 8 * points[2] - points[3]) / (12 * step)


# Around the 64 rows of a tile and the 2048 of a block; many clusters are sorted.
SHAPES = [(2, 3), (63, 2), (64, 10), (65, 33), (200, 20), (2048, 3), (2049, 10)]
CASES = [(name, N, K) for name in NAMES for N, K in SHAPES]
CASES += [("tv_ovo", 65, 130), ("mi", 65, 130), ("chi2_ova", 300, 130)]


@pytest.mark.parametrize(("name", "N", "K"), CASES)
def test_value_and_gradient_equal_the_definition(name, N, K):
    generator = np.random.RandomState(N + K)
    logits = generator.normal(scale=1.5, size=(N, K))
    P = softmax(logits)
    value, gradient = make_gemini(name).evaluate(P, None, return_grad=True)
    assert value == pytest.approx(ORACLES[name](P, None), rel=1e-12, abs=1e-15)
    T = P * (gradient - (P * gradient).sum(axis=1, keepdims=True))
    directions = [generator.normal(size=(N, K))] if "tv" not in name else []
    # One number alone, at both ends and on both sides of blocks.
    for row in {0, N - 1, min(63, N - 1), min(64, N - 1), N // 2}:
        directions.append(np.zeros((N, K)))
        directions[-1][row, generator.randint(K)] = 1.0
    expected = [float(slope(name, logits, direction)) for direction in directions]
    found = [(T * direction).sum() for direction in directions]
    # Where long double is no longer than double, differences lose more digits.
    digits = 1e-8 if np.finfo(np.longdouble).eps < 1e-18 else 1e-5
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=digits * max(1, value))
    assert np.abs(expected).max() > 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_clipped_entries_count_with_their_clipped_value(name):
    P = predictions(100, 4)
    P[::3, 1:] = 0
    P[::3, 0] = 1
    value, gradient = make_gemini(name).evaluate(P, None, return_grad=True)
    # Rows of clipped numbers sum to 1 but for their clipping.
    clipped = np.clip(P, 1e-12, 1 - 1e-12)
    assert value == pytest.approx(ORACLES[name](clipped, None), rel=1e-9)
    np.testing.assert_array_equal(gradient[::3], 0)
    inside = np.delete(np.arange(100), np.arange(0, 100, 3))
    moved = P.copy()

    def definition():
        full = np.clip(moved, 1e-12, 1 - 1e-12)
        return ORACLES[name](full / full.sum(axis=1, keepdims=True), None)

    step = 1e-8 if "tv" in name or name == "chi2_ovo" else 1e-6
    for i in inside[:5]:
        for k, l in ((0, 1), (3, 2)):
            values = []
            for sign in (1, -1):
                moved[i] = P[i]
                moved[i, k] += sign * step
                moved[i, l] -= sign * step
                values.append(definition())
            moved[i] = P[i]
            expected = (values[0] - values[1]) / (2 * step)
            found = gradient[i, k] - gradient[i, l]
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)


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


@pytest.mark.parametrize("name", ["tv_ova", "tv_ovo"])
@pytest.mark.parametrize("k", [2, 3, 20, 150])
def test_the_gradient_of_total_variations_at_ties_is_that_of_the_middle(name, k):
    """Between the slopes on both sides, as central differences have it."""
    P = np.random.RandomState(0).dirichlet(np.ones(k), size=10)
    P[:, 1] = P[:, 0]
    P[:6, -1] = P[:6, 0]
    P /= P.sum(axis=1, keepdims=True)
    gemini = make_gemini(name)
    _, gradient = gemini.evaluate(P, None, return_grad=True)
    Q = P.copy()
    # Short, lest kinks of other pairs lie between.
    numerical = numerical_gradient(lambda: gemini.evaluate(Q, None), Q, step=1e-8)
    np.testing.assert_allclose(gradient, numerical, rtol=0, atol=1e-6)
