"""Compiled checks of predictions: one pass, no temporaries."""

from libc.math cimport fabs

ctypedef fused real:
    float
    double


def worst_row(const real[:, :] P):
    """How far predictions are from probabilities.

    Returns the row whose sum is farthest from 1, that sum, and the smallest
    entry. A NaN anywhere makes the sum NaN. Cost O(N K).
    """
    cdef Py_ssize_t N = P.shape[0], K = P.shape[1], i, k, row = 0
    cdef double total, gap, worst = -1.0, worst_sum = 1.0, smallest = 1.0
    with nogil:
        for i in range(N):
            total = 0.0
            for k in range(K):
                total += P[i, k]
                if P[i, k] < smallest:
                    smallest = P[i, k]
            gap = fabs(total - 1.0)
            if not gap <= worst:
                worst = gap
                row = i
                worst_sum = total
                if total != total:
                    break
    return row, worst_sum, smallest
