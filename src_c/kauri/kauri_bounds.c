/* Upper bounds on what switches and refurbishments of a leaf gain, for positive
 * semi-definite kernels: they say which leaves need no scan. */
#include "kauri_scan.h"

#include <math.h>

#include "kauri_bins.h"

/* Bounds are widened by their own rounding. */
#define WIDENING (1.0 + 1e-9)

void kauri_forget_bounds(kauri_state *s, kauri_leaf *leaf)
{
    double *reach = s->reach + (size_t)(leaf - s->leaves) * s->n_columns;

    leaf->bound = INFINITY;
    leaf->slack = 0.0;
    for (size_t f = 0; f < s->n_columns; f++)
        reach[f] = INFINITY;
}

/* With a side of weight n or less, a switch from k to p gains at most
 * sum over the leaf of max(0, alpha d_ik^2 - beta_p d_ip^2), and a refurbishment
 * release + scatter - sum of min over p of beta_p d_ip^2, where
 * alpha = n_k / (n_k - n) and beta_p = n_p / (n_p + n). */
static void bound_sorted_move(kauri_state *s, kauri_leaf *leaf)
{
    kauri_scan m = kauri_begin_scan(s, leaf);
    double n = m.n_leaf - kauri_least_side(s, leaf);
    double alpha = m.n_cluster / (m.n_cluster - n), nearest = 0.0, best = 0.0;
    double *restrict excess = s->prefix, *restrict beta = s->surplus;
    double *reach = s->reach + (size_t)(leaf - s->leaves) * s->n_columns;
    const double *restrict barrier = s->barrier;
    int32_t n_slots = s->n_slots;

    kauri_raise_barriers(s, leaf);
    for (int32_t c = 0; c < n_slots; c++) {
        excess[c] = 0.0;
        beta[c] = s->size[c] / (s->size[c] + n);
    }
    for (int32_t i = 0; i < leaf->size; i++) {
        const double *row =
            s->sorted.distance + ((size_t)leaf->start + (size_t)i) * (size_t)s->width;
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
    best = best * WIDENING + m.noise;
    leaf->bound = best < leaf->bound ? best : leaf->bound;
    for (size_t f = 0; f < s->n_columns; f++)
        reach[f] = fmin(reach[f], best - leaf->slack);
}

/* The same with E of a side at most that of the leaf, its scatter included. */
static void bound_binned_move(kauri_state *s, kauri_leaf *leaf)
{
    size_t rank = (size_t)s->data->rank;
    const double *mean = s->binned.means + (size_t)leaf->cluster * rank;
    double own = kauri_beyond(s, leaf, mean) + leaf->scatter;
    kauri_scan m = kauri_make_scan(s, leaf, own);
    double least = m.n_cluster - m.n_leaf + kauri_least_side(s, leaf);
    double most = m.release + leaf->scatter;

    if (!m.alone)
        most = fmax(most, own * (m.n_cluster / least));
    most = most * WIDENING + m.noise;
    leaf->bound = fmin(leaf->bound, most);
}

void kauri_bound_move(kauri_state *s, kauri_leaf *leaf)
{
    if (kauri_is_binned(s))
        bound_binned_move(s, leaf);
    else
        bound_sorted_move(s, leaf);
}

/* With alpha, beta and n as above and E of a side between 0 and the sum of its
 * distances: the first term of a switch rises by at most
 * alpha' rise + (alpha' - alpha) total, the second by fall + (beta - beta') total
 * for the n that makes it largest; the release is compared as it stands. */
void kauri_raise_bound(const kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                       kauri_change change)
{
    double before = s->measured[cluster], after = s->size[cluster];
    double n_leaf = leaf->weight, n = n_leaf - kauri_least_side(s, leaf);
    double more;

    if (!leaf->open)
        return;
    if (cluster == leaf->cluster) {
        double alpha = after / (after - n), growth = alpha - before / (before - n);
        double release = 0.0;
        more = alpha * change.rise + (growth > 0.0 ? growth * change.before : 0.0);
        if (after > n_leaf)
            release += (change.after - leaf->scatter) * (after / (after - n_leaf));
        if (before > n_leaf)
            release -= (change.before - leaf->scatter) * (before / (before - n_leaf));
        more = fmax(more, release);
    } else {
        double worst = fmin(n, sqrt(before * after));
        double growth = before / (before + worst) - after / (after + worst);
        more = change.fall + (growth > 0.0 ? growth * change.before : 0.0);
    }
    more *= WIDENING;
    leaf->slack += more;
    leaf->bound += more;
}
