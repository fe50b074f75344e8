#include "fdivergence.h"

#include "dispatch.h"
#include "fdivergence_formulas.h"

/* The work space: six vectors of k, four tiles, and 2 k indices. */
enum { PI, INV_PI, LOG_PI, DPI_SUM, DPI_REST, SPREAD, VECTORS };
enum { TILE_P, TILE_DIRECT, TILE_DPI, TILE_SPARE, TILES };

static double *vector(const gem_fdiv *state, int which)
{
    return state->work + (size_t)which * state->k;
}

static gem_lanes *tiles(const gem_fdiv *state, int which)
{
    return (gem_lanes *)(vector(state, VECTORS) + (size_t)which * GEM_LANES * state->k);
}

/* sum + rest += x, where rest collects what rounding drops (Neumaier). */
static void add(double *sum, double *rest, double x)
{
    double total = *sum + x;
    *rest += fabs(*sum) >= fabs(x) ? (*sum - total) + x : (x - total) + *sum;
    *sum = total;
}

static int trivial(const gem_fdiv *state)
{
    return state->k == 1 || state->n == 1;
}

static double clip(double p, double low, double high)
{
    p = p < low ? low : p;
    return p > high ? high : p;
}

static const char *name(gem_fdiv_kind kind)
{
    return formulas[kind].name;
}

static size_t work_space(size_t k)
{
    /* An index takes no more room than a double. */
    const size_t each = VECTORS + TILES * GEM_LANES + 2;
    return k <= SIZE_MAX / sizeof(double) / each ? k * each : 0;
}

static gem_fdiv_status start(gem_fdiv *state, gem_fdiv_kind kind, size_t n, size_t k,
                             double epsilon, double *work)
{
    if ((unsigned)kind >= GEM_FDIV_COUNT || !n || !k || !(epsilon > 0.0 && epsilon <= 0.5))
        return GEM_FDIV_BAD_ARGUMENT;
    *state = (gem_fdiv){.kind = kind, .n = n, .k = k, .epsilon = epsilon, .work = work};
    for (size_t j = 0; j < k; j++) {
        vector(state, PI)[j] = 0.0;
        vector(state, INV_PI)[j] = 0.0; /* the rest of the sum, until settle */
        vector(state, DPI_SUM)[j] = 0.0;
        vector(state, DPI_REST)[j] = 0.0;
    }
    return GEM_FDIV_OK;
}

static gem_fdiv_status settle(gem_fdiv *state)
{
    double *pi = vector(state, PI);
    if (!(state->moved - state->moved == 0.0))
        return GEM_FDIV_NOT_FINITE;
    state->clipped = state->moved > 0.0;
    for (size_t j = 0; j < state->k; j++) {
        pi[j] = (pi[j] + vector(state, INV_PI)[j]) / (double)state->n;
        vector(state, INV_PI)[j] = 1.0 / pi[j];
        vector(state, LOG_PI)[j] = gem_log_normal(pi[j], 0.0);
    }
    return GEM_FDIV_OK;
}

/* After a block: the lanes' sums go to the totals, and start anew. Lanes from
 * `count` on are padding. */
static void flush_lanes(gem_fdiv *state, double *value, size_t count, int gradient)
{
    gem_lanes *dpi = tiles(state, TILE_DPI);
    add(&state->value, &state->value_rest, gem_lanes_sum(value, count));
    GEM_FOR_LANES(i) value[i] = 0.0;
    if (!gradient)
        return;
    for (size_t j = 0; j < state->k; j++) {
        add(&vector(state, DPI_SUM)[j], &vector(state, DPI_REST)[j],
            gem_lanes_sum(dpi[j], count));
        GEM_FOR_LANES(i) dpi[j][i] = 0.0;
    }
}

/* What pass 3 adds to each row. */
static void fill_spread(const gem_fdiv *state)
{
    double n = (double)state->n, scale = formulas[state->kind].factor / n;
    for (size_t j = 0; j < state->k; j++)
        vector(state, SPREAD)[j] =
            scale * ((vector(state, DPI_SUM)[j] + vector(state, DPI_REST)[j]) / n);
}

static double finish(const gem_fdiv *state)
{
    const gem_formula *formula = &formulas[state->kind];
    if (trivial(state))
        return 0.0;
    return formula->offset
           + formula->factor * ((state->value + state->value_rest) / (double)state->n);
}

static void clear_lanes(gem_lanes *restrict lanes, size_t k)
{
    for (size_t j = 0; j < k; j++)
        GEM_FOR_LANES(i) lanes[j][i] = 0.0;
}

static gem_rows rows_of(const gem_fdiv *state, double *value)
{
    return (gem_rows){
        .k = state->k,
        .pi = vector(state, PI),
        .inv_pi = vector(state, INV_PI),
        .log_pi = vector(state, LOG_PI),
        .p = (const gem_lanes *)tiles(state, TILE_P),
        .value = value,
        .direct = tiles(state, TILE_DIRECT),
        .dpi = tiles(state, TILE_DPI),
        .spare = (double *)tiles(state, TILE_SPARE),
        .order = (size_t *)(void *)tiles(state, TILES),
    };
}

/* Direct terms become the first part of the gradient: 0 where P was clipped. */
static void scale_tile(const gem_fdiv *state, const gem_lanes *restrict p,
                       gem_lanes *restrict direct)
{
    double low = state->epsilon, high = 1.0 - state->epsilon;
    double scale = formulas[state->kind].factor / (double)state->n;
    for (size_t j = 0; j < state->k; j++)
        GEM_FOR_LANES(i)
        direct[j][i] = (p[j][i] > low) & (p[j][i] < high) ? scale * direct[j][i] : 0.0;
}

static void clip_tile(const gem_fdiv *state, gem_lanes *restrict p)
{
    double low = state->epsilon, high = 1.0 - state->epsilon;
    for (size_t j = 0; j < state->k; j++)
        GEM_FOR_LANES(i) p[j][i] = clip(p[j][i], low, high);
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
    name,     work_space, start,      proportions_f64, proportions_f32, settle,
    rows_f64, rows_f32,   spread_f64, spread_f32,      finish,
};
