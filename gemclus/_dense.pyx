"""Affine layers of few outputs before a softmax, on the kernels of ``dense.h``.

All take arrays of one dtype, float32 or float64: `X` (N, d), the weights `W`
(d, m), the bias `b` (m entries), and on the side of the outputs (N, m). They
return None where the kernels do not apply, since a layer is too wide or an
array not C-contiguous: products of NumPy do as well there.
"""

import numpy as np

from cpython.buffer cimport PyBUF_C_CONTIGUOUS
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport calloc, free, malloc

from gemclus._arrays cimport close, open_output, try_open
from gemclus._buffers import empty
from gemclus._kernels cimport kernels, rows_at_a_time

ctypedef fused real:
    float
    double

# Rows that one kernel leaves in the cache for the next.
cdef enum:
    BLOCK = 512


def softmax_affine(X, W, b):
    """``softmax(X W + b)``: an array of shape (N, m). Cost O(N d m)."""
    cdef Py_buffer[4] views
    cdef int n_open = 0
    try:
        for array in (X, W, b):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        if not _takes(&views[0], &views[1]):
            return None
        if views[2].len != views[1].shape[1] * views[2].itemsize:
            raise ValueError(f"b must have {W.shape[1]} entries, got {b.size}")
        P = empty((views[0].shape[0], views[1].shape[1]), X.dtype)
        open_output(P, &views[3])
        n_open = 4
        if views[0].itemsize == sizeof(float):
            _forward[float](views, <float *>NULL)
        else:
            _forward[double](views, <double *>NULL)
        return P
    finally:
        close(views, n_open)


cdef bint _takes(const Py_buffer *x, const Py_buffer *w) except -1:
    """Whether the kernels take the product of (N, d) and (d, m)."""
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError("X must have as many columns as W has rows")
    return x.itemsize == w.itemsize and kernels.dense.panel(w.shape[0], w.shape[1]) != 0


cdef int _forward(Py_buffer *views, real *panel) except -1:
    """Views of X, W, b and of the output; `panel` only tells the type."""
    cdef size_t n = views[0].shape[0], d = views[0].shape[1], m = views[1].shape[1]
    cdef size_t start = 0, stop
    cdef const real *x = <const real *>views[0].buf
    cdef const real *w = <const real *>views[1].buf
    cdef const real *b = <const real *>views[2].buf
    cdef real *p = <real *>views[3].buf
    cdef double *work = <double *>malloc(kernels.softmax.work(m) * sizeof(double))
    panel = <real *>malloc(kernels.dense.panel(d, m) * sizeof(real))
    try:
        if panel == NULL or work == NULL:
            raise MemoryError
        if real is float:
            kernels.dense.pack_f32(w, b, d, m, panel)
        else:
            kernels.dense.pack_f64(w, b, d, m, panel)
        while start < n:
            stop = min(n, start + rows_at_a_time(d + m))
            with nogil:
                _forward_rows(x + start * d, stop - start, d, panel, m, p + start * m, work)
            PyErr_CheckSignals()
            start = stop
    finally:
        free(work)
        free(panel)
    return 0


cdef void _forward_rows(
    const real *x, size_t n, size_t d, const real *panel, size_t m, real *p, double *work
) noexcept nogil:
    cdef size_t i = 0, count
    while i < n:
        count = min(<size_t>BLOCK, n - i)
        if real is float:
            kernels.dense.affine_f32(x + i * d, count, d, panel, m, p + i * m)
            kernels.softmax.rows_f32(p + i * m, count, m, work)
        else:
            kernels.dense.affine_f64(x + i * d, count, d, panel, m, p + i * m)
            kernels.softmax.rows_f64(p + i * m, count, m, work)
        i += count


def softmax_affine_backward(X, P, gradient):
    """Gradients of **minus** the objective, ``(W, b)``, of `softmax_affine`.

    `P` is what it gave, `gradient` the derivative of the objective with respect
    to it: with ``T`` as in `softmax_backward`, the gradients are ``X^T T`` and
    the column sums of ``T``, which is never written out. Cost O(N d m).
    """
    return _gradients(X, P, gradient)


def affine_backward(X, T):
    """Gradients ``(X^T T, column sums of T)`` of ``X W + b``. Cost O(N d m)."""
    return _gradients(X, T, None)


cdef _gradients(X, P, gradient):
    """From the derivatives `P` of the logits or, with a `gradient`, probabilities."""
    cdef Py_buffer[5] views
    cdef int n_open = 0, n_inputs = 2 if gradient is None else 3
    cdef Py_ssize_t d, m
    try:
        for array in (X, P, gradient)[:n_inputs]:
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
            if views[n_open - 1].itemsize != views[0].itemsize:
                return None
        if views[0].ndim != 2 or views[1].ndim != 2 or views[0].shape[0] != views[1].shape[0]:
            raise ValueError("X must have as many rows as the outputs of its layer")
        if n_inputs == 3 and views[2].len != views[1].len:
            raise ValueError(
                f"gradient must have the shape of the probabilities, {P.shape}, got "
                f"{gradient.shape}"
            )
        d, m = views[0].shape[1], views[1].shape[1]
        if kernels.dense.panel(d, m) == 0:
            return None
        W, b = np.empty((d, m), X.dtype), np.empty((1, m), X.dtype)
        for array in (W, b):
            open_output(array, &views[n_open])
            n_open += 1
        if views[0].itemsize == sizeof(float):
            _backward[float](views, n_inputs, <const float *>NULL)
        else:
            _backward[double](views, n_inputs, <const double *>NULL)
        return W, b
    finally:
        close(views, n_open)


cdef int _backward(Py_buffer *views, int n_inputs, const real *p) except -1:
    """Views of X, of T or else P and its gradient, of the outputs W and b."""
    cdef size_t n = views[0].shape[0], d = views[0].shape[1], m = views[1].shape[1]
    cdef size_t start = 0, stop
    cdef const real *x = <const real *>views[0].buf
    cdef const real *gradient = <const real *>views[2].buf if n_inputs == 3 else NULL
    cdef real *w = <real *>views[n_inputs].buf
    cdef real *b = <real *>views[n_inputs + 1].buf
    cdef double *panel = <double *>calloc(kernels.dense.panel(d, m), sizeof(double))
    cdef real *block = <real *>malloc(BLOCK * m * sizeof(real))
    p = <const real *>views[1].buf
    try:
        if panel == NULL or block == NULL:
            raise MemoryError
        while start < n:
            stop = min(n, start + rows_at_a_time(d + m))
            with nogil:
                _backward_rows(
                    x + start * d,
                    p + start * m,
                    NULL if gradient == NULL else gradient + start * m,
                    stop - start,
                    d,
                    m,
                    block,
                    panel,
                )
            PyErr_CheckSignals()
            start = stop
        if real is float:
            kernels.dense.unpack_f32(panel, d, m, w, b)
        else:
            kernels.dense.unpack_f64(panel, d, m, w, b)
    finally:
        free(block)
        free(panel)
    return 0


cdef void _backward_rows(
    const real *x,
    const real *p,
    const real *gradient,
    size_t n,
    size_t d,
    size_t m,
    real *block,
    double *panel,
) noexcept nogil:
    cdef size_t i = 0, count
    cdef const real *t
    while i < n:
        count = min(<size_t>BLOCK, n - i)
        t = p + i * m
        if gradient != NULL:
            if real is float:
                kernels.softmax.backward_f32(t, gradient + i * m, block, count, m)
            else:
                kernels.softmax.backward_f64(t, gradient + i * m, block, count, m)
            t = block
        if real is float:
            kernels.dense.moments_f32(x + i * d, t, count, d, m, panel)
        else:
            kernels.dense.moments_f64(x + i * d, t, count, d, m, panel)
        i += count
