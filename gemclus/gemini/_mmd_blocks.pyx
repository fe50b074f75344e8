"""Sums and gradients of the MMD over one block of rows, weighted and centred.

With a factor `Z` (n, r) of the kernel and predictions `P` (n, K) of the same dtype,
float32 or float64. Features are taken relative to a `centre` (r,) before any
product: neither an offset of the data nor single precision costs digits, and all
sums are kept in float64. Both functions return None where the passes of ``dense.h``
do not apply: products of NumPy do as well there.
"""

import numpy as np

from cpython.buffer cimport PyBUF_C_CONTIGUOUS
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs
from libc.stdlib cimport calloc, free, malloc

from gemclus._core.arrays cimport close, open_output, real, try_open
from gemclus._core.buffers import empty_like
from gemclus._core.dispatch cimport affine, moments, pack, passes, rows_at_a_time, unpack

# Rows that one pass leaves in the cache for the next.
cdef enum:
    BLOCK = 256


cdef struct Rows:
    # Some rows, and what they are taken relative to; weights and pi may be NULL.
    size_t n, r, K
    const double *centre
    const double *weights
    const double *pi
    double epsilon
    bint squares


def sums(
    Z, P, const double[::1] centre, weights, double epsilon, pi=None, bint squares=False
):
    """The sums over rows that value and gradient are made of. Cost O(n r K).

    Parameters
    ----------
    Z : ndarray of shape (n, r)
    P : ndarray of shape (n, K)
    centre : ndarray of shape (r,)
    weights : ndarray of shape (n,) or None
        None is 1 each.
    epsilon : float
        Predictions are clipped to ``[epsilon, 1 - epsilon]``.
    pi : ndarray of shape (K,), default=None
        What predictions are taken relative to; differences at its rounding are 0.
    squares : bool, default=False
        Whether to sum squares.

    Returns
    -------
    moments : ndarray of shape (r + 1, K + 1)
        ``sum_i w_i (z_i - centre, 1)^T (p_i - pi, 1)``; NaN where `P` is not finite.
    spread : float
        ``sum_i w_i ||z_i - centre||^2``, if `squares`; 0 otherwise.
    count : float
        Number of rows of positive weight.
    """
    cdef Py_buffer[2] views
    cdef int n_open = 0
    cdef double[2] extra
    cdef double[:, ::1] out
    cdef double *panel = NULL
    cdef size_t r, columns
    try:
        for array in (Z, P):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        rows = _rows(views, centre, weights, epsilon)
        rows.squares = squares
        if pi is not None:
            rows.pi = _numbers(pi, rows.K)
        r, columns = rows.r, rows.K + 1
        if passes.dense.panel(r, columns) == 0:
            return None
        out = np.empty((r + 1, columns))
        panel = <double *>calloc(passes.dense.panel(r, columns), sizeof(double))
        if panel == NULL:
            raise MemoryError
        extra[0] = extra[1] = 0.0
        if views[0].itemsize == sizeof(float):
            _sum_all(<const float *>views[0].buf, views, rows, panel, extra)
        else:
            _sum_all(<const double *>views[0].buf, views, rows, panel, extra)
        unpack(panel, r, columns, &out[0, 0], &out[r, 0])
        return out.base, extra[0], extra[1]
    finally:
        free(panel)
        close(views, n_open)


def gradient(
    Z,
    P,
    const double[::1] centre,
    weights,
    double epsilon,
    const double[:, ::1] A,
    const double[::1] shift,
):
    """``w ((Z - centre) A + shift)``, and 0 where `P` was clipped. Cost O(n r K).

    Parameters
    ----------
    Z, P, centre, weights, epsilon : as in `sums`
    A : ndarray of shape (r, K)
    shift : ndarray of shape (K,)

    Returns
    -------
    G : ndarray of shape (n, K)
        In the dtype of `P`.
    """
    cdef Py_buffer[3] views
    cdef int n_open = 0
    cdef double *panel = NULL
    try:
        for array in (Z, P):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        rows = _rows(views, centre, weights, epsilon)
        if A.shape[0] != rows.r or A.shape[1] != rows.K or shift.shape[0] != rows.K:
            raise ValueError("Z, A, the shift and P must agree in the numbers of columns")
        if passes.dense.panel(rows.r, rows.K) == 0:
            return None
        G = empty_like(P)
        open_output(G, &views[2])
        n_open = 3
        panel = <double *>malloc(passes.dense.panel(rows.r, rows.K) * sizeof(double))
        if panel == NULL:
            raise MemoryError
        pack(&A[0, 0], &shift[0], rows.r, rows.K, panel)
        if views[0].itemsize == sizeof(float):
            _fill_all(<const float *>views[0].buf, views, rows, panel)
        else:
            _fill_all(<const double *>views[0].buf, views, rows, panel)
        return G
    finally:
        free(panel)
        close(views, n_open)


cdef const double *_numbers(const double[::1] array, size_t size) except NULL:
    if <size_t>array.shape[0] != size:
        raise ValueError(f"expected {size} numbers, got {array.shape[0]}")
    return &array[0]


cdef Rows _rows(
    const Py_buffer *views, const double[::1] centre, weights, double epsilon
) except *:
    """Contents of the buffers of Z and P, checked."""
    cdef Rows rows
    if (
        views[0].ndim != 2
        or views[1].ndim != 2
        or views[0].shape[0] != views[1].shape[0]
        or views[0].itemsize != views[1].itemsize
    ):
        raise ValueError("the factor of a kernel must have a row for each row of y_pred")
    rows.n, rows.r = views[0].shape[0], views[0].shape[1]
    rows.K = views[1].shape[1]
    rows.centre = _numbers(centre, rows.r)
    rows.weights = NULL if weights is None else _numbers(weights, rows.n)
    rows.pi = NULL
    rows.epsilon = epsilon
    rows.squares = False
    return rows


cdef int _sum_all(
    const real *z, const Py_buffer *views, Rows rows, double *panel, double *extra
) except -1:
    cdef const real *p = <const real *>views[1].buf
    cdef size_t start = 0, stop, i, count, j
    cdef double *scratch = <double *>calloc(
        BLOCK * (rows.r + rows.K + 1) + rows.r, sizeof(double))
    cdef double *features = scratch + rows.r
    cdef double *targets = features + BLOCK * rows.r
    if scratch == NULL:
        raise MemoryError
    try:
        while start < rows.n:
            stop = min(rows.n, start + rows_at_a_time(rows.r + rows.K))
            with nogil:
                i = start
                while i < stop:
                    count = min(<size_t>BLOCK, stop - i)
                    extra[1] += _weigh(p + i * rows.K, i, count, &rows, targets)
                    _centre(z + i * rows.r, count, &rows, features)
                    if rows.squares:
                        _add_squares(features, targets, count, &rows, scratch)
                    moments(<const double *>features, <const double *>targets, count,
                            rows.r, rows.K + 1, panel)
                    i += count
            PyErr_CheckSignals()
            start = stop
        for j in range(rows.r):
            extra[0] += scratch[j]
    finally:
        free(scratch)
    return 0


cdef double _weigh(
    const real *p, size_t first, size_t count, const Rows *rows, double *targets
) noexcept nogil:
    """Rows ``w (clip(p) - pi, 1)``; returns how many weights are positive."""
    cdef size_t i, k, K = rows.K
    cdef double w = 1.0, x, high = 1.0 - rows.epsilon, positive = 0.0
    for i in range(count):
        if rows.weights != NULL:
            w = rows.weights[first + i]
        positive += w > 0.0
        for k in range(K):
            x = p[i * K + k]
            x = rows.epsilon if x < rows.epsilon else x
            x = high if x > high else x
            # NaN if it is not finite.
            x += 0.0 * p[i * K + k]
            if rows.pi != NULL:
                x -= rows.pi[k]
                x = x if not fabs(x) <= 1e-15 * rows.pi[k] else 0.0
            targets[i * (K + 1) + k] = w * x
        targets[i * (K + 1) + K] = w
    return positive


cdef void _centre(
    const real *z, size_t count, const Rows *rows, double *features
) noexcept nogil:
    cdef size_t i, j, r = rows.r
    for i in range(count):
        for j in range(r):
            features[i * r + j] = z[i * r + j] - rows.centre[j]


cdef void _add_squares(
    const double *features,
    const double *targets,
    size_t count,
    const Rows *rows,
    double *squares,
) noexcept nogil:
    """squares[j] += sum_i w_i (z_ij - centre_j)^2."""
    cdef size_t i, j, r = rows.r, K = rows.K
    cdef double w
    for i in range(count):
        w = targets[i * (K + 1) + K]
        for j in range(r):
            squares[j] += w * features[i * r + j] * features[i * r + j]


cdef int _fill_all(
    const real *z, const Py_buffer *views, Rows rows, const double *panel
) except -1:
    cdef const real *p = <const real *>views[1].buf
    cdef real *g = <real *>views[2].buf
    cdef size_t start = 0, stop, i, count
    cdef double *features = <double *>malloc(BLOCK * (rows.r + rows.K) * sizeof(double))
    cdef double *slopes = features + BLOCK * rows.r
    if features == NULL:
        raise MemoryError
    try:
        while start < rows.n:
            stop = min(rows.n, start + rows_at_a_time(rows.r + rows.K))
            with nogil:
                i = start
                while i < stop:
                    count = min(<size_t>BLOCK, stop - i)
                    _centre(z + i * rows.r, count, &rows, features)
                    affine(<const double *>features, count, rows.r, panel, rows.K, slopes)
                    _store(p + i * rows.K, i, count, &rows, slopes, g + i * rows.K)
                    i += count
            PyErr_CheckSignals()
            start = stop
    finally:
        free(features)
    return 0


cdef void _store(
    const real *p,
    size_t first,
    size_t count,
    const Rows *rows,
    const double *slopes,
    real *g,
) noexcept nogil:
    """``w slopes``, and 0 where `p` was clipped."""
    cdef size_t i, k, K = rows.K
    cdef double w = 1.0, x, slope, high = 1.0 - rows.epsilon
    for i in range(count):
        if rows.weights != NULL:
            w = rows.weights[first + i]
        for k in range(K):
            x = p[i * K + k]
            slope = w * slopes[i * K + k]
            slope = 0.0 if x < rows.epsilon else slope
            g[i * K + k] = <real>(0.0 if x > high else slope)
