#include "fdivergence.h"

#include <stdint.h>
#include <string.h>

#include "dispatch.h"
#include "fdivergence_formulas.h"

/* A strip has about this many entries: a dozen of them fit in the first cache. It has
 * more where tv_rows.h would not fill its vectors. Its rows are a power of two, so
 * that they divide GEM_FDIV_BLOCK and their sums fold in halves. */
#define STRIP_ENTRIES 256
/* Sums run over at most this many strips, entry by entry, before they fold. */
#define STRIPS_OF_SUM 64

/* Doubles of a line of the cache. Strips begin at whole ones: vectors of AVX-512
 * fill a line, and would lie across two. */
#define LINE 8

/* The work space: vectors of k, each followed by what rounding dropped from its
 * sums; vectors of one strip; the scratch of tv_rows.h. */
enum { PI, PI_REST, VALUE_SUM, VALUE_REST, DPI_SUM, DPI_REST, VECTORS };
enum {
    PI_STRIP,
    INV_PI,
    LOG_PI,
    CLIPPED,
    VALUE,
    DIRECT,
    DPI,
    SPREAD,
    SPARE,
    SPARE_2,
    WEIGHT,
    TERM,
    SLOPE,
    STRIPS
};

static size_t rows_of_strip(gem_fdiv_kind kind, size_t k)
{
    const size_t least = kind == GEM_FDIV_TV_OVO && k <= GEM_TV_PAIRS ? GEM_TV_ROWS : 1;
    size_t rows = 1;
    while (rows < least || 2 * rows * k <= STRIP_ENTRIES)
        rows *= 2;
    return rows;
}

static size_t rows_of_sum(size_t strip_rows)
{
    const size_t rows = STRIPS_OF_SUM * strip_rows;
    return rows < GEM_FDIV_BLOCK ? rows : GEM_FDIV_BLOCK;
}

/* The next multiple of a line of the cache, in doubles. */
static size_t whole_lines(size_t doubles)
{
    return (doubles + LINE - 1) / LINE * LINE;
}

static double *vector(const gem_fdiv *state, int which)
{
    return state->work + (size_t)which * state->k;
}

static double *strip_vector(const gem_fdiv *state, int which)
{
    return state->work + whole_lines(VECTORS * state->k) +
           (size_t)which * whole_lines(state->strip_rows * state->k);
}

static gem_strip strip_of(const gem_fdiv *state)
{
    return (gem_strip){
        .k = state->k,
        .p = strip_vector(state, CLIPPED),
        .pi = strip_vector(state, PI_STRIP),
        .inv_pi = strip_vector(state, INV_PI),
        .log_pi = strip_vector(state, LOG_PI),
        .value = strip_vector(state, VALUE),
        .direct = strip_vector(state, DIRECT),
        .dpi = strip_vector(state, DPI),
        .spare = strip_vector(state, SPARE),
        .row = strip_vector(state, STRIPS),
    };
}

/* Both are 0 there, whatever rounding would make of them. */
static int trivial(const gem_fdiv *state)
{
    return state->k == 1 || state->count == 1.0;
}

static double clip(double p, double low, double high)
{
    p = p < low ? low : p;
    return p > high ? high : p;
}

/* sum + rest += x, where rest collects what rounding drops (Neumaier). */
static void add(double *sum, double *rest, double x)
{
    double total = *sum + x;
    *rest += fabs(*sum) >= fabs(x) ? (*sum - total) + x : (x - total) + *sum;
    *sum = total;
}

/* Takes notice of the weights of some rows. */
static void add_weights(gem_fdiv *state, const double *weights, size_t rows)
{
    if (!weights) {
        state->weight += (double)rows;
        state->count += (double)rows;
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        add(&state->weight, &state->weight_rest, weights[i]);
        state->count += weights[i] > 0.0;
    }
}

static double total_weight(const gem_fdiv *state)
{
    return state->weight + state->weight_rest;
}

/* The weight of each entry of a strip; NULL without weights. */
static const double *entry_weights(const gem_fdiv *state, const double *weights,
                                   size_t rows)
{
    double *strip = strip_vector(state, WEIGHT);
    if (!weights)
        return NULL;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < state->k; j++)
            strip[i * state->k + j] = weights[i];
    return strip;
}

/* total += weight * terms, which are cleared. */
static void add_weighted(double *restrict total, const double *restrict weight,
                         double *restrict terms, size_t size)
{
    EACH(at)
    {
        total[at] = GEM_MULADD(weight[at], terms[at], total[at]);
        terms[at] = 0.0;
    }
}

/* Folds the rows of a strip onto its first row, adds that to a vector of k sums
 * and clears the strip. */
static void add_columns(gem_fdiv *state, int which, double *restrict strip)
{
    const size_t k = state->k, rows = state->strip_rows;
    double *sum = vector(state, which), *rest = vector(state, which + 1);
    for (size_t half = rows / 2; half; half /= 2)
        for (size_t at = 0; at < half * k; at++)
            strip[at] += strip[at + half * k];
    for (size_t j = 0; j < k; j++)
        add(&sum[j], &rest[j], strip[j]);
    memset(strip, 0, rows * k * sizeof *strip);
}

/* Repeats the first row of a strip, as often as there are rows to meet. */
static void repeat_row(const gem_fdiv *state, int which)
{
    const size_t rows = state->strip_rows;
    double *strip = strip_vector(state, which);
    for (size_t row = 1; row < rows && row < state->n; row *= 2)
        memcpy(strip + row * state->k, strip, row * state->k * sizeof *strip);
}

static const char *name(gem_fdiv_kind kind)
{
    return formulas[kind].name;
}

static size_t work_space(size_t k)
{
    /* Rounded up: no more than this many doubles for each column. */
    const size_t each = (VECTORS + STRIPS * STRIP_ENTRIES + GEM_TV_SCRATCH(1)) * LINE;
    if (k > SIZE_MAX / sizeof(double) / each)
        return 0;
    /* No other kind takes more rows. */
    const size_t rows = rows_of_strip(GEM_FDIV_TV_OVO, k);
    return LINE + whole_lines(VECTORS * k) + STRIPS * whole_lines(rows * k) +
           GEM_TV_SCRATCH(k);
}

static gem_fdiv_status start(gem_fdiv *state, gem_fdiv_kind kind, size_t n, size_t k,
                             double epsilon, double *work)
{
    if ((unsigned)kind >= GEM_FDIV_COUNT || !n || !k ||
        !(epsilon > 0.0 && epsilon <= 0.5))
        return GEM_FDIV_BAD_ARGUMENT;
    work += (LINE - (uintptr_t)work / sizeof *work % LINE) % LINE;
    *state = (gem_fdiv){.kind = kind,
                        .n = n,
                        .k = k,
                        .strip_rows = rows_of_strip(kind, k),
                        .epsilon = epsilon,
                        .work = work};
    memset(work, 0, VECTORS * k * sizeof *work);
    return GEM_FDIV_OK;
}

static gem_fdiv_status settle(gem_fdiv *state, int whole)
{
    const double *sum = vector(state, PI), *rest = vector(state, PI_REST);
    double *pi = strip_vector(state, PI_STRIP), *inv_pi = strip_vector(state, INV_PI);
    double *log_pi = strip_vector(state, LOG_PI);
    const double weight = total_weight(state);
    if (!(state->moved - state->moved == 0.0))
        return GEM_FDIV_NOT_FINITE;
    if (!(weight > 0.0))
        return GEM_FDIV_BAD_ARGUMENT;
    for (size_t j = 0; j < state->k; j++) {
        pi[j] = (sum[j] + rest[j]) / weight;
        inv_pi[j] = 1.0 / pi[j];
        log_pi[j] = gem_log_normal(pi[j], 0.0);
    }
    repeat_row(state, PI_STRIP);
    repeat_row(state, INV_PI);
    repeat_row(state, LOG_PI);
    if (formulas[state->kind].prepare) {
        const gem_strip strip = strip_of(state);
        formulas[state->kind].prepare(&strip, weight, vector(state, DPI_SUM));
        if (!whole)
            memset(vector(state, DPI_SUM), 0, state->k * sizeof(double));
    }
    return GEM_FDIV_OK;
}

static double finish(gem_fdiv *state)
{
    const gem_formula *formula = &formulas[state->kind];
    const double *value = vector(state, VALUE_SUM), *dpi = vector(state, DPI_SUM);
    double *spread = strip_vector(state, SPREAD);
    const double n = total_weight(state), scale = formula->factor / n;
    double sum = 0.0, rest = 0.0;
    if (trivial(state))
        return 0.0;
    for (size_t j = 0; j < state->k; j++) {
        add(&sum, &rest, value[j]);
        rest += value[state->k + j];
        spread[j] = scale * ((dpi[j] + dpi[state->k + j]) / n);
    }
    repeat_row(state, SPREAD);
    return formula->offset + formula->factor * ((sum + rest) / n);
}

static void read_sums(const gem_fdiv *state, int pass, double *sums)
{
    const double *sum = vector(state, pass == 1 ? PI : DPI_SUM);
    const double *value = vector(state, VALUE_SUM);
    double total = 0.0, rest = 0.0;
    if (pass == 1) {
        *sums++ = total_weight(state);
        *sums++ = state->count;
        *sums++ = state->moved;
    } else {
        for (size_t j = 0; j < state->k; j++) {
            add(&total, &rest, value[j]);
            rest += value[state->k + j];
        }
        *sums++ = total + rest;
    }
    for (size_t j = 0; j < state->k; j++)
        sums[j] = sum[j] + sum[state->k + j];
}

static void merge_sums(gem_fdiv *state, int pass, const double *sums)
{
    double *sum = vector(state, pass == 1 ? PI : DPI_SUM);
    double *value = vector(state, VALUE_SUM);
    if (pass == 1) {
        add(&state->weight, &state->weight_rest, *sums++);
        state->count += *sums++;
        state->moved += *sums++;
    } else {
        add(&value[0], &value[state->k], *sums++);
    }
    for (size_t j = 0; j < state->k; j++)
        add(&sum[j], &sum[state->k + j], sums[j]);
}

#define real double
#define TYPED(name) name##_f64
#include "fdivergence_passes.h"
#undef real
#undef TYPED

#define real float
#define TYPED(name) name##_f32
#include "fdivergence_passes.h"

const gem_fdiv_table GEM_ISA(gem_fdiv) = {
    name,       work_space, start,      proportions_f64, proportions_f32,
    settle,     rows_f64,   rows_f32,   finish,          spread_f64,
    spread_f32, read_sums,  merge_sums,
};
