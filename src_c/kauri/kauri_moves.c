/* Switches and refurbishments that a cut allows. */
#include <math.h>

#include "kauri_scan.h"

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

/* Losses of the two sides of a cut for all clusters, and the least of each. */
static void least_losses(kauri_state *s, const kauri_cut *c, double *a, double *b)
{
    const double *restrict total = s->total, *restrict prefix = s->prefix;
    const double *restrict size = s->size, *restrict barrier = s->barrier;
    double *restrict losses_a = s->loss_a, *restrict losses_b = s->loss_b;
    double least_a = INFINITY, least_b = INFINITY;
    double n_a = c->n_a, n_b = c->n_b, within_a = c->within_a, within_b = c->within_b;
    int32_t n_slots = s->n_slots;

#pragma omp simd reduction(min : least_a, least_b)
    for (int32_t k = 0; k < n_slots; k++) {
        double size_a = size[k] + n_a, size_b = size[k] + n_b;
        double share = size[k] / (size_a * size_b); /* one division for both */
        double loss_a = (prefix[k] - within_a) * share * size_b + barrier[k];
        double loss_b = (total[k] - prefix[k] - within_b) * share * size_a + barrier[k];
        losses_a[k] = loss_a;
        losses_b[k] = loss_b;
        least_a = loss_a < least_a ? loss_a : least_a;
        least_b = loss_b < least_b ? loss_b : least_b;
    }
    *a = least_a;
    *b = least_b;
}

/* Note what a cut gains by each cluster: `most_a` and `most_b`, less the loss of the
 * side that joins it. */
static void note_gains(kauri_state *s, double most_a, double most_b)
{
    double *restrict reached = s->reached;
    const double *restrict losses_a = s->loss_a, *restrict losses_b = s->loss_b;

    for (int32_t k = 0; k < s->n_slots; k++) {
        double gain_a = most_a - losses_a[k], gain_b = most_b - losses_b[k];
        double gain = gain_a > gain_b ? gain_a : gain_b;
        reached[k] = gain > reached[k] ? gain : reached[k];
    }
}

double kauri_offer_moves(kauri_state *s, const kauri_scan *m, const kauri_cut *c,
                         double floor, kauri_split *best)
{
    double prefix = s->prefix[m->cluster], total = s->total[m->cluster];
    double leave_a = (prefix - c->within_a) * (m->n_cluster / (m->n_cluster - c->n_a));
    double leave_b =
        (total - prefix - c->within_b) * (m->n_cluster / (m->n_cluster - c->n_b));
    double both = m->release + c->between, loss_a, loss_b, most;

    least_losses(s, c, &loss_a, &loss_b);
    most = fmax(both - loss_a - loss_b, fmax(leave_a - loss_a, leave_b - loss_b));
    /* It will be long before anybody asks for half of what is wanted now. */
    if (most > 0.5 * floor)
        note_gains(s, fmax(leave_a, both - loss_b), fmax(leave_b, both - loss_a));
    else
        s->rest = fmax(s->rest, most);
    return most > floor ? offer_moves(s, m, c, leave_a, leave_b, best) : most;
}
