/* Softmax and its derivative on every instruction set: against long double, at
 * each length around a tile, and for rows that are not finite. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

static int failures;

static void expect(int holds, const char *what, const char *isa, size_t n, size_t k)
{
    if (!holds) {
        printf("%s: %s, n = %zu, k = %zu\n", isa, what, n, k);
        failures++;
    }
}

static double pseudo(size_t i)
{
    return sin(12.9898 * (double)(i + 1)) * 4.0;
}

static void check_shape(const gem_passes *passes, size_t n, size_t k)
{
    const gem_softmax_table *table = passes->softmax;
    const size_t size = n * k;
    double *p = malloc(size * sizeof *p), *g = malloc(size * sizeof *g);
    double *back = malloc(size * sizeof *back);
    float *p32 = malloc(size * sizeof *p32);
    double *work = malloc(table->work(k) * sizeof *work);
    double worst = 0.0, worst32 = 0.0, worst_back = 0.0;
    for (size_t at = 0; at < size; at++) {
        p32[at] = (float)pseudo(at);
        p[at] = (double)p32[at];
        g[at] = pseudo(at + size);
    }
    expect(table->rows_f64(p, n, k, work) == 1, "finite rows are told", passes->isa, n,
           k);
    expect(table->rows_f32(p32, n, k, work) == 1, "finite rows are told", passes->isa,
           n, k);
    memcpy(back, g, size * sizeof *back);
    table->backward_f64(p, back, back, n, k); /* in place */
    for (size_t i = 0; i < n; i++) {
        long double sum = 0, top = -HUGE_VALL, inner = 0;
        for (size_t j = 0; j < k; j++) {
            long double x = (long double)(float)pseudo(i * k + j);
            top = x > top ? x : top;
        }
        for (size_t j = 0; j < k; j++)
            sum += expl((long double)(float)pseudo(i * k + j) - top);
        for (size_t j = 0; j < k; j++) {
            size_t at = i * k + j;
            long double exact = expl((long double)(float)pseudo(at) - top) / sum;
            worst = fmax(worst, (double)fabsl(((long double)p[at] - exact) / exact));
            worst32 =
                fmax(worst32, (double)fabsl(((long double)p32[at] - exact) / exact));
            inner += (long double)p[at] * (long double)g[at];
        }
        for (size_t j = 0; j < k; j++) {
            size_t at = i * k + j;
            double exact = (double)(-(long double)p[at] * ((long double)g[at] - inner));
            worst_back = fmax(worst_back, fabs(back[at] - exact));
        }
    }
    expect(worst < (12.0 + (double)k) * DBL_EPSILON, "float64 rows", passes->isa, n, k);
    expect(worst32 < FLT_EPSILON, "float32 rows", passes->isa, n, k);
    expect(worst_back < (8.0 + (double)k) * DBL_EPSILON, "backward", passes->isa, n, k);
    free(p), free(g), free(back), free(p32), free(work);
}

static void check_special(const gem_passes *passes)
{
    const gem_softmax_table *table = passes->softmax;
    double work[3 * 64];
    double rows[4][3] = {{0.0, -INFINITY, 0.0},
                         {NAN, 0.0, 0.0},
                         {INFINITY, 0.0, 0.0},
                         {-INFINITY, -INFINITY, -INFINITY}};
    const char *isa = passes->isa;
    if (table->work(3) > 3 * 64) {
        expect(0, "work space", isa, 4, 3);
        return;
    }
    expect(table->rows_f64(rows[0], 1, 3, work) == 1, "-inf is probability 0", isa, 1,
           3);
    expect(rows[0][0] == 0.5 && rows[0][1] == 0.0, "-inf is probability 0", isa, 1, 3);
    expect(table->rows_f64(rows[0], 4, 3, work) == 0, "bad rows are told", isa, 4, 3);
    for (int i = 1; i < 4; i++)
        for (int j = 0; j < 3; j++)
            expect(isnan(rows[i][j]), "bad rows are NaN", isa, 4, 3);
    expect(!isnan(rows[0][0]), "good rows beside them are not", isa, 4, 3);
    expect(table->work((size_t)-1) == 0, "work beyond size_t", isa, 0, 0);
}

int main(void)
{
    static const size_t ks[] = {1, 2, 3, 10, 33, 300};
    static const size_t ns[] = {1, 2, 63, 64, 65, 130, 257};
    const gem_passes *last = NULL;
    for (int isa = 0; isa < GEM_ISA_COUNT; isa++) {
        const gem_passes *passes = gem_passes_select((gem_isa)isa);
        if (passes == last)
            continue;
        last = passes;
        for (size_t a = 0; a < sizeof ks / sizeof *ks; a++)
            for (size_t b = 0; b < sizeof ns / sizeof *ns; b++)
                check_shape(passes, ns[b], ks[a]);
        check_special(passes);
    }
    return failures != 0;
}
