/* The search of a Kauri tree: cuts, their gains, and bounds on these. */
#ifndef GEM_KAURI_SCAN_H
#define GEM_KAURI_SCAN_H

#include "kauri_state.h"

/* The leaf being scanned, and what does not change from cut to cut. */
typedef struct {
    const kauri_leaf *leaf;
    int32_t cluster;
    int alone; /* the leaf is its cluster */
    double n_cluster, n_leaf;
    double release; /* gain of taking the whole leaf out of its cluster */
    double noise;   /* gains below are rounding */
} kauri_scan;

/* One cut: sizes and scatters of its sides a (left) and b (right). The walk over
 * bins gives the distances of sides less their scatter, which is then 0 here. */
typedef struct {
    int32_t column, n_left;
    int32_t bin, next_bin; /* binned: the last on the left, the first on the right */
    double n_a, n_b, between, within_a, within_b;
} kauri_cut;

/* kauri_scan.c */

/* Gains closer to `gain` than this agree with it to rounding. */
double kauri_tie(double gain);
void kauri_clear_split(kauri_split *split);
/* Sum the distances of the samples of the leaf to each cluster in s->total. */
kauri_scan kauri_begin_scan(const kauri_state *s, const kauri_leaf *leaf);
/* The scan of a leaf whose samples have the sum `own` of distances to its cluster. */
kauri_scan kauri_make_scan(const kauri_state *s, const kauri_leaf *leaf, double own);
/* Sorted: the cut noted at an index of s->sorted.cut. */
static inline kauri_cut kauri_make_cut(const kauri_state *s, const kauri_scan *m,
                                       int32_t column, size_t at)
{
    const kauri_sorted *k = &s->sorted;
    kauri_cut c;
    c.column = column;
    c.bin = c.next_bin = 0;
    c.n_left = k->cut[at];
    c.n_a = k->cut_weight ? k->cut_weight[at] : c.n_left;
    c.n_b = m->n_leaf - c.n_a;
    c.between = k->between[at];
    c.within_a = k->within_left[at];
    c.within_b = m->leaf->scatter - c.between - c.within_a;
    return c;
}
/* Let only clusters that are neither empty nor the leaf's own be joined. */
void kauri_raise_barriers(kauri_state *s, const kauri_leaf *leaf);
/* Gains at or below cannot change the best split. */
double kauri_bar(const kauri_split *best, const kauri_scan *m);
/* Take a split into account. */
void kauri_offer(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                 double gain, gem_kauri_kind kind, int32_t left, int32_t right,
                 kauri_split *best);
/* The same for both stars and the double star of a leaf that is not alone in its
 * cluster, from the excess of its sides: their distances to the cluster less
 * their scatters. */
void kauri_offer_stars(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                       double excess_a, double excess_b, kauri_leaf *leaf);
/* Best star and double star of a leaf. */
gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf);

/* kauri_moves.c */

/* Offer what a cut allows, from the sums of distances in s->prefix and s->total, if
 * it gains more than `floor`; the most that it gains, which is noted for bounds. */
double kauri_offer_moves(kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                         double floor, kauri_split *best);
/* Best switch or refurbishment of a leaf, if it gains more than `floor`. Columns
 * that cannot are left out. */
gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf, double floor);

/* kauri_bounds.c */

/* Forget the bounds of a leaf: anything may be gained. */
void kauri_forget_bounds(kauri_state *s, kauri_leaf *leaf);
/* Set what all open leaves hope from a cluster other than their own. */
void kauri_set_hope(kauri_state *s, int32_t cluster, double hope);
/* Lower the bounds of a leaf of a definite kernel without a scan. */
void kauri_bound_move(kauri_state *s, kauri_leaf *leaf);
/* Whether the best move of a leaf, when it was scanned last, is so still. */
int kauri_move_lasts(const kauri_leaf *leaf);
/* A bound on what moves of the leaf by a column gain. */
double kauri_promise(const kauri_state *s, const kauri_leaf *leaf, int32_t column);
/* Bounds that come from a scan: at its start, for each column (`most` is what its
 * moves gain, if it was scanned), and at its end. */
void kauri_begin_bounds(kauri_state *s);
void kauri_note_column(kauri_state *s, const kauri_scan *m, int32_t column, double most,
                       int scanned);
void kauri_settle_bounds(kauri_state *s, const kauri_scan *m, kauri_leaf *leaf);
/* What a change of a cluster did to the distances of the samples of a leaf to it:
 * their sum before and after, and how much they rose and fell at most, summed over
 * the samples of any side. */
typedef struct {
    double before, after, rise, fall;
} kauri_change;
/* Raise the bounds of the leaf by what the change of a cluster may add, whose size
 * was s->measured. */
void kauri_raise_bound(const kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                       kauri_change change);

#endif
