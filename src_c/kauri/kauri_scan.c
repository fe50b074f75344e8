/* The search of the Kauri tree: candidates, ties, and stars. The formulae are in
 * kauri.h. */
#include "kauri_scan.h"

#include <math.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_stocks.h"

/* Gains and margins that differ by less, relatively, are ties. */
#define TIE 1e-9
/* Rounding of a gain relative to the sums that it is made from. */
#define ROUNDING 1e-12

double kauri_tie(double gain)
{
    return TIE * fabs(gain);
}

void kauri_clear_split(kauri_split *split)
{
    memset(split, 0, sizeof *split);
    split->gain = split->top = -INFINITY;
}

kauri_scan kauri_make_scan(const kauri_state *s, const kauri_leaf *leaf, double own)
{
    kauri_scan m = {leaf,         leaf->cluster, 0,  s->size[leaf->cluster],
                    leaf->weight, 0.0,           0.0};

    m.alone = !(m.n_cluster > m.n_leaf * (1.0 + KAURI_WEIGHTLESS));
    if (m.alone)
        m.n_cluster = m.n_leaf;
    else
        m.release = (own - leaf->scatter) * (m.n_cluster / (m.n_cluster - m.n_leaf));
    m.noise =
        ROUNDING * (fabs(leaf->scatter) + fabs(own)) + m.n_leaf * s->data->resolution;
    return m;
}

kauri_scan kauri_begin_scan(const kauri_state *s, const kauri_leaf *leaf)
{
    const double *row = s->sorted.distance + (size_t)leaf->start * (size_t)s->width;

    memset(s->total, 0, (size_t)s->n_slots * sizeof *s->total);
    for (int32_t i = 0; i < leaf->size; i++, row += s->width)
        for (int32_t c = 0; c < s->n_slots; c++)
            s->total[c] += row[c];
    return kauri_make_scan(s, leaf, s->total[leaf->cluster]);
}

void kauri_raise_barriers(kauri_state *s, const kauri_leaf *leaf)
{
    for (int32_t c = 0; c < s->n_slots; c++)
        s->barrier[c] = c == leaf->cluster || s->size[c] == 0.0 ? INFINITY : 0.0;
}

/* The values on both sides of a cut; infinite next to missing values. */
static void find_gap(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                     double *low, double *high)
{
    const gem_kauri_bins *bins = s->data->bins;
    const double *sorted;
    int32_t left = c->bin, right = c->next_bin;

    if (!kauri_is_binned(s)) {
        sorted = s->data->sorted + (size_t)c->column * s->n + (size_t)m->leaf->start +
                 (size_t)c->n_left;
        *low = sorted[-1];
        *high = sorted[0];
        if (!bins)
            return;
        left = (int32_t)*low;
        right = (int32_t)*high;
    }
    *low = bins->high[bins->first[kauri_feature(s, c->column)] + left];
    *high = bins->low[bins->first[kauri_feature(s, c->column)] + right];
}

/* The middle of the gap between `low` and `high`, never `high` itself unless that
 * is infinite. */
static double middle(double low, double high)
{
    double m = 0.5 * low + 0.5 * high;
    return (m >= low && m < high) || high == INFINITY ? m : low;
}

/* Whether `a` is preferred to `b`, of the same gain. */
static int is_preferred(const kauri_split *a, const kauri_split *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (fabs(a->margin - b->margin) > TIE * b->margin)
        return a->margin > b->margin;
    if (a->threshold != b->threshold)
        return a->threshold < b->threshold;
    return a->column < b->column;
}

double kauri_bar(const kauri_split *best, const kauri_scan *m)
{
    double level = best->top - kauri_tie(best->top) - m->noise;
    return level > m->noise ? level : m->noise;
}

void kauri_offer(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                 double gain, gem_kauri_kind kind, int32_t left, int32_t right,
                 kauri_split *best)
{
    kauri_split candidate = {gain,      gain,   0.0,  0.0,   c->column,
                             c->n_left, c->bin, left, right, kind};
    double low, high;

    if (!(gain > kauri_bar(best, m)))
        return;
    find_gap(s, m, c, &low, &high);
    candidate.threshold = middle(low, high);
    if (isfinite(candidate.threshold))
        candidate.margin =
            (0.5 * high - 0.5 * low) / s->range[kauri_feature(s, c->column)];
    if (gain > best->top + kauri_tie(gain) + m->noise) {
        *best = candidate;
    } else {
        double top = gain > best->top ? gain : best->top;
        if (is_preferred(&candidate, best))
            *best = candidate;
        best->top = top;
    }
}

void kauri_offer_stars(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                       double excess_a, double excess_b, kauri_leaf *leaf)
{
    double a = excess_a * (m->n_cluster / (m->n_cluster - c->n_a));
    double b = excess_b * (m->n_cluster / (m->n_cluster - c->n_b));

    kauri_offer(s, m, c, b, GEM_KAURI_STAR, m->cluster, KAURI_NEW_CLUSTER,
                &leaf->found);
    kauri_offer(s, m, c, a, GEM_KAURI_STAR, KAURI_NEW_CLUSTER, m->cluster,
                &leaf->found);
    kauri_offer(s, m, c, m->release + c->between, GEM_KAURI_DOUBLE_STAR,
                KAURI_NEW_CLUSTER, KAURI_NEW_CLUSTER, &leaf->pair);
}

/* Cuts of a leaf that is a cluster by itself: which side founds the new one
 * does not matter. */
static void found_alone(kauri_state *s, const kauri_scan *m, int32_t column,
                        kauri_leaf *leaf)
{
    size_t at = (size_t)column * s->n + (size_t)leaf->start;

    for (; s->sorted.cut[at] < leaf->size; at++) {
        if (s->sorted.between[at] > kauri_bar(&leaf->found, m)) {
            kauri_cut c = kauri_make_cut(s, m, column, at);
            kauri_offer(s, m, &c, c.between, GEM_KAURI_STAR, m->cluster,
                        KAURI_NEW_CLUSTER, &leaf->found);
        }
    }
}

static void found_among(kauri_state *s, const kauri_scan *m, int32_t column,
                        kauri_leaf *leaf)
{
    size_t at = (size_t)column * s->n + (size_t)leaf->start;
    const int32_t *order = s->data->order + at;
    const double *distance = s->sorted.distance + m->cluster;
    double total = s->total[m->cluster], prefix = 0.0;
    int32_t passed = 0;

    for (; s->sorted.cut[at] < leaf->size; at++) {
        kauri_cut c = kauri_make_cut(s, m, column, at);

        for (; passed < c.n_left; passed++)
            prefix += distance[(size_t)order[passed] * (size_t)s->width];
        kauri_offer_stars(s, m, &c, prefix - c.within_a, total - prefix - c.within_b,
                          leaf);
    }
}

gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf)
{
    gem_kauri_status status = GEM_KAURI_OK;
    kauri_scan m;

    kauri_clear_split(&leaf->found);
    kauri_clear_split(&leaf->pair);
    leaf->found_fresh = 1;
    if (kauri_is_binned(s))
        return kauri_scan_binned_found(s, leaf);
    m = kauri_begin_scan(s, leaf);
    for (int32_t f = 0; f < (int32_t)s->n_columns && !status; f++) {
        if (m.alone)
            found_alone(s, &m, f, leaf);
        else
            found_among(s, &m, f, leaf);
        status = kauri_spend(s, (size_t)leaf->size);
    }
    return status;
}
