/* Softmax, its derivative and the f-divergences on arbitrary bytes, in arrays of
 * their exact size, in both precisions: no access outside them, nothing but
 * probabilities from finite logits, no NaN from finite predictions, and the same bits
 * in one call or many, with a gradient or without; with weights, and over blocks. */
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

/* In calls of at most `piece` rows; NaN without an answer. */
#define DEFINE_TRIES(suffix, real)                                                     \
    static void try_softmax_##suffix(const gem_softmax_table *table, const real *x,    \
                                     size_t n, size_t k)                               \
    {                                                                                  \
        const size_t bytes = n * k * sizeof *x;                                        \
        real *p = malloc(bytes), *out = malloc(bytes);                                 \
        double *work = malloc(table->work(k) * sizeof *work);                          \
        memcpy(p, x, bytes);                                                           \
        if (table->rows_##suffix(p, n, k, work))                                       \
            for (size_t at = 0; at < n * k; at++)                                      \
                require(p[at] >= 0 && p[at] <= 1);                                     \
        table->backward_##suffix(p, x, out, n, k);                                     \
        free(p), free(out), free(work);                                                \
    }                                                                                  \
                                                                                       \
    static double evaluate_##suffix(const gem_fdiv_table *table, gem_fdiv_kind kind,   \
                                    double epsilon, const real *p, real *g, size_t n,  \
                                    size_t k, size_t piece)                            \
    {                                                                                  \
        gem_fdiv state;                                                                \
        double value = NAN, *work = malloc(table->work(k) * sizeof *work);             \
        int good = table->start(&state, kind, n, k, epsilon, work) == GEM_FDIV_OK;     \
        for (size_t i = 0; good && i < n; i += piece)                                  \
            table->proportions_##suffix(&state, p + i * k, NULL,                       \
                                        n - i < piece ? n - i : piece);                \
        if (good && table->settle(&state, 1) == GEM_FDIV_OK) {                         \
            for (size_t i = 0; i < n; i += piece)                                      \
                table->rows_##suffix(&state, p + i * k, NULL, g ? g + i * k : NULL,    \
                                     n - i < piece ? n - i : piece);                   \
            value = table->finish(&state);                                             \
            for (size_t i = 0; g && i < n; i += piece)                                 \
                table->spread_##suffix(&state, p + i * k, NULL, g + i * k,             \
                                       n - i < piece ? n - i : piece);                 \
            if (epsilon >= 1e-100)                                                     \
                require(!isnan(value));                                                \
        }                                                                              \
        free(work);                                                                    \
        return value;                                                                  \
    }                                                                                  \
                                                                                       \
    /* The weights of the rows are 0 to 3; one block of them, merged with itself. */   \
    static void try_block_##suffix(const gem_fdiv_table *table, gem_fdiv_kind kind,    \
                                   double epsilon, const real *p, size_t n, size_t k)  \
    {                                                                                  \
        gem_fdiv state, whole;                                                         \
        double *work = malloc(table->work(k) * sizeof *work);                          \
        double *twin = malloc(table->work(k) * sizeof *work);                          \
        double *w = malloc(n * sizeof *w);                                             \
        double *first = malloc(GEM_FDIV_SUMS_1(k) * sizeof *first);                    \
        double *second = malloc(GEM_FDIV_SUMS_2(k) * sizeof *second);                  \
        real *g = calloc(n * k, sizeof *g);                                            \
        int good = table->start(&state, kind, n, k, epsilon, work) == GEM_FDIV_OK;     \
        for (size_t i = 0; i < n; i++)                                                 \
            w[i] = (double)(i % 4);                                                    \
        if (good) {                                                                    \
            table->proportions_##suffix(&state, p, w, n);                              \
            table->read(&state, 1, first);                                             \
            table->start(&whole, kind, n, k, epsilon, twin);                           \
            table->merge(&whole, 1, first);                                            \
            good = table->settle(&whole, 1) == GEM_FDIV_OK;                            \
            require(good == (table->settle(&state, 0) == GEM_FDIV_OK));                \
        }                                                                              \
        if (good) {                                                                    \
            table->rows_##suffix(&state, p, w, g, n);                                  \
            table->read(&state, 2, second);                                            \
            table->merge(&whole, 2, second);                                           \
            double value = table->finish(&whole);                                      \
            table->spread_##suffix(&whole, p, w, g, n);                                \
            for (size_t at = 0; epsilon >= 1e-100 && at < n * k; at++)                 \
                require(!isnan(g[at]) && !isnan(value));                               \
        }                                                                              \
        free(work), free(twin), free(w), free(first), free(second), free(g);           \
    }                                                                                  \
                                                                                       \
    static void try_divergence_##suffix(                                               \
        const gem_fdiv_table *table, gem_fdiv_kind kind, double epsilon,               \
        const real *p, size_t n, size_t k, size_t piece)                               \
    {                                                                                  \
        const size_t bytes = n * k * sizeof *p;                                        \
        real *g = calloc(n * k, sizeof *g), *whole = calloc(n * k, sizeof *g);         \
        double value = evaluate_##suffix(table, kind, epsilon, p, g, n, k, piece);     \
        double again = evaluate_##suffix(table, kind, epsilon, p, whole, n, k, n);     \
        double alone = evaluate_##suffix(table, kind, epsilon, p, NULL, n, k, n);      \
        require(isnan(value) ? isnan(alone) : value == again && value == alone);       \
        if (!isnan(value) && epsilon >= 1e-100) {                                      \
            for (size_t at = 0; at < n * k; at++)                                      \
                require(!isnan(g[at]));                                                \
            require(!memcmp(g, whole, bytes));                                         \
        }                                                                              \
        free(g), free(whole);                                                          \
        try_block_##suffix(table, kind, epsilon, p, n, k);                             \
    }

DEFINE_TRIES(f64, double)
DEFINE_TRIES(f32, float)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gem_passes *passes;
    double epsilon;
    gem_fdiv_kind kind;
    size_t k, n, piece;
    double *x;
    float *single;
    if (size < 4 + sizeof epsilon + sizeof *x)
        return 0;
    passes = gem_passes_select((gem_isa)((data[0] >> 3) % GEM_ISA_COUNT));
    k = 1 + data[1];
    kind = (gem_fdiv_kind)(data[2] % (GEM_FDIV_COUNT + 1));
    piece = (size_t)GEM_FDIV_BLOCK * (1 + data[3] % 4);
    memcpy(&epsilon, data + 4, sizeof epsilon);
    if (data[0] & 2)
        epsilon = 1e-12;
    size = (size - 4 - sizeof epsilon) / sizeof *x;
    if (k > size)
        k = size;
    n = size / k;
    x = malloc(n * k * sizeof *x);
    memcpy(x, data + 4 + sizeof epsilon, n * k * sizeof *x);
    if (data[0] & 4)
        for (size_t at = 0; at < n * k; at++)
            x[at] = 0.5 + 0.5 * sin(x[at]); /* mostly within (0, 1) */
    single = malloc(n * k * sizeof *single);
    for (size_t at = 0; at < n * k; at++)
        single[at] = fabs(x[at]) <= FLT_MAX ? (float)x[at] : NAN;
    try_softmax_f64(passes->softmax, x, n, k);
    try_softmax_f32(passes->softmax, single, n, k);
    try_divergence_f64(passes->fdivergence, kind, epsilon, x, n, k, piece);
    try_divergence_f32(passes->fdivergence, kind, epsilon, single, n, k, piece);
    free(single);
    for (size_t at = 0; at + 1 < n * k; at += 2) {
        double out[2];
        passes->vmath->exp(x + at, out, 2);
        require(isnan(out[0]) == isnan(x[at]) && !(out[0] < 0.0));
        passes->vmath->log(x + at, out, 2);
        require(isnan(out[0]) == !(x[at] >= 0.0));
    }
    free(x);
    return 0;
}
