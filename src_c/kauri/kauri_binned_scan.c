/* Gains of the cuts between bins. With S_a the sum of a side, centred in its leaf
 * L, n_a its weight and t_c = m_c - m_L,
 *
 *     E_ac = |S_a|^2 / n_a - 2 <S_a, t_c> + n_a |t_c|^2
 *     L falling in two = |S_a|^2 n_L / (n_a n_b). */
#include <math.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_scan.h"
#include "kauri_stocks.h"

static void find_mean(const kauri_state *s, const kauri_leaf *leaf, double *mean)
{
    const double *sums = kauri_leaf_sums(s, leaf) + s->binned.lead;
    for (size_t j = 0; j < (size_t)s->data->rank; j++)
        mean[j] = sums[j] / leaf->weight;
}

static const double *cluster_mean(const kauri_state *s, int32_t cluster)
{
    return s->binned.means + (size_t)cluster * (size_t)s->data->rank;
}

double kauri_beyond(const kauri_state *s, const kauri_leaf *leaf, const double *mean)
{
    const double *sums = kauri_leaf_sums(s, leaf) + s->binned.lead;
    double norm = 0.0;

    for (size_t j = 0; j < (size_t)s->data->rank; j++) {
        double gap = mean[j] - sums[j] / leaf->weight;
        norm += gap * gap;
    }
    return leaf->weight * norm;
}

/* E of a side changes with the mean of a cluster by no more than what E of the leaf
 * does, and twice the norm of the side's sum times the move. */
void kauri_measure_by_sums(kauri_state *s, int32_t cluster)
{
    size_t rank = (size_t)s->data->rank;
    double *mean = s->binned.means + (size_t)cluster * rank, *old = s->binned.centred;
    double moved = 0.0;

    memcpy(old, mean, rank * sizeof *old);
    memset(mean, 0, rank * sizeof *mean);
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const double *sums = kauri_leaf_sums(s, s->leaves + l) + s->binned.lead;
        for (size_t j = 0; j < rank && s->leaves[l].cluster == cluster; j++)
            mean[j] += sums[j];
    }
    for (size_t j = 0; j < rank; j++) {
        mean[j] /= s->size[cluster];
        moved += (mean[j] - old[j]) * (mean[j] - old[j]);
    }
    for (int32_t l = 0; l < s->n_leaves && s->measured[cluster] > 0.0; l++) {
        kauri_leaf *leaf = s->leaves + l;
        double before = kauri_beyond(s, leaf, old), after = kauri_beyond(s, leaf, mean);
        double any = 2.0 * leaf->spread * sqrt(moved);
        kauri_change change = {before + leaf->scatter, after + leaf->scatter,
                               fmax(0.0, after - before) + any,
                               fmax(0.0, before - after) + any};
        kauri_raise_bound(s, leaf, cluster, change);
    }
}

/* --- the walk --------------------------------------------------------------- */

typedef struct {
    const double *rows; /* of the bins of the feature */
    int32_t column, n_filled, passed;
    int twin;
    double least;   /* weight of a side */
    double squared; /* |S_a|^2 of the cut */
    double largest; /* of these so far */
} walk;

static walk start_walk(kauri_state *s, const kauri_leaf *leaf, const double *block,
                       int32_t column)
{
    const gem_kauri_bins *bins = s->data->bins;
    int32_t f = kauri_feature(s, column), first = bins->first[f];
    int32_t *filled = s->binned.filled;
    walk w = {block + (size_t)first * s->binned.width,
              column,
              kauri_fill(s, leaf, block, f),
              0,
              column >= s->data->n_features,
              kauri_least_allowed(s, leaf),
              0.0,
              0.0};

    memset(s->binned.side, 0, s->binned.width * sizeof *s->binned.side);
    if (w.twin) {
        int32_t missing = bins->first[f + 1] - first - 1;
        if (filled[w.n_filled - 1] == missing) {
            memmove(filled + 1, filled, (size_t)(w.n_filled - 1) * sizeof *filled);
            filled[0] = missing;
        } else {
            w.n_filled = 0; /* the feature itself has the same cuts */
        }
    }
    return w;
}

/* Centre the sums of the left side of a cut, whose squared norm is `squared`. */
static void centre_side(const kauri_state *s, const kauri_scan *m, walk *w,
                        kauri_cut *c)
{
    const double *restrict side = s->binned.side + s->binned.lead;
    const double *restrict mean = s->binned.mean;
    double *restrict centred = s->binned.centred, squared = 0.0;

#pragma omp simd reduction(+ : squared)
    for (size_t j = 0; j < (size_t)s->data->rank; j++) {
        double value = side[j] - c->n_a * mean[j];
        centred[j] = value;
        squared += value * value;
    }
    w->squared = squared;
    w->largest = squared > w->largest ? squared : w->largest;
    c->between = squared * (m->n_leaf / (c->n_a * c->n_b));
}

/* Go on to the next cut of the column that the rules allow; 0 if there is none. */
static int next_cut(kauri_state *s, const kauri_scan *m, walk *w, kauri_cut *c)
{
    const int32_t *filled = s->binned.filled;
    int32_t smallest = s->rules->min_samples_leaf;
    size_t width = s->binned.width;
    double *restrict side = s->binned.side;

    while (w->passed + 1 < w->n_filled) {
        const double *restrict row = w->rows + (size_t)filled[w->passed++] * width;
        for (size_t j = 0; j < width; j++)
            side[j] += row[j];
        c->n_left = (int32_t)side[0];
        c->n_a = side[s->binned.lead - 1];
        c->n_b = m->n_leaf - c->n_a;
        if (m->leaf->size - c->n_left < smallest)
            return 0;
        if (c->n_left < smallest || c->n_a < w->least || c->n_b < w->least ||
            (w->twin && w->passed == 1))
            continue;
        c->column = w->column;
        c->bin = filled[w->passed - 1];
        c->next_bin = filled[w->passed];
        c->within_a = c->within_b = 0.0;
        centre_side(s, m, w, c);
        return 1;
    }
    return 0;
}

static double dot(const double *restrict a, const double *restrict b, size_t n)
{
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++)
        sum += a[j] * b[j];
    return sum;
}

/* Start the scan of a leaf: its mean, its own cluster from there in s->binned.own,
 * and the squared norm of that. */
static kauri_scan begin_scan(kauri_state *s, const kauri_leaf *leaf, double *norm)
{
    const double *mean = cluster_mean(s, leaf->cluster);
    double *own = s->binned.own;
    size_t rank = (size_t)s->data->rank;

    find_mean(s, leaf, s->binned.mean);
    for (size_t j = 0; j < rank; j++)
        own[j] = mean[j] - s->binned.mean[j];
    *norm = dot(own, own, rank);
    return kauri_make_scan(s, leaf, leaf->weight * *norm + leaf->scatter);
}

/* E_ak and E_bk of a cut and the leaf's own cluster, `norm` away. */
static void leave_own(const kauri_state *s, const walk *w, const kauri_cut *c,
                      double norm, double *a, double *b)
{
    double cross = 2.0 * dot(s->binned.centred, s->binned.own, (size_t)s->data->rank);

    *a = fmax(0.0, w->squared / c->n_a - cross + c->n_a * norm);
    *b = fmax(0.0, w->squared / c->n_b + cross + c->n_b * norm);
}

/* List the features of the columns that may gain `floor` in s->binned.wanted; their
 * number. */
static int32_t want_columns(kauri_state *s, const kauri_leaf *leaf,
                            const unsigned char *promising)
{
    int32_t n = 0;

    for (int32_t c = 0; c < (int32_t)s->n_columns; c++) {
        int32_t f = kauri_feature(s, c), listed = 0;
        if (!promising[c] || !kauri_may_use(s, leaf, c))
            continue;
        /* Twins come last, when their features are listed in rising order. */
        for (int32_t i = 0; i < n && c >= s->data->n_features; i++)
            listed |= s->binned.wanted[i] == f;
        if (!listed)
            s->binned.wanted[n++] = f;
    }
    return n;
}

gem_kauri_status kauri_scan_binned_found(kauri_state *s, kauri_leaf *leaf)
{
    double norm, a, b;
    kauri_scan m = begin_scan(s, leaf, &norm);
    const double *block;
    int32_t n_wanted;
    gem_kauri_status status;

    memset(s->binned.promising, 1, s->n_columns);
    n_wanted = want_columns(s, leaf, s->binned.promising);
    status = kauri_open_block(s, leaf, n_wanted, &block);
    for (int32_t f = 0; f < (int32_t)s->n_columns && !status; f++) {
        walk w;
        kauri_cut c;
        if (!kauri_may_use(s, leaf, f))
            continue;
        w = start_walk(s, leaf, block, f);
        while (next_cut(s, &m, &w, &c)) {
            if (m.alone) {
                kauri_offer(s, &m, &c, c.between, GEM_KAURI_STAR, m.cluster,
                            KAURI_NEW_CLUSTER, &leaf->found);
            } else {
                leave_own(s, &w, &c, norm, &a, &b);
                kauri_offer_stars(s, &m, &c, a, b, leaf);
            }
        }
        status = kauri_spend(s, (size_t)w.n_filled * s->binned.width);
    }
    kauri_close_block(s, leaf, n_wanted);
    return status;
}

/* Prepare s->binned.targets, .norm and .beyond for a leaf. */
static void aim(kauri_state *s, const kauri_leaf *leaf)
{
    size_t rank = (size_t)s->data->rank, width = kauri_tiled((size_t)s->width);
    const double *mean = s->binned.mean;

    for (int32_t c = 0; c < s->n_slots; c++) {
        const double *target = cluster_mean(s, c);
        double norm = 0.0;
        for (size_t j = 0; j < rank; j++) {
            double gap = target[j] - mean[j];
            s->binned.targets[j * width + (size_t)c] = gap;
            norm += gap * gap;
        }
        s->binned.norm[c] = norm;
        s->binned.beyond[c] = leaf->weight * norm;
    }
}

/* Products of the sum of a side with the targets, tile by tile in registers. */
static void cross_targets(const kauri_state *s, double *restrict out)
{
    size_t rank = (size_t)s->data->rank, width = kauri_tiled((size_t)s->width);
    const double *restrict side = s->binned.centred;

    for (size_t k = 0; k < (size_t)s->n_slots; k += KAURI_TILE) {
        const double *restrict target = s->binned.targets + k;
        double sum[KAURI_TILE] = {0.0};
        for (size_t j = 0; j < rank; j++, target += width)
            for (int l = 0; l < KAURI_TILE; l++)
                sum[l] += side[j] * target[l];
        for (int l = 0; l < KAURI_TILE; l++)
            out[k + (size_t)l] = sum[l];
    }
}

/* Fill s->prefix with the E_ac of a cut, s->total with E_ac + E_bc. */
static void measure_sides(kauri_state *s, const walk *w, const kauri_cut *c)
{
    size_t n_slots = (size_t)s->n_slots;
    double *restrict prefix = s->prefix, *restrict total = s->total;
    const double *restrict norm = s->binned.norm, *restrict beyond = s->binned.beyond;
    double spread = w->squared / c->n_a;

    cross_targets(s, prefix);
    for (size_t k = 0; k < n_slots; k++) {
        double distance = spread - 2.0 * prefix[k] + c->n_a * norm[k];
        prefix[k] = distance > 0.0 ? distance : 0.0;
        total[k] = beyond[k] + c->between;
    }
}

/* The clusters that a leaf may join: the least distance of a mean to that of the
 * leaf, and the least size. */
typedef struct {
    double distance, size;
} target_bounds;

static target_bounds bound_targets(const kauri_state *s)
{
    target_bounds t = {INFINITY, INFINITY};

    for (int32_t c = 0; c < s->n_slots; c++) {
        if (s->barrier[c] > 0.0)
            continue;
        t.distance = fmin(t.distance, s->binned.norm[c]);
        t.size = fmin(t.size, s->size[c]);
    }
    t.distance = sqrt(t.distance) * (1.0 - 1e-9);
    return t;
}

/* Least loss of a side of weight n, whose mean is `off` that of the leaf: no target
 * is nearer to it than |m_c - m_L| - off. */
static double least_loss(const target_bounds *t, double n, double off)
{
    double gap = t->distance - off;
    return gap > 0.0 ? gap * gap * n * (t->size / (t->size + n)) : 0.0;
}

/* Bound on the gain of a cut without a look at each cluster. */
static double filter(const kauri_state *s, const kauri_scan *m, const walk *w,
                     const kauri_cut *c, double norm, const target_bounds *t)
{
    double off = sqrt(w->squared);
    double loss_a = least_loss(t, c->n_a, off / c->n_a);
    double loss_b = least_loss(t, c->n_b, off / c->n_b);
    double leave_a = c->between, leave_b = c->between, leave, both;

    if (!m->alone) {
        leave_own(s, w, c, norm, &leave_a, &leave_b);
        leave_a *= m->n_cluster / (m->n_cluster - c->n_a);
        leave_b *= m->n_cluster / (m->n_cluster - c->n_b);
    }
    leave_a -= loss_a;
    leave_b -= loss_b;
    leave = leave_a > leave_b ? leave_a : leave_b;
    both = m->release + c->between - loss_a - loss_b;
    return leave > both ? leave : both;
}

/* As move_column of the walk over sorted samples. */
static double move_column(kauri_state *s, const kauri_scan *m, walk *w, double floor,
                          double norm, const target_bounds *t, kauri_split *best)
{
    double reach = -INFINITY;
    kauri_cut c;

    floor = fmax(floor, kauri_bar(best, m));
    while (next_cut(s, m, w, &c)) {
        double most = filter(s, m, w, &c, norm, t);
        if (most > floor) {
            measure_sides(s, w, &c);
            most = kauri_offer_moves(s, m, &c, floor, best);
            floor = fmax(floor, kauri_bar(best, m));
        } else {
            s->rest = most > s->rest ? most : s->rest;
        }
        reach = most > reach ? most : reach;
    }
    return reach;
}

gem_kauri_status kauri_scan_binned_moves(kauri_state *s, kauri_leaf *leaf, double floor)
{
    double norm, largest = 0.0;
    kauri_scan m = begin_scan(s, leaf, &norm);
    target_bounds t;
    const double *block;
    int32_t n_wanted, n_scanned = 0;
    gem_kauri_status status;

    floor -= m.noise;
    aim(s, leaf);
    t = bound_targets(s);
    for (int32_t c = 0; c < (int32_t)s->n_columns; c++)
        s->binned.promising[c] = kauri_promise(s, leaf, c) >= floor;
    n_wanted = want_columns(s, leaf, s->binned.promising);
    status = kauri_open_block(s, leaf, n_wanted, &block);
    for (int32_t c = 0; c < (int32_t)s->n_columns && !status; c++) {
        int scanned = s->binned.promising[c];
        double most = -INFINITY;
        if (scanned && kauri_may_use(s, leaf, c)) {
            walk w = start_walk(s, leaf, block, c);
            most = move_column(s, &m, &w, floor, norm, &t, &leaf->move);
            largest = fmax(largest, w.largest);
            status = kauri_spend(s, (size_t)w.n_filled * (size_t)s->n_slots);
        }
        n_scanned += scanned;
        kauri_note_column(s, &m, c, most, scanned);
    }
    if (n_scanned == (int32_t)s->n_columns)
        leaf->spread = fmin(leaf->spread, sqrt(largest) * (1.0 + 1e-9));
    kauri_close_block(s, leaf, n_wanted);
    kauri_settle_bounds(s, &m, leaf);
    return status;
}
