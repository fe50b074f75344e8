"""Objectives over blocks of rows against the same over one array."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from gemclus.affinity import DenseKernel, FactoredKernel, SampleIndices
from gemclus.gemini import AVAILABLE_GEMINIS, KLGEMINI, MMDGEMINI
from gemclus.gemini._base import decomposition
from gemclus.gemini._one_round import in_one_round
from gemclus.gemini._registry import make_gemini

CUT = [name for name in AVAILABLE_GEMINIS if "wasserstein" not in name]


def problem(N=5000, D=6, K=4, offset=0.0):
    generator = np.random.RandomState(0)
    X = generator.normal(size=(N, D))
    logits = 1.5 * X[:, :1] * generator.normal(size=K) + generator.normal(size=(N, K))
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return X + offset, P / P.sum(axis=1, keepdims=True)


def one_block(function, state, block, G):
    return function(*block, pickle.loads(pickle.dumps(state)), G)


def in_blocks(gemini, X, P, n_blocks, weights=None, keep=True, run=map, change=None):
    """Value and gradient over blocks of different lengths, by the protocol."""
    N = len(P)
    ends = np.unique((N * np.linspace(0, 1, n_blocks + 1) ** 1.5).astype(int))
    parts = [slice(*ends[i : i + 2]) for i in range(n_blocks)]
    centre = FactoredKernel(X[parts[0]]).centre
    blocks = [
        (
            P[part],
            FactoredKernel(X[part], centre),
            None if weights is None else weights[part],
        )
        for part in parts
    ]
    memory = [np.empty_like(P[part]) if keep else None for part in parts]
    cut = decomposition(gemini, blocks[0][1])
    cut = cut if change is None else change(cut)
    state = None
    while state is None or state.value is None:
        sums = partial(one_block, pickle.loads(pickle.dumps(cut)).sums, state)
        state = cut.advance(sum(run(sums, blocks, memory)), state)
    gradients = run(partial(one_block, cut.gradient, state), blocks, memory)
    return state.value, np.concatenate(list(gradients))


@pytest.mark.parametrize("K", [2, 4, 140])
@pytest.mark.parametrize("n_blocks", [1, 2, 7])
@pytest.mark.parametrize("name", CUT)
def test_blocks_give_what_one_array_gives(name, n_blocks, K):
    X, P = problem(K=K)
    gemini = make_gemini(name)
    expected, exact = gemini.evaluate(P, FactoredKernel(X), True)
    for keep in (True, False):
        value, gradient = in_blocks(gemini, X, P, n_blocks, keep=keep)
        assert value == pytest.approx(expected, rel=3e-14)
        gap = np.abs(gradient - exact).max() / np.abs(exact).max()
        assert gap <= 1.5e-14


@pytest.mark.parametrize("n_blocks", [1, 2, 7])
@pytest.mark.parametrize("name", CUT)
def test_blocks_with_weights(name, n_blocks):
    X, P = problem()
    weights = np.random.RandomState(1).randint(0, 4, size=len(X)).astype(float)
    weights[:900] = 0.0  # the first blocks have no weight at all
    gemini = make_gemini(name)
    A = FactoredKernel(X)
    expected, exact = gemini.evaluate(P, A, True, sample_weight=weights)
    value, gradient = in_blocks(gemini, X, P, n_blocks, weights)
    assert value == pytest.approx(expected, rel=3e-14)
    assert np.abs(gradient - exact).max() <= 1.5e-14 * np.abs(exact).max()


@pytest.mark.parametrize("name", CUT)
def test_any_number_of_threads_gives_the_same_bits(name):
    X, P = problem()
    gemini = make_gemini(name)
    value, gradient = in_blocks(gemini, X, P, 7)
    for n_threads in (2, 3, 7):
        with ThreadPoolExecutor(n_threads) as pool:
            other, slopes = in_blocks(gemini, X, P, 7, run=pool.map)
        assert other == value
        np.testing.assert_array_equal(slopes, gradient)


@pytest.mark.parametrize("name", CUT)
def test_float32_blocks(name):
    X, P = problem(offset=1e5)
    X, P = X.astype(np.float32), P.astype(np.float32)
    gemini = make_gemini(name)
    expected, exact = gemini.evaluate(P, FactoredKernel(X), True)
    value, gradient = in_blocks(gemini, X, P, 7)
    assert gradient.dtype == np.float32
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(
        gradient, exact, rtol=1e-6, atol=1e-6 * np.abs(exact).max()
    )


@pytest.mark.parametrize("name", CUT)
def test_conventions_hold_over_blocks(name):
    X, P = problem()
    gemini = make_gemini(name)
    value, gradient = in_blocks(gemini, X, np.tile(P[:1], (len(P), 1)), 7)
    assert abs(value) <= 1e-14
    assert np.isfinite(gradient).all()
    if "mmd" in name:
        np.testing.assert_array_equal(gradient, 0)
    value, gradient = in_blocks(gemini, X, np.ones((len(X), 1)), 3)
    assert value == pytest.approx(0, abs=1e-11)
    np.testing.assert_array_equal(gradient, 0)
    clipped = np.hstack([P, np.zeros((len(P), 1))])
    _, gradient = in_blocks(gemini, X, clipped, 3)
    np.testing.assert_array_equal(gradient[:, -1], 0)
    assert np.isfinite(gradient).all()
    for bad in (np.nan, np.inf):
        P[3000, 1] = bad
        with pytest.raises(ValueError, match="y_pred.*finite"):
            in_blocks(gemini, X, P, 7)


@pytest.mark.parametrize("name", ["mmd_ova", "mmd_ovo"])
def test_factors_that_compiled_passes_do_not_take(name):
    X, P = problem()
    gemini = make_gemini(name)
    expected, exact = gemini.evaluate(P, FactoredKernel(X), True)
    for factor in (csr_matrix(X), np.asfortranarray(X)):
        value, gradient = in_blocks(gemini, factor, P, 7)
        assert value == pytest.approx(expected, rel=3e-14)
        assert np.abs(gradient - exact).max() <= 1.5e-14 * np.abs(exact).max()


def test_an_offset_costs_blocks_no_digits():
    X, P = problem(offset=1000.0)
    Z = X.astype(np.longdouble) - X.astype(np.longdouble).mean(axis=0)
    M = Z.T @ (P - P.astype(np.longdouble).mean(axis=0))
    norms = np.sqrt((M**2).sum(axis=0))
    exact = (Z @ (M / norms) / len(P)).astype(float)
    for n_blocks in (1, 7):
        value, gradient = in_blocks(MMDGEMINI(), X, P, n_blocks)
        assert value == pytest.approx(float(norms.sum() / len(P)), rel=1e-14)
        assert np.abs(gradient - exact).max() <= 1e-14 * np.abs(exact).max()


SEPARABLE = ["kl_ova", "kl_ovo", "mi", "hellinger_ova", "chi2_ova"]


@pytest.mark.parametrize("name", SEPARABLE)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_one_round_gives_what_two_give(name, weighted, keep):
    gemini = make_gemini(name)
    for K in (1, 2, 7):
        X, P = problem(K=K)
        # Far from the equal proportions about which it sums, and clipped somewhere.
        P = np.where(P > 0.9, 1.0, P) * np.r_[5.0, np.ones(K - 1)]
        P /= P.sum(axis=1, keepdims=True)
        weights = np.random.RandomState(1).uniform(size=len(P)) if weighted else None
        rounds = []

        def counted(cut, rounds=rounds):
            cut = in_one_round(cut)
            rounds.append(cut)
            return cut

        value, gradient = in_blocks(gemini, X, P, 3, weights, keep=keep, change=counted)
        expected, slopes = in_blocks(gemini, X, P, 3, weights)
        assert value == pytest.approx(expected, rel=1e-13)
        assert np.abs(gradient - slopes).max() <= 1e-13 * np.abs(slopes).max()
        state = rounds[0].advance(rounds[0].sums(P, None, weights, None), None)
        assert state.value is not None


def test_what_has_no_single_round_keeps_two():
    for name in set(CUT) - set(SEPARABLE):
        cut = decomposition(make_gemini(name), FactoredKernel(np.eye(3)))
        assert in_one_round(cut) is cut


def test_a_single_round_refuses_what_is_not_finite():
    cut = in_one_round(decomposition(KLGEMINI(), None))
    P = np.array([[0.5, np.nan], [0.5, 0.5]])
    with pytest.raises(ValueError, match="y_pred must be finite"):
        cut.advance(cut.sums(P, None, None, None), None)


def test_what_cannot_be_cut():
    class Own(KLGEMINI):
        def evaluate(self, y_pred, affinity=None, return_grad=False):
            return 0.0

    X, _ = problem(N=10)
    assert decomposition(Own(), None) is None
    assert decomposition(make_gemini("wasserstein_ova"), None) is None
    assert decomposition(MMDGEMINI(), DenseKernel(X @ X.T)) is None
    assert decomposition(MMDGEMINI(), None) is None
    assert decomposition(KLGEMINI(), SampleIndices(10)) is not None
    assert decomposition(KLGEMINI(), None) is not None
