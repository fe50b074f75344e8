"""Compiled update of one flat parameter: one pass over it and its state."""

from libc.math cimport sqrt

ctypedef fused real:
    float
    double


def adam(
    w, g, m, v, double step, double beta1, double beta2, double epsilon
):
    """Update the moments `m`, `v` and then ``w -= step m / (sqrt(v) + epsilon)``.

    Flat arrays of one dtype, float32 or float64.
    """
    if w.itemsize == sizeof(float):
        _adam[float](w, g, m, v, step, beta1, beta2, epsilon)
    else:
        _adam[double](w, g, m, v, step, beta1, beta2, epsilon)


cdef int _adam(
    real[::1] w,
    const real[::1] g,
    real[::1] m,
    real[::1] v,
    double step,
    double beta1,
    double beta2,
    double epsilon,
) except -1:
    cdef Py_ssize_t i
    with nogil:
        for i in range(w.shape[0]):
            m[i] = <real>(beta1 * m[i] + (1.0 - beta1) * g[i])
            v[i] = <real>(beta2 * v[i] + (1.0 - beta2) * g[i] * g[i])
            w[i] = <real>(w[i] - step * m[i] / (sqrt(<double>v[i]) + epsilon))
    return 0


def nesterov(w, g, u, double step, double momentum):
    """Update the velocity `u` and look one momentum step ahead of it.

    Flat arrays of one dtype, float32 or float64.
    """
    if w.itemsize == sizeof(float):
        _nesterov[float](w, g, u, step, momentum)
    else:
        _nesterov[double](w, g, u, step, momentum)


cdef int _nesterov(
    real[::1] w, const real[::1] g, real[::1] u, double step, double momentum
) except -1:
    cdef Py_ssize_t i
    with nogil:
        for i in range(w.shape[0]):
            u[i] = <real>(momentum * u[i] - step * g[i])
            w[i] = <real>(w[i] + momentum * u[i] - step * g[i])
    return 0
