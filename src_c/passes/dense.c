#include "dense.h"

#include <string.h>

#include "dispatch.h"
#include "vec.h"

/* Rows of a product that are summed together, in registers, and columns likewise. */
#define ROWS 4
#define VECTORS 3
/* Rows of T that are padded at a time. */
#define BLOCK 64
/* Doubles of the largest panel: 24 KB. */
#define PANEL_ENTRIES 3072

static size_t width_of(size_t m)
{
    return (m + GEM_VEC_LANES - 1) / GEM_VEC_LANES * GEM_VEC_LANES;
}

static size_t panel_entries(size_t d, size_t m)
{
    if (!m || m > GEM_DENSE_COLUMNS || d >= PANEL_ENTRIES / width_of(m))
        return 0;
    return (d + 1) * width_of(m);
}

#define real double
#define TYPED(name) name##_f64
#include "dense_passes.h"
#undef real
#undef TYPED

#define real float
#define TYPED(name) name##_f32
#include "dense_passes.h"

const gem_dense_table GEM_ISA(gem_dense) = {
    panel_entries, pack_f64,    pack_f32,   affine_f64, affine_f32,
    moments_f64,   moments_f32, unpack_f64, unpack_f32,
};
