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

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "isa.h"

/* Up to here comparing every pair, in vectors over rows, beats sorting. */
#ifdef __AVX2__
#define GEM_TV_PAIRS 64
#else
#define GEM_TV_PAIRS 24
#endif

/* Rows that are taken together: one vector where a vector has four doubles.
 * More lanes do not keep their sums in registers. */
#define GEM_TV_LANES 4

typedef double gem_tv_lanes[GEM_TV_LANES];

#define GEM_TV_EACH(i) GEM_SIMD for (int i = 0; i < GEM_TV_LANES; i++)

/* Doubles of scratch: five gem_tv_lanes for each cluster. */
#define GEM_TV_SCRATCH(k) (5 * GEM_TV_LANES * (k))

GEM_INLINE double tv_sign(double x)
{
    return x != 0.0 ? copysign(1.0, x) : 0.0;
}

/* O(k^2 / 2) for all lanes: each pair once, two clusters j against each l, with
 * the sums of those two in registers. Adds to c and, if `gradient`, the total p
 * below less that above to e. */
GEM_INLINE void tv_lanes_by_pairs(const gem_tv_lanes *restrict p,
                                  const gem_tv_lanes *restrict ratio,
                                  const double *restrict pi, size_t k,
                                  gem_tv_lanes *restrict c, gem_tv_lanes *restrict e,
                                  int gradient)
{
    for (size_t j = 0; j + 1 < k; j += 2) {
        const double *restrict ratio_0 = ratio[j], *restrict ratio_1 = ratio[j + 1];
        const double *restrict p_0 = p[j], *restrict p_1 = p[j + 1];
        const double pi_0 = pi[j], pi_1 = pi[j + 1];
        gem_tv_lanes c_0, c_1, e_0, e_1;
        GEM_TV_EACH(i)
        {
            double sign = tv_sign(ratio_0[i] - ratio_1[i]);
            c_0[i] = sign * pi_1;
            c_1[i] = sign * -pi_0;
            e_0[i] = sign * p_1[i];
            e_1[i] = sign * -p_0[i];
        }
        for (size_t l = j + 2; l < k; l++) {
            const double *restrict ratio_l = ratio[l], *restrict p_l = p[l];
            const double pi_l = pi[l];
            double *restrict c_l = c[l], *restrict e_l = e[l];
            GEM_TV_EACH(i)
            {
                double sign_0 = tv_sign(ratio_0[i] - ratio_l[i]);
                double sign_1 = tv_sign(ratio_1[i] - ratio_l[i]);
                c_0[i] = GEM_MULADD(sign_0, pi_l, c_0[i]);
                c_1[i] = GEM_MULADD(sign_1, pi_l, c_1[i]);
                c_l[i] = GEM_MULADD(sign_1, -pi_1, GEM_MULADD(sign_0, -pi_0, c_l[i]));
                if (gradient) {
                    e_0[i] = GEM_MULADD(sign_0, p_l[i], e_0[i]);
                    e_1[i] = GEM_MULADD(sign_1, p_l[i], e_1[i]);
                    e_l[i] = GEM_MULADD(sign_1, -p_1[i],
                                        GEM_MULADD(sign_0, -p_0[i], e_l[i]));
                }
            }
        }
        GEM_TV_EACH(i)
        {
            c[j][i] += c_0[i];
            c[j + 1][i] += c_1[i];
            if (gradient) {
                e[j][i] += e_0[i];
                e[j + 1][i] += e_1[i];
            }
        }
    }
}

/* GEM_TV_LANES rows: sets their c, adds to value and slope. */
GEM_INLINE void tv_tile_by_pairs(const double *p, const double *restrict pi,
                                 const double *restrict inv_pi, size_t k, double *value,
                                 double *c, gem_tv_lanes *restrict slope,
                                 gem_tv_lanes *restrict scratch, int gradient)
{
    gem_tv_lanes *restrict lanes = scratch, *restrict ratio = scratch + k;
    gem_tv_lanes *restrict sum = scratch + 2 * k;
    for (size_t j = 0; j < k; j++) {
        const double inverse = inv_pi[j];
        GEM_TV_EACH(i)
        {
            lanes[j][i] = p[(size_t)i * k + j];
            ratio[j][i] = lanes[j][i] * inverse;
            sum[j][i] = 0.0;
        }
    }
    tv_lanes_by_pairs(lanes, ratio, pi, k, sum, slope, gradient);
    for (size_t j = 0; j < k; j++)
        GEM_TV_EACH(i)
        {
            value[i] = GEM_MULADD(lanes[j][i], sum[j][i], value[i]);
            c[(size_t)i * k + j] = sum[j][i];
        }
}

GEM_INLINE void tv_rows_by_pairs(const double *p, const double *pi, const double *inv_pi,
                                 size_t rows, size_t k, double *value, double *c,
                                 double *dpi, double *scratch, int gradient)
{
    const size_t whole = rows - rows % GEM_TV_LANES, rest = (rows - whole) * k;
    gem_tv_lanes *slope = (gem_tv_lanes *)(void *)scratch, *tile = slope + k;
    gem_tv_lanes values = {0.0};
    double *padded = tile[3 * k];
    memset(slope, 0, k * sizeof *slope);
    for (size_t row = 0; row < whole; row += GEM_TV_LANES)
        tv_tile_by_pairs(p + row * k, pi, inv_pi, k, values, c + row * k, slope, tile,
                         gradient);
    if (rest) {
        /* Rows of zeros are ties, which add nothing. */
        memset(padded, 0, GEM_TV_LANES * k * sizeof *padded);
        memcpy(padded, p + whole * k, rest * sizeof *padded);
        tv_tile_by_pairs(padded, pi, inv_pi, k, values, padded, slope, tile, gradient);
        memcpy(c + whole * k, padded, rest * sizeof *padded);
    }
    *value += (values[0] + values[1]) + (values[2] + values[3]);
    if (gradient)
        for (size_t j = 0; j < k; j++)
            dpi[j] -= (slope[j][0] + slope[j][1]) + (slope[j][2] + slope[j][3]);
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

/* One row, O(k log k). */
static void tv_row_by_sorting(const double *restrict p, const double *restrict pi,
                              const double *restrict inv_pi, size_t k,
                              double *value, double *restrict c, double *restrict dpi,
                              double *scratch)
{
    double *ratio = scratch;
    const size_t *order;
    double pi_below = 0.0, p_below = 0.0, pi_all = 0.0, p_all = 0.0;
    for (size_t j = 0; j < k; j++) {
        ratio[j] = p[j] * inv_pi[j];
        pi_all += pi[j];
        p_all += p[j];
    }
    order = sort_clusters((size_t *)(void *)(scratch + k), ratio, k);
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
    for (size_t j = 0; j < k; j++)
        *value = GEM_MULADD(p[j], c[j], *value);
}

/* Sets c of these rows, one after the other, adds to *value, and to the k sums of
 * dpi if there is to be a gradient. */
static void gem_tv_rows(const double *p, const double *pi, const double *inv_pi,
                        size_t rows, size_t k, double *value, double *c, double *dpi,
                        double *scratch, int gradient)
{
    if (k > GEM_TV_PAIRS)
        for (size_t at = 0; at < rows * k; at += k)
            tv_row_by_sorting(p + at, pi, inv_pi, k, value, c + at, dpi, scratch);
    else if (gradient)
        tv_rows_by_pairs(p, pi, inv_pi, rows, k, value, c, dpi, scratch, 1);
    else
        tv_rows_by_pairs(p, pi, inv_pi, rows, k, value, c, dpi, scratch, 0);
}

#endif
