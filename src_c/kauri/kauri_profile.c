/* The scatters of the sides of every cut of a leaf. */
#include "kauri_stocks.h"

#include <float.h>
#include <string.h>

static double weight_at(const kauri_state *s, size_t position)
{
    return s->weight ? s->weight[position] : 1.0;
}

/* Fill s->sorted.rows with the factor of the leaf, centred and weighted, and
 * s->sorted.value with its weighted squared norms. */
static void centre_factor(kauri_state *s, const kauri_leaf *leaf)
{
    size_t rank = (size_t)s->data->rank, size = (size_t)leaf->size;
    const double *factor = s->data->factor + (size_t)leaf->start * rank;
    double *mean = s->sorted.rows + size * rank; /* there is a row more than samples */

    memset(mean, 0, rank * sizeof *mean);
    for (size_t i = 0; i < size; i++) {
        double weight = weight_at(s, (size_t)leaf->start + i);
        for (size_t j = 0; j < rank; j++)
            mean[j] += weight * factor[i * rank + j];
    }
    for (size_t j = 0; j < rank; j++)
        mean[j] /= leaf->weight;
    for (size_t i = 0; i < size; i++) {
        double weight = weight_at(s, (size_t)leaf->start + i), norm = 0.0;
        for (size_t j = 0; j < rank; j++) {
            double value = factor[i * rank + j] - mean[j];
            s->sorted.rows[i * rank + j] = weight * value;
            norm += value * value;
        }
        s->sorted.value[i] = weight * norm;
    }
}

/* Fill s->index with the samples of the leaf, s->sorted.rows with the means of
 * their kernel rows over the leaf, and s->sorted.value with the centred diagonal,
 * weighted. */
static gem_kauri_status centre_kernel(kauri_state *s, const kauri_leaf *leaf)
{
    const double *kernel = s->data->kernel;
    double *means = s->sorted.rows, mean = 0.0;
    size_t start = (size_t)leaf->start, size = (size_t)leaf->size;

    for (size_t i = 0; i < size; i++)
        s->index[i] = s->sample[start + i];
    for (size_t i = 0; i < size; i++) {
        const double *row = kernel + (size_t)s->index[i] * s->n;
        double sum = 0.0;
        gem_kauri_status status = kauri_spend(s, size);

        if (status)
            return status;
        for (size_t j = 0; j < size; j++)
            sum += weight_at(s, start + j) * row[s->index[j]];
        means[i] = sum / leaf->weight;
        mean += weight_at(s, start + i) * means[i];
    }
    mean /= leaf->weight;
    /* Halved, so that the centred entry is K_ij - means[i] - means[j]. */
    for (size_t i = 0; i < size; i++) {
        double diagonal = kernel[(size_t)s->index[i] * (s->n + 1)];
        means[i] -= 0.5 * mean;
        s->sorted.value[i] = weight_at(s, start + i) * (diagonal - 2.0 * means[i]);
    }
    return GEM_KAURI_OK;
}

/* The cuts of one column while they are noted. */
typedef struct {
    int32_t *cut;
    double *cut_weight, *between, *within_left;
    const int32_t *order;
    const double *sorted;
    int32_t n_cuts;
    double weight; /* of the left side */
    double least;  /* weight of a side */
} segment;

static segment open_segment(const kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;
    segment g = {s->sorted.cut + at,
                 s->sorted.cut_weight ? s->sorted.cut_weight + at : NULL,
                 s->sorted.between + at,
                 s->sorted.within_left + at,
                 s->data->order + at,
                 s->data->sorted + at,
                 0,
                 0.0,
                 kauri_least_allowed(s, leaf)};
    return g;
}

/* Whether a side of n_left samples may be cut off. In a twin, missing values alone
 * on the left are left to the feature itself. */
static int is_cut(const kauri_state *s, const kauri_leaf *leaf, const segment *g,
                  int32_t n_left)
{
    int32_t smallest = s->rules->min_samples_leaf;
    double low = g->sorted[n_left - 1];

    return n_left >= smallest && leaf->size - n_left >= smallest &&
           low < g->sorted[n_left] && low >= (s->data->bins ? 0.0 : -DBL_MAX) &&
           g->weight >= g->least && leaf->weight - g->weight >= g->least;
}

/* Note a cut: `sigma` is the centred kernel's sum over the left side squared,
 * `norms` the sum of its diagonal there. The centred rows sum to zero over the
 * leaf, so the right side has the same sigma. */
static void note_cut(segment *g, const kauri_leaf *leaf, int32_t n_left, double sigma,
                     double norms)
{
    double a = g->weight, b = leaf->weight - g->weight;

    g->cut[g->n_cuts] = n_left;
    if (g->cut_weight)
        g->cut_weight[g->n_cuts] = a;
    g->between[g->n_cuts] = sigma * (leaf->weight / (a * b));
    g->within_left[g->n_cuts] = norms - sigma / a;
    g->n_cuts++;
}

static void profile_factor(kauri_state *s, const kauri_leaf *leaf, int32_t column)
{
    segment g = open_segment(s, leaf, column);
    size_t rank = (size_t)s->data->rank;
    double *side = s->sorted.rows + (size_t)leaf->size * rank;
    double norms = 0.0;

    memset(side, 0, rank * sizeof *side);
    for (int32_t j = 0; j < leaf->size - 1; j++) {
        size_t i = (size_t)(g.order[j] - leaf->start);
        const double *row = s->sorted.rows + i * rank;

        g.weight += weight_at(s, (size_t)g.order[j]);
        norms += s->sorted.value[i];
        for (size_t c = 0; c < rank; c++)
            side[c] += row[c];
        if (is_cut(s, leaf, &g, j + 1)) {
            double sigma = 0.0;
#pragma omp simd reduction(+ : sigma)
            for (size_t c = 0; c < rank; c++)
                sigma += side[c] * side[c];
            note_cut(&g, leaf, j + 1, sigma, norms);
        }
    }
    g.cut[g.n_cuts] = leaf->size;
}

/* Sum of weights[j] (row[ids[j]] - means[j]) over begin <= j < end. */
static double gather(const double *row, const int32_t *ids, const double *means,
                     const double *weights, int32_t begin, int32_t end)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int32_t j = begin;

    if (weights) {
        for (; j < end; j++)
            sum[0] += weights[j] * (row[ids[j]] - means[j]);
        return sum[0];
    }
    for (; j + 4 <= end; j += 4)
        for (int32_t c = 0; c < 4; c++)
            sum[c] += row[ids[j + c]] - means[j + c];
    for (; j < end; j++)
        sum[0] += row[ids[j]] - means[j];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Bring what belongs to the samples of the leaf into the order of a column. */
static void sort_leaf(kauri_state *s, const kauri_leaf *leaf, const segment *g)
{
    for (int32_t j = 0; j < leaf->size; j++) {
        int32_t i = g->order[j] - leaf->start;
        s->sorted.sorted_index[j] = s->index[i];
        s->sorted.sorted_means[j] = s->sorted.rows[i];
        if (s->weight)
            s->sorted.sorted_weight[j] = s->weight[g->order[j]];
    }
}

static gem_kauri_status profile_kernel(kauri_state *s, const kauri_leaf *leaf,
                                       int32_t column)
{
    segment g = open_segment(s, leaf, column);
    int32_t size = leaf->size;
    const int32_t *ids = s->sorted.sorted_index;
    const double *means = s->sorted.sorted_means, *weights = s->sorted.sorted_weight;
    double sigma = 0.0, norms = 0.0;

    sort_leaf(s, leaf, &g);
    for (int32_t j = 0; j < size - 1; j++) {
        const double *row = s->data->kernel + (size_t)ids[j] * s->n;
        double weight = weights ? weights[j] : 1.0;
        double own = row[ids[j]] - 2.0 * means[j];
        double others; /* the centred entries of the row over the left side */
        gem_kauri_status status;

        /* Centred rows sum to zero: take the shorter side. */
        if (2 * j < size)
            others = gather(row, ids, means, weights, 0, j) - g.weight * means[j];
        else
            others = -weight * own - gather(row, ids, means, weights, j + 1, size) +
                     (leaf->weight - g.weight - weight) * means[j];
        sigma += weight * (2.0 * others + weight * own);
        norms += weight * own;
        g.weight += weight;
        if (is_cut(s, leaf, &g, j + 1))
            note_cut(&g, leaf, j + 1, sigma, norms);
        status = kauri_spend(s, (size_t)(2 * j < size ? j : size - j));
        if (status)
            return status;
    }
    g.cut[g.n_cuts] = size;
    return GEM_KAURI_OK;
}

static gem_kauri_status profile_column(kauri_state *s, const kauri_leaf *leaf,
                                       int32_t column)
{
    if (!s->data->factor)
        return profile_kernel(s, leaf, column);
    profile_factor(s, leaf, column);
    return kauri_spend(s, (size_t)leaf->size * (size_t)s->data->rank);
}

gem_kauri_status kauri_profile_leaf(kauri_state *s, kauri_leaf *leaf)
{
    gem_kauri_status status = GEM_KAURI_OK;

    kauri_draw_features(s, leaf);
    if (kauri_is_binned(s))
        return status;
    if (s->data->factor)
        centre_factor(s, leaf);
    else
        status = centre_kernel(s, leaf);
    leaf->scatter = 0.0;
    for (int32_t i = 0; i < leaf->size; i++)
        leaf->scatter += s->sorted.value[i];
    for (int32_t c = 0; c < (int32_t)s->n_columns && !status; c++) {
        if (kauri_may_use(s, leaf, c))
            status = profile_column(s, leaf, c);
        else
            s->sorted.cut[(size_t)c * s->n + (size_t)leaf->start] = leaf->size;
    }
    return status;
}
