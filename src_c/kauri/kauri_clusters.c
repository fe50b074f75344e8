/* The clusters of the Kauri tree, and the distances of samples to them. */
#include <math.h>
#include <string.h>

#include "kauri_bins.h"
#include "kauri_scan.h"
#include "kauri_stocks.h"

static double weight_at(const kauri_state *s, size_t position)
{
    return s->weight ? s->weight[position] : 1.0;
}

double kauri_weigh(const kauri_state *s, int32_t start, int32_t size)
{
    double sum = 0.0;

    if (!s->weight)
        return size;
    for (int32_t i = start; i < start + size; i++)
        sum += s->weight[kauri_is_binned(s) ? s->sample[i] : i];
    return sum;
}

/* Distances of the samples of a leaf to a mean, in place of the old ones. */
static void measure_leaf(kauri_state *s, kauri_leaf *leaf, int32_t cluster,
                         const double *mean)
{
    size_t rank = (size_t)s->data->rank, width = (size_t)s->width;
    const double *row = s->data->factor + (size_t)leaf->start * rank;
    double *distance =
        s->sorted.distance + (size_t)leaf->start * width + (size_t)cluster;
    kauri_change change = {0.0, 0.0, 0.0, 0.0};

    for (int32_t i = 0; i < leaf->size; i++, row += rank, distance += width) {
        double fresh = 0.0, old = *distance;
#pragma omp simd reduction(+ : fresh)
        for (size_t j = 0; j < rank; j++)
            fresh += (row[j] - mean[j]) * (row[j] - mean[j]);
        fresh *= weight_at(s, (size_t)leaf->start + (size_t)i);
        *distance = fresh;
        change.before += old;
        change.rise += fresh > old ? fresh - old : 0.0;
        change.fall += fresh < old ? old - fresh : 0.0;
    }
    change.after = change.before + change.rise - change.fall;
    kauri_raise_bound(s, leaf, cluster, change);
}

static gem_kauri_status measure_by_factor(kauri_state *s, int32_t cluster)
{
    size_t rank = (size_t)s->data->rank;
    const double *factor = s->data->factor;
    double *mean = s->sorted.rows;

    memset(mean, 0, rank * sizeof *mean);
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        if (leaf->cluster != cluster)
            continue;
        for (size_t i = 0; i < (size_t)leaf->size; i++) {
            const double *row = factor + ((size_t)leaf->start + i) * rank;
            double weight = weight_at(s, (size_t)leaf->start + i);
            for (size_t j = 0; j < rank; j++)
                mean[j] += weight * row[j];
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
        double weight = sign * weight_at(s, (size_t)i);
        for (size_t j = 0; j < s->n; j++)
            sums[j] += weight * row[j];
        status = kauri_spend(s, s->n);
    }
    return status;
}

gem_kauri_status kauri_move_samples(kauri_state *s, int32_t cluster, int32_t start,
                                    int32_t size, double sign)
{
    if (s->data->factor)
        return GEM_KAURI_OK;
    s->sorted.drift[cluster] += kauri_weigh(s, start, size);
    return add_rows(s, s->sorted.sums + (size_t)cluster * s->n, start, size, sign);
}

static gem_kauri_status measure_by_kernel(kauri_state *s, int32_t cluster)
{
    const double *kernel = s->data->kernel;
    double *sums = s->sorted.sums + (size_t)cluster * s->n;
    double n_cluster = s->size[cluster], within = 0.0;
    gem_kauri_status status = GEM_KAURI_OK;
    int renew = s->sorted.drift[cluster] > n_cluster;

    /* Sums updated by as many samples as the cluster has are as dear to make
     * anew, and then free of the rounding of all updates. */
    if (renew) {
        memset(sums, 0, s->n * sizeof *sums);
        s->sorted.drift[cluster] = 0.0;
    }
    for (int32_t l = 0; l < s->n_leaves && !status; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        if (leaf->cluster == cluster && renew)
            status = add_rows(s, sums, leaf->start, leaf->size, 1.0);
    }
    for (int32_t l = 0; l < s->n_leaves; l++) {
        const kauri_leaf *leaf = s->leaves + l;
        for (int32_t i = 0; leaf->cluster == cluster && i < leaf->size; i++)
            within += weight_at(s, (size_t)(leaf->start + i)) *
                      sums[s->sample[leaf->start + i]];
    }
    within /= n_cluster * n_cluster;
    for (int32_t l = 0; l < s->n_leaves; l++) {
        kauri_leaf *leaf = s->leaves + l;
        kauri_change change = {0.0, 0.0, 0.0, 0.0};
        for (int32_t i = leaf->start; i < leaf->start + leaf->size; i++) {
            size_t sample = (size_t)s->sample[i];
            double *distance =
                s->sorted.distance + (size_t)i * (size_t)s->width + (size_t)cluster;
            double old = *distance;
            *distance =
                weight_at(s, (size_t)i) *
                (kernel[sample * (s->n + 1)] - 2.0 * sums[sample] / n_cluster + within);
            change.before += old;
            change.rise += fmax(*distance - old, 0.0);
            change.fall += fmax(old - *distance, 0.0);
        }
        change.after = change.before + change.rise - change.fall;
        kauri_raise_bound(s, leaf, cluster, change);
    }
    return status;
}

/* Summed anew: differences of weights would leave rounding in empty clusters. */
static void weigh_cluster(kauri_state *s, int32_t cluster)
{
    s->size[cluster] = 0.0;
    for (int32_t l = 0; l < s->n_leaves; l++)
        if (s->leaves[l].cluster == cluster)
            s->size[cluster] += s->leaves[l].weight;
}

gem_kauri_status kauri_measure_cluster(kauri_state *s, int32_t cluster)
{
    gem_kauri_status status = GEM_KAURI_OK;

    weigh_cluster(s, cluster);
    if (s->size[cluster] > 0.0) {
        if (kauri_is_binned(s))
            kauri_measure_by_sums(s, cluster);
        else
            status = s->data->factor ? measure_by_factor(s, cluster)
                                     : measure_by_kernel(s, cluster);
    }
    /* A new cluster opens possibilities that no bound has heard of. */
    if (s->size[cluster] == 0.0)
        kauri_set_hope(s, cluster, -INFINITY);
    else if (s->measured[cluster] == 0.0)
        kauri_set_hope(s, cluster, INFINITY);
    s->measured[cluster] = s->size[cluster];
    return status;
}
