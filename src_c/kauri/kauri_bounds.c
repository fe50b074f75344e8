/* Upper bounds on what switches and refurbishments of a leaf gain: they say which
 * leaves need no scan, for positive semi-definite kernels.
 *
 * hope[c]     a move that files a side under cluster c gains no more; one that files
 *             the sides under two others no more than the larger of two hopes;
 * bound       the largest hope, or more;
 * reach[f]    when the leaf was scanned, no move by column f gained more. Since then
 * slack       is what all clusters have added at most,
 * own_slack   what the leaf's own cluster has, and
 * news        is the largest hope of the other clusters that have changed. */
#include "kauri_scan.h"

#include <math.h>

#include "kauri_bins.h"

/* Bounds are widened by their own rounding. */
#define WIDENING (1.0 + 1e-9)

static double *leaf_reach(const kauri_state *s, const kauri_leaf *leaf)
{
    return s->reach + (size_t)(leaf - s->leaves) * s->n_columns;
}

void kauri_forget_bounds(kauri_state *s, kauri_leaf *leaf)
{
    double *reach = leaf_reach(s, leaf);

    leaf->bound = INFINITY;
    leaf->slack = leaf->own_slack = 0.0;
    leaf->news = -INFINITY;
    for (int32_t c = 0; c < s->width; c++)
        leaf->hope[c] = INFINITY;
    for (size_t f = 0; f < s->n_columns; f++)
        reach[f] = INFINITY;
}

void kauri_set_hope(kauri_state *s, int32_t cluster, double hope)
{
    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        if (!leaf->open || leaf->cluster == cluster)
            continue;
        leaf->hope[cluster] = hope;
        leaf->move_stale |= cluster == leaf->move.left || cluster == leaf->move.right;
        leaf->news = fmax(leaf->news, hope);
        leaf->bound = fmax(leaf->bound, hope);
    }
}

double kauri_promise(const kauri_state *s, const kauri_leaf *leaf, int32_t column)
{
    double reach = leaf_reach(s, leaf)[column];
    double changed = fmax(reach + leaf->own_slack, leaf->news);
    return fmin(reach + leaf->slack, changed);
}

int kauri_move_lasts(const kauri_leaf *leaf)
{
    double gain = leaf->move.gain;
    return leaf->move.kind && !leaf->move_stale && leaf->news < gain - kauri_tie(gain);
}

/* The largest hope of a leaf. */
static void renew_bound(const kauri_state *s, kauri_leaf *leaf)
{
    leaf->bound = -INFINITY;
    for (int32_t c = 0; c < s->n_slots; c++)
        if (s->barrier[c] == 0.0)
            leaf->bound = fmax(leaf->bound, leaf->hope[c]);
}

void kauri_begin_bounds(kauri_state *s)
{
    s->rest = -INFINITY;
    for (int32_t c = 0; c < s->n_slots; c++)
        s->reached[c] = -INFINITY;
}

void kauri_note_column(kauri_state *s, const kauri_scan *m, int32_t column, double most,
                       int scanned)
{
    double *reach = leaf_reach(s, m->leaf) + column;

    if (scanned) {
        *reach = most + m->noise;
    } else {
        *reach = kauri_promise(s, m->leaf, column);
        s->rest = fmax(s->rest, *reach);
    }
}

void kauri_settle_bounds(kauri_state *s, const kauri_scan *m, kauri_leaf *leaf)
{
    leaf->move_stale = 0;
    leaf->slack = leaf->own_slack = 0.0;
    leaf->news = -INFINITY;
    for (int32_t c = 0; c < s->n_slots; c++)
        leaf->hope[c] =
            fmin(leaf->hope[c], fmax(s->rest, s->reached[c]) * WIDENING + m->noise);
    renew_bound(s, leaf);
}

/* With a side of weight n or less, a switch from k to p gains at most
 * sum over the leaf of max(0, alpha d_ik^2 - beta_p d_ip^2), and a refurbishment
 * release + scatter - sum of min over p of beta_p d_ip^2, where
 * alpha = n_k / (n_k - n) and beta_p = n_p / (n_p + n). */
static void bound_sorted_move(kauri_state *s, kauri_leaf *leaf)
{
    kauri_scan m = kauri_begin_scan(s, leaf);
    double n = m.n_leaf - kauri_least_side(s, leaf);
    double alpha = m.n_cluster / (m.n_cluster - n), nearest = 0.0;
    double *restrict excess = s->prefix, *restrict beta = s->surplus;
    const double *restrict barrier = s->barrier;
    int32_t n_slots = s->n_slots;

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
    nearest = m.release + leaf->scatter - nearest;
    for (int32_t c = 0; c < n_slots; c++) {
        double most = fmax(excess[c], nearest) * WIDENING + m.noise;
        leaf->hope[c] = fmin(leaf->hope[c], most);
    }
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
    for (int32_t c = 0; c < s->n_slots; c++)
        leaf->hope[c] = fmin(leaf->hope[c], most);
}

void kauri_bound_move(kauri_state *s, kauri_leaf *leaf)
{
    kauri_raise_barriers(s, leaf);
    if (kauri_is_binned(s))
        bound_binned_move(s, leaf);
    else
        bound_sorted_move(s, leaf);
    renew_bound(s, leaf);
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
    leaf->move_stale |= cluster == leaf->cluster || cluster == leaf->move.left ||
                        cluster == leaf->move.right;
    if (cluster == leaf->cluster) {
        leaf->own_slack += more;
        leaf->news += more;
        leaf->bound += more;
        for (int32_t c = 0; c < s->n_slots; c++)
            leaf->hope[c] += more;
    } else {
        leaf->hope[cluster] += more;
        leaf->news = fmax(leaf->news, leaf->hope[cluster]);
        leaf->bound = fmax(leaf->bound, leaf->hope[cluster]);
    }
}
