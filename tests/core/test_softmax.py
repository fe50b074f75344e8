"""Softmax and its derivative against long double formulas, on both paths."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gemclus._core.dispatch import SETS, instruction_set
from gemclus._core.softmax_passes import softmax_backward, softmax_rows

DTYPES = [np.float64, np.float32]
# Around the 64 rows of a tile, and more than one piece of work.
SHAPES = [(1, 1), (1, 5), (7, 1), (63, 3), (64, 2), (65, 10), (300, 33), (5, 700)]


def exact_softmax(logits):
    logits = logits.astype(np.longdouble)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_is_exact_to_rounding(shape, dtype):
    logits = np.random.RandomState(0).normal(scale=5, size=shape).astype(dtype)
    expected, depth = exact_softmax(logits), logits.max(axis=1, keepdims=True) - logits
    assert softmax_rows(logits) is True
    # The difference to the maximum is rounded before its exponential is taken,
    # and so is each of the sums.
    bound = (4 + depth + shape[1] / 2) * np.finfo(dtype).eps
    assert (abs(logits - expected) <= bound * expected).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_huge_logits_neither_overflow_nor_lose_the_winner(dtype):
    top = np.finfo(dtype).max
    logits = np.array(
        [[top, 0, -top], [-top, -top, -top], [800, 801, 100]], dtype=dtype
    )
    assert softmax_rows(logits)
    winner = 1 / (1 + np.exp(-1.0))
    expected = [[1, 0, 0], [1 / 3] * 3, [1 - winner, winner, 0]]
    np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-300)


@pytest.mark.parametrize("dtype", DTYPES)
def test_minus_infinity_is_probability_zero_and_bad_rows_are_told(dtype):
    logits = np.array([[0, -np.inf], [1, 1]], dtype=dtype)
    assert softmax_rows(logits) is True
    np.testing.assert_array_equal(logits, [[1, 0], [0.5, 0.5]])
    for bad in ([np.nan, 0], [0, np.nan], [np.inf, 0], [-np.inf, -np.inf]):
        rows = np.zeros((130, 2), dtype=dtype)
        rows[100] = bad
        assert softmax_rows(rows) is False
        assert np.isnan(rows[100]).all()
        np.testing.assert_array_equal(np.delete(rows, 100, axis=0), 0.5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_row_depends_on_itself_alone(dtype):
    logits = np.random.RandomState(1).normal(size=(200, 7)).astype(dtype)
    together = logits.copy()
    softmax_rows(together)
    for start, stop in [(0, 1), (3, 70), (130, 200)]:
        alone = logits[start:stop].copy()
        softmax_rows(alone)
        np.testing.assert_array_equal(alone, together[start:stop])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_backward_equals_its_formula(shape, dtype):
    generator = np.random.RandomState(2)
    P = exact_softmax(generator.normal(size=shape)).astype(dtype)
    G = generator.normal(size=shape).astype(dtype)
    T = softmax_backward(P, G)
    wide = P.astype(np.longdouble), G.astype(np.longdouble)
    expected = -wide[0] * (wide[1] - (wide[0] * wide[1]).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(
        T, expected.astype(np.float64), rtol=0, atol=20 * np.finfo(dtype).eps
    )
    assert T.dtype == dtype


def test_backward_is_minus_the_derivative_through_the_softmax():
    generator = np.random.RandomState(3)
    logits, C = generator.normal(size=(2, 6, 4))

    def objective(x):
        return float((exact_softmax(x) * C).sum())

    P = exact_softmax(logits).astype(np.float64)
    T = softmax_backward(P, C)
    for index in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[index] = 1e-5
        slope = (objective(logits + step) - objective(logits - step)) / 2e-5
        assert T[index] == pytest.approx(-slope, abs=1e-9)


def test_backward_takes_any_layout_and_dtype_of_gradient_and_checks_its_shape():
    generator = np.random.RandomState(4)
    P = exact_softmax(generator.normal(size=(9, 3))).astype(np.float32)
    G = generator.normal(size=(9, 3))
    expected = softmax_backward(P, G.astype(np.float32))
    np.testing.assert_array_equal(softmax_backward(P, np.asfortranarray(G)), expected)
    with pytest.raises(ValueError, match="gradient must have the shape of y_pred"):
        softmax_backward(P, G[:, :2])


def test_backward_writes_where_it_is_told():
    generator = np.random.RandomState(7)
    P = exact_softmax(generator.normal(size=(9, 3))).astype(np.float64)
    G = generator.normal(size=(9, 3))
    expected = softmax_backward(P, G)
    assert softmax_backward(P, G, out=G) is G
    np.testing.assert_array_equal(G, expected)
    with pytest.raises(ValueError, match="out must have shape"):
        softmax_backward(P, G, out=np.empty((9, 2)))


def test_empty_arrays_are_nothing_to_do():
    for shape in [(0, 3), (3, 0)]:
        assert softmax_rows(np.empty(shape)) is True
        assert softmax_backward(np.empty(shape), np.empty(shape)).shape == shape


def test_work_in_pieces_equals_work_at_once():
    logits = np.random.RandomState(5).normal(size=(4200, 1100))
    small = logits[4000:].copy()
    softmax_rows(logits)  # more than the 2^22 numbers of one piece
    softmax_rows(small)
    np.testing.assert_array_equal(logits[4000:], small)


def test_threads_give_what_one_thread_gives():
    generator = np.random.RandomState(6)
    inputs = [generator.normal(size=(500, 5)) for _ in range(12)]

    def both(x):
        P = x.copy()
        softmax_rows(P)
        return P, softmax_backward(P, x)

    expected = [both(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(expected, pool.map(both, inputs), strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])


SUITE = os.path.join(os.path.dirname(__file__), "..", "gemini", "test_fdivergences.py")


@pytest.mark.parametrize("isa", SETS[:-1])
def test_lower_instruction_sets_can_be_pinned_and_pass_the_same_tests(isa):
    if os.environ.get("GEMCLUS_ISA"):
        assert SETS.index(instruction_set()) <= SETS.index(os.environ["GEMCLUS_ISA"])
        return
    environment = dict(os.environ, GEMCLUS_ISA=isa)
    suites = [SUITE, os.path.join(os.path.dirname(__file__), "test_layers.py")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # The slowest say nothing of instruction sets that the others do not.
    command += ["-k", "not unknown and not 130"]
    result = subprocess.run(
        [*command, "--import-mode=importlib", __file__, *suites],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_unknown_instruction_sets_are_refused():
    result = subprocess.run(
        [sys.executable, "-c", "import gemclus"],
        env=dict(os.environ, GEMCLUS_ISA="avx9"),
        cwd=os.path.dirname(__file__),
        capture_output=True,
        text=True,
        timeout=120,
    )
    last = result.stderr.strip().splitlines()[-1]
    assert "GEMCLUS_ISA must be one of" in last
    # The folder is not to blame.
    assert "source checkout" not in result.stderr
