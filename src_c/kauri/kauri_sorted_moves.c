/* Switches and refurbishments of a leaf by the walk over sorted samples: the scan,
 * and the filter that spares most cuts a look at each cluster. */
#include <math.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_scan.h"
#include "kauri_stocks.h"

/* More than any squared distance, with room for sums. */
#define HUGE_DISTANCE 1e290

/* The filter.
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
static void choose_lanes(kauri_state *s)
{
    double *smallest = s->sorted.smallest, least = INFINITY, most = 0.0, step;
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
        s->sorted.lane_of[c] = lane;
    }
}

/* A lane times its weight is what a side of weight n gains by leaving (lane 0) or
 * loses by joining (others). The weights are halved, see `filter`. */
static void weigh_lanes(const kauri_state *s, const kauri_scan *m, double n,
                        double weight[KAURI_LANES])
{
    const double *smallest = s->sorted.smallest;

    weight[0] = 0.5 * m->n_cluster / (m->n_cluster - n);
    for (int l = 1; l < KAURI_LANES; l++)
        weight[l] =
            0.5 * (smallest[l] < INFINITY ? smallest[l] / (smallest[l] + n) : 1.0);
}

/* Fill s->sorted.lanes for the samples of the leaf, and s->sorted.weights for
 * sides of each size if samples weigh one. Lanes without clusters cost more than
 * anything. */
static void fill_lanes(kauri_state *s, const kauri_scan *m, double sum[KAURI_LANES])
{
    const double *row = s->sorted.distance + (size_t)m->leaf->start * (size_t)s->width;
    double *lane = s->sorted.lanes, *weight = s->sorted.weights;

    choose_lanes(s);
    for (int l = 0; l < KAURI_LANES; l++)
        sum[l] = 0.0;
    for (int32_t i = 0; i < m->leaf->size; i++, row += s->width, lane += KAURI_LANES) {
        lane[1] = lane[2] = lane[3] = HUGE_DISTANCE;
        for (int32_t c = 0; c < s->n_slots; c++) {
            double *best = lane + s->sorted.lane_of[c];
            *best = row[c] < *best ? row[c] : *best;
        }
        lane[0] = row[m->cluster];
        for (int l = 0; l < KAURI_LANES; l++)
            sum[l] += lane[l];
    }
    for (double n = 0.0; n < m->n_leaf && !s->weight; n += 1.0, weight += KAURI_LANES)
        weigh_lanes(s, m, n, weight);
}

/* Bound on the gain of a cut, from the sums of the lanes over its left side. */
static double filter(const kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                     const double *restrict side, const double *restrict sum)
{
    const double *weight_a = s->sorted.weights + (size_t)c->n_left * KAURI_LANES;
    const double *weight_b =
        s->sorted.weights + (size_t)(m->leaf->size - c->n_left) * KAURI_LANES;
    double a[KAURI_LANES], b[KAURI_LANES], loss_a, loss_b;
    double own_a[KAURI_LANES], own_b[KAURI_LANES];

    if (s->weight) {
        weigh_lanes(s, m, c->n_a, own_a);
        weigh_lanes(s, m, c->n_b, own_b);
        weight_a = own_a;
        weight_b = own_b;
    }

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

/* Offer the cuts of a column that may gain more than `floor`; a bound on what
 * any of them gains. */
static double move_column(kauri_state *s, const kauri_scan *m, int32_t column,
                          double floor, const double *sum, kauri_split *best)
{
    size_t at = (size_t)column * s->n + (size_t)m->leaf->start;
    const int32_t *order = s->data->order + at;
    double side[KAURI_LANES] = {0.0}, reach = -INFINITY;
    int32_t passed = 0, summed = 0, n_slots = s->n_slots;
    int definite = kauri_is_definite(s);

    floor = fmax(floor, kauri_bar(best, m));
    memset(s->prefix, 0, (size_t)n_slots * sizeof *s->prefix);
    for (; s->sorted.cut[at] < m->leaf->size; at++) {
        kauri_cut c = kauri_make_cut(s, m, column, at);
        double most = INFINITY;

        if (definite) {
            for (; passed < c.n_left; passed++) {
                const double *lane =
                    s->sorted.lanes +
                    (size_t)(order[passed] - m->leaf->start) * KAURI_LANES;
#pragma omp simd
                for (int l = 0; l < KAURI_LANES; l++)
                    side[l] += lane[l];
            }
            most = filter(s, m, &c, side, sum);
        }
        if (most > floor) {
            double *restrict prefix = s->prefix;
            for (; summed < c.n_left; summed++) {
                const double *row =
                    s->sorted.distance + (size_t)order[summed] * (size_t)s->width;
                for (int32_t j = 0; j < n_slots; j++)
                    prefix[j] += row[j];
            }
            most = kauri_offer_moves(s, m, &c, floor, best);
            floor = fmax(floor, kauri_bar(best, m));
        } else {
            s->rest = most > s->rest ? most : s->rest;
        }
        reach = most > reach ? most : reach;
    }
    return reach;
}

gem_kauri_status kauri_scan_move(kauri_state *s, kauri_leaf *leaf, double floor)
{
    kauri_scan m;
    double sum[KAURI_LANES];
    gem_kauri_status status = GEM_KAURI_OK;

    kauri_clear_split(&leaf->move);
    kauri_raise_barriers(s, leaf);
    kauri_begin_bounds(s);
    if (kauri_is_binned(s))
        return kauri_scan_binned_moves(s, leaf, floor);
    m = kauri_begin_scan(s, leaf);
    floor -= m.noise;
    fill_lanes(s, &m, sum);
    for (int32_t f = 0; f < (int32_t)s->n_columns && !status; f++) {
        int scanned = kauri_promise(s, leaf, f) >= floor;
        double most = -INFINITY;
        if (scanned) {
            most = move_column(s, &m, f, floor, sum, &leaf->move);
            status = kauri_spend(s, (size_t)leaf->size * (size_t)s->n_slots);
        }
        kauri_note_column(s, &m, f, most, scanned);
    }
    kauri_settle_bounds(s, &m, leaf);
    return status;
}
