/* The one-vs-one total variation of one row, in two ways that give the same
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

#include "isa.h"

/* Up to here comparing every pair, in vectors, beats sorting. */
#define GEM_TV_PAIRS 96
#define GEM_TV_LANES 4

/* Doubles of scratch for a row. */
#define GEM_TV_SCRATCH(k) (3 * ((k) + GEM_TV_LANES))

/* O(k^2): each cluster, a lane of a vector, against all the others. `ratio` and
 * the outputs have room for the lanes beyond k. */
static void tv_row_by_pairs(const double *restrict p, const double *restrict pi,
                            const double *restrict ratio, size_t k, double *restrict c,
                            double *restrict slope)
{
    const size_t padded = (k + GEM_TV_LANES - 1) / GEM_TV_LANES * GEM_TV_LANES;
    GEM_SIMD
    for (size_t j = 0; j < padded; j++) {
        double here = ratio[j], sum_c = 0.0, sum_slope = 0.0;
        for (size_t l = 0; l < k; l++) {
            double sign = (here > ratio[l] ? 1.0 : 0.0) - (here < ratio[l] ? 1.0 : 0.0);
            sum_c = GEM_MULADD(sign, pi[l], sum_c);
            sum_slope = GEM_MULADD(sign, p[l], sum_slope);
        }
        c[j] = sum_c;
        slope[j] = -sum_slope;
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
                int left = a < middle && (b == high || ratio[from[a]] <= ratio[from[b]]);
                to[out] = left ? from[a++] : from[b++];
            }
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* O(k log k). */
static void tv_row_by_sorting(const double *restrict p, const double *restrict pi,
                              const double *restrict ratio, size_t k,
                              double *restrict c, double *restrict dpi, size_t *indices)
{
    const size_t *order = sort_clusters(indices, ratio, k);
    double pi_below = 0.0, p_below = 0.0, pi_all = 0.0, p_all = 0.0;
    for (size_t j = 0; j < k; j++) {
        pi_all += pi[j];
        p_all += p[j];
    }
    for (size_t first = 0, last; first < k; first = last) {
        double pi_tied = 0.0, p_tied = 0.0;
        for (last = first; last < k && ratio[order[last]] == ratio[order[first]]; last++) {
            pi_tied += pi[order[last]];
            p_tied += p[order[last]];
        }
        for (size_t at = first; at < last; at++) {
            c[order[at]] = pi_below - (pi_all - pi_below - pi_tied);
            dpi[order[at]] += (p_all - p_below - p_tied) - p_below;
        }
        pi_below += pi_tied;
        p_below += p_tied;
    }
}

/* Adds to *value and dpi, sets c. */
static void gem_tv_row(const double *p, const double *pi, const double *inv_pi, size_t k,
                       double *value, double *c, double *dpi, double *scratch)
{
    double sum = 0.0;
    double *ratio = scratch;
    for (size_t j = 0; j < k; j++)
        ratio[j] = p[j] * inv_pi[j];
    if (k <= GEM_TV_PAIRS) {
        const size_t room = k + GEM_TV_LANES;
        double *row_c = scratch + room, *slope = row_c + room;
        for (size_t j = k; j < room; j++)
            ratio[j] = 0.0;
        tv_row_by_pairs(p, pi, ratio, k, row_c, slope);
        for (size_t j = 0; j < k; j++) {
            c[j] = row_c[j];
            dpi[j] += slope[j];
        }
    } else {
        tv_row_by_sorting(p, pi, ratio, k, c, dpi, (size_t *)(void *)(scratch + k));
    }
    for (size_t j = 0; j < k; j++)
        sum = GEM_MULADD(p[j], c[j], sum);
    *value += sum;
}

#endif
