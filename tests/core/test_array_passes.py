"""Passes over narrow arrays against NumPy."""

import numpy as np
import pytest

from gemclus._core import array_passes

# Around the number of rows and entries that the passes take together.
SHAPES = [(1, 1), (63, 1), (64, 1), (65, 1), (21, 3), (22, 3), (130, 10), (5, 700)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] > 1])
def test_each_entry_of_probabilities_counts(shape, dtype):
    P = np.random.RandomState(0).dirichlet(np.ones(shape[1]), size=shape[0])
    P = P.astype(dtype)
    assert array_passes.are_probabilities(P, 1e-6)
    for i in range(shape[0]):
        k = i % shape[1]
        for bad in (np.nan, np.inf, -np.inf, P[i, k] + 2e-6, P[i, k] - 2e-6):
            Q = P.copy()
            Q[i, k] = bad
            assert not array_passes.are_probabilities(Q, 1e-6)
        Q = P.copy()
        Q[i, k] = -2e-6
        Q[i, k - 1] = 1.0 + 2e-6 - (P[i].sum() - P[i, k] - P[i, k - 1])
        assert not array_passes.are_probabilities(Q, 1e-6)


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.longdouble, ">f8", np.int64]
)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40])
def test_each_entry_that_is_not_finite_is_seen(size, dtype):
    dtype = np.dtype(dtype)
    integers = dtype.kind == "i"
    most = np.iinfo(dtype).max if integers else np.finfo(dtype).max
    a = np.full(size, most, dtype)
    sound = np.zeros((2, 3))
    assert array_passes.first_not_finite([sound, a]) == -1
    for i in range(0 if integers else size):
        for bad in (np.nan, np.inf, -np.inf):
            b = a.copy()
            b[i] = bad
            assert array_passes.first_not_finite([sound, b, b]) == 1
            assert array_passes.first_not_finite([b[::-1], sound]) == 0


def test_arrays_of_any_layout_are_copied():
    a = np.arange(24.0).reshape(4, 6)
    for source in (a, a.T, a[::2, ::3], a[0, 0], a.astype(np.float32)):
        source = np.asarray(source)
        target = np.zeros(source.shape, source.dtype)
        for into in (
            target,
            np.zeros_like(source),
            np.zeros((*source.shape, 2))[..., 0],
        ):
            array_passes.copy_all([a, source], [np.empty_like(a), into])
            np.testing.assert_array_equal(into, source)
