"""Value and gradient of the f-divergences, on the kernels of ``fdivergence.h``."""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport free, malloc

from gemclus._buffers import empty_like
from gemclus._kernels cimport (
    GEM_FDIV_BAD_ARGUMENT,
    GEM_FDIV_COUNT,
    GEM_FDIV_NOT_FINITE,
    GEM_FDIV_OK,
    gem_fdiv,
    gem_fdiv_kind,
    gem_fdiv_status,
    kernels,
    rows_at_a_time,
)

ctypedef fused real:
    float
    double

# Name, such as "kl_ova", -> number that `evaluate` takes.
KINDS = {
    kernels.fdivergence.name(<gem_fdiv_kind>kind).decode(): kind
    for kind in range(GEM_FDIV_COUNT)
}


def evaluate(int kind, y_pred, double epsilon, bint return_grad):
    """Evaluate one f-divergence.

    Parameters
    ----------
    kind : int
        A value of `KINDS`.
    y_pred : ndarray of shape (N, K)
        C-contiguous, float32 or float64, not empty.
    epsilon : float
        Predictions are clipped to ``[epsilon, 1 - epsilon]``.
    return_grad : bool
        Whether to return the gradient as well.

    Returns
    -------
    value : float
        Equal to the last bit with and without gradient.
    gradient : ndarray of shape (N, K)
        In the dtype of `y_pred`, if `return_grad`.

    Raises
    ------
    ValueError
        If `y_pred` holds NaN or infinity.
    """
    gradient = empty_like(y_pred) if return_grad else None
    if y_pred.itemsize == sizeof(float):
        value = _evaluate[float](<gem_fdiv_kind>kind, y_pred, epsilon, gradient)
    else:
        value = _evaluate[double](<gem_fdiv_kind>kind, y_pred, epsilon, gradient)
    return (value, gradient) if return_grad else value


cdef double _evaluate(
    gem_fdiv_kind kind, const real[:, ::1] p, double epsilon, real[:, ::1] gradient
) except? -1.0:
    cdef gem_fdiv state
    cdef size_t k = p.shape[1]
    cdef double value
    cdef double *work = <double *>malloc(kernels.fdivergence.work(k) * sizeof(double))
    if work == NULL:
        raise MemoryError
    try:
        _check(kernels.fdivergence.start(&state, kind, p.shape[0], k, epsilon, work))
        _pass[real](1, &state, p, None)
        _check(kernels.fdivergence.settle(&state))
        _pass[real](2, &state, p, gradient)
        value = kernels.fdivergence.finish(&state)
        if gradient is not None:
            _pass[real](3, &state, p, gradient)
        return value
    finally:
        free(work)


cdef int _pass(
    int which, gem_fdiv *state, const real[:, ::1] p, real[:, ::1] gradient
) except -1:
    cdef size_t n = p.shape[0], step = rows_at_a_time(p.shape[1]), start, count
    cdef real *g = NULL
    for start in range(0, n, step):
        count = min(step, n - start)
        if gradient is not None:
            g = &gradient[start, 0]
        with nogil:
            if real is float:
                if which == 1:
                    kernels.fdivergence.proportions_f32(state, &p[start, 0], count)
                elif which == 2:
                    kernels.fdivergence.rows_f32(state, &p[start, 0], g, count)
                else:
                    kernels.fdivergence.spread_f32(state, &p[start, 0], g, count)
            else:
                if which == 1:
                    kernels.fdivergence.proportions_f64(state, &p[start, 0], count)
                elif which == 2:
                    kernels.fdivergence.rows_f64(state, &p[start, 0], g, count)
                else:
                    kernels.fdivergence.spread_f64(state, &p[start, 0], g, count)
        PyErr_CheckSignals()
    return 0


cdef int _check(gem_fdiv_status status) except -1:
    if status == GEM_FDIV_NOT_FINITE:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    if status != GEM_FDIV_OK:
        raise ValueError("kind, shape or epsilon out of range")
    return 0
