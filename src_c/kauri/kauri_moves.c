/* Switches and refurbishments: the scan of a leaf, and the filter that spares
 * most cuts a look at each cluster. */
#include <math.h>
#include <string.h>

#include "kauri_internal.h"

/* More than any squared distance, with room for sums. */
#define HUGE_DISTANCE 1e290

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

/* Offer what a cut allows, now that it is known to be worth the trouble; the
 * most that it gains. */
static double offer_moves(kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                          double leave_a, double leave_b, kauri_split *best)
{
    int32_t a[2], b[2];
    double loss_a[2], loss_b[2], switch_a, switch_b, both = -INFINITY;
    int i = 0, j = 0;

    for (int32_t k = 0; k < s->n_slots; k++)
        s->surplus[k] = s->total[k] - s->prefix[k];
    cheapest(s, s->prefix, c->within_a, c->n_a, a, loss_a);
    cheapest(s, s->surplus, c->within_b, c->n_b, b, loss_b);
    if (a[0] < 0)
        return both;
    switch_a = leave_a - loss_a[0];
    switch_b = leave_b - loss_b[0];
    kauri_offer(s, m, c, switch_b, GEM_KAURI_SWITCH, m->cluster, b[0], best);
    kauri_offer(s, m, c, switch_a, GEM_KAURI_SWITCH, a[0], m->cluster, best);
    if (a[0] == b[0]) { /* one side takes its second choice */
        if (loss_a[0] + loss_b[1] <= loss_a[1] + loss_b[0])
            j = 1;
        else
            i = 1;
    }
    if (a[i] >= 0 && b[j] >= 0) {
        both = m->release + c->between - loss_a[i] - loss_b[j];
        kauri_offer(s, m, c, both, GEM_KAURI_REFURBISH, a[i], b[j], best);
    }
    return fmax(both, fmax(switch_a, switch_b));
}

/* Least losses of the two sides of a cut over all clusters. */
static void least_losses(const kauri_state *s, const kauri_cut *c, double *a, double *b)
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

/* --- the filter -------------------------------------------------------------
 *
 * Most cuts are known to gain little without looking at each cluster. For a
 * group g of clusters, all of at least n_g samples, and a definite kernel,
 *
 *     n_p / (n_p + n_a) E_ap >= n_g / (n_g + n_a) (sum of min over g of d_ip^2
 *                                                  - scatter of the side)
 *
 * for each p of g. Lane 0 holds the distances to the cluster of the leaf, the
 * others those to the nearest cluster of three groups of like sizes: single
 * clusters as long as there are no more than three. */

/* Assign the clusters that can be joined to lanes; the smallest of each lane. */
static void choose_lanes(kauri_state *s, double smallest[KAURI_LANES])
{
    double least = INFINITY, most = 0.0, step;
    int32_t n_targets = 0;

    for (int32_t c = 0; c < s->n_slots; c++) {
        if (s->barrier[c] > 0.0)
            continue;
        n_targets++;
        least = fmin(least, s->size[c]);
        most = fmax(most, s->size[c]);
    }
    step = cbrt(most / least);
    for (int l = 0; l < KAURI_LANES; l++)
        smallest[l] = INFINITY;
    n_targets = n_targets < KAURI_LANES ? 0 : n_targets;
    for (int32_t c = 0, next = 1; c < s->n_slots; c++) {
        int32_t lane = 0;
        if (s->barrier[c] == 0.0) {
            if (n_targets == 0)
                lane = next++;
            else
                lane = 1 + (s->size[c] >= least * step) +
                       (s->size[c] >= least * step * step);
            smallest[lane] = fmin(smallest[lane], s->size[c]);
        }
        s->lane_of[c] = lane;
    }
}

/* Fill s->lanes for the samples of the leaf, and s->weights for sides of each
 * size: a lane times its weight is what the side gains by leaving (lane 0) or
 * loses by joining (others). Lanes without clusters cost more than anything. */
static void fill_lanes(kauri_state *s, const kauri_scan *m, double sum[KAURI_LANES])
{
    const double *row = s->distance + (size_t)m->leaf->start * (size_t)s->width;
    double smallest[KAURI_LANES], *lane = s->lanes, *weight = s->weights;

    choose_lanes(s, smallest);
    for (int l = 0; l < KAURI_LANES; l++)
        sum[l] = 0.0;
    for (int32_t i = 0; i < m->leaf->size; i++, row += s->width, lane += KAURI_LANES) {
        lane[1] = lane[2] = lane[3] = HUGE_DISTANCE;
        for (int32_t c = 0; c < s->n_slots; c++) {
            double *best = lane + s->lane_of[c];
            *best = row[c] < *best ? row[c] : *best;
        }
        lane[0] = row[m->cluster];
        for (int l = 0; l < KAURI_LANES; l++)
            sum[l] += lane[l];
    }
    for (double n = 0.0; n < m->n_leaf; n += 1.0, weight += KAURI_LANES) {
        weight[0] = 0.5 * m->n_cluster / (m->n_cluster - n);
        for (int l = 1; l < KAURI_LANES; l++)
            weight[l] =
                0.5 * (smallest[l] < INFINITY ? smallest[l] / (smallest[l] + n) : 1.0);
    }
}

/* Bound on the gain of a cut, from the sums of the lanes over its left side. */
static double filter(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                     const double *restrict side, const double *restrict sum)
{
    const double *restrict weight_a = s->weights + (size_t)c->n_left * KAURI_LANES;
    const double *restrict weight_b =
        s->weights + (size_t)(m->leaf->size - c->n_left) * KAURI_LANES;
    double a[KAURI_LANES], b[KAURI_LANES], loss_a, loss_b;

#pragma omp simd
    for (int l = 0; l < KAURI_LANES; l++) {
        double excess_a = side[l] - c->within_a;
        double excess_b = sum[l] - side[l] - c->within_b;
        /* The weights are halved: this is the positive part. */
        a[l] = (excess_a + fabs(excess_a)) * weight_a[l];
        b[l] = (excess_b + fabs(excess_b)) * weight_b[l];
    }
    loss_a = a[1] < a[2] ? a[1] : a[2];
    loss_b = b[1] < b[2] ? b[1] : b[2];
    loss_a = a[3] < loss_a ? a[3] : loss_a;
    loss_b = b[3] < loss_b ? b[3] : loss_b;
    a[0] -= loss_a;
    b[0] -= loss_b;
    a[0] = a[0] > b[0] ? a[0] : b[0];
    loss_a = m->release + c->between - loss_a - loss_b;
    return a[0] > loss_a ? a[0] : loss_a;
}

/* Offer the cuts of a feature that may gain more than `floor`; a bound on what
 * any of them gains. */
static double move_feature(kauri_state *s, const kauri_scan *m, int32_t f, double floor,
                           const double *sum, kauri_split *best)
{
    size_t at = (size_t)f * s->n + (size_t)m->leaf->start;
    const int32_t *order = s->data->order + at;
    double side[KAURI_LANES] = {0.0}, reach = -INFINITY;
    int32_t passed = 0, summed = 0, n_slots = s->n_slots, k = m->cluster;
    int definite = s->data->factor || s->data->definite;

    floor = fmax(floor, kauri_bar(best, m));
    memset(s->prefix, 0, (size_t)n_slots * sizeof *s->prefix);
    for (; s->cut[at] < m->leaf->size; at++) {
        kauri_cut c = kauri_make_cut(s, m, f, at);
        double most = INFINITY;

        if (definite) {
            for (; passed < c.n_left; passed++) {
                const double *lane =
                    s->lanes + (size_t)(order[passed] - m->leaf->start) * KAURI_LANES;
#pragma omp simd
                for (int l = 0; l < KAURI_LANES; l++)
                    side[l] += lane[l];
            }
            most = filter(s, m, &c, side, sum);
        }
        if (most > floor) {
            double leave_a, leave_b, loss_a, loss_b, *restrict prefix = s->prefix;
            for (; summed < c.n_left; summed++) {
                const double *row =
                    s->distance + (size_t)order[summed] * (size_t)s->width;
                for (int32_t j = 0; j < n_slots; j++)
                    prefix[j] += row[j];
            }
            leave_a =
                (prefix[k] - c.within_a) * (m->n_cluster / (m->n_cluster - c.n_a));
            leave_b = (s->total[k] - prefix[k] - c.within_b) *
                      (m->n_cluster / (m->n_cluster - c.n_b));
            least_losses(s, &c, &loss_a, &loss_b);
            most = fmax(m->release + c.between - loss_a - loss_b,
                        fmax(leave_a - loss_a, leave_b - loss_b));
            if (most > floor) {
                most = offer_moves(s, m, &c, leave_a, leave_b, best);
                floor = fmax(floor, kauri_bar(best, m));
            }
        }
        reach = most > reach ? most : reach;
    }
    return reach;
}

gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf, double floor)
{
    kauri_scan m = kauri_begin_scan(s, leaf);
    double *reach = s->reach + (size_t)(leaf - s->leaves) * s->d;
    double bound = -INFINITY, sum[KAURI_LANES];
    gem_kauri_status status = GEM_KAURI_OK;

    floor -= m.noise;
    kauri_clear_split(&leaf->move);
    kauri_raise_barriers(s, leaf);
    fill_lanes(s, &m, sum);
    for (int32_t f = 0; f < s->data->n_features && !status; f++) {
        if (reach[f] + leaf->slack >= floor) {
            double most = move_feature(s, &m, f, floor, sum, &leaf->move);
            reach[f] = most + m.noise - leaf->slack;
            status = kauri_spend(s, (size_t)leaf->size * (size_t)s->n_slots);
        }
        bound = fmax(bound, reach[f]);
    }
    leaf->bound = bound + leaf->slack;
    return status;
}
