/* Growing a Kauri tree: the rounds. */
#include "kauri.h"

#include <math.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_scan.h"
#include "kauri_split.h"
#include "kauri_stocks.h"

/* The best split known of a leaf. */
static const kauri_split *leaf_best(const kauri_state *s, const kauri_leaf *leaf)
{
    const kauri_split *best = &leaf->move;
    int32_t room = s->rules->max_clusters - s->n_live;

    if (room > 1 && leaf->pair.gain + kauri_tie(leaf->pair.gain) > best->gain)
        best = &leaf->pair;
    if (room > 0 && leaf->found.gain + kauri_tie(leaf->found.gain) > best->gain)
        best = &leaf->found;
    return best;
}

/* Scan for stars where there is room; the best gain of a star in `gain`. */
static gem_kauri_status scan_stars(kauri_state *s, double *gain)
{
    int room = s->n_live < s->rules->max_clusters;
    gem_kauri_status status = GEM_KAURI_OK;

    *gain = 0.0;
    for (int32_t l = 0; l < s->n_leaves && !status; l++) {
        kauri_leaf *leaf = s->leaves + l;
        double known;

        if (!kauri_is_definite(s) || !kauri_move_lasts(leaf))
            kauri_clear_split(&leaf->move);
        if (leaf->open && room && !leaf->found_fresh)
            status = kauri_scan_found(s, leaf);
        known = leaf_best(s, leaf)->gain;
        *gain = known > *gain ? known : *gain;
    }
    return status;
}

/* Scan a leaf for switches and refurbishments if its bounds promise more than
 * the best gain known. */
static gem_kauri_status scan_promising(kauri_state *s, kauri_leaf *leaf, double *gain)
{
    int definite = kauri_is_definite(s);
    double floor = *gain - kauri_tie(*gain);
    gem_kauri_status status = GEM_KAURI_OK;

    if (definite && leaf->bound > 0.0 && leaf->bound >= floor)
        kauri_bound_move(s, leaf);
    if (leaf->bound > 0.0 && leaf->bound >= floor)
        status = kauri_scan_move(s, leaf, floor);
    *gain = leaf->move.gain > *gain ? leaf->move.gain : *gain;
    return status;
}

/* Whether no switch or refurbishment can gain more than some star: to join a
 * cluster costs more than to found one if the kernel is definite. */
static int stars_win(const kauri_state *s)
{
    int32_t room = s->rules->max_clusters - s->n_live;

    if (!kauri_is_definite(s))
        return 0;
    return room > 1 || (room == 1 && s->n_live == s->n_leaves);
}

/* The leaf with the largest bound among those not yet asked, or NULL if none may
 * gain `floor`. */
static kauri_leaf *most_promising(const kauri_state *s, double floor)
{
    kauri_leaf *best = NULL;

    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        if (leaf->open && !leaf->asked && leaf->bound >= floor &&
            (!best || leaf->bound > best->bound))
            best = leaf;
    }
    return best;
}

static gem_kauri_status scan_moves(kauri_state *s, double *gain)
{
    gem_kauri_status status = GEM_KAURI_OK;

    if (s->n_live < 2 || stars_win(s))
        return status;
    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        if (leaf->open && !kauri_is_definite(s))
            kauri_forget_bounds(s, leaf);
        leaf->asked = leaf->move.kind != GEM_KAURI_NONE;
        if (leaf->asked && leaf->move.gain > *gain)
            *gain = leaf->move.gain;
    }
    /* High bounds first: a high gain early on saves many scans. */
    while (!status) {
        kauri_leaf *leaf = most_promising(s, *gain - kauri_tie(*gain));
        if (!leaf)
            break;
        leaf->asked = 1;
        status = scan_promising(s, leaf, gain);
    }
    return status;
}

/* The leaf to split next, or NULL if nothing gains. */
static gem_kauri_status next_leaf(kauri_state *s, kauri_leaf **next)
{
    double gain;
    gem_kauri_status status = scan_stars(s, &gain);

    if (!status)
        status = scan_moves(s, &gain);
    *next = NULL;
    for (int32_t l = 0; l < s->n_leaves && !*next && !status; l++) {
        kauri_leaf *leaf = s->leaves + l;
        if (leaf->open && leaf_best(s, leaf)->kind &&
            leaf_best(s, leaf)->gain >= gain - kauri_tie(gain))
            *next = leaf;
    }
    return status;
}

static gem_kauri_status grow(kauri_state *s)
{
    kauri_leaf *leaf = s->leaves;
    double enough = 0.0;
    gem_kauri_status status;

    s->n_leaves = s->n_slots = s->n_live = 1;
    leaf->size = s->data->n_samples;
    leaf->weight = kauri_weigh(s, 0, leaf->size);
    leaf->node = kauri_add_node(s->tree, 0, 0, leaf->size);
    status = kauri_is_binned(s) ? kauri_sum_root(s, leaf)
                                : kauri_move_samples(s, 0, 0, leaf->size, 1.0);
    if (!status)
        status = kauri_measure_cluster(s, 0);
    if (!status)
        status = kauri_open_leaf(s, leaf);
    if (leaf->open)
        enough = s->rules->min_gain * fabs(leaf->scatter);
    while (!status && s->n_leaves < s->rules->max_leaves) {
        status = next_leaf(s, &leaf);
        if (status || !leaf || leaf_best(s, leaf)->gain < enough)
            break;
        status = kauri_split_leaf(s, leaf, *leaf_best(s, leaf));
    }
    return status;
}

static void report_leaves(const kauri_state *s)
{
    gem_kauri_tree *tree = s->tree;

    tree->n_leaves = s->n_leaves;
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        tree->leaf_node[l] = leaf->node;
        for (int32_t i = 0; i < leaf->size; i++)
            tree->leaf_of[s->sample[leaf->start + i]] = l;
    }
}

gem_kauri_status gem_kauri_grow(const gem_kauri_data *data,
                                const gem_kauri_rules *rules, gem_kauri_tree *tree)
{
    kauri_state state;
    gem_kauri_status status;

    memset(&state, 0, sizeof state);
    state.data = data;
    state.rules = rules;
    state.tree = tree;
    state.n = (size_t)data->n_samples;
    state.d = (size_t)data->n_features;
    state.n_columns = state.d + (size_t)data->n_twins;
    state.random = rules->seed;
    tree->n_nodes = tree->n_leaves = 0;
    status = kauri_make_state(&state);
    if (!status)
        status = grow(&state);
    if (status != GEM_KAURI_NO_MEMORY)
        report_leaves(&state);
    kauri_release_state(&state);
    return status;
}

void gem_kauri_apply(const int32_t *left, const int32_t *right, const int32_t *feature,
                     const double *threshold, const int32_t *missing_left,
                     const double *x, int64_t n_samples, int64_t n_features,
                     int32_t *node)
{
    for (int64_t i = 0; i < n_samples; i++, x += n_features) {
        int32_t at = 0;
        while (left[at] >= 0) {
            double value = x[feature[at]];
            int goes_left = value != value ? missing_left[at] : value <= threshold[at];
            at = goes_left ? left[at] : right[at];
        }
        node[i] = at;
    }
}
