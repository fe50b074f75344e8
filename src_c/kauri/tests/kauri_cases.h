/* Kauri trees against brute force: every split of every round is compared with
 * all the splits that the rules allow, the objective being recomputed from the
 * kernel matrix for each. Shared by the unit tests and the fuzz target. */
#ifndef GEM_KAURI_CASES_H
#define GEM_KAURI_CASES_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kauri.h"

#define MAX_N 40
#define MAX_D 6
/* Of the kernels here: smaller gains, for each sample of a leaf, are rounding. */
#define RESOLUTION 1e-15
#define MAX_NODES (2 * MAX_N)

static int failures = 0;
static int kinds_seen[5];
static uint64_t seed = 1;

#define CHECK(condition, ...)                                                          \
    do {                                                                               \
        if (!(condition)) {                                                            \
            failures++;                                                                \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                     \
            printf(__VA_ARGS__);                                                       \
            printf("\n");                                                              \
        }                                                                              \
    } while (0)

static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0 - 0.5;
}

typedef struct {
    int n, d, rank;
    double x[MAX_N][MAX_D];
    double factor[MAX_N][MAX_N];
    double kernel[MAX_N][MAX_N];
    int use_factor, definite;
    gem_kauri_rules rules;
} problem;

typedef struct {
    gem_kauri_tree t;
    int32_t left[MAX_NODES], right[MAX_NODES], feature[MAX_NODES], depth[MAX_NODES],
        cluster[MAX_NODES], size[MAX_NODES], kind[MAX_NODES], leaf_of[MAX_N],
        leaf_node[MAX_N];
    double threshold[MAX_NODES], gain[MAX_NODES];
} tree;

static const double (*sort_x)[MAX_D];
static int sort_feature;

static int compare(const void *a, const void *b)
{
    double u = sort_x[*(const int32_t *)a][sort_feature];
    double v = sort_x[*(const int32_t *)b][sort_feature];
    return u < v ? -1 : u > v;
}

static gem_kauri_status grow(const problem *p, tree *out)
{
    static int32_t order[MAX_D * MAX_N];
    static double sorted[MAX_D * MAX_N], factor[MAX_N * MAX_N], kernel[MAX_N * MAX_N];
    gem_kauri_data data = {p->n,    p->d,   order,       sorted,    NULL,
                           p->rank, kernel, p->definite, RESOLUTION};
    gem_kauri_tree t = {0,
                        0,
                        out->left,
                        out->right,
                        out->feature,
                        out->threshold,
                        out->gain,
                        out->depth,
                        out->cluster,
                        out->size,
                        out->kind,
                        out->leaf_of,
                        out->leaf_node};
    gem_kauri_status status;

    sort_x = p->x;
    for (sort_feature = 0; sort_feature < p->d; sort_feature++) {
        int32_t *o = order + sort_feature * p->n;
        for (int i = 0; i < p->n; i++)
            o[i] = i;
        qsort(o, (size_t)p->n, sizeof *o, compare);
        for (int i = 0; i < p->n; i++)
            sorted[sort_feature * p->n + i] = p->x[o[i]][sort_feature];
    }
    for (int i = 0; i < p->n; i++) {
        for (int j = 0; j < p->n; j++)
            kernel[i * p->n + j] = p->kernel[i][j];
        for (int j = 0; j < p->rank; j++)
            factor[i * p->rank + j] = p->factor[i][j];
    }
    if (p->use_factor)
        data.factor = factor;
    out->t = t;
    status = gem_kauri_grow(&data, &p->rules, &out->t);
    return status;
}

static double objective(const problem *p, const int *cluster)
{
    double j = 0.0;
    for (int c = 0; c < p->n + 2; c++) {
        double sum = 0.0;
        int size = 0;
        for (int a = 0; a < p->n; a++) {
            size += cluster[a] == c;
            for (int b = 0; b < p->n && cluster[a] == c; b++)
                sum += cluster[b] == c ? p->kernel[a][b] : 0.0;
        }
        j += size ? sum / size : 0.0;
    }
    return j;
}

static int count_clusters(const problem *p, const int *cluster)
{
    int live = 0;
    for (int c = 0; c < p->n + 2; c++) {
        int used = 0;
        for (int i = 0; i < p->n; i++)
            used |= cluster[i] == c;
        live += used;
    }
    return live;
}

/* Best gain over all ways to file the sides of one split of a leaf. */
static double best_filing(const problem *p, const int *cluster, const int *node,
                          int leaf, int f, double value, double before)
{
    int trial[MAX_N], own = 0, n_leaf = 0, n_own = 0, live = count_clusters(p, cluster);
    int room = p->rules.max_clusters - live, fresh[2], n_fresh = 0;
    double best = -INFINITY;

    for (int i = 0; i < p->n; i++)
        if (node[i] == leaf)
            own = cluster[i];
    for (int i = 0; i < p->n; i++) {
        n_leaf += node[i] == leaf;
        n_own += cluster[i] == own;
    }
    for (int c = 0; n_fresh < 2; c++) {
        int used = 0;
        for (int i = 0; i < p->n; i++)
            used |= cluster[i] == c;
        if (!used)
            fresh[n_fresh++] = c;
    }
    for (int a = 0; a < p->n + 2; a++) {
        for (int b = 0; b < p->n + 2; b++) {
            int new_a = a == fresh[0] || a == fresh[1];
            int new_b = b == fresh[0] || b == fresh[1];
            int used_a = 0, used_b = 0;
            double gain;
            for (int i = 0; i < p->n; i++) {
                used_a |= cluster[i] == a;
                used_b |= cluster[i] == b;
            }
            if (a == b || (!used_a && !new_a) || (!used_b && !new_b))
                continue;
            if (new_a + new_b > room)
                continue;
            if (new_a + new_b == 1 && a != own && b != own)
                continue; /* not one of the four kinds */
            if (new_a && new_b && n_leaf == n_own)
                continue;
            for (int i = 0; i < p->n; i++)
                trial[i] = node[i] != leaf ? cluster[i] : p->x[i][f] <= value ? a : b;
            gain = objective(p, trial) - before;
            best = gain > best ? gain : best;
        }
    }
    return best;
}

static double best_gain(const problem *p, const int *cluster, const int *node,
                        const tree *t)
{
    double best = -INFINITY, before = objective(p, cluster);

    for (int leaf = 0; leaf < t->t.n_nodes; leaf++) {
        int size = 0;
        for (int i = 0; i < p->n; i++)
            size += node[i] == leaf;
        if (size < p->rules.min_samples_split || t->depth[leaf] >= p->rules.max_depth ||
            size == 0)
            continue;
        for (int f = 0; f < p->d; f++)
            for (int j = 0; j < p->n; j++) {
                int n_left = 0;
                double gain;
                if (node[j] != leaf)
                    continue;
                for (int i = 0; i < p->n; i++)
                    n_left += node[i] == leaf && p->x[i][f] <= p->x[j][f];
                if (n_left < p->rules.min_samples_leaf ||
                    size - n_left < p->rules.min_samples_leaf || n_left == size)
                    continue;
                gain = best_filing(p, cluster, node, leaf, f, p->x[j][f], before);
                best = gain > best ? gain : best;
            }
    }
    return best;
}

/* Follow the growth round by round; the children of round r are 2r+1, 2r+2. */
static void replay(const problem *p, const tree *t, const char *name, int exhaustive)
{
    int cluster[MAX_N] = {0}, node[MAX_N] = {0};
    double scale = 0.0, before = objective(p, cluster);
    const double overlooked = p->n * RESOLUTION;

    /* At most twice the trace, unless the kernel is indefinite: its diagonal may be 0. */
    for (int i = 0; i < p->n; i++) {
        scale += fabs(p->kernel[i][i]);
        for (int j = 0; j < p->n; j++)
            scale += fabs(p->kernel[i][j]) / p->n;
    }
    for (int left = 1; left < t->t.n_nodes; left += 2) {
        int parent = 0;
        double after, best = exhaustive ? best_gain(p, cluster, node, t) : 0.0;
        while (parent < left && t->left[parent] != left)
            parent++;
        CHECK(t->right[parent] == left + 1, "%s: children of %d", name, parent);
        for (int i = 0; i < p->n; i++)
            if (node[i] == parent) {
                int goes_left = p->x[i][t->feature[parent]] <= t->threshold[parent];
                node[i] = goes_left ? left : left + 1;
                cluster[i] = t->cluster[node[i]];
            }
        after = objective(p, cluster);
        kinds_seen[t->kind[parent]]++;
        CHECK(fabs(after - before - t->gain[parent]) < 1e-10 * scale,
              "%s: node %d kind %d gain %.15g, recomputed %.15g", name, parent,
              t->kind[parent], t->gain[parent], after - before);
        CHECK(!exhaustive || t->gain[parent] > best - 1e-8 * scale - overlooked,
              "%s: node %d gain %.15g, best %.15g", name, parent, t->gain[parent],
              best);
        CHECK(count_clusters(p, cluster) <= p->rules.max_clusters, "%s", name);
        before = after;
    }
    for (int i = 0; i < p->n; i++)
        CHECK(t->leaf_node[t->leaf_of[i]] == node[i], "%s: leaf of %d", name, i);
    if (exhaustive && t->t.n_leaves < p->rules.max_leaves) {
        double left = best_gain(p, cluster, node, t);
        CHECK(left <= 1e-8 * scale + overlooked, "%s: stopped with a gain of %g left",
              name, left);
    }
}

#endif
