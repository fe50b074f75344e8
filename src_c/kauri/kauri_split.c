/* What a split does to the state of the Kauri tree: samples change places, the
 * sides become leaves, and clusters are renewed. */
#include "kauri_split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_scan.h"
#include "kauri_stocks.h"

int32_t kauri_add_node(gem_kauri_tree *tree, int32_t depth, int32_t cluster,
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
    tree->missing_left[node] = 0;
    return node;
}

/* Stable partition of `n` rows of `width` doubles by s->goes_right. */
static void part_rows(kauri_state *s, double *rows, size_t width, size_t start,
                      size_t n)
{
    const unsigned char *goes_right = s->goes_right + start;
    double *from = rows + start * width, *to = from, *aside = s->sorted.rows;

    for (size_t i = 0; i < n; i++, from += width) {
        double **target = goes_right[i] ? &aside : &to;
        if (*target != from)
            memcpy(*target, from, width * sizeof *from);
        *target += width;
    }
    memcpy(to, s->sorted.rows, (size_t)(aside - s->sorted.rows) * sizeof *to);
}

/* The same for the order of a column, whose entries are positions: each side
 * keeps its order, with the positions after the partition. */
static void part_order(kauri_state *s, size_t column, size_t start, size_t n)
{
    int32_t *order = s->data->order + column * s->n + start;
    double *sorted = s->data->sorted + column * s->n + start;
    int32_t *aside = s->index;
    double *aside_sorted = s->sorted.value;
    size_t n_left = 0, n_right = 0;

    for (size_t j = 0; j < n; j++) {
        int32_t position = order[j], moved = s->sorted.new_position[position];
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

/* Stable partition of s->sample by s->goes_right. */
static void part_samples(kauri_state *s, const kauri_leaf *leaf)
{
    size_t start = (size_t)leaf->start, n = (size_t)leaf->size, aside = 0, kept = start;

    for (size_t i = start; i < start + n; i++) {
        if (s->goes_right[i])
            s->index[aside++] = s->sample[i];
        else
            s->sample[kept++] = s->sample[i];
    }
    memcpy(s->sample + kept, s->index, aside * sizeof *s->index);
}

/* All that the walk over sorted samples keeps follows them. */
static gem_kauri_status part_sorted(kauri_state *s, const kauri_leaf *leaf,
                                    const kauri_split *split)
{
    size_t start = (size_t)leaf->start, n = (size_t)leaf->size;
    const int32_t *order = s->data->order + (size_t)split->column * s->n + start;
    int32_t left = leaf->start, right = leaf->start + split->n_left;
    gem_kauri_status status = GEM_KAURI_OK;

    for (size_t j = 0; j < n; j++)
        s->goes_right[order[j]] = j >= (size_t)split->n_left;
    for (size_t i = start; i < start + n; i++)
        s->sorted.new_position[i] = s->goes_right[i] ? right++ : left++;
    part_samples(s, leaf);
    part_rows(s, s->sorted.distance, (size_t)s->width, start, n);
    if (s->data->factor)
        part_rows(s, s->data->factor, (size_t)s->data->rank, start, n);
    if (s->weight)
        part_rows(s, s->weight, 1, start, n);
    for (size_t f = 0; f < s->n_columns && !status; f++) {
        part_order(s, f, start, n);
        status = kauri_spend(s, n);
    }
    return status;
}

int kauri_may_open(const kauri_state *s, const kauri_leaf *leaf)
{
    const gem_kauri_rules *rules = s->rules;

    return s->n_leaves < rules->max_leaves && rules->max_clusters > 1 &&
           leaf->depth < rules->max_depth && leaf->size >= rules->min_samples_split &&
           leaf->size / 2 >= rules->min_samples_leaf && leaf->size > 1 &&
           0.5 * leaf->weight >= rules->min_weight_leaf;
}

gem_kauri_status kauri_open_leaf(kauri_state *s, kauri_leaf *leaf)
{
    kauri_clear_split(&leaf->found);
    kauri_clear_split(&leaf->pair);
    kauri_clear_split(&leaf->move);
    leaf->found_fresh = 0;
    leaf->open = kauri_may_open(s, leaf);
    leaf->bound = -INFINITY;
    if (!leaf->open)
        return GEM_KAURI_OK;
    if (!leaf->hope)
        leaf->hope = malloc((size_t)s->width * sizeof *leaf->hope);
    if (!leaf->hope)
        return GEM_KAURI_NO_MEMORY;
    kauri_forget_bounds(s, leaf);
    return kauri_profile_leaf(s, leaf);
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
    return kauri_widen(s, s->width > most / 2 ? most : 2 * s->width);
}

/* Bring the samples of a leaf into the order left, right. */
static gem_kauri_status part(kauri_state *s, const kauri_leaf *leaf,
                             const kauri_split *split)
{
    if (!kauri_is_binned(s))
        return part_sorted(s, leaf, split);
    kauri_mark_sides(s, leaf, split);
    part_samples(s, leaf);
    return kauri_spend(s, (size_t)leaf->size);
}

/* Whether missing values go left, to the side that gains more; -1 if there are
 * none. */
static int missing_goes_left(const kauri_state *s, const kauri_leaf *leaf,
                             const kauri_split *split)
{
    int32_t f = kauri_feature(s, split->column), last;
    const gem_kauri_bins *bins = s->data->bins;
    int missing = 0;

    if (split->column != f)
        return 1;
    if (kauri_is_binned(s)) {
        missing = kauri_has_missing(s, leaf, f);
    } else {
        double most =
            s->data->sorted[(size_t)f * s->n + (size_t)(leaf->start + leaf->size) - 1];
        last = bins ? bins->first[f] + (int32_t)most : 0;
        missing = (bins ? bins->high[last] : most) == INFINITY;
    }
    return missing ? 0 : -1;
}

/* Make the two sides of a leaf into leaves: the left one keeps its number. */
static void make_sides(kauri_state *s, kauri_leaf *leaf, const kauri_split *split,
                       int missing_left)
{
    gem_kauri_tree *tree = s->tree;
    kauri_leaf *right = s->leaves + s->n_leaves++;
    int32_t node = leaf->node, depth = leaf->depth + 1;

    *right = *leaf;
    right->hope = NULL;
    leaf->open = right->open = 0; /* until their cuts are known */
    right->start += split->n_left;
    right->size -= split->n_left;
    leaf->size = split->n_left;
    leaf->weight = kauri_weigh(s, leaf->start, leaf->size);
    right->weight = kauri_weigh(s, right->start, right->size);
    leaf->cluster = split->left;
    right->cluster = split->right;
    leaf->depth = right->depth = depth;
    leaf->node = kauri_add_node(tree, depth, leaf->cluster, leaf->size);
    right->node = kauri_add_node(tree, depth, right->cluster, right->size);

    tree->left[node] = leaf->node;
    tree->right[node] = right->node;
    tree->feature[node] = kauri_feature(s, split->column);
    tree->missing_left[node] =
        missing_left < 0 ? leaf->weight > right->weight : missing_left;
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
    return status ? status : kauri_move_samples(s, to, side->start, side->size, 1.0);
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
        for (int i = 0; i < 3; i++)
            if (leaf->cluster == changed[i])
                leaf->found_fresh = 0;
    }
    return status;
}

gem_kauri_status kauri_split_leaf(kauri_state *s, kauri_leaf *leaf, kauri_split split)
{
    kauri_leaf *right = s->leaves + s->n_leaves;
    int32_t from = leaf->cluster;
    int missing_left = missing_goes_left(s, leaf, &split);
    gem_kauri_status status = GEM_KAURI_OK;

    if (split.left == KAURI_NEW_CLUSTER) {
        split.left = free_slot(s, -1);
        status = reserve_slot(s, split.left);
    }
    if (split.right == KAURI_NEW_CLUSTER && !status) {
        split.right =
            free_slot(s, split.kind == GEM_KAURI_DOUBLE_STAR ? split.left : -1);
        status = reserve_slot(s, split.right);
    }
    if (!status)
        status = part(s, leaf, &split);
    if (status)
        return status;
    make_sides(s, leaf, &split, missing_left);
    if (kauri_is_binned(s))
        status = kauri_part_sums(s, leaf, right);
    if (!status)
        status = file_side(s, leaf, from);
    if (!status)
        status = file_side(s, right, from);
    if (!status) {
        const int32_t changed[3] = {from, split.left, split.right};
        status = renew_clusters(s, changed);
    }
    if (!status)
        status = kauri_open_leaf(s, leaf);
    if (!status)
        status = kauri_open_leaf(s, right);
    return status;
}
