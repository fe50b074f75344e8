# What _mmd_products.pyx does block by block.

from gemclus._core.arrays cimport real

cdef Py_ssize_t rows_together(Py_ssize_t n_rows, Py_ssize_t n_columns) noexcept nogil

cdef double *tiled(const double[::1] row, Py_ssize_t times) except NULL

cdef void centre_rows(
    const real *P,
    Py_ssize_t N,
    Py_ssize_t K,
    const double *tile,
    Py_ssize_t tile_rows,
    double epsilon,
    real *out,
) noexcept nogil
