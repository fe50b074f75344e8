"""Softmax of rows and its derivative, on the passes of ``softmax.h``."""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport free, malloc

from gemclus._core.arrays cimport real
from gemclus._core.buffers import empty_like
from gemclus._core.dispatch cimport passes, rows_at_a_time, softmax_slopes
from gemclus._core.dispatch cimport softmax_rows as rows


def softmax_rows(logits):
    """Softmax of the rows of `logits`, in place, without overflow.

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        Writeable, C-contiguous, float32 or float64. Cost O(N K).

    Returns
    -------
    finite : bool
        False if a row held NaN or +inf, or -inf only: its probabilities are NaN.
    """
    if logits.itemsize == sizeof(float):
        return _rows[float](logits)
    return _rows[double](logits)


cdef bint _rows(real[:, ::1] logits) except -1:
    cdef size_t n = logits.shape[0], k = logits.shape[1], start, count, step
    cdef bint finite = True
    cdef double *work
    if n == 0 or k == 0:
        return True
    step = rows_at_a_time(k)
    work = <double *>malloc(passes.softmax.work(k) * sizeof(double))
    if work == NULL:
        raise MemoryError
    try:
        for start in range(0, n, step):
            count = min(step, n - start)
            with nogil:
                finite &= rows(&logits[start, 0], count, k, work)
            PyErr_CheckSignals()
    finally:
        free(work)
    return finite


def softmax_backward(y_pred, gradient, out=None):
    """Gradient of **minus** the objective with respect to the logits.

    Parameters
    ----------
    y_pred : ndarray of shape (N, K)
        What the softmax gave: float32 or float64.
    gradient : ndarray of shape (N, K)
        Derivative of the objective with respect to `y_pred`.
    out : ndarray of shape (N, K), default=None
        Where to write, C-contiguous and in the dtype of `y_pred`: may be
        `gradient` itself. None makes a new array, which for large ones costs as
        much as the arithmetic.

    Returns
    -------
    T : ndarray of shape (N, K)
        ``-P * (G - rowsum(P * G))``, in the dtype of `y_pred`. Cost O(N K).
    """
    y_pred = np.ascontiguousarray(y_pred)
    gradient = np.ascontiguousarray(gradient, dtype=y_pred.dtype)
    if gradient.shape != y_pred.shape:
        raise ValueError(
            f"gradient must have the shape of y_pred, {y_pred.shape}, "
            f"got {gradient.shape}"
        )
    if out is None:
        out = empty_like(y_pred)
    elif out.shape != y_pred.shape:
        raise ValueError(f"out must have shape {y_pred.shape}, got {out.shape}")
    if y_pred.itemsize == sizeof(float):
        _backward[float](y_pred, gradient, out)
    else:
        _backward[double](y_pred, gradient, out)
    return out


cdef int _backward(
    const real[:, ::1] p, const real[:, ::1] gradient, real[:, ::1] out
) except -1:
    cdef size_t n = p.shape[0], k = p.shape[1], start, count, step
    if n == 0 or k == 0:
        return 0
    step = rows_at_a_time(k)
    for start in range(0, n, step):
        count = min(step, n - start)
        with nogil:
            softmax_slopes(&p[start, 0], &gradient[start, 0], &out[start, 0], count, k)
        PyErr_CheckSignals()
    return 0
