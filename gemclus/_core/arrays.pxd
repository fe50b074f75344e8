"""The numbers of an array for a compiled pass, in some tens of nanoseconds.

A typed memoryview checks the format of its array as well, which takes longer
than the arithmetic on a few hundred numbers. Who calls these passes answers for
the dtype, float64 or float32, which they tell apart by the size of an entry: what
users give goes through `float_size` of ``array_passes.pxd`` first.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.exc cimport PyErr_Clear

ctypedef fused real:
    float
    double

cdef extern from *:
    """
    /* Declared so that a failure is an answer, not an exception. */
    #define gem_try_buffer PyObject_GetBuffer
    """
    int gem_try_buffer(object array, Py_buffer *view, int flags) noexcept


cdef inline int open_rows(object array, Py_buffer *view) except -1:
    """Open a C-contiguous array for reading; anything else raises."""
    PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS)
    return 0


cdef inline int open_output(object array, Py_buffer *view) except -1:
    """Open a C-contiguous array for writing; anything else raises."""
    PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    return 0


cdef inline bint try_open(object array, Py_buffer *view, int flags) noexcept:
    """Open an array if it has a layout and access such as `flags` ask for."""
    if gem_try_buffer(array, view, flags) == 0:
        return True
    PyErr_Clear()
    return False


cdef inline void close(Py_buffer *views, int count) noexcept:
    """Let go of the first `count` of some opened arrays."""
    cdef int i
    for i in range(count):
        PyBuffer_Release(&views[i])
