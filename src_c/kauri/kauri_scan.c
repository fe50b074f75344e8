/* The search of the Kauri tree: candidates, ties, and stars. The formulae are in
 * kauri.h. */
#include <math.h>
#include <string.h>

#include "kauri_internal.h"

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

/* Sum the distances of the samples of the leaf to each cluster in s->total. */
kauri_scan kauri_begin_scan(const kauri_state *s, const kauri_leaf *leaf)
{
    kauri_scan m = {leaf, leaf->cluster, s->size[leaf->cluster], leaf->size, 0.0, 0.0};
    const double *row = s->distance + (size_t)leaf->start * (size_t)s->width;
    double own;

    memset(s->total, 0, (size_t)s->n_slots * sizeof *s->total);
    for (int32_t i = 0; i < leaf->size; i++, row += s->width)
        for (int32_t c = 0; c < s->n_slots; c++)
            s->total[c] += row[c];
    own = s->total[m.cluster];
    if (m.n_cluster > m.n_leaf)
        m.release = (own - leaf->scatter) * (m.n_cluster / (m.n_cluster - m.n_leaf));
    m.noise =
        ROUNDING * (fabs(leaf->scatter) + fabs(own)) + m.n_leaf * s->data->resolution;
    return m;
}

/* Only clusters that are neither empty nor the leaf's own can be joined. */
void kauri_raise_barriers(kauri_state *s, const kauri_leaf *leaf)
{
    for (int32_t c = 0; c < s->n_slots; c++)
        s->barrier[c] = c == leaf->cluster || s->size[c] == 0.0 ? INFINITY : 0.0;
}

/* The middle of the gap between `low` and `high`, never `high` itself. */
static double middle(double low, double high)
{
    double m = 0.5 * low + 0.5 * high;
    return m >= low && m < high ? m : low;
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
    return a->feature < b->feature;
}

double kauri_bar(const kauri_split *best, const kauri_scan *m)
{
    double level = best->top - kauri_tie(best->top) - m->noise;
    return level > m->noise ? level : m->noise;
}

/* Take a split into account. */
void kauri_offer(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                 double gain, gem_kauri_kind kind, int32_t left, int32_t right,
                 kauri_split *best)
{
    const double *sorted = s->data->sorted + (size_t)c->feature * s->n +
                           (size_t)m->leaf->start + (size_t)c->n_left;
    kauri_split candidate = {gain,      gain, 0.0,   0.0, c->feature,
                             c->n_left, left, right, kind};

    if (!(gain > kauri_bar(best, m)))
        return;
    candidate.threshold = middle(sorted[-1], sorted[0]);
    candidate.margin = (0.5 * sorted[0] - 0.5 * sorted[-1]) / s->range[c->feature];
    if (gain > best->top + kauri_tie(gain) + m->noise) {
        *best = candidate;
    } else {
        double top = gain > best->top ? gain : best->top;
        if (is_preferred(&candidate, best))
            *best = candidate;
        best->top = top;
    }
}

/* Cuts of a leaf that is a cluster by itself: which side founds the new one
 * does not matter. */
static void found_alone(kauri_state *s, const kauri_scan *m, int32_t f,
                        kauri_leaf *leaf)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;

    for (; s->cut[at] < leaf->size; at++) {
        if (s->between[at] > kauri_bar(&leaf->found, m)) {
            kauri_cut c = kauri_make_cut(s, m, f, at);
            kauri_offer(s, m, &c, c.between, GEM_KAURI_STAR, m->cluster,
                        KAURI_NEW_CLUSTER, &leaf->found);
        }
    }
}

static void found_among(kauri_state *s, const kauri_scan *m, int32_t f,
                        kauri_leaf *leaf)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;
    const int32_t *order = s->data->order + at;
    const double *distance = s->distance + m->cluster;
    double total = s->total[m->cluster], prefix = 0.0;
    int32_t passed = 0;

    for (; s->cut[at] < leaf->size; at++) {
        kauri_cut c = kauri_make_cut(s, m, f, at);
        double a, b;

        for (; passed < c.n_left; passed++)
            prefix += distance[(size_t)order[passed] * (size_t)s->width];
        a = (prefix - c.within_a) * (m->n_cluster / (m->n_cluster - c.n_a));
        b = (total - prefix - c.within_b) * (m->n_cluster / (m->n_cluster - c.n_b));
        kauri_offer(s, m, &c, b, GEM_KAURI_STAR, m->cluster, KAURI_NEW_CLUSTER,
                    &leaf->found);
        kauri_offer(s, m, &c, a, GEM_KAURI_STAR, KAURI_NEW_CLUSTER, m->cluster,
                    &leaf->found);
        kauri_offer(s, m, &c, m->release + c.between, GEM_KAURI_DOUBLE_STAR,
                    KAURI_NEW_CLUSTER, KAURI_NEW_CLUSTER, &leaf->pair);
    }
}

gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf)
{
    kauri_scan m = kauri_begin_scan(s, leaf);
    gem_kauri_status status = GEM_KAURI_OK;

    kauri_clear_split(&leaf->found);
    kauri_clear_split(&leaf->pair);
    for (int32_t f = 0; f < s->data->n_features && !status; f++) {
        if (m.n_leaf == m.n_cluster)
            found_alone(s, &m, f, leaf);
        else
            found_among(s, &m, f, leaf);
        status = kauri_spend(s, (size_t)leaf->size);
    }
    leaf->found_fresh = 1;
    return status;
}
