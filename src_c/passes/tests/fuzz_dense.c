/* The products of dense.h on arbitrary bytes, in arrays of their exact size and in
 * both precisions: no access outside them, and the same bits in one call or two. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

/* X (n, d) against a panel of its own first entries. */
#define DEFINE_TRY(suffix, real)                                                       \
    static void try_##suffix(const gem_dense_table *table, const real *x, size_t n,    \
                             size_t d, size_t m, size_t cut)                           \
    {                                                                                  \
        const size_t entries = table->panel(d, m), bytes = n * m * sizeof *x;          \
        double *panel = malloc(entries * sizeof *panel);                               \
        double *sums = calloc(entries, sizeof *sums);                                  \
        double *sums_cut = calloc(entries, sizeof *sums);                              \
        real *out = malloc(bytes), *out_cut = malloc(bytes);                           \
        real *w = malloc(d * m * sizeof *w), *b = malloc(m * sizeof *b);               \
        table->pack_##suffix(x, x + d * m, d, m, panel);                               \
        table->affine_##suffix(x, n, d, panel, m, out);                                \
        table->affine_##suffix(x, cut, d, panel, m, out_cut);                          \
        table->affine_##suffix(x + cut * d, n - cut, d, panel, m, out_cut + cut * m);  \
        for (size_t at = 0; at < n * m; at++)                                          \
            require(out[at] == out_cut[at] || (isnan(out[at]) && isnan(out_cut[at]))); \
        table->moments_##suffix(x, out, n, d, m, sums);                                \
        table->moments_##suffix(x, out, cut, d, m, sums_cut);                          \
        table->moments_##suffix(x + cut * d, out + cut * m, n - cut, d, m, sums_cut);  \
        for (size_t at = 0; at < entries; at++)                                        \
            require(sums[at] == sums_cut[at] ||                                        \
                    (isnan(sums[at]) && isnan(sums_cut[at])));                         \
        table->unpack_##suffix(sums, d, m, w, b);                                      \
        free(panel), free(sums), free(sums_cut), free(out), free(out_cut);             \
        free(w), free(b);                                                              \
    }

DEFINE_TRY(f64, double)
DEFINE_TRY(f32, float)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gem_dense_table *table;
    size_t d, m, n;
    double *x;
    float *single;
    if (size < 4)
        return 0;
    table = gem_passes_select((gem_isa)((data[0] >> 3) % GEM_ISA_COUNT))->dense;
    d = 1 + data[1];
    m = 1 + data[2] % (GEM_DENSE_COLUMNS + 1);
    n = (size - 4) / sizeof *x / d;
    if (!table->panel(d, m) || (d + 1) * m > n * d)
        return 0;
    x = malloc(n * d * sizeof *x);
    single = malloc(n * d * sizeof *single);
    memcpy(x, data + 4, n * d * sizeof *x);
    for (size_t at = 0; at < n * d; at++)
        single[at] = fabs(x[at]) <= FLT_MAX ? (float)x[at] : NAN;
    try_f64(table, x, n, d, m, data[3] % (n + 1));
    try_f32(table, single, n, d, m, data[3] % (n + 1));
    free(x), free(single);
    return 0;
}
