/* The one-vs-one total variation of some rows, in two ways that give the same
 * numbers up to rounding. Include from fdivergence_formulas.h only.
 *
 *     1/2 sum_{j,l} |p_j pi_l - p_l pi_j| = sum_j p_j c_j
 *
 * where c_j is the total pi of the clusters whose R = p / pi lies below R_j less
 * that of those above. df/dp_j = c_j, and df/dpi_j is the total p of the clusters
 * above less that of those below. Clusters at a tie take no part in each other's
 * sums, which is one of the subgradients there.
 */
#ifndef GEM_TV_ROWS_H
#define GEM_TV_ROWS_H

#include <stddef.h>
#include <string.h>

#include "isa.h"
#include "vec.h"

/* Up to here comparing every pair, in vectors over rows, beats sorting. */
#ifdef __AVX2__
#define GEM_TV_PAIRS 128
#else
#define GEM_TV_PAIRS 64
#endif

/* Rows that are taken together. */
#define GEM_TV_ROWS 8

typedef double gem_tv_lanes[GEM_TV_ROWS];

#define GEM_TV_EACH(i) GEM_SIMD for (int i = 0; i < GEM_TV_ROWS; i++)

/* Doubles of scratch: five gem_tv_lanes and a number for each cluster. */
#define GEM_TV_SCRATCH(k) ((5 * GEM_TV_ROWS + 1) * (k))

/* Views of the scratch: for each cluster its p, p / pi, c and e, rows as lanes, where
 * e is the total p below less that above, and c and e are halved.
 *
 * Of two clusters j < l the ratio of j is taken to be the lower one, and where it is
 * the higher one that is put right: one product for each sum of a pair, and no sign.
 * c starts from what this makes of it in every row. So does dpi: a cluster's total p
 * over all rows is pi times their weight. With weights, p is multiplied by that of its
 * row once its ratio is known. */
typedef struct {
    gem_tv_lanes *p, *ratio, *c, *e;
    double *start; /* of c */
    double *rest;  /* rows that do not fill a tile */
} gem_tv_tile;

static gem_tv_tile tv_tile(double *scratch, size_t k)
{
    gem_tv_lanes *lanes = (gem_tv_lanes *)(void *)scratch;
    return (gem_tv_tile){
        .e = lanes,
        .p = lanes + k,
        .ratio = lanes + 2 * k,
        .c = lanes + 3 * k,
        .rest = lanes[4 * k],
        .start = lanes[5 * k],
    };
}

/* Before all rows, of this total weight: sets in dpi what gem_tv_collect leaves out. */
static void gem_tv_prepare(const double *pi, double weight, size_t k, double *dpi,
                           double *scratch)
{
    const gem_tv_tile tile = tv_tile(scratch, k);
    double below = 0.0, all = 0.0;
    if (k > GEM_TV_PAIRS)
        return;
    for (size_t j = 0; j < k; j++)
        all += pi[j];
    for (size_t j = 0; j < k; below += pi[j++]) {
        tile.start[j] = 0.5 * (below - (all - below - pi[j]));
        dpi[j] = -2.0 * weight * tile.start[j];
    }
    memset(tile.e, 0, k * sizeof *tile.e);
}

/* Moves the sums of e to dpi. */
static void gem_tv_collect(size_t k, double *dpi, double *scratch)
{
    const gem_tv_tile tile = tv_tile(scratch, k);
    if (k > GEM_TV_PAIRS)
        return;
    for (size_t j = 0; j < k; j++)
        for (int i = 0; i < GEM_TV_ROWS; i++)
            dpi[j] -= 2.0 * tile.e[j][i];
    memset(tile.e, 0, k * sizeof *tile.e);
}

/* What a pair adds of pi and p of one cluster to the sums of the other. Ties have been
 * ordered like all others before half of that is taken back. */
GEM_INLINE gem_vec tv_factor(gem_vec ratio_j, gem_vec ratio_l, int ties)
{
    return ties ? gem_vec_if_equal(ratio_j, ratio_l, gem_vec_all(0.5))
                : gem_vec_if_above(ratio_j, ratio_l, gem_vec_all(1.0));
}

/* O(k^2 / 2) for the lanes of a vector from `lane` on: each pair once, two clusters j
 * against each l, with the sums of those two in registers. Adds to c and, if
 * `gradient`, to e. Returns whether there are ties. */
GEM_INLINE int tv_add_pairs(const gem_tv_tile *tile, const double *restrict pi,
                            size_t k, size_t lane, int gradient, int ties)
{
    const double *restrict ratio = tile->ratio[0] + lane, *restrict p =
                                                              tile->p[0] + lane;
    double *restrict c = tile->c[0] + lane, *restrict e = tile->e[0] + lane;
    gem_vec_marks tied = {0};
    for (size_t j = 0; j + 1 < k; j += 2) {
        const size_t at_0 = j * GEM_TV_ROWS, at_1 = at_0 + GEM_TV_ROWS;
        const gem_vec ratio_0 = gem_vec_load(ratio + at_0);
        const gem_vec ratio_1 = gem_vec_load(ratio + at_1);
        const gem_vec p_0 = gem_vec_load(p + at_0), p_1 = gem_vec_load(p + at_1);
        const gem_vec pi_0 = gem_vec_all(pi[j]), pi_1 = gem_vec_all(pi[j + 1]);
        const gem_vec factor = tv_factor(ratio_0, ratio_1, ties);
        gem_vec c_0 = gem_vec_muladd(factor, pi_1, gem_vec_load(c + at_0));
        gem_vec c_1 = gem_vec_mulsub(factor, pi_0, gem_vec_load(c + at_1));
        gem_vec e_0 = gem_vec_muladd(factor, p_1, gem_vec_load(e + at_0));
        gem_vec e_1 = gem_vec_mulsub(factor, p_0, gem_vec_load(e + at_1));
        tied = gem_vec_mark_equal(tied, ratio_0, ratio_1);
        for (size_t l = j + 2, at = l * GEM_TV_ROWS; l < k; l++, at += GEM_TV_ROWS) {
            const gem_vec ratio_l = gem_vec_load(ratio + at),
                          p_l = gem_vec_load(p + at);
            const gem_vec factor_0 = tv_factor(ratio_0, ratio_l, ties);
            const gem_vec factor_1 = tv_factor(ratio_1, ratio_l, ties);
            const gem_vec pi_l = gem_vec_all(pi[l]);
            gem_vec c_l = gem_vec_load(c + at), e_l = gem_vec_load(e + at);
            tied = gem_vec_mark_equal(tied, ratio_0, ratio_l);
            tied = gem_vec_mark_equal(tied, ratio_1, ratio_l);
            c_0 = gem_vec_muladd(factor_0, pi_l, c_0);
            c_1 = gem_vec_muladd(factor_1, pi_l, c_1);
            c_l = gem_vec_mulsub(factor_0, pi_0, c_l);
            gem_vec_store(c + at, gem_vec_mulsub(factor_1, pi_1, c_l));
            if (gradient) {
                e_0 = gem_vec_muladd(factor_0, p_l, e_0);
                e_1 = gem_vec_muladd(factor_1, p_l, e_1);
                e_l = gem_vec_mulsub(factor_0, p_0, e_l);
                gem_vec_store(e + at, gem_vec_mulsub(factor_1, p_1, e_l));
            }
        }
        gem_vec_store(c + at_0, c_0);
        gem_vec_store(c + at_1, c_1);
        if (gradient) {
            gem_vec_store(e + at_0, e_0);
            gem_vec_store(e + at_1, e_1);
        }
    }
    return gem_vec_any(tied);
}

/* Functions of their own, for the sake of their registers. */
static int tv_slopes(const gem_tv_tile *tile, const double *pi, size_t k, size_t lane)
{
    return tv_add_pairs(tile, pi, k, lane, 1, 0);
}

static int tv_value(const gem_tv_tile *tile, const double *pi, size_t k, size_t lane)
{
    return tv_add_pairs(tile, pi, k, lane, 0, 0);
}

static void tv_ties(const gem_tv_tile *tile, const double *pi, size_t k, size_t lane)
{
    (void)tv_add_pairs(tile, pi, k, lane, 1, 1);
}

/* GEM_TV_ROWS rows, of which the first `count` count: sets c, adds to value and e. */
GEM_INLINE void tv_tile_by_pairs(const gem_tv_tile *tile, const double *rows,
                                 const double *weights, const double *restrict pi,
                                 const double *restrict inv_pi, size_t k, size_t count,
                                 double *restrict value, double *c, int gradient)
{
    for (size_t j = 0; j < k; j++) {
        double *restrict p = tile->p[j], *restrict ratio = tile->ratio[j];
        double *restrict c_j = tile->c[j];
        const double inverse = inv_pi[j], start = tile->start[j];
        GEM_TV_EACH(i)
        {
            p[i] = rows[(size_t)i * k + j];
            ratio[i] = p[i] * inverse;
            c_j[i] = start;
        }
        for (size_t i = count; i < GEM_TV_ROWS; i++)
            p[i] = 0.0;
        for (size_t i = 0; weights && i < count; i++)
            p[i] *= weights[i];
    }
    for (size_t lane = 0; lane < count; lane += GEM_VEC_LANES)
        if ((gradient ? tv_slopes : tv_value)(tile, pi, k, lane))
            tv_ties(tile, pi, k, lane);
    for (size_t j = 0; j < k; j++) {
        const double *restrict p = tile->p[j], *restrict c_j = tile->c[j];
        GEM_TV_EACH(i)
        {
            double slope = 2.0 * c_j[i];
            value[i] = GEM_MULADD(p[i], slope, value[i]);
            c[(size_t)i * k + j] = slope;
        }
    }
}

static void tv_rows_by_pairs(const double *p, const double *weights, const double *pi,
                             const double *inv_pi, size_t rows, size_t k, double *value,
                             double *c, double *scratch, int gradient)
{
    const gem_tv_tile tile = tv_tile(scratch, k);
    const size_t rest = rows % GEM_TV_ROWS, whole = rows - rest;
    for (size_t row = 0; row < whole; row += GEM_TV_ROWS)
        tv_tile_by_pairs(&tile, p + row * k, weights ? weights + row : NULL, pi, inv_pi,
                         k, GEM_TV_ROWS, value, c + row * k, gradient);
    if (rest) {
        for (size_t i = 0; i < GEM_TV_ROWS; i++)
            memcpy(tile.rest + i * k, p + (whole + (i < rest ? i : 0)) * k,
                   k * sizeof *p);
        tv_tile_by_pairs(&tile, tile.rest, weights ? weights + whole : NULL, pi, inv_pi,
                         k, rest, value, tile.rest, gradient);
        memcpy(c + whole * k, tile.rest, rest * k * sizeof *p);
    }
}

/* The clusters in increasing order of ratio, by a merge sort from the bottom
 * up; returns which half of `order` (2 k) they ended in. */
static const size_t *sort_clusters(size_t *order, const double *ratio, size_t k)
{
    size_t *from = order, *to = order + k;
    for (size_t j = 0; j < k; j++)
        from[j] = j;
    for (size_t width = 1; width < k; width *= 2) {
        for (size_t low = 0; low < k; low += 2 * width) {
            size_t middle = k - low > width ? low + width : k;
            size_t high = k - middle > width ? middle + width : k;
            size_t a = low, b = middle;
            for (size_t out = low; out < high; out++) {
                int left =
                    a < middle && (b == high || ratio[from[a]] <= ratio[from[b]]);
                to[out] = left ? from[a++] : from[b++];
            }
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* One row of some weight, O(k log k). */
static void tv_row_by_sorting(const double *restrict p, double weight,
                              const double *restrict pi, const double *restrict inv_pi,
                              size_t k, double *value, double *restrict c,
                              double *restrict dpi, double *scratch)
{
    double *ratio = scratch;
    const size_t *order;
    double pi_below = 0.0, p_below = 0.0, pi_all = 0.0, p_all = 0.0;
    for (size_t j = 0; j < k; j++) {
        ratio[j] = p[j] * inv_pi[j];
        pi_all += pi[j];
        p_all += weight * p[j];
    }
    order = sort_clusters((size_t *)(void *)(scratch + k), ratio, k);
    for (size_t first = 0, last; first < k; first = last) {
        double pi_tied = 0.0, p_tied = 0.0;
        for (last = first; last < k && ratio[order[last]] == ratio[order[first]];
             last++) {
            pi_tied += pi[order[last]];
            p_tied += weight * p[order[last]];
        }
        for (size_t at = first; at < last; at++) {
            c[order[at]] = pi_below - (pi_all - pi_below - pi_tied);
            dpi[order[at]] += (p_all - p_below - p_tied) - p_below;
        }
        pi_below += pi_tied;
        p_below += p_tied;
    }
    for (size_t j = 0; j < k; j++)
        *value = GEM_MULADD(weight * p[j], c[j], *value);
}

/* Sets c of these rows, one after the other, adds to the first GEM_TV_ROWS numbers
 * of value and, if there is to be a gradient, to dpi (gem_tv_collect). What it adds is
 * multiplied by the weights of the rows, if they are not NULL. */
static void gem_tv_rows(const double *p, const double *weights, const double *pi,
                        const double *inv_pi, size_t rows, size_t k, double *value,
                        double *c, double *dpi, double *scratch, int gradient)
{
    if (k <= GEM_TV_PAIRS)
        tv_rows_by_pairs(p, weights, pi, inv_pi, rows, k, value, c, scratch, gradient);
    else
        for (size_t row = 0, at = 0; row < rows; row++, at += k)
            tv_row_by_sorting(p + at, weights ? weights[row] : 1.0, pi, inv_pi, k,
                              value, c + at, dpi, scratch);
}

#endif
