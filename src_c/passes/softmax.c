#include "softmax.h"

#include "dispatch.h"
#include "tile.h"
#include "vmath_lanes.h"

static size_t work_space(size_t k)
{
    return k <= SIZE_MAX / sizeof(gem_lanes) ? k * GEM_LANES : 0;
}

/* One tile; returns a number that is NaN if a row came out as NaN. */
static double softmax_tile(gem_lanes *restrict tile, size_t k)
{
    gem_lanes top, sum;
    double check = 0.0;

    GEM_FOR_LANES(i) top[i] = tile[0][i];
    for (size_t j = 1; j < k; j++)
        GEM_FOR_LANES(i) top[i] = tile[j][i] > top[i] ? tile[j][i] : top[i];

    GEM_FOR_LANES(i) sum[i] = 0.0;
    for (size_t j = 0; j < k; j++)
        GEM_FOR_LANES(i)
        {
            double e = gem_exp_nonpositive(tile[j][i] - top[i]);
            tile[j][i] = e;
            sum[i] += e;
        }

    GEM_FOR_LANES(i) sum[i] = 1.0 / sum[i];
    for (size_t j = 0; j < k; j++)
        GEM_FOR_LANES(i) tile[j][i] *= sum[i];
    for (int i = 0; i < GEM_LANES; i++)
        check += sum[i];
    return check;
}

#define DEFINE_SOFTMAX(suffix, real)                                                   \
    static int rows_##suffix(real *logits, size_t n, size_t k, double *work)           \
    {                                                                                  \
        gem_lanes *tile = (gem_lanes *)work;                                           \
        double check = 0.0;                                                            \
        for (size_t start = 0; start < n; start += GEM_LANES) {                        \
            size_t count = n - start < GEM_LANES ? n - start : GEM_LANES;              \
            real *rows = logits + start * k;                                           \
            gem_tile_load_##suffix(tile, rows, count, k);                              \
            check += softmax_tile(tile, k);                                            \
            gem_tile_store_##suffix((const gem_lanes *)tile, rows, count, k);          \
        }                                                                              \
        return check == check;                                                         \
    }                                                                                  \
                                                                                       \
    static void backward_##suffix(const real *p, const real *gradient, real *out,      \
                                  size_t n, size_t k)                                  \
    {                                                                                  \
        for (size_t i = 0; i < n; i++, p += k, gradient += k, out += k) {              \
            double sum = 0.0;                                                          \
            for (size_t j = 0; j < k; j++)                                             \
                sum = GEM_MULADD((double)p[j], (double)gradient[j], sum);              \
            for (size_t j = 0; j < k; j++)                                             \
                out[j] = (real)((double)p[j] * (sum - (double)gradient[j]));           \
        }                                                                              \
    }

DEFINE_SOFTMAX(f64, double)
DEFINE_SOFTMAX(f32, float)

const gem_softmax_table GEM_ISA(gem_softmax) = {work_space, rows_f64, rows_f32,
                                                backward_f64, backward_f32};
