"""Passes over arrays of many rows and few columns, where NumPy's loops are short.

All take ndarrays of shape (N, K) if nothing else is said, C-contiguous, float32
or float64, and cost one pass without temporaries.
"""

import numpy as np

from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS,
    PyBUF_C_CONTIGUOUS,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.math cimport fabs
from libc.string cimport memcpy

from gemclus._core.arrays cimport real, try_open

# The dtypes of the numbers that compiled passes take.
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
cdef object FLOAT64 = FLOATS[0]
cdef object FLOAT32 = FLOATS[1]


cdef Py_ssize_t float_size(object array) except -1:
    if not isinstance(array, np.ndarray):
        return 0
    dtype = array.dtype
    # NumPy has one object for each, nearly always.
    if dtype is FLOAT64:
        return sizeof(double)
    if dtype is FLOAT32:
        return sizeof(float)
    if dtype == FLOAT64:
        return sizeof(double)
    return sizeof(float) if dtype == FLOAT32 else 0


def are_probabilities(P, double tolerance):
    """Whether all rows sum to 1 and no entry is negative, to `tolerance`."""
    cdef Py_buffer view
    cdef bint sound
    if not try_open(P, &view, PyBUF_C_CONTIGUOUS):
        PyObject_GetBuffer(np.ascontiguousarray(P), &view, PyBUF_C_CONTIGUOUS)
    if view.itemsize == sizeof(float):
        sound = _are_probabilities(<const float *>view.buf, &view, tolerance)
    else:
        sound = _are_probabilities(<const double *>view.buf, &view, tolerance)
    PyBuffer_Release(&view)
    return sound


cdef bint _are_probabilities(
    const real *p, const Py_buffer *view, double tolerance
) noexcept:
    cdef Py_ssize_t N = view.shape[0], K = view.shape[1], i, j, k, bad = 0
    cdef double total
    cdef real[32] low
    if N == 0 or K == 0:
        return False
    with nogil:
        for i in range(N):
            total = 0.0
            for k in range(K):
                total += p[i * K + k]
            # NaN is not close to 1 either.
            bad += not fabs(total - 1.0) <= tolerance
        for j in range(32):
            low[j] = 0
        for i in range(0, N * K - 31, 32):
            for j in range(32):
                low[j] = p[i + j] if p[i + j] < low[j] else low[j]
        for i in range(N * K - N * K % 32, N * K):
            low[0] = p[i] if p[i] < low[0] else low[0]
        for j in range(32):
            bad += low[j] < -tolerance
    return bad == 0


def largest(P):
    """Column of the largest entry of each row, the first of equal ones.

    As ``P.argmax(axis=1)`` of numbers that are not NaN, for K >= 1.
    """
    columns = np.empty(P.shape[0], np.intp)
    if P.itemsize == sizeof(float):
        _largest[float](P, columns)
    else:
        _largest[double](P, columns)
    return columns


cdef int _largest(const real[:, ::1] P, Py_ssize_t[::1] columns) except -1:
    cdef Py_ssize_t N = P.shape[0], K = P.shape[1], i, k, column
    cdef real top
    with nogil:
        for i in range(N):
            column = 0
            top = P[i, 0]
            for k in range(1, K):
                # Selections, not jumps, which nothing could foresee.
                column = k if P[i, k] > top else column
                top = P[i, k] if P[i, k] > top else top
            columns[i] = column
    return 0


def first_not_finite(arrays):
    """Position of the first array with an entry that is not finite, or -1.

    Arrays of any shape, layout and dtype.
    """
    cdef Py_buffer view
    cdef bint finite
    for position, array in enumerate(arrays):
        if array.dtype not in FLOATS or not try_open(array, &view, PyBUF_ANY_CONTIGUOUS):
            finite = np.isfinite(array).all()
        else:
            if view.itemsize == sizeof(float):
                finite = _all_finite(<const float *>view.buf, view.len // view.itemsize)
            else:
                finite = _all_finite(<const double *>view.buf, view.len // view.itemsize)
            PyBuffer_Release(&view)
        if not finite:
            return position
    return -1


cdef bint _all_finite(const real *a, Py_ssize_t size) noexcept:
    cdef Py_ssize_t i, j, whole = size // 16
    # The products with 0 are NaN where an entry is not finite.
    cdef double[16] nought
    cdef double total = 0.0
    with nogil:
        for j in range(16):
            nought[j] = 0.0
        for i in range(whole):
            for j in range(16):
                nought[j] += 0.0 * a[16 * i + j]
        for i in range(16 * whole, size):
            total += 0.0 * a[i]
        for j in range(16):
            total += nought[j]
    return total == 0.0


def copy_all(sources, targets):
    """Copy arrays into arrays of their shapes and dtypes."""
    cdef Py_buffer source, target
    cdef bint done
    for array, copy in zip(sources, targets, strict=True):
        done = False
        if try_open(array, &source, PyBUF_C_CONTIGUOUS):
            if try_open(copy, &target, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE):
                if source.len == target.len:
                    memcpy(target.buf, source.buf, source.len)
                    done = True
                PyBuffer_Release(&target)
            PyBuffer_Release(&source)
        if not done:
            np.copyto(copy, array)
