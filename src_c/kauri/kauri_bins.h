/* The walk of a Kauri tree over bins: sums of the factor over the samples of a leaf
 * in each bin of each feature, and all that follows from them. */
#ifndef GEM_KAURI_BINS_H
#define GEM_KAURI_BINS_H

#include "kauri_state.h"

/* kauri_bins.c */

/* Allocate s->binned but for the clusters; 0 if there is no memory. */
int kauri_make_bins(kauri_state *s);
void kauri_release_bins(kauri_state *s);
/* The sums of the first leaf, of all samples. */
gem_kauri_status kauri_sum_root(kauri_state *s, kauri_leaf *root);
/* The sums of the two sides of a leaf that was split, whose sums the left one has. */
gem_kauri_status kauri_part_sums(kauri_state *s, kauri_leaf *left, kauri_leaf *right);
/* The block of a leaf, with the sums by the `n` features of s->binned.wanted at
 * least. It is to be closed before another leaf's is opened. */
gem_kauri_status kauri_open_block(kauri_state *s, const kauri_leaf *leaf, int32_t n,
                                  const double **block);
void kauri_close_block(kauri_state *s, const kauri_leaf *leaf, int32_t n);
/* Note in s->binned.filled the bins of a feature that hold samples of the leaf, from
 * its open block; their number. */
int32_t kauri_fill(kauri_state *s, const kauri_leaf *leaf, const double *block,
                   int32_t f);
/* Whether all samples of the leaf lie in one bin of a feature. */
int kauri_in_one_bin(const kauri_state *s, const kauri_leaf *leaf, int32_t f);
/* Whether a sample of the leaf misses a feature. */
int kauri_has_missing(const kauri_state *s, const kauri_leaf *leaf, int32_t f);
/* Note the sides of the samples of a leaf in s->goes_right. */
void kauri_mark_sides(kauri_state *s, const kauri_leaf *leaf, const kauri_split *split);

/* The row of sums of a leaf. */
static inline double *kauri_leaf_sums(const kauri_state *s, const kauri_leaf *leaf)
{
    return s->binned.leaf_sums + (size_t)(leaf - s->leaves) * s->binned.width;
}

/* kauri_binned_scan.c */

/* Squared distance, times the weight of the leaf, of its mean to a mean. */
double kauri_beyond(const kauri_state *s, const kauri_leaf *leaf, const double *mean);
/* Renew the mean of a cluster. */
void kauri_measure_by_sums(kauri_state *s, int32_t cluster);
/* As kauri_scan_found and kauri_scan_move. */
gem_kauri_status kauri_scan_binned_found(kauri_state *s, kauri_leaf *leaf);
gem_kauri_status kauri_scan_binned_moves(kauri_state *s, kauri_leaf *leaf,
                                         double floor);

#endif
