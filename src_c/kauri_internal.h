/* What the files of the Kauri tree share; not installed, not public. */
#ifndef GEM_KAURI_INTERNAL_H
#define GEM_KAURI_INTERNAL_H

#include <stddef.h>

#include "kauri.h"

#define KAURI_NEW_CLUSTER (-1)

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
    int open;        /* may be split */
    int found_fresh; /* `found` and `pair` are up to date */
    int move_fresh;  /* `move` is up to date */
    double scatter;  /* sum of squared distances to its mean */
    double bound;    /* no switch or refurbishment gains more */
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

    /* Per feature, in the segment of each leaf: numbers of samples on the left
     * of each cut, closed by the size of the leaf; and for each cut the
     * scatter between the sides and within the left one. */
    int32_t *cut;
    double *between, *within_left;

    /* Clusters: slots 0 .. n_slots-1, some of them maybe empty. */
    int32_t n_slots, n_live, width;
    double *size;     /* (width) */
    double *distance; /* (n, width): squared, of positions to clusters */
    double *sums;     /* (width, n): kernel sums of samples over clusters */
    double *drift;    /* (width): samples moved since the sums were made anew */
    double *barrier;  /* (width): infinity bars a cluster as a target */
    double *total, *prefix, *surplus; /* (width): work */

    double *rows;  /* work: (n + 1, rank), but at least (n, width) */
    double *value; /* (n): work */
    int32_t *index, *sorted_index; /* (n): work */
    double *sorted_means;          /* (n): work, for a kernel matrix */
    int32_t *pool;    /* (d): work, for the draw of features */
    unsigned char *goes_right; /* (n): work, side of each position in a split */
    int32_t *new_position;     /* (n): work */
    uint64_t random;
    int64_t effort; /* since the last poll */
} kauri_state;

/* Count `effort` elementary operations; GEM_KAURI_INTERRUPTED if it is time to
 * ask the caller and the answer is to stop. */
gem_kauri_status kauri_spend(kauri_state *s, size_t effort);

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

void kauri_clear_split(kauri_split *split);
/* Best star and double star of a leaf. */
gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf);
/* Best switch or refurbishment of a leaf. */
gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf);
/* Upper bound on what kauri_scan_move can find. */
void kauri_bound_move(kauri_state *s, kauri_leaf *leaf);
/* Gains closer to `gain` than this agree with it to rounding. */
double kauri_tie(double gain);

#endif
