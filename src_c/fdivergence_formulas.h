/* The row formulas: what one f-divergence GEMINI is. To add one, write its
 * formula here, give it a line in the table at the end and a name in
 * gem_fdiv_kind (fdivergence.h). Include from fdivergence.c only.
 *
 * A formula looks at GEM_LANES rows of P at once. It sets
 *
 *     value[i]     = f(P_i, pi)                  without the constants of the table
 *     direct[j][i] = df / dp_j                   if a gradient is wanted
 *     dpi[j][i]   += df / dpi_j                  if a gradient is wanted
 *
 * and may use `direct` and `spare` as scratch. p, pi and R = p / pi are positive.
 */
#ifndef GEM_FDIVERGENCE_FORMULAS_H
#define GEM_FDIVERGENCE_FORMULAS_H

#include <math.h>

#include "fdivergence.h"
#include "tile.h"
#include "vmath_lanes.h"

typedef struct {
    size_t k;
    const double *restrict pi, *restrict inv_pi, *restrict log_pi;
    const gem_lanes *restrict p;
    double *restrict value;
    gem_lanes *restrict direct, *restrict dpi;
    double *restrict spare; /* scratch: one tile */
    size_t *restrict order; /* scratch: 2 k indices */
} gem_rows;

/* What all formulas begin with: the columns of row block `r`, and the lanes. */
#define EACH_CLUSTER(r, j) for (size_t j = 0; j < (r)->k; j++)
#define CLUSTER(r, j)                                                              \
    const double pi = (r)->pi[j], inv_pi = (r)->inv_pi[j];                         \
    const double *restrict p = (r)->p[j];                                          \
    double *restrict direct = (r)->direct[j], *restrict dpi = (r)->dpi[j];         \
    (void)pi, (void)inv_pi, (void)p, (void)direct, (void)dpi

/* sum_j p log R; the derivative of p log p and what comes through pi cancel up
 * to log R, because both have mean 1. Leaves log R in `direct`. */
static void kl_ova(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    (void)gradient;
    GEM_FOR_LANES(i) value[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        const double log_pi = r->log_pi[j];
        GEM_FOR_LANES(i)
        {
            double log_r = gem_log_normal(p[i], 0.0) - log_pi;
            value[i] = GEM_MULADD(p[i], log_r, value[i]);
            direct[i] = log_r;
        }
    }
}

/* sum_j (p - pi) log R. */
static void kl_ovo(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    GEM_FOR_LANES(i) value[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        const double log_pi = r->log_pi[j];
        GEM_FOR_LANES(i)
        {
            double log_r = gem_log_normal(p[i], 0.0) - log_pi;
            value[i] = GEM_MULADD(p[i] - pi, log_r, value[i]);
            direct[i] = log_r;
        }
        if (gradient)
            GEM_FOR_LANES(i)
            {
                dpi[i] -= direct[i];
                direct[i] += (p[i] - pi) / p[i];
            }
    }
}

/* sum_j |p - pi|; the derivative is 0 at ties. */
static void tv_ova(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    GEM_FOR_LANES(i) value[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i) value[i] += fabs(p[i] - pi);
        if (gradient)
            GEM_FOR_LANES(i)
            {
                double sign = (p[i] > pi ? 1.0 : 0.0) - (p[i] < pi ? 1.0 : 0.0);
                direct[i] = sign;
                dpi[i] -= sign;
            }
    }
}

/* Fills order[0 .. k-1] with the clusters in increasing order of key; a merge
 * sort, bottom up, with order[k .. 2k-1] as its second buffer. */
static void sort_clusters(size_t *order, const double *key, size_t k)
{
    size_t *from = order, *to = order + k;
    for (size_t j = 0; j < k; j++)
        from[j] = j;
    for (size_t width = 1; width < k; width *= 2) {
        for (size_t low = 0; low < k; low += 2 * width) {
            size_t middle = low + width < k ? low + width : k;
            size_t high = middle + width < k ? middle + width : k;
            size_t a = low, b = middle;
            for (size_t out = low; out < high; out++) {
                int left = a < middle && (b == high || key[from[a]] <= key[from[b]]);
                to[out] = left ? from[a++] : from[b++];
            }
        }
        size_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != order)
        for (size_t j = 0; j < k; j++)
            order[j] = from[j];
}

/* 1/2 sum_{j,l} |p_j pi_l - p_l pi_j| = sum_j p_j c_j, where c_j is the pi of the
 * clusters with R below R_j less that of those above; clusters at a tie take no
 * part in each other's c, which is one of the subgradients there. */
static void tv_ovo(const gem_rows *r, int gradient)
{
    const size_t k = r->k;
    double *restrict key = r->spare;
    for (int i = 0; i < GEM_LANES; i++) {
        double value = 0.0, pi_below = 0.0, p_below = 0.0, pi_all = 0.0, p_all = 0.0;
        EACH_CLUSTER(r, j)
        {
            key[j] = r->p[j][i] * r->inv_pi[j];
            pi_all += r->pi[j];
            p_all += r->p[j][i];
        }
        sort_clusters(r->order, key, k);
        for (size_t first = 0, last; first < k; first = last) {
            double pi_here = 0.0, p_here = 0.0;
            for (last = first; last < k && key[r->order[last]] == key[r->order[first]];
                 last++) {
                pi_here += r->pi[r->order[last]];
                p_here += r->p[r->order[last]][i];
            }
            double c = pi_below - (pi_all - pi_below - pi_here);
            value += p_here * c;
            if (gradient)
                for (size_t at = first; at < last; at++) {
                    size_t j = r->order[at];
                    r->direct[j][i] = c;
                    r->dpi[j][i] += (p_all - p_below - p_here) - p_below;
                }
            pi_below += pi_here;
            p_below += p_here;
        }
        r->value[i] = value;
    }
}

/* S = sum_j sqrt(p pi). */
static void hellinger_ova(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    GEM_FOR_LANES(i) value[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i)
        {
            direct[i] = sqrt(p[i] * pi);
            value[i] += direct[i];
        }
        if (gradient)
            GEM_FOR_LANES(i)
            {
                dpi[i] += 0.5 * direct[i] * inv_pi;
                direct[i] = 0.5 * direct[i] / p[i];
            }
    }
}

/* S^2. */
static void hellinger_ovo(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    gem_lanes s;
    GEM_FOR_LANES(i) s[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i)
        {
            direct[i] = sqrt(p[i] * pi);
            s[i] += direct[i];
        }
    }
    GEM_FOR_LANES(i) value[i] = s[i] * s[i];
    if (!gradient)
        return;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i)
        {
            double slope = s[i] * direct[i];
            dpi[i] += slope * inv_pi;
            direct[i] = slope / p[i];
        }
    }
}

/* a = sum_j p R. */
static void chi2_ova(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    GEM_FOR_LANES(i) value[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i) value[i] = GEM_MULADD(p[i], p[i] * inv_pi, value[i]);
        if (gradient)
            GEM_FOR_LANES(i)
            {
                double ratio = p[i] * inv_pi;
                direct[i] = 2.0 * ratio;
                dpi[i] -= ratio * ratio;
            }
    }
}

/* a b with b = sum_j pi / R. Keeps 1 / R in `direct`. */
static void chi2_ovo(const gem_rows *r, int gradient)
{
    double *restrict value = r->value;
    gem_lanes a, b;
    GEM_FOR_LANES(i) a[i] = b[i] = 0.0;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i)
        {
            direct[i] = pi / p[i];
            a[i] = GEM_MULADD(p[i], p[i] * inv_pi, a[i]);
            b[i] = GEM_MULADD(pi, direct[i], b[i]);
        }
    }
    GEM_FOR_LANES(i) value[i] = a[i] * b[i];
    if (!gradient)
        return;
    EACH_CLUSTER(r, j)
    {
        CLUSTER(r, j);
        GEM_FOR_LANES(i)
        {
            double ratio = p[i] * inv_pi, inverse = direct[i];
            direct[i] = 2.0 * b[i] * ratio - a[i] * inverse * inverse;
            dpi[i] += 2.0 * a[i] * inverse - b[i] * ratio * ratio;
        }
    }
}

typedef struct {
    const char *name;
    void (*rows)(const gem_rows *rows, int gradient);
    double offset, factor; /* value = offset + factor * mean f */
    int through_pi;        /* whether the formula adds to dpi */
} gem_formula;

static const gem_formula formulas[GEM_FDIV_COUNT] = {
    [GEM_FDIV_KL_OVA] = {"kl_ova", kl_ova, 0.0, 1.0, 0},
    [GEM_FDIV_KL_OVO] = {"kl_ovo", kl_ovo, 0.0, 1.0, 1},
    [GEM_FDIV_TV_OVA] = {"tv_ova", tv_ova, 0.0, 0.5, 1},
    [GEM_FDIV_TV_OVO] = {"tv_ovo", tv_ovo, 0.0, 1.0, 1},
    [GEM_FDIV_HELLINGER_OVA] = {"hellinger_ova", hellinger_ova, 1.0, -1.0, 1},
    [GEM_FDIV_HELLINGER_OVO] = {"hellinger_ovo", hellinger_ovo, 1.0, -1.0, 1},
    [GEM_FDIV_CHI2_OVA] = {"chi2_ova", chi2_ova, -0.5, 0.5, 1},
    [GEM_FDIV_CHI2_OVO] = {"chi2_ovo", chi2_ovo, -0.5, 0.5, 1},
};

#endif
