/* Softmax, its derivative, the products and the f-divergences on arbitrary bytes, in
 * arrays of their exact size: no access outside them, and nothing but probabilities from
 * finite logits, no NaN from finite predictions. */
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

static void try_softmax(const gem_softmax_table *table, const double *x, size_t n, size_t k)
{
    const size_t bytes = n * k * sizeof *x;
    double *p = malloc(bytes), *out = malloc(bytes);
    double *work = malloc(table->work(k) * sizeof *work);
    memcpy(p, x, bytes);
    if (table->rows_f64(p, n, k, work))
        for (size_t at = 0; at < n * k; at++)
            require(p[at] >= 0.0 && p[at] <= 1.0);
    table->backward_f64(p, x, out, n, k);
    free(p), free(out), free(work);
}

static void try_divergence(const gem_fdiv_table *table, gem_fdiv_kind kind, double epsilon,
                           const double *p, size_t n, size_t k, size_t piece)
{
    gem_fdiv state;
    double *work = malloc(table->work(k) * sizeof *work);
    double *g = malloc(n * k * sizeof *g);
    if (table->start(&state, kind, n, k, epsilon, work) == GEM_FDIV_OK) {
        for (size_t i = 0; i < n; i += piece)
            table->proportions_f64(&state, p + i * k, n - i < piece ? n - i : piece);
        if (table->settle(&state) == GEM_FDIV_OK) {
            for (size_t i = 0; i < n; i += piece)
                table->rows_f64(&state, p + i * k, g + i * k, n - i < piece ? n - i : piece);
            double value = table->finish(&state);
            table->spread_f64(&state, p, g, n);
            if (epsilon >= 1e-100) {
                require(!isnan(value));
                for (size_t at = 0; at < n * k; at++)
                    require(!isnan(g[at]));
            }
        }
    }
    free(work), free(g);
}

/* X against a panel of its own first entries: the same in two calls as in one. */
static void try_dense(const gem_dense_table *table, const double *x, size_t n, size_t d,
                      size_t m)
{
    const size_t entries = table->panel(d, m), bytes = n * m * sizeof *x, cut = n / 2;
    if (!entries || (d + 1) * m > n * d)
        return;
    double *panel = malloc(entries * sizeof *x), *sums = calloc(entries, sizeof *x);
    double *out = malloc(bytes), *again = malloc(bytes);
    double *w = malloc(d * m * sizeof *w), *b = malloc(m * sizeof *b);
    table->pack_f64(x, x + d * m, d, m, panel);
    table->affine_f64(x, n, d, panel, m, out);
    table->affine_f64(x, cut, d, panel, m, again);
    table->affine_f64(x + cut * d, n - cut, d, panel, m, again + cut * m);
    for (size_t at = 0; at < n * m; at++)
        require(out[at] == again[at] || (isnan(out[at]) && isnan(again[at])));
    table->moments_f64(x, out, n, d, m, sums);
    table->unpack_f64(sums, d, m, w, b);
    free(panel), free(sums), free(out), free(again), free(w), free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gem_kernels *kernels;
    double epsilon;
    size_t k, n;
    double *x;
    if (size < 4 + sizeof epsilon + sizeof *x)
        return 0;
    kernels = gem_kernels_select(data[0] & 1);
    k = 1 + data[1];
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
    try_softmax(kernels->softmax, x, n, k);
    try_divergence(kernels->fdivergence, (gem_fdiv_kind)(data[2] % (GEM_FDIV_COUNT + 1)),
                   epsilon, x, n, k, (size_t)GEM_FDIV_BLOCK * (1 + data[3]));
    try_dense(kernels->dense, x, n, k, 1 + data[3] % (GEM_DENSE_COLUMNS + 1));
    for (size_t at = 0; at + 1 < n * k; at += 2) {
        double out[2];
        kernels->vmath->exp(x + at, out, 2);
        require(isnan(out[0]) == isnan(x[at]) && !(out[0] < 0.0));
        kernels->vmath->log(x + at, out, 2);
        require(isnan(out[0]) == !(x[at] >= 0.0));
    }
    free(x);
    return 0;
}
