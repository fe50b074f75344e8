/* The stocks of the Kauri tree that read the kernel: scatters of the sides of
 * every cut of a leaf, and distances of samples to clusters. */
#include <math.h>
#include <string.h>

#include "kauri_internal.h"

static uint32_t draw_below(kauri_state *s, uint32_t n)
{
    /* splitmix64 */
    uint64_t z = (s->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (uint32_t)(((z >> 32) * n) >> 32);
}

/* Move the features that the leaf may use to the front of s->pool; their
 * number. Features that are constant in the leaf are never among them. */
static int32_t draw_features(kauri_state *s, const kauri_leaf *leaf)
{
    int32_t n_features = s->data->n_features;
    int32_t wanted = s->rules->max_features;
    int32_t found = 0;
    int draws = wanted < n_features;

    for (int32_t f = 0; f < n_features && !draws; f++)
        s->pool[f] = f;
    for (int32_t i = 0; i < n_features && found < wanted; i++) {
        int32_t j = draws ? i + (int32_t)draw_below(s, (uint32_t)(n_features - i)) : i;
        int32_t f = s->pool[j];
        const double *sorted = s->data->sorted + (size_t)f * s->n + leaf->start;

        s->pool[j] = s->pool[i];
        s->pool[i] = f;
        if (sorted[0] < sorted[leaf->size - 1]) {
            s->pool[i] = s->pool[found];
            s->pool[found++] = f;
        }
    }
    return found;
}

/* Fill s->rows with the factor of the leaf, centred, and s->value with its
 * squared norms. */
static void centre_factor(kauri_state *s, const kauri_leaf *leaf)
{
    size_t rank = (size_t)s->data->rank, size = (size_t)leaf->size;
    const double *factor = s->data->factor + (size_t)leaf->start * rank;
    double *mean = s->rows + size * rank; /* the last row, or one past: see alloc */

    memset(mean, 0, rank * sizeof *mean);
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < rank; j++)
            mean[j] += factor[i * rank + j];
    for (size_t j = 0; j < rank; j++)
        mean[j] /= (double)size;
    for (size_t i = 0; i < size; i++) {
        double norm = 0.0;
        for (size_t j = 0; j < rank; j++) {
            double value = factor[i * rank + j] - mean[j];
            s->rows[i * rank + j] = value;
            norm += value * value;
        }
        s->value[i] = norm;
    }
}

/* Fill s->index with the samples of the leaf, s->rows with the means of their
 * kernel rows over the leaf, and s->value with the centred diagonal. */
static gem_kauri_status centre_kernel(kauri_state *s, const kauri_leaf *leaf)
{
    const double *kernel = s->data->kernel;
    int32_t size = leaf->size;
    double mean = 0.0;

    for (int32_t i = 0; i < size; i++)
        s->index[i] = s->sample[leaf->start + i];
    for (int32_t i = 0; i < size; i++) {
        const double *row = kernel + (size_t)s->index[i] * s->n;
        double sum = 0.0;
        gem_kauri_status status = kauri_spend(s, (size_t)size);

        if (status)
            return status;
        for (int32_t j = 0; j < size; j++)
            sum += row[s->index[j]];
        s->rows[i] = sum / size;
        mean += s->rows[i];
    }
    mean /= size;
    /* Halved, so that the centred entry is K_ij - rows[i] - rows[j]. */
    for (int32_t i = 0; i < size; i++) {
        s->rows[i] -= 0.5 * mean;
        s->value[i] = kernel[(size_t)s->index[i] * (s->n + 1)] - 2.0 * s->rows[i];
    }
    return GEM_KAURI_OK;
}

/* Whether a side of n_left samples may be cut off after position j. */
static int is_cut(const kauri_state *s, const kauri_leaf *leaf, const double *sorted,
                  int32_t n_left)
{
    int32_t smallest = s->rules->min_samples_leaf;
    return n_left >= smallest && leaf->size - n_left >= smallest &&
           sorted[n_left - 1] < sorted[n_left];
}

typedef struct {
    int32_t *cut;
    double *between, *within_left;
    const int32_t *order;
    const double *sorted;
} segment;

static segment leaf_segment(const kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    size_t at = (size_t)f * s->n + (size_t)leaf->start;
    segment g = {s->cut + at, s->between + at, s->within_left + at, s->data->order + at,
                 s->data->sorted + at};
    return g;
}

/* Note a cut: `sigma` is the centred kernel's sum over the left side squared,
 * `norms` the sum of its diagonal there. The centred rows sum to zero over the
 * leaf, so the right side has the same sigma. */
static void note_cut(segment *g, int32_t *n_cuts, int32_t n_left, int32_t size,
                     double sigma, double norms)
{
    double a = n_left, b = size - n_left;
    g->cut[*n_cuts] = n_left;
    g->between[*n_cuts] = sigma * (size / (a * b));
    g->within_left[*n_cuts] = norms - sigma / a;
    ++*n_cuts;
}

static void profile_factor(kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    segment g = leaf_segment(s, leaf, f);
    size_t rank = (size_t)s->data->rank;
    double *side = s->rows + (size_t)leaf->size * rank;
    double norms = 0.0;
    int32_t n_cuts = 0;

    memset(side, 0, rank * sizeof *side);
    for (int32_t j = 0; j < leaf->size - 1; j++) {
        size_t i = (size_t)(g.order[j] - leaf->start);
        const double *row = s->rows + i * rank;

        norms += s->value[i];
        for (size_t c = 0; c < rank; c++)
            side[c] += row[c];
        if (is_cut(s, leaf, g.sorted, j + 1)) {
            double sigma = 0.0;
#pragma omp simd reduction(+ : sigma)
            for (size_t c = 0; c < rank; c++)
                sigma += side[c] * side[c];
            note_cut(&g, &n_cuts, j + 1, leaf->size, sigma, norms);
        }
    }
    g.cut[n_cuts] = leaf->size;
}

/* Sum of row[ids[j]] - means[j] over begin <= j < end. */
static double gather(const double *row, const int32_t *ids, const double *means,
                     int32_t begin, int32_t end)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int32_t j = begin;

    for (; j + 4 <= end; j += 4)
        for (int32_t c = 0; c < 4; c++)
            sum[c] += row[ids[j + c]] - means[j + c];
    for (; j < end; j++)
        sum[0] += row[ids[j]] - means[j];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static gem_kauri_status profile_kernel(kauri_state *s, const kauri_leaf *leaf,
                                       int32_t f)
{
    segment g = leaf_segment(s, leaf, f);
    int32_t size = leaf->size, n_cuts = 0;
    int32_t *ids = s->sorted_index;
    double *means = s->sorted_means;
    double sigma = 0.0, norms = 0.0;

    for (int32_t j = 0; j < size; j++) {
        int32_t i = g.order[j] - leaf->start;
        ids[j] = s->index[i];
        means[j] = s->rows[i];
    }
    for (int32_t j = 0; j < size - 1; j++) {
        const double *row = s->data->kernel + (size_t)ids[j] * s->n;
        double own = row[ids[j]] - 2.0 * means[j];
        double others; /* the centred entries of the row over the left side */
        gem_kauri_status status;

        /* Centred rows sum to zero: take the shorter side. */
        if (2 * j < size)
            others = gather(row, ids, means, 0, j) - j * means[j];
        else
            others =
                -own - gather(row, ids, means, j + 1, size) + (size - 1 - j) * means[j];
        sigma += 2.0 * others + own;
        norms += own;
        if (is_cut(s, leaf, g.sorted, j + 1))
            note_cut(&g, &n_cuts, j + 1, size, sigma, norms);
        status = kauri_spend(s, (size_t)(2 * j < size ? j : size - j));
        if (status)
            return status;
    }
    g.cut[n_cuts] = size;
    return GEM_KAURI_OK;
}

gem_kauri_status kauri_profile_leaf(kauri_state *s, kauri_leaf *leaf)
{
    int factored = s->data->factor != NULL;
    int32_t used;
    gem_kauri_status status = GEM_KAURI_OK;

    if (factored)
        centre_factor(s, leaf);
    else
        status = centre_kernel(s, leaf);
    leaf->scatter = 0.0;
    for (int32_t i = 0; i < leaf->size; i++)
        leaf->scatter += s->value[i];
    for (size_t f = 0; f < s->d; f++)
        s->cut[f * s->n + (size_t)leaf->start] = leaf->size;

    used = draw_features(s, leaf);
    for (int32_t i = 0; i < used && !status; i++) {
        if (factored) {
            profile_factor(s, leaf, s->pool[i]);
            status = kauri_spend(s, (size_t)leaf->size * (size_t)s->data->rank);
        } else {
            status = profile_kernel(s, leaf, s->pool[i]);
        }
    }
    return status;
}

/* Distances of the samples of a leaf to a mean, in place of the old ones. */
static void measure_leaf(kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                         const double *mean)
{
    size_t rank = (size_t)s->data->rank, width = (size_t)s->width;
    const double *row = s->data->factor + (size_t)leaf->start * rank;
    double *distance = s->distance + (size_t)leaf->start * width + (size_t)cluster;
    double total = 0.0, rise = 0.0, fall = 0.0;

    for (int32_t i = 0; i < leaf->size; i++, row += rank, distance += width) {
        double fresh = 0.0, old = *distance;
#pragma omp simd reduction(+ : fresh)
        for (size_t j = 0; j < rank; j++)
            fresh += (row[j] - mean[j]) * (row[j] - mean[j]);
        *distance = fresh;
        total += old;
        rise += fresh > old ? fresh - old : 0.0;
        fall += fresh < old ? old - fresh : 0.0;
    }
    kauri_raise_bound(s, leaf, cluster, total, rise, fall);
}

static gem_kauri_status measure_by_factor(kauri_state *s, int32_t cluster)
{
    size_t rank = (size_t)s->data->rank;
    const double *factor = s->data->factor;
    double *mean = s->rows;

    memset(mean, 0, rank * sizeof *mean);
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        if (leaf->cluster != cluster)
            continue;
        for (size_t i = 0; i < (size_t)leaf->size; i++) {
            const double *row = factor + ((size_t)leaf->start + i) * rank;
            for (size_t j = 0; j < rank; j++)
                mean[j] += row[j];
        }
    }
    for (size_t j = 0; j < rank; j++)
        mean[j] /= s->size[cluster];
    for (int32_t l = 0; l < s->n_leaves; l++)
        measure_leaf(s, s->leaves + l, cluster, mean);
    return kauri_spend(s, s->n * rank);
}

static gem_kauri_status add_rows(kauri_state *s, double *sums, int32_t start,
                                 int32_t size, double sign)
{
    gem_kauri_status status = GEM_KAURI_OK;

    for (int32_t i = start; i < start + size && !status; i++) {
        const double *row = s->data->kernel + (size_t)s->sample[i] * s->n;
        for (size_t j = 0; j < s->n; j++)
            sums[j] += sign * row[j];
        status = kauri_spend(s, s->n);
    }
    return status;
}

gem_kauri_status kauri_move_samples(kauri_state *s, int32_t cluster, int32_t start,
                                    int32_t size, double sign)
{
    s->size[cluster] += sign * size;
    if (s->data->factor)
        return GEM_KAURI_OK;
    s->drift[cluster] += size;
    return add_rows(s, s->sums + (size_t)cluster * s->n, start, size, sign);
}

static gem_kauri_status measure_by_kernel(kauri_state *s, int32_t cluster)
{
    const double *kernel = s->data->kernel;
    double *sums = s->sums + (size_t)cluster * s->n;
    double n_cluster = s->size[cluster], within = 0.0;
    gem_kauri_status status = GEM_KAURI_OK;
    int renew = s->drift[cluster] > n_cluster;

    /* Sums updated by as many samples as the cluster has are as dear to make
     * anew, and then free of the rounding of all updates. */
    if (renew) {
        memset(sums, 0, s->n * sizeof *sums);
        s->drift[cluster] = 0.0;
    }
    for (int32_t l = 0; l < s->n_leaves && !status; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        if (leaf->cluster == cluster && renew)
            status = add_rows(s, sums, leaf->start, leaf->size, 1.0);
    }
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        for (int32_t i = 0; leaf->cluster == cluster && i < leaf->size; i++)
            within += sums[s->sample[leaf->start + i]];
    }
    within /= n_cluster * n_cluster;
    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        double total = 0.0, rise = 0.0, fall = 0.0;
        for (int32_t i = leaf->start; i < leaf->start + leaf->size; i++) {
            size_t sample = (size_t)s->sample[i];
            double *distance =
                s->distance + (size_t)i * (size_t)s->width + (size_t)cluster;
            double old = *distance;
            *distance =
                kernel[sample * (s->n + 1)] - 2.0 * sums[sample] / n_cluster + within;
            total += old;
            rise += fmax(*distance - old, 0.0);
            fall += fmax(old - *distance, 0.0);
        }
        kauri_raise_bound(s, leaf, cluster, total, rise, fall);
    }
    return status;
}

gem_kauri_status kauri_measure_cluster(kauri_state *s, int32_t cluster)
{
    gem_kauri_status status = GEM_KAURI_OK;

    if (s->size[cluster] > 0.0)
        status = s->data->factor ? measure_by_factor(s, cluster)
                                 : measure_by_kernel(s, cluster);
    /* A new cluster opens possibilities that no bound has heard of. */
    for (int32_t l = 0; l < s->n_leaves && s->measured[cluster] == 0.0; l++)
        kauri_forget_bounds(s, s->leaves + l);
    s->measured[cluster] = s->size[cluster];
    return status;
}
