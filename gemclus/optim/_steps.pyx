"""Compiled updates of parameters: one pass over each and its state.

The arrays come in lists, one for each role, the parameters first. Those of one
position have one size, states also the dtype of their parameter, float32 or float64.
A step returns False, and has changed nothing, if an array is not C-contiguous or a
gradient has another dtype than its parameter.
"""

import numpy as np

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_WRITABLE
from libc.math cimport sqrt
from libc.stdlib cimport free, malloc

from gemclus._arrays cimport close, try_open

ctypedef fused real:
    float
    double

cdef tuple FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def adam(
    params,
    grads,
    first,
    second,
    double step,
    double beta1,
    double beta2,
    double epsilon,
):
    """Update both moments and then ``w -= step m / (sqrt(v) + epsilon)``."""
    cdef Py_ssize_t i, n = len(params), n_open = 0
    cdef Py_buffer *views = allocated(4 * n)
    try:
        if not open_all((params, grads, first, second), n, views, &n_open):
            return False
        for i in range(n):
            if views[i].itemsize == sizeof(float):
                _adam(<float *>NULL, views + i, n, step, beta1, beta2, epsilon)
            else:
                _adam(<double *>NULL, views + i, n, step, beta1, beta2, epsilon)
        return True
    finally:
        close(views, n_open)
        free(views)


cdef void _adam(
    real *w,
    const Py_buffer *views,
    Py_ssize_t n,
    double step,
    double beta1,
    double beta2,
    double epsilon,
) noexcept:
    cdef const real *g = <const real *>views[n].buf
    cdef real *m = <real *>views[2 * n].buf
    cdef real *v = <real *>views[3 * n].buf
    cdef Py_ssize_t i, size = views[0].len // <Py_ssize_t>sizeof(real)
    w = <real *>views[0].buf
    with nogil:
        for i in range(size):
            m[i] = <real>(beta1 * m[i] + (1.0 - beta1) * g[i])
            v[i] = <real>(beta2 * v[i] + (1.0 - beta2) * g[i] * g[i])
            w[i] = <real>(w[i] - step * m[i] / (sqrt(<double>v[i]) + epsilon))


def nesterov(params, grads, velocities, double step, double momentum):
    """Update the velocity and look one momentum step ahead of it."""
    cdef Py_ssize_t i, n = len(params), n_open = 0
    cdef Py_buffer *views = allocated(3 * n)
    try:
        if not open_all((params, grads, velocities), n, views, &n_open):
            return False
        for i in range(n):
            if views[i].itemsize == sizeof(float):
                _nesterov(<float *>NULL, views + i, n, step, momentum)
            else:
                _nesterov(<double *>NULL, views + i, n, step, momentum)
        return True
    finally:
        close(views, n_open)
        free(views)


cdef void _nesterov(
    real *w, const Py_buffer *views, Py_ssize_t n, double step, double momentum
) noexcept:
    cdef const real *g = <const real *>views[n].buf
    cdef real *u = <real *>views[2 * n].buf
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
    tuple roles, Py_ssize_t n, Py_buffer *views, Py_ssize_t *n_open
) except -1:
    """Open n arrays of each role, gradients, the second one, for reading alone."""
    cdef list dtypes = [param.dtype for param in roles[0]]
    cdef int role, flags
    cdef Py_ssize_t position
    for dtype in dtypes:
        if dtype not in FLOATS:
            raise TypeError(f"parameters must be float32 or float64, got {dtype}")
    for role in range(len(roles)):
        if len(roles[role]) != n:
            raise ValueError(f"expected {n} arrays of each kind, got {len(roles[role])}")
        flags = PyBUF_C_CONTIGUOUS if role == 1 else PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE
        for position, array in enumerate(roles[role]):
            if role == 1 and array.dtype != dtypes[position]:
                return False
            if not try_open(array, &views[n_open[0]], flags):
                return False
            n_open[0] += 1
            if views[n_open[0] - 1].len != views[position].len:
                raise ValueError("parameter, gradient and state must be of one size")
    return True
