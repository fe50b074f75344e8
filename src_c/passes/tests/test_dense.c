/* The products of dense.h on every instruction set: against long double, for each
 * width and number of rows around a group, and the same however the rows are cut. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

static int failures;

static void expect(int holds, const char *what, const char *isa, size_t n, size_t d,
                   size_t m)
{
    if (!holds) {
        printf("%s: %s, n = %zu, d = %zu, m = %zu\n", isa, what, n, d, m);
        failures++;
    }
}

/* The same numbers in both types. */
typedef struct {
    double *f64;
    float *f32;
} numbers;

static numbers pseudo(size_t size, size_t from)
{
    numbers x = {malloc(size * sizeof *x.f64), malloc(size * sizeof *x.f32)};
    for (size_t at = 0; at < size; at++) {
        x.f32[at] = (float)(sin(12.9898 * (double)(from + at + 1)) * 4.0);
        x.f64[at] = (double)x.f32[at];
    }
    return x;
}

static void drop(numbers x)
{
    free(x.f64), free(x.f32);
}

/* |found - sum| in units of what rounding may leave, for a sum of `count` terms of
 * total size `size`. */
static double off(double found, long double sum, long double size, size_t count,
                  double epsilon)
{
    return (double)(fabsl((long double)found - sum) / (epsilon * (double)count * size));
}

static void check_affine(const gem_passes *passes, size_t n, size_t d, size_t m)
{
    const gem_dense_table *table = passes->dense;
    const size_t entries = table->panel(d, m), cut = n / 2;
    numbers x = pseudo(n * d, 0), w = pseudo(d * m, 7), b = pseudo(m, 3);
    numbers panel = pseudo(entries, 0), out = pseudo(n * m, 0),
            again = pseudo(n * m, 0);
    double *panel32 = malloc(entries * sizeof *panel32);
    double worst = 0.0, worst32 = 0.0;
    table->pack_f64(w.f64, b.f64, d, m, panel.f64);
    table->pack_f32(w.f32, b.f32, d, m, panel32);
    table->affine_f64(x.f64, n, d, panel.f64, m, out.f64);
    table->affine_f32(x.f32, n, d, panel32, m, out.f32);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            long double sum = b.f64[j], size = fabs(b.f64[j]);
            for (size_t c = 0; c < d; c++) {
                long double term = (long double)x.f64[i * d + c] * w.f64[c * m + j];
                sum += term;
                size += fabsl(term);
            }
            worst = fmax(worst, off(out.f64[i * m + j], sum, size, d + 1, DBL_EPSILON));
            /* Kept in float64: only the result is rounded. */
            worst32 = fmax(worst32, off(out.f32[i * m + j], sum, size, 1, FLT_EPSILON));
        }
    expect(worst <= 1.0, "float64 affine", passes->isa, n, d, m);
    expect(worst32 <= 1.0, "float32 affine", passes->isa, n, d, m);
    table->affine_f64(x.f64, cut, d, panel.f64, m, again.f64);
    table->affine_f64(x.f64 + cut * d, n - cut, d, panel.f64, m, again.f64 + cut * m);
    expect(!memcmp(out.f64, again.f64, n * m * sizeof(double)), "affine in two calls",
           passes->isa, n, d, m);
    drop(x), drop(w), drop(b), drop(panel), drop(out), drop(again);
    free(panel32);
}

static void check_moments(const gem_passes *passes, size_t n, size_t d, size_t m)
{
    const gem_dense_table *table = passes->dense;
    const size_t entries = table->panel(d, m), cut = n / 2;
    numbers x = pseudo(n * d, 0), t = pseudo(n * m, 5);
    numbers w = pseudo(d * m, 0), b = pseudo(m, 0), w_again = pseudo(d * m, 0);
    double *panel = calloc(entries, sizeof *panel),
           *panel32 = calloc(entries, sizeof *panel);
    double *panel_cut = calloc(entries, sizeof *panel);
    double worst = 0.0, worst32 = 0.0;
    table->moments_f64(x.f64, t.f64, n, d, m, panel);
    table->moments_f32(x.f32, t.f32, n, d, m, panel32);
    table->unpack_f64(panel, d, m, w.f64, b.f64);
    table->unpack_f32(panel32, d, m, w.f32, b.f32);
    for (size_t c = 0; c <= d; c++)
        for (size_t j = 0; j < m; j++) {
            long double sum = 0, size = 0;
            for (size_t i = 0; i < n; i++) {
                long double factor = c < d ? x.f64[i * d + c] : 1.0;
                sum += factor * t.f64[i * m + j];
                size += fabsl(factor * t.f64[i * m + j]);
            }
            double found = c < d ? w.f64[c * m + j] : b.f64[j];
            double found32 = (double)(c < d ? w.f32[c * m + j] : b.f32[j]);
            worst = fmax(worst, off(found, sum, size, n, DBL_EPSILON));
            worst32 = fmax(worst32, off(found32, sum, size, 1, FLT_EPSILON));
        }
    expect(worst <= 1.0, "float64 moments", passes->isa, n, d, m);
    expect(worst32 <= 1.0, "float32 moments", passes->isa, n, d, m);
    table->moments_f64(x.f64, t.f64, cut, d, m, panel_cut);
    table->moments_f64(x.f64 + cut * d, t.f64 + cut * m, n - cut, d, m, panel_cut);
    table->unpack_f64(panel_cut, d, m, w_again.f64, b.f64);
    expect(!memcmp(w.f64, w_again.f64, d * m * sizeof(double)), "moments in two calls",
           passes->isa, n, d, m);
    drop(x), drop(t), drop(w), drop(b), drop(w_again);
    free(panel), free(panel32), free(panel_cut);
}

static void check_panel_sizes(const gem_passes *passes)
{
    const gem_dense_table *table = passes->dense;
    expect(table->panel(3, 5) >= 4 * 5, "room", passes->isa, 0, 3, 5);
    expect(table->panel(3, 0) == 0, "no columns", passes->isa, 0, 3, 0);
    expect(table->panel(3, GEM_DENSE_COLUMNS + 1) == 0, "too many columns", passes->isa,
           0, 3, GEM_DENSE_COLUMNS + 1);
    expect(table->panel((size_t)-1, 1) == 0, "too many rows", passes->isa, 0,
           (size_t)-1, 1);
}

static void check(const gem_passes *passes)
{
    const size_t rows[] = {1, 2, 3, 4, 5, 8, 63, 64, 65, 131};
    const size_t inputs[] = {1, 2, 3, 4, 20, 95};
    for (size_t a = 0; a < sizeof rows / sizeof *rows; a++)
        for (size_t c = 0; c < sizeof inputs / sizeof *inputs; c++)
            for (size_t m = 1; m <= GEM_DENSE_COLUMNS; m++) {
                check_affine(passes, rows[a], inputs[c], m);
                check_moments(passes, rows[a], inputs[c], m);
            }
    check_panel_sizes(passes);
}

int main(void)
{
    const gem_passes *last = NULL;
    for (int isa = 0; isa < GEM_ISA_COUNT; isa++) {
        const gem_passes *passes = gem_passes_select((gem_isa)isa);
        if (passes != last)
            check(passes);
        last = passes;
    }
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
