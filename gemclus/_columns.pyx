"""Compiled passes along the short rows of (N, K) arrays.

NumPy's own loops run over one row at a time, which for a few columns costs
more than the arithmetic.
"""

import numpy as np

ctypedef fused real:
    float
    double


def add_row(real[:, ::1] out, const real[:, ::1] row):
    """Add the row (1, K) to each row of `out` (N, K), in place. Cost O(N K)."""
    cdef Py_ssize_t N = out.shape[0], K = out.shape[1], i, k
    if row.shape[0] != 1 or row.shape[1] != K:
        raise ValueError(f"row must have shape (1, {K}), got {row.shape[0], row.shape[1]}")
    with nogil:
        for i in range(N):
            for k in range(K):
                out[i, k] += row[0, k]


def sums(const real[:, ::1] T):
    """Sums of the columns (1, K), in the dtype of `T` (N, K). Cost O(N K).

    They are taken in float64 over blocks of rows, so that their error does not
    grow with N.
    """
    cdef Py_ssize_t N = T.shape[0], K = T.shape[1], i, k, start, stop
    total = np.zeros((1, K))
    block = np.empty(K)
    cdef double[:, ::1] out = total
    cdef double[::1] part = block
    with nogil:
        for start in range(0, N, 256):
            stop = min(N, start + 256)
            for k in range(K):
                part[k] = 0.0
            for i in range(start, stop):
                for k in range(K):
                    part[k] += T[i, k]
            for k in range(K):
                out[0, k] += part[k]
    return total.astype(np.float32) if real is float else total
