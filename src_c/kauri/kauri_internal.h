/* What the files of the Kauri tree share; not installed, not public. */
#ifndef GEM_KAURI_INTERNAL_H
#define GEM_KAURI_INTERNAL_H

#include <stddef.h>

#include "kauri.h"

#define KAURI_NEW_CLUSTER (-1)
#define KAURI_LANES 4

typedef struct {
    double gain;
    double top; /* the highest gain offered: ties are measured against it */
    double threshold;
    double margin; /* width of the gap, relative to the range of the feature */
    int32_t feature;
    int32_t n_left;
    int32_t left, right; /* clusters of the sides, or KAURI_NEW_CLUSTER */
    gem_kauri_kind kind;
} kauri_split;

typedef struct {
    int32_t start, size; /* its samples are the positions start .. start+size-1 */
    int32_t node, depth, cluster;
    int open;          /* may be split */
    int found_fresh;   /* `found` and `pair` are up to date */
    double scatter;    /* sum of squared distances to its mean */
    double bound;      /* no switch or refurbishment gains more */
    double slack;      /* rise of the bounds of its features, see `reach` */
    kauri_split found; /* best star */
    kauri_split pair;  /* best double star */
    kauri_split move;  /* best switch or refurbishment */
} kauri_leaf;

/* Samples are known by their position: those of a leaf are neighbours, and all
 * arrays over samples are permuted when a leaf is split. */
typedef struct {
    const gem_kauri_data *data;
    const gem_kauri_rules *rules;
    gem_kauri_tree *tree;
    size_t n, d;
    int32_t *sample; /* (n): sample at each position */
    double *range;   /* (d): of each feature over all samples */

    kauri_leaf *leaves;
    int32_t n_leaves;
    /* (max_leaves, d): no switch or refurbishment of the leaf by the feature
     * gains more than this plus the slack of the leaf. */
    double *reach;

    /* Per feature, in the segment of each leaf: numbers of samples on the left
     * of each cut, closed by the size of the leaf; and for each cut the
     * scatter between the sides and within the left one. */
    int32_t *cut;
    double *between, *within_left;

    /* Clusters: slots 0 .. n_slots-1, some of them maybe empty. */
    int32_t n_slots, n_live, width;
    double *size;     /* (width) */
    double *measured; /* (width): size when the distances were measured */
    double *distance; /* (n, width): squared, of positions to clusters */
    double *sums;     /* (width, n): kernel sums of samples over clusters */
    double *drift;    /* (width): samples moved since the sums were made anew */
    double *barrier;  /* (width): infinity bars a cluster as a target */
    double *total, *prefix, *surplus; /* (width): work */

    /* The filter of kauri_moves.c: its lanes, and the smallest cluster of each. */
    int32_t *lane_of;        /* (width): of each cluster */
    double *lanes, *weights; /* (n, KAURI_LANES): work */

    double *rows;                  /* work: (n + 1, rank), but at least (n, width) */
    double *value;                 /* (n): work */
    int32_t *index, *sorted_index; /* (n): work */
    double *sorted_means;          /* (n): work, for a kernel matrix */
    int32_t *pool;                 /* (d): work, for the draw of features */
    unsigned char *goes_right;     /* (n): work, side of each position in a split */
    int32_t *new_position;         /* (n): work */
    uint64_t random;
    int64_t effort; /* since the last poll */
} kauri_state;

/* kauri_state.c */

/* Count `effort` elementary operations; GEM_KAURI_INTERRUPTED if it is time to
 * ask the caller and the answer is to stop. */
gem_kauri_status kauri_spend(kauri_state *s, size_t effort);
/* Allocate what `data`, `rules`, n and d of a zeroed state ask for. Release it
 * whatever the status. */
gem_kauri_status kauri_make_state(kauri_state *s);
void kauri_release_state(kauri_state *s);
/* Make room for `width` clusters. */
gem_kauri_status kauri_widen(kauri_state *s, int32_t width);

/* kauri_split.c */

int32_t kauri_add_node(gem_kauri_tree *tree, int32_t depth, int32_t cluster,
                       int32_t size);
/* Find out whether a new leaf may be split, and then prepare its cuts. */
gem_kauri_status kauri_open_leaf(kauri_state *s, kauri_leaf *leaf);
/* Split a leaf: its left side takes its place, its right side is appended. */
gem_kauri_status kauri_split_leaf(kauri_state *s, kauri_leaf *leaf, kauri_split split);

/* kauri_stocks.c */

/* Prepare the cuts of a leaf for the features it may use. */
gem_kauri_status kauri_profile_leaf(kauri_state *s, kauri_leaf *leaf);
/* Note that the positions start .. start+size-1 entered (sign 1) or left (-1) a
 * cluster. */
gem_kauri_status kauri_move_samples(kauri_state *s, int32_t cluster, int32_t start,
                                    int32_t size, double sign);
/* Renew the distances of all samples to a cluster whose samples changed. */
gem_kauri_status kauri_measure_cluster(kauri_state *s, int32_t cluster);

/* kauri_scan.c */

/* The leaf being scanned, and what does not change from cut to cut. */
typedef struct {
    const kauri_leaf *leaf;
    int32_t cluster;
    double n_cluster, n_leaf;
    double release; /* gain of taking the whole leaf out of its cluster */
    double noise;   /* gains below are rounding */
} kauri_scan;

/* One cut: sizes and scatters of its sides a (left) and b (right). */
typedef struct {
    int32_t feature, n_left;
    double n_a, n_b, between, within_a, within_b;
} kauri_cut;

/* Gains closer to `gain` than this agree with it to rounding. */
double kauri_tie(double gain);
void kauri_clear_split(kauri_split *split);
/* Sum the distances of the samples of the leaf to each cluster in s->total. */
kauri_scan kauri_begin_scan(const kauri_state *s, const kauri_leaf *leaf);
/* Let only clusters that are neither empty nor the leaf's own be joined. */
void kauri_raise_barriers(kauri_state *s, const kauri_leaf *leaf);
/* The cut noted at an index of s->cut. */
static inline kauri_cut kauri_make_cut(const kauri_state *s, const kauri_scan *m,
                                       int32_t feature, size_t at)
{
    kauri_cut c;
    c.feature = feature;
    c.n_left = s->cut[at];
    c.n_a = c.n_left;
    c.n_b = m->n_leaf - c.n_a;
    c.between = s->between[at];
    c.within_a = s->within_left[at];
    c.within_b = m->leaf->scatter - c.between - c.within_a;
    return c;
}

/* Gains at or below cannot change the best split. */
double kauri_bar(const kauri_split *best, const kauri_scan *m);
/* Take a split into account. */
void kauri_offer(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                 double gain, gem_kauri_kind kind, int32_t left, int32_t right,
                 kauri_split *best);
/* Best star and double star of a leaf. */
gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf);

/* kauri_moves.c */

/* Best switch or refurbishment of a leaf, if it gains more than `floor`. Features
 * that cannot are left out. */
gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf, double floor);

/* kauri_bounds.c */

/* Forget the bounds of a leaf: anything may be gained. */
void kauri_forget_bounds(kauri_state *s, kauri_leaf *leaf);
/* Lower the bounds of a leaf of a definite kernel without a scan. */
void kauri_bound_move(kauri_state *s, kauri_leaf *leaf);
/* Raise the bounds of the leaf by what a change of a cluster may add: its size
 * was s->measured, the distances of the samples of the leaf to it rose and fell
 * by the sums given, from a sum of `total`. */
void kauri_raise_bound(const kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                       double total, double rise, double fall);

#endif
