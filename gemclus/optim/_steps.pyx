"""Compiled updates of parameters: one pass over each and its state.

Parameters are float32 or float64; gradients and states have their sizes, states
also their dtypes. A step returns False, and has changed nothing, if an array is not
C-contiguous or a gradient has another dtype than its parameter.
"""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_WRITABLE
from libc.math cimport sqrt
from libc.stdlib cimport free, malloc

from gemclus._core.arrays cimport close, real, try_open
from gemclus._core.array_passes import FLOATS


def adam(
    params,
    grads,
    states,
    double step,
    double beta1,
    double beta2,
    double epsilon,
):
    """Update both moments and then ``w -= step m / (sqrt(v) + epsilon)``.

    The state of a parameter is the pair ``(m, v)``.
    """
    cdef Py_ssize_t i, n = len(params), n_open = 0
    cdef Py_buffer *views = allocated(4 * n)
    try:
        if not open_all(params, grads, states, 4, views, &n_open):
            return False
        for i in range(n):
            if views[4 * i].itemsize == sizeof(float):
                _adam(<float *>NULL, views + 4 * i, step, beta1, beta2, epsilon)
            else:
                _adam(<double *>NULL, views + 4 * i, step, beta1, beta2, epsilon)
        return True
    finally:
        close(views, n_open)
        free(views)


cdef void _adam(
    real *w,
    const Py_buffer *views,
    double step,
    double beta1,
    double beta2,
    double epsilon,
) noexcept:
    cdef const real *g = <const real *>views[1].buf
    cdef real *m = <real *>views[2].buf
    cdef real *v = <real *>views[3].buf
    cdef Py_ssize_t i, size = views[0].len // <Py_ssize_t>sizeof(real)
    w = <real *>views[0].buf
    with nogil:
        for i in range(size):
            m[i] = <real>(beta1 * m[i] + (1.0 - beta1) * g[i])
            v[i] = <real>(beta2 * v[i] + (1.0 - beta2) * g[i] * g[i])
            w[i] = <real>(w[i] - step * m[i] / (sqrt(<double>v[i]) + epsilon))


def nesterov(params, grads, states, double step, double momentum):
    """Update the velocity, a parameter's state, and look one momentum step ahead."""
    cdef Py_ssize_t i, n = len(params), n_open = 0
    cdef Py_buffer *views = allocated(3 * n)
    try:
        if not open_all(params, grads, states, 3, views, &n_open):
            return False
        for i in range(n):
            if views[3 * i].itemsize == sizeof(float):
                _nesterov(<float *>NULL, views + 3 * i, step, momentum)
            else:
                _nesterov(<double *>NULL, views + 3 * i, step, momentum)
        return True
    finally:
        close(views, n_open)
        free(views)


cdef void _nesterov(
    real *w, const Py_buffer *views, double step, double momentum
) noexcept:
    cdef const real *g = <const real *>views[1].buf
    cdef real *u = <real *>views[2].buf
    cdef Py_ssize_t i, size = views[0].len // <Py_ssize_t>sizeof(real)
    w = <real *>views[0].buf
    with nogil:
        for i in range(size):
            u[i] = <real>(momentum * u[i] - step * g[i])
            w[i] = <real>(w[i] + momentum * u[i] - step * g[i])


cdef Py_buffer *allocated(Py_ssize_t count) except NULL:
    cdef Py_buffer *views = <Py_buffer *>malloc((count + 1) * sizeof(Py_buffer))
    if views == NULL:
        raise MemoryError
    return views


cdef bint open_all(
    params, grads, states, int n_roles, Py_buffer *views, Py_ssize_t *n_open
) except -1:
    """Open each parameter, its gradient, for reading alone, and its state."""
    cdef int flags
    cdef Py_ssize_t first
    for param, grad, state in zip(params, grads, states, strict=True):
        if param.dtype not in FLOATS:
            raise TypeError(f"parameters must be float32 or float64, got {param.dtype}")
        if grad.dtype != param.dtype:
            return False
        first = n_open[0]
        arrays = (param, grad, *state) if isinstance(state, tuple) else (param, grad, state)
        if len(arrays) != n_roles:
            raise ValueError(f"a state must have {n_roles - 2} arrays, got {len(arrays) - 2}")
        for array in arrays:
            flags = PyBUF_C_CONTIGUOUS
            if array is not grad:
                flags |= PyBUF_WRITABLE
            if not try_open(array, &views[n_open[0]], flags):
                return False
            n_open[0] += 1
            if views[n_open[0] - 1].len != views[first].len:
                raise ValueError("parameter, gradient and state must be of one size")
    return True
