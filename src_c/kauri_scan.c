/* The search of the Kauri tree: the best split of a leaf, and bounds that save
 * the search. The formulae are in kauri.h. */
#include <math.h>
#include <string.h>

#include "kauri_internal.h"

/* Gains and margins that differ by less, relatively, are ties. */
#define TIE 1e-9
/* Rounding of a gain relative to the sums that it is made from. */
#define ROUNDING 1e-12

/* The leaf being scanned, and what does not change from cut to cut. */
typedef struct {
    const kauri_leaf *leaf;
    int32_t cluster;
    double n_cluster, n_leaf;
    double release; /* gain of taking the whole leaf out of its cluster */
    double noise;   /* gains below are rounding */
} scan;

/* One cut: sizes and scatters of its sides a (left) and b (right). */
typedef struct {
    int32_t feature, n_left;
    double n_a, n_b, between, within_a, within_b;
} cut;

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
static scan begin_scan(const kauri_state *s, const kauri_leaf *leaf)
{
    scan m = {leaf, leaf->cluster, s->size[leaf->cluster], leaf->size, 0.0, 0.0};
    const double *row = s->distance + (size_t)leaf->start * (size_t)s->width;
    double own;

    memset(s->total, 0, (size_t)s->n_slots * sizeof *s->total);
    for (int32_t i = 0; i < leaf->size; i++, row += s->width)
        for (int32_t c = 0; c < s->n_slots; c++)
            s->total[c] += row[c];
    own = s->total[m.cluster];
    if (m.n_cluster > m.n_leaf)
        m.release = (own - leaf->scatter) * (m.n_cluster / (m.n_cluster - m.n_leaf));
    m.noise = ROUNDING * (fabs(leaf->scatter) + fabs(own)) +
              m.n_leaf * s->data->resolution;
    return m;
}

static cut make_cut(const kauri_state *s, const scan *m, int32_t feature, size_t at)
{
    cut c;
    c.feature = feature;
    c.n_left = s->cut[at];
    c.n_a = c.n_left;
    c.n_b = m->n_leaf - c.n_a;
    c.between = s->between[at];
    c.within_a = s->within_left[at];
    c.within_b = m->leaf->scatter - c.between - c.within_a;
    return c;
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

static double bar(const kauri_split *best, const scan *m)
{
    double level = best->top - kauri_tie(best->top) - m->noise;
    return level > m->noise ? level : m->noise;
}

/* Take a split into account. */
static void offer(const kauri_state *s, const scan *m, const cut *c, double gain,
                  gem_kauri_kind kind, int32_t left, int32_t right, kauri_split *best)
{
    const double *sorted = s->data->sorted + (size_t)c->feature * s->n +
                           (size_t)m->leaf->start + (size_t)c->n_left;
    kauri_split candidate = {gain, gain, 0.0, 0.0, c->feature, c->n_left,
                             left, right, kind};

    if (!(gain > bar(best, m)))
        return;
    candidate.threshold = middle(sorted[-1], sorted[0]);
    candidate.margin =
        (0.5 * sorted[0] - 0.5 * sorted[-1]) / s->range[c->feature];
    if (gain > best->top + kauri_tie(gain) + m->noise) {
        *best = candidate;
    } else {
        double top = gain > best->top ? gain : best->top;
        if (is_preferred(&candidate, best))
            *best = candidate;
        best->top = top;
    }
}

/* --- stars ---------------------------------------------------------------- */

/* Cuts of a leaf that is a cluster by itself: which side founds the new one
 * does not matter. */
static void found_alone(kauri_state *s, const scan *m, int32_t f, kauri_leaf *leaf)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;

    for (; s->cut[at] < leaf->size; at++) {
        if (s->between[at] > bar(&leaf->found, m)) {
            cut c = make_cut(s, m, f, at);
            offer(s, m, &c, c.between, GEM_KAURI_STAR, m->cluster,
                  KAURI_NEW_CLUSTER, &leaf->found);
        }
    }
}

static void found_among(kauri_state *s, const scan *m, int32_t f, kauri_leaf *leaf)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;
    const int32_t *order = s->data->order + at;
    const double *distance = s->distance + m->cluster;
    double total = s->total[m->cluster], prefix = 0.0;
    int32_t passed = 0;

    for (; s->cut[at] < leaf->size; at++) {
        cut c = make_cut(s, m, f, at);
        double a, b;

        for (; passed < c.n_left; passed++)
            prefix += distance[(size_t)order[passed] * (size_t)s->width];
        a = (prefix - c.within_a) * (m->n_cluster / (m->n_cluster - c.n_a));
        b = (total - prefix - c.within_b) * (m->n_cluster / (m->n_cluster - c.n_b));
        offer(s, m, &c, b, GEM_KAURI_STAR, m->cluster, KAURI_NEW_CLUSTER,
              &leaf->found);
        offer(s, m, &c, a, GEM_KAURI_STAR, KAURI_NEW_CLUSTER, m->cluster,
              &leaf->found);
        offer(s, m, &c, m->release + c.between, GEM_KAURI_DOUBLE_STAR,
              KAURI_NEW_CLUSTER, KAURI_NEW_CLUSTER, &leaf->pair);
    }
}

gem_kauri_status kauri_scan_found(kauri_state *s, kauri_leaf *leaf)
{
    scan m = begin_scan(s, leaf);
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

/* --- switches and refurbishments ------------------------------------------ */

/* Loss of J when a side of n samples joins cluster `target`. */
static double joining(const kauri_state *s, int32_t target, double surplus, double n)
{
    double size = s->size[target];
    return surplus * (size / (size + n)) + s->barrier[target];
}

/* The two clusters that a side joins at the least loss; -1 if there are none. */
static void cheapest(const kauri_state *s, const double *surplus_of, double within,
                     double n, int32_t target[2], double loss[2])
{
    target[0] = target[1] = -1;
    loss[0] = loss[1] = INFINITY;
    for (int32_t c = 0; c < s->n_slots; c++) {
        double l = joining(s, c, surplus_of[c] - within, n);
        if (l < loss[0] - kauri_tie(loss[0]) || (target[0] < 0 && l < INFINITY)) {
            loss[1] = loss[0];
            target[1] = target[0];
            loss[0] = l;
            target[0] = c;
        } else if (l < loss[1]) {
            loss[1] = l;
            target[1] = c;
        }
    }
}

/* Offer what a cut allows, now that it is known to be worth the trouble. */
static void offer_moves(kauri_state *s, const scan *m, const cut *c, double leave_a,
                        double leave_b, kauri_split *best)
{
    int32_t a[2], b[2];
    double loss_a[2], loss_b[2];
    int i = 0, j = 0;

    for (int32_t k = 0; k < s->n_slots; k++)
        s->surplus[k] = s->total[k] - s->prefix[k];
    cheapest(s, s->prefix, c->within_a, c->n_a, a, loss_a);
    cheapest(s, s->surplus, c->within_b, c->n_b, b, loss_b);
    if (a[0] < 0)
        return;
    offer(s, m, c, leave_b - loss_b[0], GEM_KAURI_SWITCH, m->cluster, b[0], best);
    offer(s, m, c, leave_a - loss_a[0], GEM_KAURI_SWITCH, a[0], m->cluster, best);
    if (a[0] == b[0]) { /* one side takes its second choice */
        if (loss_a[0] + loss_b[1] <= loss_a[1] + loss_b[0])
            j = 1;
        else
            i = 1;
    }
    if (a[i] >= 0 && b[j] >= 0)
        offer(s, m, c, m->release + c->between - loss_a[i] - loss_b[j],
              GEM_KAURI_REFURBISH, a[i], b[j], best);
}

/* Least losses of the two sides of a cut over all clusters. */
static void least_losses(const kauri_state *s, const cut *c, double *a, double *b)
{
    const double *restrict total = s->total, *restrict prefix = s->prefix;
    const double *restrict size = s->size, *restrict barrier = s->barrier;
    double least_a = INFINITY, least_b = INFINITY;
    double n_a = c->n_a, n_b = c->n_b, within_a = c->within_a, within_b = c->within_b;
    int32_t n_slots = s->n_slots;

#pragma omp simd reduction(min : least_a, least_b)
    for (int32_t k = 0; k < n_slots; k++) {
        double size_a = size[k] + n_a, size_b = size[k] + n_b;
        double share = size[k] / (size_a * size_b); /* one division for both */
        double loss_a = (prefix[k] - within_a) * share * size_b + barrier[k];
        double loss_b = (total[k] - prefix[k] - within_b) * share * size_a + barrier[k];
        least_a = loss_a < least_a ? loss_a : least_a;
        least_b = loss_b < least_b ? loss_b : least_b;
    }
    *a = least_a;
    *b = least_b;
}

static void move_feature(kauri_state *s, const scan *m, int32_t f, kauri_split *best)
{
    size_t at = (size_t)f * s->n + (size_t)m->leaf->start;
    const int32_t *order = s->data->order + at;
    double *restrict prefix = s->prefix;
    double level = bar(best, m);
    int32_t passed = 0, n_slots = s->n_slots, k = m->cluster;

    memset(prefix, 0, (size_t)n_slots * sizeof *prefix);
    for (; s->cut[at] < m->leaf->size; at++) {
        cut c = make_cut(s, m, f, at);
        double leave_a, leave_b, loss_a, loss_b;

        for (; passed < c.n_left; passed++) {
            const double *row =
                s->distance + (size_t)order[passed] * (size_t)s->width;
            for (int32_t j = 0; j < n_slots; j++)
                prefix[j] += row[j];
        }
        leave_a = (prefix[k] - c.within_a) * (m->n_cluster / (m->n_cluster - c.n_a));
        leave_b = (s->total[k] - prefix[k] - c.within_b) *
                  (m->n_cluster / (m->n_cluster - c.n_b));
        least_losses(s, &c, &loss_a, &loss_b);
        if (leave_a - loss_a > level || leave_b - loss_b > level ||
            m->release + c.between - loss_a - loss_b > level) {
            offer_moves(s, m, &c, leave_a, leave_b, best);
            level = bar(best, m);
        }
    }
}

/* Only clusters that are neither empty nor the leaf's own can be joined. */
static void raise_barriers(kauri_state *s, const kauri_leaf *leaf)
{
    for (int32_t c = 0; c < s->n_slots; c++)
        s->barrier[c] = c == leaf->cluster || s->size[c] == 0.0 ? INFINITY : 0.0;
}

gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf)
{
    scan m = begin_scan(s, leaf);
    gem_kauri_status status = GEM_KAURI_OK;

    kauri_clear_split(&leaf->move);
    raise_barriers(s, leaf);
    for (int32_t f = 0; f < s->data->n_features && !status; f++) {
        move_feature(s, &m, f, &leaf->move);
        status = kauri_spend(s, (size_t)leaf->size * (size_t)s->n_slots);
    }
    leaf->move_fresh = 1;
    leaf->bound = leaf->move.top;
    return status;
}

/* With n samples or fewer on a side, a switch from k to p gains at most
 * sum over the leaf of max(0, alpha d_ik^2 - beta_p d_ip^2), and a refurbishment
 * release + scatter - sum of min over p of beta_p d_ip^2, where
 * alpha = n_k / (n_k - n) and beta_p = n_p / (n_p + n). */
void kauri_bound_move(kauri_state *s, kauri_leaf *leaf)
{
    scan m = begin_scan(s, leaf);
    double n = m.n_leaf - s->rules->min_samples_leaf;
    double alpha = m.n_cluster / (m.n_cluster - n), nearest = 0.0, best = 0.0;
    double *restrict excess = s->prefix, *restrict beta = s->surplus;
    const double *restrict barrier = s->barrier;
    int32_t n_slots = s->n_slots;

    raise_barriers(s, leaf);
    for (int32_t c = 0; c < n_slots; c++) {
        excess[c] = 0.0;
        beta[c] = s->size[c] / (s->size[c] + n);
    }
    for (int32_t i = 0; i < leaf->size; i++) {
        const double *row =
            s->distance + ((size_t)leaf->start + (size_t)i) * (size_t)s->width;
        double own = alpha * row[m.cluster], least = INFINITY;
#pragma omp simd reduction(min : least)
        for (int32_t c = 0; c < n_slots; c++) {
            double other = beta[c] * row[c] + barrier[c];
            double gap = own - other;
            excess[c] += gap > 0.0 ? gap : 0.0;
            least = other < least ? other : least;
        }
        nearest += least;
    }
    for (int32_t c = 0; c < n_slots; c++)
        best = excess[c] > best ? excess[c] : best;
    if (m.release + leaf->scatter - nearest > best)
        best = m.release + leaf->scatter - nearest;
    leaf->bound = best * (1.0 + TIE) + m.noise;
    leaf->move_fresh = 0;
}
