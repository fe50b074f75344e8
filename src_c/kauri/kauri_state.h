/* The state of a growing Kauri tree, its memory and its pulse. Not public, as are
 * all headers here but kauri.h. */
#ifndef GEM_KAURI_STATE_H
#define GEM_KAURI_STATE_H

#include <stddef.h>

#include "kauri.h"

#define KAURI_NEW_CLUSTER (-1)
#define KAURI_LANES 4
#define KAURI_TILE 8 /* clusters that are measured together */
/* A side lighter than this part of its leaf is rounding of the weights. */
#define KAURI_WEIGHTLESS 1e-12

typedef struct {
    double gain;
    double top; /* the highest gain offered: ties are measured against it */
    double threshold;
    double margin;  /* width of the gap, relative to the range of the feature */
    int32_t column; /* the feature, or n_features + its twin */
    int32_t n_left;
    int32_t bin;         /* binned: the last one on the left */
    int32_t left, right; /* clusters of the sides, or KAURI_NEW_CLUSTER */
    gem_kauri_kind kind;
} kauri_split;

typedef struct {
    int32_t start, size; /* its samples are the positions start .. start+size-1 */
    int32_t node, depth, cluster;
    int open;        /* may be split */
    int found_fresh; /* `found` and `pair` are up to date */
    int move_stale;  /* `move` is not, whatever the news */
    int asked;       /* scanned for moves in this round, as far as needed */
    double weight;   /* sum of the weights of its samples */
    double scatter;  /* sum of squared distances to its mean */
    double *hope;    /* (width): see kauri_bounds.c, as the four below */
    double bound, slack, own_slack, news;
    double spread;     /* binned: largest norm of the sum of a side, centred */
    double *block;     /* binned: its sums, if they are kept */
    int32_t built;     /* binned: size of the leaf whose sums were made anew */
    kauri_split found; /* best star */
    kauri_split pair;  /* best double star */
    kauri_split move;  /* best switch or refurbishment */
} kauri_leaf;

/* What the walk over sorted samples keeps. */
typedef struct {
    /* Per column, in the segment of each leaf: numbers of samples on the left of
     * each cut, closed by the size of the leaf, and with weights their sum; and
     * for each cut the scatter between the sides and within the left one. */
    int32_t *cut;
    double *cut_weight, *between, *within_left;

    double *distance; /* (n, width): weight times squared distance of positions to
                         clusters */
    double *sums;     /* (width, n): weighted kernel sums of samples over clusters */
    double *drift;    /* (width): samples moved since the sums were made anew */

    /* The filter of kauri_moves.c: its lanes, and the smallest cluster of each. */
    int32_t *lane_of; /* (width): of each cluster */
    double smallest[KAURI_LANES];
    double *lanes, *weights; /* (n, KAURI_LANES): work */

    double *rows;          /* work: (n + 1, rank), but at least (n, width) */
    double *value;         /* (n): work */
    int32_t *sorted_index; /* (n): work, for a kernel matrix */
    double *sorted_means;  /* (n): work, for a kernel matrix */
    double *sorted_weight; /* (n): work, for a kernel matrix and weights */
    int32_t *new_position; /* (n): work */
} kauri_sorted;

/* What the walk over bins keeps. The sums of a bin are a row: the number of its
 * samples, their weight unless all weigh one, and their weighted factor. The rows
 * of all bins of all features are a block. */
typedef struct {
    size_t n_bins;     /* of all features */
    size_t width;      /* of a row */
    size_t lead;       /* of what stands before the factor: 1, or 2 with weights */
    double *leaf_sums; /* (max_leaves, width): a row for each leaf */
    double *norms;     /* (max_leaves): weighted squared norms of the factor */
    double *means;     /* (width of clusters, rank) */

    double **spare; /* (n_blocks): blocks kept for leaves but not in use */
    int32_t n_spare, n_blocks, max_blocks;
    double *scratch;          /* a block, zero between uses */
    double *chunks;           /* work: rows of samples, for each thread */
    int32_t *wanted;          /* (d): work, features that are looked at */
    unsigned char *promising; /* (n_columns): work, those that may gain enough */

    int32_t *filled; /* (most bins of a feature): work, bins that are not empty */
    double *side;    /* (width): work, the sums of a left side */
    double *centred; /* (rank): work, the same from the mean of the leaf */
    double *mean;    /* (rank): work, mean of the leaf */
    double *own;     /* (rank): work, mean of its cluster from there */
    double *targets; /* (rank, tiles of clusters): work, means from that mean */
    double *norm;    /* (width of clusters): work, squared norms of the targets */
    double *beyond;  /* (width of clusters): work, the leaf's distances to them */
} kauri_binned;

/* Samples are known by their position: those of a leaf are neighbours, and
 * `sample` (sorted: all arrays over samples) is permuted when a leaf is split. */
typedef struct {
    const gem_kauri_data *data;
    const gem_kauri_rules *rules;
    gem_kauri_tree *tree;
    size_t n, d, n_columns;
    int32_t *sample; /* (n): sample at each position */
    double *weight;  /* (n): of the positions (sorted) or samples (binned); NULL for
                        ones */
    double lightest; /* least weight of a sample, but for rounding */
    double *range;   /* (d): of each feature over all samples, halved */

    kauri_leaf *leaves;
    int32_t n_leaves;
    double *reach;        /* (max_leaves, n_columns): see kauri_bounds.c */
    unsigned char *drawn; /* (max_leaves, d): features that the leaf may use; NULL
                             for all */

    /* Clusters: slots 0 .. n_slots-1, some of them maybe empty. */
    int32_t n_slots, n_live, width;
    double *size;     /* (width): sum of weights; 0 in empty ones */
    double *measured; /* (width): size when the distances were measured */
    double *barrier;  /* (width): infinity bars a cluster as a target */
    double *total, *prefix, *surplus; /* (width): work */
    double *loss_a, *loss_b;          /* (width): work */
    double *reached; /* (width): most that a move to each cluster gains in a scan */
    double rest;     /* and the most of moves that it did not tell apart */

    kauri_sorted sorted;
    kauri_binned binned;

    int32_t *index;            /* (n): work */
    int32_t *pool;             /* (d): work, for the draw of features */
    unsigned char *goes_right; /* (n): work, side of each position in a split */
    uint64_t random;
    int64_t effort; /* since the last poll */
} kauri_state;

/* Clusters in whole tiles. */
static inline size_t kauri_tiled(size_t width)
{
    return (width + KAURI_TILE - 1) / KAURI_TILE * KAURI_TILE;
}

/* Whether cuts lie between bins, and not between sorted samples. */
static inline int kauri_is_binned(const kauri_state *s)
{
    return !s->data->order;
}

static inline int kauri_is_definite(const kauri_state *s)
{
    return s->data->factor || s->data->definite;
}

/* The feature of a column. */
static inline int32_t kauri_feature(const kauri_state *s, int32_t column)
{
    int32_t d = s->data->n_features;
    return column < d ? column : s->data->twins[column - d];
}

/* Least weight of a side that the rules allow, but for rounding. */
static inline double kauri_least_allowed(const kauri_state *s, const kauri_leaf *leaf)
{
    double least = s->rules->min_weight_leaf * (1.0 - KAURI_WEIGHTLESS);
    double rounding = leaf->weight * KAURI_WEIGHTLESS;
    return least > rounding ? least : rounding;
}

/* No side of a leaf weighs less. */
static inline double kauri_least_side(const kauri_state *s, const kauri_leaf *leaf)
{
    double least = s->lightest * s->rules->min_samples_leaf;
    double allowed = kauri_least_allowed(s, leaf);
    return least > allowed ? least : allowed;
}

/* Count `effort` elementary operations; GEM_KAURI_INTERRUPTED if it is time to
 * ask the caller and the answer is to stop. */
gem_kauri_status kauri_spend(kauri_state *s, size_t effort);
/* Run task(argument, i) for each i, on threads if the work is worth it. */
void kauri_share(const kauri_state *s, gem_kauri_task task, void *argument,
                 int32_t n_tasks, size_t effort);
/* Allocate what `data`, `rules`, n and d of a zeroed state ask for. Release it
 * whatever the status. */
gem_kauri_status kauri_make_state(kauri_state *s);
void kauri_release_state(kauri_state *s);
/* Make room for `width` clusters. */
gem_kauri_status kauri_widen(kauri_state *s, int32_t width);

#endif
