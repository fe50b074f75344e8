"""Passes over narrow arrays against NumPy."""

import numpy as np
import pytest
from gemclus import _narrow

# Around the number of rows and entries that the passes take together.
SHAPES = [(1, 1), (63, 1), (64, 1), (65, 1), (21, 3), (22, 3), (130, 10), (5, 700)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_add_row_is_broadcasting(shape, dtype):
    rng = np.random.RandomState(0)
    out, row = rng.normal(size=shape).astype(dtype), rng.normal(size=(1, shape[1]))
    expected = out + row.astype(dtype)
    _narrow.add_row(out, row.astype(dtype))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [*SHAPES, (0, 4)])
def test_column_sums_are_kept_in_float64(shape, dtype):
    a = np.random.RandomState(0).normal(size=shape).astype(dtype)
    expected = a.astype(np.longdouble).sum(axis=0, keepdims=True)
    sums = _narrow.column_sums(a)
    assert sums.dtype == dtype
    size = abs(a).sum(axis=0) if shape[0] else 1
    bound = np.finfo(dtype).eps * abs(expected) + shape[0] * 1e-16 * size
    assert (abs(sums - expected) <= bound).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] > 1])
def test_each_entry_of_probabilities_counts(shape, dtype):
    P = np.random.RandomState(0).dirichlet(np.ones(shape[1]), size=shape[0])
    P = P.astype(dtype)
    assert _narrow.are_probabilities(P, 1e-6)
    for i in range(shape[0]):
        k = i % shape[1]
        for bad in (np.nan, np.inf, -np.inf, P[i, k] + 2e-6, P[i, k] - 2e-6):
            Q = P.copy()
            Q[i, k] = bad
            assert not _narrow.are_probabilities(Q, 1e-6)
        Q = P.copy()
        Q[i, k] = -2e-6
        Q[i, k - 1] = 1.0 + 2e-6 - (P[i].sum() - P[i, k] - P[i, k - 1])
        assert not _narrow.are_probabilities(Q, 1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40])
def test_each_entry_that_is_not_finite_is_seen(size, dtype):
    a = np.full(size, np.finfo(dtype).max, dtype)
    assert _narrow.all_finite(a)
    for i in range(size):
        for bad in (np.nan, np.inf, -np.inf):
            b = a.copy()
            b[i] = bad
            assert not _narrow.all_finite(b)
