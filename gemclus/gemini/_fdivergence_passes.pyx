"""Value and gradient of the f-divergences, on the passes of ``fdivergence.h``."""

from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport free, malloc

from gemclus._core.arrays cimport open_output, open_rows, real
from gemclus._core.buffers import empty_like
from gemclus._core.dispatch cimport (
    GEM_FDIV_COUNT,
    GEM_FDIV_NOT_FINITE,
    GEM_FDIV_OK,
    gem_fdiv,
    gem_fdiv_kind,
    gem_fdiv_status,
    passes,
    rows_at_a_time,
)

# Name, such as "kl_ova", -> number that `evaluate` takes.
KINDS = {
    passes.fdivergence.name(<gem_fdiv_kind>kind).decode(): kind
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
    cdef Py_buffer p, g
    cdef double value
    open_rows(y_pred, &p)
    try:
        gradient = empty_like(y_pred) if return_grad else None
        g.buf = NULL
        if return_grad:
            open_output(gradient, &g)
        try:
            if p.itemsize == sizeof(float):
                value = _evaluate(<const float *>p.buf, &p, kind, epsilon, <float *>g.buf)
            else:
                value = _evaluate(<const double *>p.buf, &p, kind, epsilon, <double *>g.buf)
        finally:
            if return_grad:
                PyBuffer_Release(&g)
    finally:
        PyBuffer_Release(&p)
    return (value, gradient) if return_grad else value


cdef double _evaluate(
    const real *p, const Py_buffer *view, int kind, double epsilon, real *gradient
) except? -1.0:
    cdef gem_fdiv state
    cdef size_t n = view.shape[0], k = view.shape[1]
    cdef double value
    cdef double *work = <double *>malloc(passes.fdivergence.work(k) * sizeof(double))
    if work == NULL:
        raise MemoryError
    try:
        _check(
            passes.fdivergence.start(&state, <gem_fdiv_kind>kind, n, k, epsilon, work)
        )
        _pass(p, n, k, 1, &state, <real *>NULL)
        _check(passes.fdivergence.settle(&state))
        _pass(p, n, k, 2, &state, gradient)
        value = passes.fdivergence.finish(&state)
        if gradient != NULL:
            _pass(p, n, k, 3, &state, gradient)
        return value
    finally:
        free(work)


cdef int _pass(
    const real *p, size_t n, size_t k, int which, gem_fdiv *state, real *gradient
) except -1:
    cdef size_t step = rows_at_a_time(k), start, count
    cdef real *g = NULL
    for start in range(0, n, step):
        count = min(step, n - start)
        if gradient != NULL:
            g = gradient + start * k
        with nogil:
            if real is float:
                if which == 1:
                    passes.fdivergence.proportions_f32(state, p + start * k, count)
                elif which == 2:
                    passes.fdivergence.rows_f32(state, p + start * k, g, count)
                else:
                    passes.fdivergence.spread_f32(state, p + start * k, g, count)
            else:
                if which == 1:
                    passes.fdivergence.proportions_f64(state, p + start * k, count)
                elif which == 2:
                    passes.fdivergence.rows_f64(state, p + start * k, g, count)
                else:
                    passes.fdivergence.spread_f64(state, p + start * k, g, count)
        PyErr_CheckSignals()
    return 0


cdef int _check(gem_fdiv_status status) except -1:
    if status == GEM_FDIV_NOT_FINITE:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    if status != GEM_FDIV_OK:
        raise ValueError("kind, shape or epsilon out of range")
    return 0
