/* Growing a Kauri tree: the rounds, and what a split does to the state. */
#include "kauri.h"

#include <math.h>
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

/* --- the state ------------------------------------------------------------ */

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

static int replace(double **old, size_t count)
{
    double *fresh = array(count, sizeof *fresh);
    if (!fresh)
        return 0;
    free(*old);
    *old = fresh;
    return 1;
}

static int extend(double **old, size_t old_count, size_t count)
{
    double *fresh = array(count, sizeof *fresh);
    if (!fresh)
        return 0;
    if (*old)
        memcpy(fresh, *old, old_count * sizeof *fresh);
    free(*old);
    *old = fresh;
    return 1;
}

/* Make room for `width` clusters. */
static gem_kauri_status widen(kauri_state *s, int32_t width)
{
    size_t old = (size_t)s->width, wide = (size_t)width;
    double *distance = array(s->n * wide, sizeof *distance);

    if (!distance)
        return GEM_KAURI_NO_MEMORY;
    for (size_t i = 0; i < s->n && old; i++)
        memcpy(distance + i * wide, s->distance + i * old, old * sizeof *distance);
    free(s->distance);
    s->distance = distance;
    if (!replace(&s->rows, rows_length(s, width)) || !replace(&s->total, wide) ||
        !replace(&s->prefix, wide) || !replace(&s->surplus, wide) ||
        !replace(&s->barrier, wide) || !extend(&s->size, old, wide) ||
        !extend(&s->drift, old, wide))
        return GEM_KAURI_NO_MEMORY;
    if (!s->data->factor && !extend(&s->sums, old * s->n, wide * s->n))
        return GEM_KAURI_NO_MEMORY;
    s->width = width;
    return GEM_KAURI_OK;
}

static void release_state(kauri_state *s)
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

static gem_kauri_status make_state(kauri_state *s)
{
    size_t n = s->n, d = s->d;
    int32_t width = s->rules->max_clusters < FIRST_WIDTH ? s->rules->max_clusters
                                                         : FIRST_WIDTH;

    s->sample = array(n, sizeof *s->sample);
    s->range = array(d, sizeof *s->range);
    s->leaves = array((size_t)s->rules->max_leaves, sizeof *s->leaves);
    s->cut = array(n * d, sizeof *s->cut);
    s->between = array(n * d, sizeof *s->between);
    s->within_left = array(n * d, sizeof *s->within_left);
    s->value = array(n, sizeof *s->value);
    s->index = array(n, sizeof *s->index);
    s->pool = array(d, sizeof *s->pool);
    s->goes_right = array(n, sizeof *s->goes_right);
    s->new_position = array(n, sizeof *s->new_position);
    if (!s->data->factor) {
        s->sorted_index = array(n, sizeof *s->sorted_index);
        s->sorted_means = array(n, sizeof *s->sorted_means);
        if (!s->sorted_index || !s->sorted_means)
            return GEM_KAURI_NO_MEMORY;
    }
    if (!s->sample || !s->range || !s->leaves || !s->cut || !s->between ||
        !s->within_left || !s->value || !s->index || !s->pool ||
        !s->goes_right || !s->new_position)
        return GEM_KAURI_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        s->sample[i] = (int32_t)i;
    for (size_t f = 0; f < d; f++) {
        const double *sorted = s->data->sorted + f * n;
        /* Halved, as the margins are: the range itself may overflow. */
        s->range[f] = 0.5 * sorted[n - 1] - 0.5 * sorted[0];
        s->pool[f] = (int32_t)f;
    }
    return widen(s, width);
}

/* --- splitting a leaf ------------------------------------------------------ */

static int32_t add_node(gem_kauri_tree *tree, int32_t depth, int32_t cluster,
                        int32_t size)
{
    int32_t node = tree->n_nodes++;
    tree->left[node] = tree->right[node] = -1;
    tree->feature[node] = -2;
    tree->threshold[node] = -2.0;
    tree->gain[node] = 0.0;
    tree->depth[node] = depth;
    tree->cluster[node] = cluster;
    tree->size[node] = size;
    tree->kind[node] = GEM_KAURI_NONE;
    return node;
}

/* Stable partition of `n` rows of `width` doubles by s->goes_right. */
static void part_rows(kauri_state *s, double *rows, size_t width, size_t start,
                      size_t n)
{
    const unsigned char *goes_right = s->goes_right + start;
    double *from = rows + start * width, *to = from, *aside = s->rows;

    for (size_t i = 0; i < n; i++, from += width) {
        double **target = goes_right[i] ? &aside : &to;
        if (*target != from)
            memcpy(*target, from, width * sizeof *from);
        *target += width;
    }
    memcpy(to, s->rows, (size_t)(aside - s->rows) * sizeof *to);
}

/* The same for the order of a feature, whose entries are positions: each side
 * keeps its order, with the positions after the partition. */
static void part_order(kauri_state *s, size_t feature, size_t start, size_t n)
{
    int32_t *order = s->data->order + feature * s->n + start;
    double *sorted = s->data->sorted + feature * s->n + start;
    int32_t *aside = s->index;
    double *aside_sorted = s->value;
    size_t n_left = 0, n_right = 0;

    for (size_t j = 0; j < n; j++) {
        int32_t position = order[j], moved = s->new_position[position];
        if (s->goes_right[position]) {
            aside[n_right] = moved;
            aside_sorted[n_right++] = sorted[j];
        } else {
            order[n_left] = moved;
            sorted[n_left++] = sorted[j];
        }
    }
    memcpy(order + n_left, aside, n_right * sizeof *order);
    memcpy(sorted + n_left, aside_sorted, n_right * sizeof *sorted);
}

/* Bring the samples of a leaf into the order left, right. */
static gem_kauri_status part_leaf(kauri_state *s, const kauri_leaf *leaf,
                                  const kauri_split *split)
{
    size_t start = (size_t)leaf->start, n = (size_t)leaf->size;
    const int32_t *order = s->data->order + (size_t)split->feature * s->n + start;
    int32_t left = leaf->start, right = leaf->start + split->n_left;
    size_t aside = 0, kept = start;
    gem_kauri_status status = GEM_KAURI_OK;

    for (size_t j = 0; j < n; j++)
        s->goes_right[order[j]] = j >= (size_t)split->n_left;
    for (size_t i = start; i < start + n; i++)
        s->new_position[i] = s->goes_right[i] ? right++ : left++;

    for (size_t i = start; i < start + n; i++) {
        if (s->goes_right[i])
            s->index[aside++] = s->sample[i];
        else
            s->sample[kept++] = s->sample[i];
    }
    memcpy(s->sample + kept, s->index, aside * sizeof *s->index);
    part_rows(s, s->distance, (size_t)s->width, start, n);
    if (s->data->factor)
        part_rows(s, s->data->factor, (size_t)s->data->rank, start, n);
    for (size_t f = 0; f < s->d && !status; f++) {
        part_order(s, f, start, n);
        status = kauri_spend(s, n);
    }
    return status;
}

/* Whether a leaf may be split; then its cuts are prepared. */
static gem_kauri_status open_leaf(kauri_state *s, kauri_leaf *leaf)
{
    const gem_kauri_rules *rules = s->rules;

    kauri_clear_split(&leaf->found);
    kauri_clear_split(&leaf->pair);
    kauri_clear_split(&leaf->move);
    leaf->found_fresh = leaf->move_fresh = 0;
    leaf->open = s->n_leaves < rules->max_leaves && rules->max_clusters > 1 &&
                 leaf->depth < rules->max_depth &&
                 leaf->size >= rules->min_samples_split &&
                 leaf->size / 2 >= rules->min_samples_leaf && leaf->size > 1;
    return leaf->open ? kauri_profile_leaf(s, leaf) : GEM_KAURI_OK;
}

/* First empty slot after `after`. */
static int32_t free_slot(const kauri_state *s, int32_t after)
{
    int32_t c = after + 1;
    while (c < s->n_slots && s->size[c] > 0.0)
        c++;
    return c;
}

static gem_kauri_status reserve_slot(kauri_state *s, int32_t slot)
{
    int32_t most = s->rules->max_clusters;

    if (slot >= s->n_slots)
        s->n_slots = slot + 1;
    if (slot < s->width)
        return GEM_KAURI_OK;
    return widen(s, s->width > most / 2 ? most : 2 * s->width);
}

/* Make the two sides of a leaf into leaves: the left one keeps its number. */
static void make_sides(kauri_state *s, kauri_leaf *leaf, const kauri_split *split)
{
    gem_kauri_tree *tree = s->tree;
    kauri_leaf *right = s->leaves + s->n_leaves++;
    int32_t node = leaf->node, depth = leaf->depth + 1;

    *right = *leaf;
    right->start += split->n_left;
    right->size -= split->n_left;
    leaf->size = split->n_left;
    leaf->cluster = split->left;
    right->cluster = split->right;
    leaf->depth = right->depth = depth;
    leaf->node = add_node(tree, depth, leaf->cluster, leaf->size);
    right->node = add_node(tree, depth, right->cluster, right->size);

    tree->left[node] = leaf->node;
    tree->right[node] = right->node;
    tree->feature[node] = split->feature;
    tree->threshold[node] = split->threshold;
    tree->gain[node] = split->gain;
    tree->kind[node] = split->kind;
}

/* File one side of a split leaf under its cluster. */
static gem_kauri_status file_side(kauri_state *s, const kauri_leaf *side, int32_t from)
{
    int32_t to = side->cluster;
    gem_kauri_status status;

    if (to == from)
        return GEM_KAURI_OK;
    status = kauri_move_samples(s, from, side->start, side->size, -1.0);
    return status ? status
                  : kauri_move_samples(s, to, side->start, side->size, 1.0);
}

/* Renew what the changed clusters made stale. */
static gem_kauri_status renew_clusters(kauri_state *s, const int32_t changed[3])
{
    gem_kauri_status status = GEM_KAURI_OK;

    for (int i = 0; i < 3 && !status; i++)
        if (i == 0 || changed[i] != changed[0])
            status = kauri_measure_cluster(s, changed[i]);
    s->n_live = 0;
    for (int32_t c = 0; c < s->n_slots; c++)
        s->n_live += s->size[c] > 0.0;
    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        leaf->move_fresh = 0;
        for (int i = 0; i < 3; i++)
            if (leaf->cluster == changed[i])
                leaf->found_fresh = 0;
    }
    return status;
}

static gem_kauri_status split_leaf(kauri_state *s, kauri_leaf *leaf, kauri_split split)
{
    kauri_leaf *right = s->leaves + s->n_leaves;
    int32_t from = leaf->cluster;
    gem_kauri_status status = GEM_KAURI_OK;

    if (split.left == KAURI_NEW_CLUSTER) {
        split.left = free_slot(s, -1);
        status = reserve_slot(s, split.left);
    }
    if (split.right == KAURI_NEW_CLUSTER && !status) {
        split.right = free_slot(s, split.kind == GEM_KAURI_DOUBLE_STAR ? split.left : -1);
        status = reserve_slot(s, split.right);
    }
    if (!status)
        status = part_leaf(s, leaf, &split);
    if (status)
        return status;
    make_sides(s, leaf, &split);
    status = file_side(s, leaf, from);
    if (!status)
        status = file_side(s, right, from);
    if (!status) {
        const int32_t changed[3] = {from, split.left, split.right};
        status = renew_clusters(s, changed);
    }
    if (!status)
        status = open_leaf(s, leaf);
    if (!status)
        status = open_leaf(s, right);
    return status;
}

/* --- the rounds ------------------------------------------------------------ */

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

/* Scan for stars where there is room, and bound what a scan for switches could
 * find; the leaf with the highest bound in `first`, the best gain in `gain`. */
static gem_kauri_status prepare_round(kauri_state *s, int32_t *first, double *gain)
{
    int bounded = s->data->factor || s->data->definite;
    int room = s->n_live < s->rules->max_clusters;
    gem_kauri_status status = GEM_KAURI_OK;

    *first = -1;
    *gain = 0.0;
    for (int32_t l = 0; l < s->n_leaves && !status; l++) {
        kauri_leaf *leaf = s->leaves + l;
        double known;

        if (!leaf->open)
            continue;
        if (room && !leaf->found_fresh)
            status = kauri_scan_found(s, leaf);
        kauri_clear_split(&leaf->move);
        leaf->bound = -INFINITY;
        if (s->n_live > 1) {
            leaf->bound = INFINITY;
            if (bounded)
                kauri_bound_move(s, leaf);
            if (*first < 0 || leaf->bound > s->leaves[*first].bound)
                *first = l;
        }
        known = leaf_best(s, leaf)->gain;
        *gain = known > *gain ? known : *gain;
        if (!status)
            status = kauri_spend(s, (size_t)leaf->size * (size_t)s->n_slots);
    }
    return status;
}

static gem_kauri_status scan_promising(kauri_state *s, kauri_leaf *leaf, double *gain)
{
    gem_kauri_status status;

    if (!leaf->open || leaf->move_fresh || leaf->bound <= 0.0 ||
        leaf->bound < *gain - kauri_tie(*gain))
        return GEM_KAURI_OK;
    status = kauri_scan_move(s, leaf);
    *gain = leaf->move.gain > *gain ? leaf->move.gain : *gain;
    return status;
}

/* The leaf to split next, or NULL if nothing gains. */
static gem_kauri_status next_leaf(kauri_state *s, kauri_leaf **next)
{
    int32_t first;
    double gain;
    gem_kauri_status status = prepare_round(s, &first, &gain);

    *next = NULL;
    if (!status && first >= 0)
        status = scan_promising(s, s->leaves + first, &gain);
    for (int32_t l = 0; l < s->n_leaves && !status; l++)
        status = scan_promising(s, s->leaves + l, &gain);
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
    leaf->node = add_node(s->tree, 0, 0, leaf->size);
    status = kauri_move_samples(s, 0, 0, leaf->size, 1.0);
    if (!status)
        status = kauri_measure_cluster(s, 0);
    if (!status)
        status = open_leaf(s, leaf);
    if (leaf->open)
        enough = s->rules->min_gain * fabs(leaf->scatter);
    while (!status && s->n_leaves < s->rules->max_leaves) {
        status = next_leaf(s, &leaf);
        if (status || !leaf || leaf_best(s, leaf)->gain < enough)
            break;
        status = split_leaf(s, leaf, *leaf_best(s, leaf));
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
    state.random = rules->seed;
    tree->n_nodes = tree->n_leaves = 0;
    status = make_state(&state);
    if (!status)
        status = grow(&state);
    if (!status)
        report_leaves(&state);
    release_state(&state);
    return status;
}

void gem_kauri_apply(const int32_t *left, const int32_t *right, const int32_t *feature,
                     const double *threshold, const double *x, int64_t n_samples,
                     int64_t n_features, int32_t *node)
{
    for (int64_t i = 0; i < n_samples; i++, x += n_features) {
        int32_t at = 0;
        while (left[at] >= 0)
            at = x[feature[at]] <= threshold[at] ? left[at] : right[at];
        node[i] = at;
    }
}
