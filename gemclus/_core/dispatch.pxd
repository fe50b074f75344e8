# Declares dispatch.h with the headers it includes: dense.h, fdivergence.h,
# softmax.h and vmath.h.

from gemclus._core.arrays cimport real

cdef extern from "dispatch.h" nogil:
    ctypedef enum gem_fdiv_kind:
        GEM_FDIV_COUNT

    ctypedef enum gem_fdiv_status:
        GEM_FDIV_OK
        GEM_FDIV_BAD_ARGUMENT
        GEM_FDIV_NOT_FINITE

    ctypedef struct gem_fdiv:
        size_t k

    ctypedef struct gem_fdiv_table:
        const char *(*name)(gem_fdiv_kind) noexcept nogil
        size_t (*work)(size_t k) noexcept nogil
        gem_fdiv_status (*start)(
            gem_fdiv *, gem_fdiv_kind, size_t n, size_t k, double, double *work
        ) noexcept nogil
        void (*proportions_f64)(
            gem_fdiv *, const double *p, const double *weights, size_t
        ) noexcept nogil
        void (*proportions_f32)(
            gem_fdiv *, const float *p, const double *weights, size_t
        ) noexcept nogil
        gem_fdiv_status (*settle)(gem_fdiv *, int whole) noexcept nogil
        void (*rows_f64)(
            gem_fdiv *, const double *p, const double *weights, double *gradient, size_t
        ) noexcept nogil
        void (*rows_f32)(
            gem_fdiv *, const float *p, const double *weights, float *gradient, size_t
        ) noexcept nogil
        double (*finish)(gem_fdiv *) noexcept nogil
        void (*spread_f64)(
            const gem_fdiv *, const double *p, const double *weights, double *gradient, size_t
        ) noexcept nogil
        void (*spread_f32)(
            const gem_fdiv *, const float *p, const double *weights, float *gradient, size_t
        ) noexcept nogil
        void (*read)(const gem_fdiv *, int which, double *sums) noexcept nogil
        void (*merge)(gem_fdiv *, int which, const double *sums) noexcept nogil

    size_t GEM_FDIV_BLOCK
    size_t GEM_FDIV_SUMS_1(size_t k)
    size_t GEM_FDIV_SUMS_2(size_t k)

    ctypedef struct gem_dense_table:
        size_t (*panel)(size_t d, size_t m) noexcept nogil
        void (*pack_f64)(
            const double *w, const double *b, size_t d, size_t m, double *panel
        ) noexcept nogil
        void (*pack_f32)(
            const float *w, const float *b, size_t d, size_t m, double *panel
        ) noexcept nogil
        void (*affine_f64)(
            const double *x, size_t rows, size_t d, const double *panel, size_t m, double *out
        ) noexcept nogil
        void (*affine_f32)(
            const float *x, size_t rows, size_t d, const double *panel, size_t m, float *out
        ) noexcept nogil
        void (*moments_f64)(
            const double *x, const double *t, size_t rows, size_t d, size_t m, double *panel
        ) noexcept nogil
        void (*moments_f32)(
            const float *x, const float *t, size_t rows, size_t d, size_t m, double *panel
        ) noexcept nogil
        void (*unpack_f64)(
            const double *panel, size_t d, size_t m, double *w, double *b
        ) noexcept nogil
        void (*unpack_f32)(
            const double *panel, size_t d, size_t m, float *w, float *b
        ) noexcept nogil

    ctypedef struct gem_softmax_table:
        size_t (*work)(size_t k) noexcept nogil
        int (*rows_f64)(double *, size_t n, size_t k, double *work) noexcept nogil
        int (*rows_f32)(float *, size_t n, size_t k, double *work) noexcept nogil
        void (*backward_f64)(
            const double *p, const double *gradient, double *out, size_t n, size_t k
        ) noexcept nogil
        void (*backward_f32)(
            const float *p, const float *gradient, float *out, size_t n, size_t k
        ) noexcept nogil

    ctypedef struct gem_vmath_table:
        void (*exp)(const double *x, double *out, size_t n) noexcept nogil
        void (*log)(const double *x, double *out, size_t n) noexcept nogil

    ctypedef struct gem_passes:
        const char *isa
        const gem_vmath_table *vmath
        const gem_softmax_table *softmax
        const gem_fdiv_table *fdivergence
        const gem_dense_table *dense

    ctypedef enum gem_isa:
        GEM_ISA_COUNT

    const gem_passes *gem_passes_select(gem_isa most) noexcept nogil

# What this process uses, chosen when the module is imported.
cdef const gem_passes *passes

# How many rows of n_columns a pass does before it looks for Ctrl-C.
cdef size_t rows_at_a_time(size_t n_columns) noexcept nogil

# The passes of dense.h and softmax.h for either type.


cdef inline void pack(
    const real *w, const real *b, size_t d, size_t m, double *panel
) noexcept nogil:
    if real is float:
        passes.dense.pack_f32(w, b, d, m, panel)
    else:
        passes.dense.pack_f64(w, b, d, m, panel)


cdef inline void unpack(
    const double *panel, size_t d, size_t m, real *w, real *b
) noexcept nogil:
    if real is float:
        passes.dense.unpack_f32(panel, d, m, w, b)
    else:
        passes.dense.unpack_f64(panel, d, m, w, b)


cdef inline void affine(
    const real *x, size_t rows, size_t d, const double *panel, size_t m, real *out
) noexcept nogil:
    if real is float:
        passes.dense.affine_f32(x, rows, d, panel, m, out)
    else:
        passes.dense.affine_f64(x, rows, d, panel, m, out)


cdef inline void moments(
    const real *x, const real *t, size_t rows, size_t d, size_t m, double *panel
) noexcept nogil:
    if real is float:
        passes.dense.moments_f32(x, t, rows, d, m, panel)
    else:
        passes.dense.moments_f64(x, t, rows, d, m, panel)


cdef inline int softmax_rows(real *logits, size_t n, size_t k, double *work) noexcept nogil:
    if real is float:
        return passes.softmax.rows_f32(logits, n, k, work)
    else:
        return passes.softmax.rows_f64(logits, n, k, work)


cdef inline void softmax_slopes(
    const real *p, const real *gradient, real *out, size_t n, size_t k
) noexcept nogil:
    if real is float:
        passes.softmax.backward_f32(p, gradient, out, n, k)
    else:
        passes.softmax.backward_f64(p, gradient, out, n, k)
