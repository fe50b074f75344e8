/* Upper bounds on what switches and refurbishments of a leaf gain, for positive
 * semi-definite kernels: they say which leaves need no scan. */
#include <math.h>

#include "kauri_internal.h"

/* Bounds are widened by their own rounding. */
#define WIDENING (1.0 + 1e-9)

void kauri_forget_bounds(kauri_state *s, kauri_leaf *leaf)
{
    double *reach = s->reach + (size_t)(leaf - s->leaves) * s->d;

    leaf->bound = INFINITY;
    leaf->slack = 0.0;
    for (size_t f = 0; f < s->d; f++)
        reach[f] = INFINITY;
}

/* With n samples or fewer on a side, a switch from k to p gains at most
 * sum over the leaf of max(0, alpha d_ik^2 - beta_p d_ip^2), and a refurbishment
 * release + scatter - sum of min over p of beta_p d_ip^2, where
 * alpha = n_k / (n_k - n) and beta_p = n_p / (n_p + n). */
void kauri_bound_move(kauri_state *s, kauri_leaf *leaf)
{
    kauri_scan m = kauri_begin_scan(s, leaf);
    double n = m.n_leaf - s->rules->min_samples_leaf;
    double alpha = m.n_cluster / (m.n_cluster - n), nearest = 0.0, best = 0.0;
    double *restrict excess = s->prefix, *restrict beta = s->surplus;
    double *reach = s->reach + (size_t)(leaf - s->leaves) * s->d;
    const double *restrict barrier = s->barrier;
    int32_t n_slots = s->n_slots;

    kauri_raise_barriers(s, leaf);
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
    best = best * WIDENING + m.noise;
    leaf->bound = best < leaf->bound ? best : leaf->bound;
    for (size_t f = 0; f < s->d; f++)
        reach[f] = fmin(reach[f], best - leaf->slack);
}

/* With alpha, beta and n as above and E of a side between 0 and the sum of its
 * distances: the first term of a switch rises by at most
 * alpha' rise + (alpha' - alpha) total, the second by fall + (beta - beta') total
 * for the n that makes it largest; the release is compared as it stands. */
void kauri_raise_bound(const kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                       double total, double rise, double fall)
{
    double before = s->measured[cluster], after = s->size[cluster];
    double n_leaf = leaf->size, n = n_leaf - s->rules->min_samples_leaf;
    double more;

    if (!leaf->open)
        return;
    if (cluster == leaf->cluster) {
        double alpha = after / (after - n), growth = alpha - before / (before - n);
        double release = 0.0;
        more = alpha * rise + (growth > 0.0 ? growth * total : 0.0);
        if (after > n_leaf)
            release +=
                (total + rise - fall - leaf->scatter) * (after / (after - n_leaf));
        if (before > n_leaf)
            release -= (total - leaf->scatter) * (before / (before - n_leaf));
        more = fmax(more, release);
    } else {
        double worst = fmin(n, sqrt(before * after));
        double growth = before / (before + worst) - after / (after + worst);
        more = fall + (growth > 0.0 ? growth * total : 0.0);
    }
    more *= WIDENING;
    leaf->slack += more;
    leaf->bound += more;
}
