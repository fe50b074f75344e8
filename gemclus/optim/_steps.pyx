"""Compiled update of one flat parameter: one pass over it and its state."""

from libc.math cimport sqrt

ctypedef fused real:
    float
    double


def adam(
    real[::1] w,
    const real[::1] g,
    real[::1] m,
    real[::1] v,
    double step,
    double beta1,
    double beta2,
    double epsilon,
):
    """Update the moments `m`, `v` and then ``w -= step m / (sqrt(v) + epsilon)``."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(w.shape[0]):
            m[i] = <real>(beta1 * m[i] + (1.0 - beta1) * g[i])
            v[i] = <real>(beta2 * v[i] + (1.0 - beta2) * g[i] * g[i])
            w[i] = <real>(w[i] - step * m[i] / (sqrt(<double>v[i]) + epsilon))


def nesterov(real[::1] w, const real[::1] g, real[::1] u, double step, double momentum):
    """Update the velocity `u` and look one momentum step ahead of it."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(w.shape[0]):
            u[i] = <real>(momentum * u[i] - step * g[i])
            w[i] = <real>(w[i] + momentum * u[i] - step * g[i])
