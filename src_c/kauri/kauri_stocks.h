/* The stocks of a Kauri tree: what is known of leaves and clusters. */
#ifndef GEM_KAURI_STOCKS_H
#define GEM_KAURI_STOCKS_H

#include "kauri_state.h"

/* kauri_draw.c */

/* Move the features that the leaf may use to the front of s->pool, and note them
 * in s->drawn; their number. Features that are constant in the leaf are never
 * among them if not all are wanted. */
int32_t kauri_draw_features(kauri_state *s, const kauri_leaf *leaf);
/* Whether the leaf may be split by a column. */
static inline int kauri_may_use(const kauri_state *s, const kauri_leaf *leaf,
                                int32_t column)
{
    size_t row = (size_t)(leaf - s->leaves) * s->d;
    return !s->drawn || s->drawn[row + (size_t)kauri_feature(s, column)];
}

/* kauri_profile.c */

/* Prepare the cuts of a leaf for the features it may use. */
gem_kauri_status kauri_profile_leaf(kauri_state *s, kauri_leaf *leaf);
/* kauri_clusters.c */

/* Sum of the weights of the positions start .. start+size-1. */
double kauri_weigh(const kauri_state *s, int32_t start, int32_t size);
/* Note that the positions start .. start+size-1 entered (sign 1) or left (-1) a
 * cluster. */
gem_kauri_status kauri_move_samples(kauri_state *s, int32_t cluster, int32_t start,
                                    int32_t size, double sign);
/* Renew the distances of all samples to a cluster whose samples changed. */
gem_kauri_status kauri_measure_cluster(kauri_state *s, int32_t cluster);

#endif
