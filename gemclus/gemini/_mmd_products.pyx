"""The two products of the MMD with a dense factor `Z` (N, r) of the kernel.

They run on the passes of ``dense.h``, block by block together with the passes
over the predictions `P` (N, K) that go with them, and return None where those
passes do not apply: products of NumPy do as well there. All arrays but ``pi``
and the shift have one dtype, float32 or float64.
"""

import numpy as np

from cpython.buffer cimport PyBUF_C_CONTIGUOUS
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport calloc, free, malloc

from gemclus._core.arrays cimport close, open_output, real, try_open
from gemclus._core.buffers import empty_like
from gemclus._core.dispatch cimport affine, moments, pack, passes, rows_at_a_time, unpack
from gemclus.gemini._mmd_passes cimport centre_rows, rows_together, tiled

# Rows that one pass leaves in the cache for the next.
cdef enum:
    BLOCK = 256


def centred_moments(Z, P, const double[::1] pi, double epsilon):
    """``Z^T H P``: an array (r, K) of float64. Cost O(N r K)."""
    cdef Py_buffer[2] views
    cdef int n_open = 0
    cdef double[:, ::1] centred
    cdef double[::1] sums = np.empty(P.shape[1])
    cdef double *tile = NULL
    cdef double *panel = NULL
    cdef Py_ssize_t n, r, K, tile_rows
    try:
        for array in (Z, P):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        _check_rows(&views[0], &views[1])
        n, r, K = views[0].shape[0], views[0].shape[1], views[1].shape[1]
        if pi.shape[0] != K:
            raise ValueError("P and pi must agree in the number of clusters")
        if passes.dense.panel(r, K) == 0:
            return None
        centred = np.empty((r, K))
        tile_rows = rows_together(n, K)
        tile = tiled(pi, tile_rows)
        panel = <double *>calloc(passes.dense.panel(r, K), sizeof(double))
        if panel == NULL:
            raise MemoryError
        if views[0].itemsize == sizeof(float):
            _moments(<const float *>views[0].buf, views, tile, tile_rows, epsilon, panel)
        else:
            _moments(<const double *>views[0].buf, views, tile, tile_rows, epsilon, panel)
        unpack(panel, r, K, &centred[0, 0], &sums[0])
        return centred.base
    finally:
        free(tile)
        free(panel)
        close(views, n_open)


cdef int _check_rows(const Py_buffer *z, const Py_buffer *p) except -1:
    if z.ndim != 2 or p.ndim != 2 or z.shape[0] != p.shape[0]:
        raise ValueError("the factor of a kernel must have a row for each row of y_pred")
    return 0


cdef int _moments(
    const real *z,
    const Py_buffer *views,
    const double *tile,
    Py_ssize_t tile_rows,
    double epsilon,
    double *panel,
) except -1:
    """Views of Z and P, and pi repeated; adds to the panel."""
    cdef Py_ssize_t n = views[0].shape[0], r = views[0].shape[1], K = views[1].shape[1]
    cdef Py_ssize_t start = 0, stop, i, count
    cdef const real *p = <const real *>views[1].buf
    cdef real *block = <real *>malloc(BLOCK * K * sizeof(real))
    if block == NULL:
        raise MemoryError
    try:
        while start < n:
            stop = min(n, start + <Py_ssize_t>rows_at_a_time(r + K))
            with nogil:
                i = start
                while i < stop:
                    count = min(<Py_ssize_t>BLOCK, stop - i)
                    centre_rows(p + i * K, count, K, tile, tile_rows, epsilon, block)
                    moments(z + i * r, <const real *>block, count, r, K, panel)
                    i += count
            PyErr_CheckSignals()
            start = stop
    finally:
        free(block)
    return 0


def gradient(Z, A, shift, P, double epsilon):
    """``Z A + shift``, and 0 where `P` was clipped. Cost O(N r K)."""
    cdef Py_buffer[5] views
    cdef int n_open = 0
    shift = shift.astype(A.dtype, copy=False)
    try:
        for array in (Z, A, shift, P):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        _check_rows(&views[0], &views[3])
        if (
            views[1].shape[0] != views[0].shape[1]
            or views[1].shape[1] != views[3].shape[1]
            or views[2].len != views[3].shape[1] * views[2].itemsize
        ):
            raise ValueError("Z, A, the shift and P must agree in the numbers of columns")
        if passes.dense.panel(views[1].shape[0], views[1].shape[1]) == 0:
            return None
        G = empty_like(P)
        open_output(G, &views[4])
        n_open = 5
        if views[0].itemsize == sizeof(float):
            _gradient(<const float *>views[0].buf, views, epsilon)
        else:
            _gradient(<const double *>views[0].buf, views, epsilon)
        return G
    finally:
        close(views, n_open)


cdef int _gradient(const real *z, const Py_buffer *views, double epsilon) except -1:
    """Views of Z, A, the shift, P and of the output."""
    cdef size_t n = views[0].shape[0], r = views[0].shape[1], K = views[1].shape[1]
    cdef size_t start = 0, stop, i, count
    cdef const real *p = <const real *>views[3].buf
    cdef real *g = <real *>views[4].buf
    cdef double *panel = <double *>malloc(passes.dense.panel(r, K) * sizeof(double))
    if panel == NULL:
        raise MemoryError
    try:
        pack(<const real *>views[1].buf, <const real *>views[2].buf, r, K, panel)
        while start < n:
            stop = min(n, start + rows_at_a_time(r + K))
            with nogil:
                i = start
                while i < stop:
                    count = min(<size_t>BLOCK, stop - i)
                    affine(z + i * r, count, r, panel, K, g + i * K)
                    _stop_at_clipped(p + i * K, count * K, epsilon, g + i * K)
                    i += count
            PyErr_CheckSignals()
            start = stop
    finally:
        free(panel)
    return 0


cdef void _stop_at_clipped(
    const real *p, size_t size, double epsilon, real *g
) noexcept nogil:
    cdef size_t j
    cdef double x, high = 1.0 - epsilon
    for j in range(size):
        x = p[j]
        g[j] = 0.0 if x < epsilon else g[j]
        g[j] = 0.0 if x > high else g[j]
