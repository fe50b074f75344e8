/* The memory of the Kauri tree, and its pulse. */
#include <stdlib.h>
#include <string.h>

#include "kauri_internal.h"

#define FIRST_WIDTH 4
/* Elementary operations between two polls: some tens of milliseconds. */
#define POLL_EFFORT ((int64_t)1 << 25)

gem_kauri_status kauri_spend(kauri_state *s, size_t effort)
{
    s->effort += (int64_t)effort;
    if (s->effort < POLL_EFFORT || !s->rules->poll)
        return GEM_KAURI_OK;
    s->effort = 0;
    return s->rules->poll(s->rules->poll_context) ? GEM_KAURI_INTERRUPTED
                                                  : GEM_KAURI_OK;
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

static int replace_ints(int32_t **old, size_t count)
{
    int32_t *fresh = array(count, sizeof *fresh);
    if (!fresh)
        return 0;
    free(*old);
    *old = fresh;
    return 1;
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

gem_kauri_status kauri_widen(kauri_state *s, int32_t width)
{
    size_t old = (size_t)s->width, wide = (size_t)width;
    double *distance = array(s->n * wide, sizeof *distance);

    if (!distance)
        return GEM_KAURI_NO_MEMORY;
    for (size_t i = 0; i < s->n && old; i++)
        memcpy(distance + i * wide, s->distance + i * old, old * sizeof *distance);
    free(s->distance);
    s->distance = distance;
    if (!extend(&s->rows, 0, rows_length(s, width)) || !extend(&s->total, 0, wide) ||
        !extend(&s->prefix, 0, wide) || !extend(&s->surplus, 0, wide) ||
        !extend(&s->barrier, 0, wide) || !extend(&s->size, old, wide) ||
        !extend(&s->drift, old, wide) || !extend(&s->measured, old, wide) ||
        !replace_ints(&s->lane_of, wide))
        return GEM_KAURI_NO_MEMORY;
    if (!s->data->factor && !extend(&s->sums, old * s->n, wide * s->n))
        return GEM_KAURI_NO_MEMORY;
    s->width = width;
    return GEM_KAURI_OK;
}

void kauri_release_state(kauri_state *s)
{
    free(s->sample);
    free(s->range);
    free(s->leaves);
    free(s->cut);
    free(s->between);
    free(s->within_left);
    free(s->size);
    free(s->distance);
    free(s->sums);
    free(s->drift);
    free(s->measured);
    free(s->reach);
    free(s->lane_of);
    free(s->lanes);
    free(s->weights);
    free(s->barrier);
    free(s->total);
    free(s->prefix);
    free(s->surplus);
    free(s->rows);
    free(s->value);
    free(s->index);
    free(s->sorted_index);
    free(s->sorted_means);
    free(s->pool);
    free(s->goes_right);
    free(s->new_position);
}

gem_kauri_status kauri_make_state(kauri_state *s)
{
    size_t n = s->n, d = s->d;
    int32_t width =
        s->rules->max_clusters < FIRST_WIDTH ? s->rules->max_clusters : FIRST_WIDTH;

    s->sample = array(n, sizeof *s->sample);
    s->range = array(d, sizeof *s->range);
    s->leaves = array((size_t)s->rules->max_leaves, sizeof *s->leaves);
    s->reach = array((size_t)s->rules->max_leaves * d, sizeof *s->reach);
    s->cut = array(n * d, sizeof *s->cut);
    s->between = array(n * d, sizeof *s->between);
    s->within_left = array(n * d, sizeof *s->within_left);
    s->value = array(n, sizeof *s->value);
    s->index = array(n, sizeof *s->index);
    s->pool = array(d, sizeof *s->pool);
    s->lanes = array(n * KAURI_LANES, sizeof *s->lanes);
    s->weights = array(n * KAURI_LANES, sizeof *s->weights);
    s->goes_right = array(n, sizeof *s->goes_right);
    s->new_position = array(n, sizeof *s->new_position);
    if (!s->data->factor) {
        s->sorted_index = array(n, sizeof *s->sorted_index);
        s->sorted_means = array(n, sizeof *s->sorted_means);
        if (!s->sorted_index || !s->sorted_means)
            return GEM_KAURI_NO_MEMORY;
    }
    if (!s->sample || !s->range || !s->leaves || !s->reach || !s->cut || !s->between ||
        !s->within_left || !s->value || !s->index || !s->pool || !s->lanes ||
        !s->weights || !s->goes_right || !s->new_position)
        return GEM_KAURI_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        s->sample[i] = (int32_t)i;
    for (size_t f = 0; f < d; f++) {
        const double *sorted = s->data->sorted + f * n;
        /* Halved, as the margins are: the range itself may overflow. */
        s->range[f] = 0.5 * sorted[n - 1] - 0.5 * sorted[0];
        s->pool[f] = (int32_t)f;
    }
    return kauri_widen(s, width);
}
