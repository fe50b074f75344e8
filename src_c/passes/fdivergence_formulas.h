/* The row formulas: what one f-divergence GEMINI is. To add one, write its
 * formula here, give it a line in the table at the end and a name in
 * gem_fdiv_kind (fdivergence.h). Include from fdivergence.c only.
 *
 * A formula looks at a strip: the entries of some consecutive rows, one after
 * the other, p[at] beside the proportion pi[at] of its cluster. For each row it
 * adds f(P_i, pi) to `value`, at any entries. If a gradient is
 * wanted it sets direct[at] = df/dp there and adds df/dpi to dpi[at]. Without,
 * it may still use `direct` as scratch, but must not compute `value` otherwise.
 * p, pi and R = p / pi are positive. It knows nothing of weights, unless the table
 * says so: then what it adds to `value` and `dpi` is multiplied by those of its rows.
 */
#ifndef GEM_FDIVERGENCE_FORMULAS_H
#define GEM_FDIVERGENCE_FORMULAS_H

#include <math.h>

#include "fdivergence.h"
#include "tv_rows.h"
#include "vmath_lanes.h"

typedef struct {
    size_t k, size; /* columns, entries */
    const double *p, *pi, *inv_pi, *log_pi;
    double *value, *direct, *dpi;
    double *spare;         /* scratch: two strips */
    double *row;           /* scratch of tv_rows.h */
    const double *weights; /* one for each row, or NULL */
} gem_strip;

#define ENTRIES(strip)                                                                 \
    const size_t size = (strip)->size;                                                 \
    const double *restrict p = (strip)->p, *restrict pi = (strip)->pi;                 \
    const double *restrict inv_pi = (strip)->inv_pi;                                   \
    double *restrict value = (strip)->value, *restrict direct = (strip)->direct;       \
    double *restrict dpi = (strip)->dpi;                                               \
    (void)pi, (void)inv_pi, (void)direct, (void)dpi

#define EACH(at) GEM_SIMD for (size_t at = 0; at < size; at++)

/* Each entry becomes the sum of its row. */
static void sum_rows(double *terms, size_t size, size_t k)
{
    for (size_t row = 0; row < size; row += k) {
        double sum = 0.0;
        for (size_t j = 0; j < k; j++)
            sum += terms[row + j];
        for (size_t j = 0; j < k; j++)
            terms[row + j] = sum;
    }
}

/* sum p log R. What comes through pi, -mean R = -1, and the 1 of the direct
 * derivative log R + 1 cancel. */
static void kl_ova(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    const double *restrict log_pi = strip->log_pi;
    (void)gradient;
    EACH(at)
    {
        double log_r = gem_log_normal(p[at], 0.0) - log_pi[at];
        value[at] = GEM_MULADD(p[at], log_r, value[at]);
        direct[at] = log_r;
    }
}

/* sum (p - pi) log R. */
static void kl_ovo(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    const double *restrict log_pi = strip->log_pi;
    EACH(at)
    {
        double log_r = gem_log_normal(p[at], 0.0) - log_pi[at];
        value[at] = GEM_MULADD(p[at] - pi[at], log_r, value[at]);
        direct[at] = log_r;
    }
    if (gradient)
        EACH(at)
        {
            dpi[at] -= direct[at];
            direct[at] += (p[at] - pi[at]) / p[at];
        }
}

/* sum |p - pi|, with derivative 0 at ties. */
static void tv_ova(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    EACH(at) value[at] += fabs(p[at] - pi[at]);
    if (gradient)
        EACH(at)
        {
            double sign = (p[at] > pi[at] ? 1.0 : 0.0) - (p[at] < pi[at] ? 1.0 : 0.0);
            direct[at] = sign;
            dpi[at] -= sign;
        }
}

static void tv_ovo_prepare(const gem_strip *strip, double weight, double *dpi)
{
    gem_tv_prepare(strip->pi, weight, strip->k, dpi, strip->row);
}

static void tv_ovo_collect(const gem_strip *strip)
{
    gem_tv_collect(strip->k, strip->dpi, strip->row);
}

/* 1/2 sum_{j,l} |p_j pi_l - p_l pi_j|: tv_rows.h. */
static void tv_ovo(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    gem_tv_rows(p, strip->weights, pi, inv_pi, size / strip->k, strip->k, value, direct,
                dpi, strip->row, gradient);
}

/* S = sum sqrt(p pi). */
static void hellinger_ova(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    EACH(at)
    {
        direct[at] = sqrt(p[at] * pi[at]);
        value[at] += direct[at];
    }
    if (gradient)
        EACH(at)
        {
            double half = 0.5 * direct[at];
            dpi[at] += half * inv_pi[at];
            direct[at] = half / p[at];
        }
}

/* S^2. */
static void hellinger_ovo(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    double *restrict s = strip->spare;
    EACH(at) direct[at] = s[at] = sqrt(p[at] * pi[at]);
    sum_rows(s, size, strip->k);
    EACH(at) value[at] = GEM_MULADD(s[at], direct[at], value[at]);
    if (gradient)
        EACH(at)
        {
            double slope = s[at] * direct[at];
            dpi[at] = GEM_MULADD(slope, inv_pi[at], dpi[at]);
            direct[at] = slope / p[at];
        }
}

/* a = sum p R. */
static void chi2_ova(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    EACH(at) value[at] = GEM_MULADD(p[at], p[at] * inv_pi[at], value[at]);
    if (gradient)
        EACH(at)
        {
            double ratio = p[at] * inv_pi[at];
            direct[at] = 2.0 * ratio;
            dpi[at] -= ratio * ratio;
        }
}

/* a b with b = sum pi / R. */
static void chi2_ovo(const gem_strip *strip, int gradient)
{
    ENTRIES(strip);
    double *restrict a = strip->spare, *restrict b = strip->spare + size;
    double *restrict inverse = direct;
    EACH(at)
    {
        a[at] = p[at] * (p[at] * inv_pi[at]);
        inverse[at] = pi[at] / p[at];
        b[at] = pi[at] * inverse[at];
    }
    sum_rows(a, size, strip->k);
    EACH(at) value[at] = GEM_MULADD(a[at], b[at], value[at]);
    if (!gradient)
        return;
    sum_rows(b, size, strip->k);
    EACH(at)
    {
        double ratio = p[at] * inv_pi[at], q = inverse[at];
        dpi[at] += 2.0 * a[at] * q - b[at] * ratio * ratio;
        direct[at] = 2.0 * b[at] * ratio - a[at] * q * q;
    }
}

typedef struct {
    const char *name;
    void (*add)(const gem_strip *strip, int gradient);
    double offset, factor; /* value = offset + factor * mean f */
    int through_pi;        /* whether the formula adds to dpi */
    int weighs;            /* whether it multiplies what it adds by the weights */
    /* If not NULL: before all rows, may set the k sums of df/dpi over rows of this
     * weight; before these sums are taken, adds to dpi what the formula kept back. */
    void (*prepare)(const gem_strip *strip, double weight, double *dpi);
    void (*collect)(const gem_strip *strip);
} gem_formula;

static const gem_formula formulas[GEM_FDIV_COUNT] = {
    [GEM_FDIV_KL_OVA] = {"kl_ova", kl_ova, 0.0, 1.0, 0, 0, NULL, NULL},
    [GEM_FDIV_KL_OVO] = {"kl_ovo", kl_ovo, 0.0, 1.0, 1, 0, NULL, NULL},
    [GEM_FDIV_TV_OVA] = {"tv_ova", tv_ova, 0.0, 0.5, 1, 0, NULL, NULL},
    [GEM_FDIV_TV_OVO] = {"tv_ovo", tv_ovo, 0.0, 1.0, 1, 1, tv_ovo_prepare,
                         tv_ovo_collect},
    [GEM_FDIV_HELLINGER_OVA] = {"hellinger_ova", hellinger_ova, 1.0, -1.0, 1, 0, NULL,
                                NULL},
    [GEM_FDIV_HELLINGER_OVO] = {"hellinger_ovo", hellinger_ovo, 1.0, -1.0, 1, 0, NULL,
                                NULL},
    [GEM_FDIV_CHI2_OVA] = {"chi2_ova", chi2_ova, -0.5, 0.5, 1, 0, NULL, NULL},
    [GEM_FDIV_CHI2_OVO] = {"chi2_ovo", chi2_ovo, -0.5, 0.5, 1, 0, NULL, NULL},
};

#endif
