/* Every f-divergence on every instruction set: gradient against differences of
 * the value, TV one-vs-one against its definition, pieces against the whole, weights
 * against repeated rows, merged blocks against one, bad input against its status. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

static int failures;

static void expect(int holds, const char *what, const char *isa, const char *name)
{
    if (!holds) {
        printf("%s: %s: %s\n", isa, name, what);
        failures++;
    }
}

static size_t rest(size_t n, size_t i, size_t piece)
{
    return n - i < piece ? n - i : piece;
}

/* In calls of at most `piece` rows. */
static double evaluate(const gem_fdiv_table *table, gem_fdiv_kind kind, const double *p,
                       double *g, size_t n, size_t k, size_t piece)
{
    gem_fdiv state;
    double value = NAN, *work = malloc(table->work(k) * sizeof *work);
    if (table->start(&state, kind, n, k, 1e-12, work) == GEM_FDIV_OK) {
        for (size_t i = 0; i < n; i += piece)
            table->proportions_f64(&state, p + i * k, NULL, rest(n, i, piece));
        if (table->settle(&state, 1) == GEM_FDIV_OK) {
            for (size_t i = 0; i < n; i += piece)
                table->rows_f64(&state, p + i * k, NULL, g ? g + i * k : NULL,
                                rest(n, i, piece));
            value = table->finish(&state);
            for (size_t i = 0; g && i < n; i += piece)
                table->spread_f64(&state, p + i * k, NULL, g + i * k,
                                  rest(n, i, piece));
        }
    }
    free(work);
    return value;
}

/* With weights, over blocks of `block` rows that only share their sums. */
static double evaluate_blocks(const gem_fdiv_table *table, gem_fdiv_kind kind,
                              const double *p, const double *w, double *g, size_t n,
                              size_t k, size_t block)
{
    gem_fdiv state, whole;
    double value = NAN, *work = malloc(table->work(k) * sizeof *work);
    double *whole_work = malloc(table->work(k) * sizeof *work);
    double *first = calloc(GEM_FDIV_SUMS_1(k), sizeof *first);
    double *second = calloc(GEM_FDIV_SUMS_2(k), sizeof *second);
    table->start(&whole, kind, n, k, 1e-12, whole_work);
    for (size_t i = 0; i < n; i += block) {
        table->start(&state, kind, rest(n, i, block), k, 1e-12, work);
        table->proportions_f64(&state, p + i * k, w + i, rest(n, i, block));
        table->read(&state, 1, first);
        table->merge(&whole, 1, first);
    }
    table->read(&whole, 1, first);
    if (table->settle(&whole, 1) == GEM_FDIV_OK) {
        for (size_t i = 0; i < n; i += block) {
            table->start(&state, kind, rest(n, i, block), k, 1e-12, work);
            table->merge(&state, 1, first);
            table->settle(&state, 0);
            table->rows_f64(&state, p + i * k, w + i, g + i * k, rest(n, i, block));
            table->read(&state, 2, second);
            table->merge(&whole, 2, second);
        }
        value = table->finish(&whole);
        for (size_t i = 0; i < n; i += block)
            table->spread_f64(&whole, p + i * k, w + i, g + i * k, rest(n, i, block));
    }
    free(work), free(whole_work), free(first), free(second);
    return value;
}

static void fill(double *p, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < k; j++)
            sum += p[i * k + j] = 1.1 + sin((double)(i * k + j) * (double)(j + 3));
        for (size_t j = 0; j < k; j++)
            p[i * k + j] /= sum;
    }
}

static void check_slopes(const gem_passes *passes, gem_fdiv_kind kind, size_t n,
                         size_t k)
{
    const gem_fdiv_table *table = passes->fdivergence;
    double *p = malloc(n * k * sizeof *p), *g = malloc(n * k * sizeof *g);
    const int kinked = !strncmp(table->name(kind), "tv", 2);
    double value;
    fill(p, n, k);
    value = evaluate(table, kind, p, g, n, k, n);
    expect(value == evaluate(table, kind, p, NULL, n, k, n), "value alone", passes->isa,
           table->name(kind));
    for (size_t at = 0; at < n * k; at += 1 + n * k / 200) {
        double here = p[at], step = 1e-5 * here, up, down;
        p[at] = here + step;
        up = evaluate(table, kind, p, NULL, n, k, n);
        p[at] = here - step;
        down = evaluate(table, kind, p, NULL, n, k, n);
        p[at] = here;
        if (kinked && fabs(up - 2 * value + down) > 1e-3 * step / (double)n)
            continue;
        expect(fabs((up - down) / (2 * step) - g[at]) < 1e-6 * (0.1 + fabs(g[at])),
               "slope", passes->isa, table->name(kind));
    }
    free(p), free(g);
}

static void check_pieces(const gem_passes *passes, gem_fdiv_kind kind, size_t n,
                         size_t k)
{
    const gem_fdiv_table *table = passes->fdivergence;
    double *p = malloc(n * k * sizeof *p), *g = malloc(n * k * sizeof *g);
    double *whole = malloc(n * k * sizeof *g);
    double value, pieces;
    fill(p, n, k);
    value = evaluate(table, kind, p, whole, n, k, n);
    pieces = evaluate(table, kind, p, g, n, k, GEM_FDIV_BLOCK);
    expect(value == pieces && !memcmp(g, whole, n * k * sizeof *g), "pieces",
           passes->isa, table->name(kind));
    p[n * k - 1] = NAN;
    expect(isnan(evaluate(table, kind, p, NULL, n, k, n)), "NaN is found", passes->isa,
           table->name(kind));
    free(p), free(g), free(whole);
}

/* Row i has weight i mod 4, or is there so many times. */
static void check_weights(const gem_passes *passes, gem_fdiv_kind kind, size_t n,
                          size_t k, size_t block)
{
    const gem_fdiv_table *table = passes->fdivergence;
    double *p = malloc(n * k * sizeof *p), *g = malloc(n * k * sizeof *g);
    double *w = malloc(n * sizeof *w), worst = 0.0, scale = 0.0, value, expected;
    double *rows = malloc(3 * n * k * sizeof *p),
           *exact = malloc(3 * n * k * sizeof *g);
    size_t total = 0;
    fill(p, n, k);
    for (size_t i = 0; i < n; i++) {
        w[i] = (double)(i % 4);
        for (size_t copy = 0; copy < i % 4; copy++)
            memcpy(rows + total++ * k, p + i * k, k * sizeof *p);
    }
    expected = evaluate(table, kind, rows, exact, total, k, total);
    value = evaluate_blocks(table, kind, p, w, g, n, k, block);
    total = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t copy = 0; copy < (i % 4 ? i % 4 : 1); copy++)
            for (size_t j = 0; j < k; j++) {
                double slope = i % 4 ? w[i] * exact[total++] : 0.0;
                worst = fmax(worst, fabs(g[i * k + j] - slope));
                scale = fmax(scale, fabs(slope));
            }
    expect(fabs(value - expected) <= 1e-13 * (1.0 + fabs(expected)) &&
               worst <= 1e-12 * scale,
           "weights", passes->isa, table->name(kind));
    p[n * k - 1] = NAN;
    expect(isnan(evaluate_blocks(table, kind, p, w, g, n, k, block)), "NaN in a block",
           passes->isa, table->name(kind));
    memset(w, 0, n * sizeof *w);
    expect(isnan(evaluate_blocks(table, kind, rows, w, g, n, k, block)), "no weight",
           passes->isa, table->name(kind));
    free(p), free(g), free(w), free(rows), free(exact);
}

/* Column j is the first one, shifted by j rows and scaled by a power of two: the
 * products of p and pi are exact, and every row has ties. */
static void fill_ties(double *p, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            p[i * k + j] = ldexp((double)(1 + (i + j) % n * 7 % 5), -6 - (int)(j % 3));
}

/* TV one-vs-one by its definition, with 0 for the sign of a tie. */
static double naive_tv(const double *p, double *g, size_t n, size_t k)
{
    double *pi = calloc(2 * k, sizeof *pi), *dpi = pi + k;
    long double value = 0.0L;
    for (size_t at = 0; at < n * k; at++)
        pi[at % k] += p[at];
    for (size_t j = 0; j < k; j++)
        pi[j] /= (double)n;
    memset(g, 0, n * k * sizeof *g);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < k; l++) {
                const double *row = p + i * k;
                double d = row[j] * pi[l] - row[l] * pi[j];
                double sign = (d > 0.0) - (d < 0.0);
                value += 0.5 * fabs(d);
                g[i * k + j] += sign * pi[l];
                dpi[j] -= sign * row[l];
            }
    for (size_t at = 0; at < n * k; at++)
        g[at] = (g[at] + dpi[at % k] / (double)n) / (double)n;
    free(pi);
    return (double)(value / (long double)n);
}

static void check_tv(const gem_passes *passes, size_t n, size_t k, int ties)
{
    const gem_fdiv_table *table = passes->fdivergence;
    double *p = malloc(n * k * sizeof *p), *g = malloc(n * k * sizeof *g);
    double *exact = malloc(n * k * sizeof *g);
    double value, expected, worst = 0.0;
    (ties ? fill_ties : fill)(p, n, k);
    expected = naive_tv(p, exact, n, k);
    value = evaluate(table, GEM_FDIV_TV_OVO, p, g, n, k, n);
    for (size_t at = 0; at < n * k; at++)
        worst = fmax(worst, fabs(g[at] - exact[at]) * (double)n);
    expect(fabs(value - expected) < 2e-14 * expected && worst < 2e-14,
           ties ? "definition, with ties" : "definition", passes->isa, "tv_ovo");
    free(p), free(g), free(exact);
}

static void check_status(const gem_passes *passes)
{
    const gem_fdiv_table *table = passes->fdivergence;
    const char *isa = passes->isa;
    double *work = malloc(table->work(2) * sizeof *work);
    gem_fdiv state;
    expect(table->start(&state, GEM_FDIV_COUNT, 3, 2, 1e-12, work) ==
               GEM_FDIV_BAD_ARGUMENT,
           "unknown kind", isa, "start");
    expect(table->start(&state, GEM_FDIV_KL_OVA, 0, 2, 1e-12, work) ==
               GEM_FDIV_BAD_ARGUMENT,
           "no rows", isa, "start");
    expect(table->start(&state, GEM_FDIV_KL_OVA, 3, 0, 1e-12, work) ==
               GEM_FDIV_BAD_ARGUMENT,
           "no columns", isa, "start");
    expect(table->start(&state, GEM_FDIV_KL_OVA, 3, 2, NAN, work) ==
               GEM_FDIV_BAD_ARGUMENT,
           "NaN epsilon", isa, "start");
    expect(table->start(&state, GEM_FDIV_KL_OVA, 3, 2, 0.6, work) ==
               GEM_FDIV_BAD_ARGUMENT,
           "large epsilon", isa, "start");
    expect(table->work((size_t)-1) == 0, "beyond size_t", isa, "work");
    free(work);
}

int main(void)
{
    const gem_passes *last = NULL;
    for (int isa = 0; isa < GEM_ISA_COUNT; isa++) {
        const gem_passes *passes = gem_passes_select((gem_isa)isa);
        if (passes == last)
            continue;
        last = passes;
        for (int kind = 0; kind < GEM_FDIV_COUNT; kind++) {
            check_slopes(passes, (gem_fdiv_kind)kind, 7, 3);
            check_slopes(passes, (gem_fdiv_kind)kind, 90, 5);
            check_slopes(passes, (gem_fdiv_kind)kind, 21, 24);
            check_slopes(passes, (gem_fdiv_kind)kind, 22, 64);
            check_slopes(passes, (gem_fdiv_kind)kind, 20, 130);
            check_pieces(passes, (gem_fdiv_kind)kind, 3 * GEM_FDIV_BLOCK + 77, 3);
            check_pieces(passes, (gem_fdiv_kind)kind, GEM_FDIV_BLOCK + 1, 300);
            check_weights(passes, (gem_fdiv_kind)kind, 1000, 3, 1000);
            check_weights(passes, (gem_fdiv_kind)kind, 1001, 3, 37);
            check_weights(passes, (gem_fdiv_kind)kind, 500, 24, 123);
            check_weights(passes, (gem_fdiv_kind)kind, 150, 130, 40);
        }
        /* With and without rows that do not fill a vector or a strip. */
        for (size_t k = 2; k <= 140; k += k < 12 ? 1 : 16)
            for (size_t n = 2; n <= 128; n += n < 18 ? 1 : 55)
                for (int ties = 0; ties < 2; ties++)
                    check_tv(passes, n, k, ties);
        check_status(passes);
    }
    return failures != 0;
}
