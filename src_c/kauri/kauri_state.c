/* The memory of the Kauri tree, and its pulse. */
#include "kauri_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kauri_bins.h"

#define FIRST_WIDTH 4
/* Elementary operations between two polls: some tens of milliseconds. */
#define POLL_EFFORT ((int64_t)1 << 25)
/* Elementary operations that are worth the start of threads. */
#define SHARED_EFFORT ((size_t)1 << 21)

gem_kauri_status kauri_spend(kauri_state *s, size_t effort)
{
    s->effort += (int64_t)effort;
    if (s->effort < POLL_EFFORT || !s->rules->poll)
        return GEM_KAURI_OK;
    s->effort = 0;
    return s->rules->poll(s->rules->poll_context) ? GEM_KAURI_INTERRUPTED
                                                  : GEM_KAURI_OK;
}

void kauri_share(const kauri_state *s, gem_kauri_task task, void *argument,
                 int32_t n_tasks, size_t effort)
{
    if (s->rules->share && s->rules->n_threads > 1 && n_tasks > 1 &&
        effort >= SHARED_EFFORT) {
        s->rules->share(s->rules->share_context, task, argument, n_tasks);
        return;
    }
    for (int32_t i = 0; i < n_tasks; i++)
        task(argument, i);
}

static void *array(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

/* Rows are scratch for permutations of whole rows of the factor and of the
 * distances, and for one more row of the factor than the leaf has samples. */
static size_t rows_length(const kauri_state *s, int32_t width)
{
    size_t rank = s->data->factor ? (size_t)s->data->rank : 0;
    size_t factor = (s->n + 1) * rank, distance = s->n * (size_t)width;
    return factor > distance ? factor : distance;
}

/* A longer array in place of the old one, of which `kept` entries are kept. */
static int extend(double **old, size_t kept, size_t count)
{
    double *fresh = array(count, sizeof *fresh);
    if (!fresh)
        return 0;
    if (kept)
        memcpy(fresh, *old, kept * sizeof *fresh);
    free(*old);
    *old = fresh;
    return 1;
}

/* As `extend` for a matrix of `n` rows that grow from `old` to `width` entries. */
static int widen_rows(double **rows, size_t n, size_t old, size_t width)
{
    double *fresh = array(n * width, sizeof *fresh);
    if (!fresh)
        return 0;
    for (size_t i = 0; i < n && old; i++)
        memcpy(fresh + i * width, *rows + i * old, old * sizeof *fresh);
    free(*rows);
    *rows = fresh;
    return 1;
}

static int widen_sorted(kauri_state *s, size_t old, size_t width)
{
    kauri_sorted *k = &s->sorted;
    int32_t *lane_of = array(width, sizeof *lane_of);

    if (!lane_of)
        return 0;
    free(k->lane_of);
    k->lane_of = lane_of;
    return widen_rows(&k->distance, s->n, old, width) &&
           extend(&k->drift, old, width) &&
           extend(&k->rows, 0, rows_length(s, (int32_t)width)) &&
           (s->data->factor || extend(&k->sums, old * s->n, width * s->n));
}

gem_kauri_status kauri_widen(kauri_state *s, int32_t width)
{
    size_t old = (size_t)s->width, wide = (size_t)width;
    int done = extend(&s->total, 0, wide) && extend(&s->prefix, 0, kauri_tiled(wide)) &&
               extend(&s->surplus, 0, wide) && extend(&s->barrier, 0, wide) &&
               extend(&s->loss_a, 0, wide) && extend(&s->loss_b, 0, wide) &&
               extend(&s->reached, 0, wide) && extend(&s->size, old, wide) &&
               extend(&s->measured, old, wide);

    for (int32_t l = 0; l < s->n_leaves && done; l++)
        if (s->leaves[l].hope)
            done = extend(&s->leaves[l].hope, old, wide);
    if (done && kauri_is_binned(s)) {
        size_t rank = (size_t)s->data->rank;
        kauri_binned *k = &s->binned;
        done = extend(&k->means, old * rank, wide * rank) &&
               extend(&k->targets, 0, kauri_tiled(wide) * rank) &&
               extend(&k->norm, 0, wide) && extend(&k->beyond, 0, wide);
    } else if (done) {
        done = widen_sorted(s, old, wide);
    }
    if (!done)
        return GEM_KAURI_NO_MEMORY;
    s->width = width;
    return GEM_KAURI_OK;
}

void kauri_release_state(kauri_state *s)
{
    void *arrays[] = {s->sample,
                      s->weight,
                      s->range,
                      s->leaves,
                      s->reach,
                      s->drawn,
                      s->size,
                      s->measured,
                      s->barrier,
                      s->total,
                      s->prefix,
                      s->surplus,
                      s->loss_a,
                      s->loss_b,
                      s->reached,
                      s->index,
                      s->pool,
                      s->goes_right,
                      s->sorted.cut,
                      s->sorted.cut_weight,
                      s->sorted.between,
                      s->sorted.within_left,
                      s->sorted.distance,
                      s->sorted.sums,
                      s->sorted.drift,
                      s->sorted.lane_of,
                      s->sorted.lanes,
                      s->sorted.weights,
                      s->sorted.rows,
                      s->sorted.value,
                      s->sorted.sorted_index,
                      s->sorted.sorted_means,
                      s->sorted.sorted_weight,
                      s->sorted.new_position};

    kauri_release_bins(s); /* reads the leaves */
    for (int32_t l = 0; l < s->n_leaves; l++)
        free(s->leaves[l].hope);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static int make_sorted(kauri_state *s)
{
    size_t n = s->n, columns = s->n_columns;
    kauri_sorted *k = &s->sorted;
    int done;

    k->cut = array(n * columns, sizeof *k->cut);
    k->between = array(n * columns, sizeof *k->between);
    k->within_left = array(n * columns, sizeof *k->within_left);
    k->value = array(n, sizeof *k->value);
    k->lanes = array(n * KAURI_LANES, sizeof *k->lanes);
    k->weights = array(n * KAURI_LANES, sizeof *k->weights);
    k->new_position = array(n, sizeof *k->new_position);
    done = k->cut && k->between && k->within_left && k->value && k->lanes &&
           k->weights && k->new_position;
    if (done && s->weight) {
        k->cut_weight = array(n * columns, sizeof *k->cut_weight);
        k->sorted_weight = array(n, sizeof *k->sorted_weight);
        done = k->cut_weight && k->sorted_weight;
    }
    if (done && !s->data->factor) {
        k->sorted_index = array(n, sizeof *k->sorted_index);
        k->sorted_means = array(n, sizeof *k->sorted_means);
        done = k->sorted_index && k->sorted_means;
    }
    return done;
}

/* The range of a feature over its values that are not missing, halved: the range
 * itself may overflow. */
static double half_range(const kauri_state *s, size_t f)
{
    const gem_kauri_bins *bins = s->data->bins;
    double low, high;

    if (bins) {
        int32_t first = bins->first[f], last = bins->first[f + 1] - 1;
        last -= last > first && bins->high[last] == INFINITY;
        low = bins->low[first];
        high = bins->high[last];
    } else {
        const double *sorted = s->data->sorted + f * s->n;
        size_t last = s->n - 1;
        while (last > 0 && sorted[last] == INFINITY)
            last--;
        low = sorted[0];
        high = sorted[last];
    }
    return 0.5 * high - 0.5 * low;
}

gem_kauri_status kauri_make_state(kauri_state *s)
{
    size_t n = s->n, d = s->d, max_leaves = (size_t)s->rules->max_leaves;
    int32_t width =
        s->rules->max_clusters < FIRST_WIDTH ? s->rules->max_clusters : FIRST_WIDTH;

    s->sample = array(n, sizeof *s->sample);
    s->range = array(d, sizeof *s->range);
    s->leaves = array(max_leaves, sizeof *s->leaves);
    s->reach = array(max_leaves * s->n_columns, sizeof *s->reach);
    s->index = array(n, sizeof *s->index);
    s->pool = array(d, sizeof *s->pool);
    s->goes_right = array(n, sizeof *s->goes_right);
    if (!s->sample || !s->range || !s->leaves || !s->reach || !s->index || !s->pool ||
        !s->goes_right)
        return GEM_KAURI_NO_MEMORY;
    if (s->rules->max_features < s->data->n_features) {
        s->drawn = array(max_leaves * d, sizeof *s->drawn);
        if (!s->drawn)
            return GEM_KAURI_NO_MEMORY;
    }
    s->lightest = 1.0;
    if (s->data->weight) {
        s->weight = array(n, sizeof *s->weight);
        if (!s->weight)
            return GEM_KAURI_NO_MEMORY;
        memcpy(s->weight, s->data->weight, n * sizeof *s->weight);
        s->lightest = INFINITY;
    }
    for (size_t i = 0; i < n; i++) {
        s->sample[i] = (int32_t)i;
        if (s->weight)
            s->lightest = fmin(s->lightest, s->weight[i]);
    }
    if (s->weight)
        s->lightest *= 1.0 - KAURI_WEIGHTLESS;
    for (size_t f = 0; f < d; f++) {
        s->range[f] = half_range(s, f);
        s->pool[f] = (int32_t)f;
    }
    if (!(kauri_is_binned(s) ? kauri_make_bins(s) : make_sorted(s)))
        return GEM_KAURI_NO_MEMORY;
    return kauri_widen(s, width);
}
