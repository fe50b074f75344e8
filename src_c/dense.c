#include "dense.h"

#include <string.h>

#include "dispatch.h"
#include "isa.h"

/* Rows taken together, so that a row of the panel is loaded once for them. */
#define ROWS 4
/* The panel's width is a multiple of this. */
#define LANES 4
/* 24 KB of doubles. */
#define PANEL_ENTRIES 3072

static size_t width_of(size_t m)
{
    return (m + LANES - 1) / LANES * LANES;
}

static size_t panel_entries(size_t d, size_t m)
{
    if (!m || m > GEM_DENSE_COLUMNS || d >= PANEL_ENTRIES / width_of(m))
        return 0;
    return (d + 1) * width_of(m);
}

/* Which of `rows` rows stands for row `i` of a group: the last one for those
 * beyond it, whose results are dropped. */
static size_t row_or_last(size_t i, size_t rows)
{
    return i < rows ? i : rows - 1;
}

#define real double
#define TYPED(name) name##_f64
#define MULADD GEM_MULADD
#include "dense_passes.h"
#undef real
#undef TYPED
#undef MULADD

#define real float
#define TYPED(name) name##_f32
#define MULADD GEM_MULADDF
#include "dense_passes.h"

const gem_dense_table GEM_ISA(gem_dense) = {
    panel_entries, pack_f64,    pack_f32,   affine_f64, affine_f32,
    moments_f64,   moments_f32, unpack_f64, unpack_f32,
};
