"""Affine layers of few outputs, on the passes of ``dense.h``.

All take arrays of one dtype, float32 or float64: samples `X` (N, d), weights `W`
(d, m), a bias `b` (m entries), and derivatives or activations (N, m). They return
None where the passes do not apply, since a layer is too wide or an array not
C-contiguous or of another dtype: products of NumPy do as well there.

Each block of rows goes through all the passes of a layer while it is in the cache.
"""

import numpy as np

from cpython.buffer cimport PyBUF_C_CONTIGUOUS
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport calloc, free, malloc

from gemclus._core.array_passes cimport float_size
from gemclus._core.arrays cimport close, open_output, real, try_open
from gemclus._core.buffers import empty
from gemclus._core.dispatch cimport (
    affine,
    passes,
    moments,
    pack,
    rows_at_a_time,
    softmax_rows,
    softmax_slopes,
    unpack,
)
from gemclus._core.relu_passes cimport rectified, stop_at_zero

cdef enum:
    BLOCK = 512


def takes(size_t d, size_t m):
    """Whether the passes take weights of shape (d, m)."""
    return passes.dense.panel(d, m) != 0


def softmax_affine(X, W, b):
    """``softmax(X W + b)``: an array of shape (N, m). Cost O(N d m)."""
    return _layer(X, W, b, True)


def affine_relu(X, W, b):
    """``max(X W + b, 0)``: an array of shape (N, m). Cost O(N d m)."""
    return _layer(X, W, b, False)


def softmax_affine_backward(X, P, gradient):
    """Gradients of **minus** the objective, ``(W, b)``, of `softmax_affine`.

    `P` is what it gave, `gradient` the derivative of the objective with respect
    to it: with ``T`` as in `softmax_backward`, the gradients are ``X^T T`` and
    the column sums of ``T``, which is never written out. Cost O(N d m).
    """
    return _gradients((X, P, gradient), SOFTMAX)


def affine_backward(X, T):
    """Gradients ``(X^T T, column sums of T)`` of ``X W + b``. Cost O(N d m)."""
    return _gradients((X, T), AFFINE)


def affine_relu_backward(X, H, T, W):
    """Gradients of the weights and the bias of `affine_relu`, which gave `H`.

    `T` (N, k) are the derivatives with respect to ``H W``, with `W` (m, k) the
    weights of the next layer: the gradients are ``X^T B`` and the column sums of
    ``B = T W^T`` where ``H > 0``, which is never written out. Cost O(N m (d + k)).
    """
    return _gradients((X, H, T, np.ascontiguousarray(W.T)), RELU)


cdef _layer(X, W, b, bint is_softmax):
    cdef Py_buffer[4] views
    cdef int n_open = 0
    try:
        if not _are_floats((X, W, b)):
            return None
        for array in (X, W, b):
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        if not _takes(&views[0], &views[1]):
            return None
        if views[2].len != views[1].shape[1] * views[2].itemsize:
            raise ValueError(f"b must have {W.shape[1]} entries, got {b.size}")
        out = empty((views[0].shape[0], views[1].shape[1]), X.dtype)
        open_output(out, &views[3])
        n_open = 4
        if views[0].itemsize == sizeof(float):
            _forward(<const float *>views[0].buf, views, is_softmax)
        else:
            _forward(<const double *>views[0].buf, views, is_softmax)
        return out
    finally:
        close(views, n_open)


cdef bint _are_floats(tuple arrays) except -1:
    """Whether all are float64, or all float32."""
    cdef Py_ssize_t size = float_size(arrays[0])
    for array in arrays:
        if size == 0 or float_size(array) != size:
            return False
    return True


cdef bint _takes(const Py_buffer *x, const Py_buffer *w) except -1:
    """Whether the passes take the product of (N, d) and (d, m)."""
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError("X must have as many columns as W has rows")
    return passes.dense.panel(w.shape[0], w.shape[1]) != 0


cdef int _forward(const real *x, const Py_buffer *views, bint is_softmax) except -1:
    """Views of X, W, b and of the output."""
    cdef size_t n = views[0].shape[0], d = views[0].shape[1], m = views[1].shape[1]
    cdef size_t start = 0, stop
    cdef real *out = <real *>views[3].buf
    cdef double *panel = <double *>malloc(passes.dense.panel(d, m) * sizeof(double))
    cdef double *work = NULL
    try:
        if is_softmax:
            work = <double *>malloc(passes.softmax.work(m) * sizeof(double))
        if panel == NULL or (is_softmax and work == NULL):
            raise MemoryError
        pack(<const real *>views[1].buf, <const real *>views[2].buf, d, m, panel)
        while start < n:
            stop = min(n, start + rows_at_a_time(d + m))
            with nogil:
                _forward_rows(
                    x + start * d, stop - start, d, panel, m, out + start * m, work
                )
            PyErr_CheckSignals()
            start = stop
    finally:
        free(work)
        free(panel)
    return 0


cdef void _forward_rows(
    const real *x,
    size_t n,
    size_t d,
    const double *panel,
    size_t m,
    real *out,
    double *work,
) noexcept nogil:
    """Softmax rows with a work space, rectified ones without."""
    cdef size_t i = 0, count
    while i < n:
        count = min(<size_t>BLOCK, n - i)
        affine(x + i * d, count, d, panel, m, out + i * m)
        if work != NULL:
            softmax_rows(out + i * m, count, m, work)
        else:
            _rectify(out + i * m, count * m)
        i += count


cdef void _rectify(real *z, size_t size) noexcept nogil:
    cdef size_t at
    for at in range(size):
        z[at] = rectified(z[at])


# What the derivatives of the outputs of a layer come from, and with which inputs.
cdef enum:
    AFFINE   # X, and they themselves
    SOFTMAX  # X, the probabilities, and the derivatives with respect to them
    RELU     # X, the activations, the derivatives of the next layer, its weights


cdef _gradients(tuple inputs, int kind):
    cdef Py_buffer[6] views
    cdef int n_open = 0, n_inputs = len(inputs)
    cdef Py_ssize_t d, m
    try:
        if not _are_floats(inputs):
            return None
        for array in inputs:
            if not try_open(array, &views[n_open], PyBUF_C_CONTIGUOUS):
                return None
            n_open += 1
        _check_gradient_inputs(views, kind)
        d, m = views[0].shape[1], views[1].shape[1]
        if passes.dense.panel(d, m) == 0:
            return None
        if kind == RELU and passes.dense.panel(views[2].shape[1], m) == 0:
            return None
        dtype = inputs[0].dtype
        gradients = [np.empty((d, m), dtype), np.empty((1, m), dtype)]
        for array in gradients:
            open_output(array, &views[n_open])
            n_open += 1
        if views[0].itemsize == sizeof(float):
            _backward(<const float *>views[0].buf, views, kind, views + n_inputs)
        else:
            _backward(<const double *>views[0].buf, views, kind, views + n_inputs)
        return gradients
    finally:
        close(views, n_open)


cdef int _check_gradient_inputs(const Py_buffer *views, int kind) except -1:
    cdef const Py_buffer *x = &views[0]
    cdef const Py_buffer *outputs = &views[1]
    cdef const Py_buffer *next_layer = &views[2]
    if x.ndim != 2 or outputs.ndim != 2 or x.shape[0] != outputs.shape[0]:
        raise ValueError("X must have as many rows as the outputs of its layer")
    if kind == SOFTMAX and (
        next_layer.ndim != 2
        or next_layer.shape[0] != outputs.shape[0]
        or next_layer.shape[1] != outputs.shape[1]
    ):
        raise ValueError("gradient must have the shape of the probabilities")
    if kind == RELU and (
        next_layer.ndim != 2
        or views[3].ndim != 2
        or next_layer.shape[0] != x.shape[0]
        or views[3].shape[0] != next_layer.shape[1]
        or views[3].shape[1] != outputs.shape[1]
    ):
        raise ValueError("T and W must be those of the layer after the activations")
    return 0


cdef int _backward(
    const real *x, const Py_buffer *views, int kind, Py_buffer *outputs
) except -1:
    cdef size_t n = views[0].shape[0], d = views[0].shape[1], m = views[1].shape[1]
    cdef size_t k = m, start = 0, stop
    cdef const real *y = <const real *>views[1].buf
    cdef const real *t = NULL
    cdef double *panel = <double *>calloc(passes.dense.panel(d, m), sizeof(double))
    cdef double *weights = NULL
    cdef real *block = <real *>malloc(BLOCK * m * sizeof(real))
    if kind != AFFINE:
        k = views[2].shape[1]
        t = <const real *>views[2].buf
    try:
        if kind == RELU:
            weights = <double *>malloc(passes.dense.panel(k, m) * sizeof(double))
        if panel == NULL or block == NULL or (kind == RELU and weights == NULL):
            raise MemoryError
        if kind == RELU:
            pack(<const real *>views[3].buf, <const real *>NULL, k, m, weights)
        while start < n:
            stop = min(n, start + rows_at_a_time(d + m + k))
            with nogil:
                _backward_rows(
                    x + start * d,
                    y + start * m,
                    t if t == NULL else t + start * k,
                    stop - start,
                    d,
                    m,
                    k,
                    weights,
                    block,
                    panel,
                )
            PyErr_CheckSignals()
            start = stop
        unpack(panel, d, m, <real *>outputs[0].buf, <real *>outputs[1].buf)
    finally:
        free(weights)
        free(block)
        free(panel)
    return 0


cdef void _backward_rows(
    const real *x,
    const real *y,
    const real *t,
    size_t n,
    size_t d,
    size_t m,
    size_t k,
    const double *weights,
    real *block,
    double *panel,
) noexcept nogil:
    """Adds to the panel what these rows give; `t` and `weights` as the kind has them."""
    cdef size_t i = 0, count
    while i < n:
        count = min(<size_t>BLOCK, n - i)
        if t == NULL:
            moments(x + i * d, y + i * m, count, d, m, panel)
        else:
            if weights == NULL:
                softmax_slopes(y + i * m, t + i * m, block, count, m)
            else:
                affine(t + i * k, count, k, weights, m, block)
                stop_at_zero(y + i * m, block, count * m)
            moments(x + i * d, block, count, d, m, panel)
        i += count
