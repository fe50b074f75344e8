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
    double weight[MAX_N];
    int use_factor, definite, use_weight;
    int walk;   /* a WALK_ */
    int n_bins; /* of a feature at most */
    gem_kauri_rules rules;
} problem;

/* Sorted samples, bins (needs the factor), bins on sorted samples. */
enum { WALK_SORTED, WALK_BINNED, WALK_SORTED_BINS, N_WALKS };

static double weight_of(const problem *p, int i)
{
    return p->use_weight ? p->weight[i] : 1.0;
}

typedef struct {
    gem_kauri_tree t;
    int32_t left[MAX_NODES], right[MAX_NODES], feature[MAX_NODES], depth[MAX_NODES],
        cluster[MAX_NODES], size[MAX_NODES], kind[MAX_NODES], missing_left[MAX_NODES],
        leaf_of[MAX_N], leaf_node[MAX_N];
    double threshold[MAX_NODES], gain[MAX_NODES];
} tree;

/* The columns of a problem as the library wants them. */
typedef struct {
    int32_t order[2 * MAX_D * MAX_N], twins[MAX_D], first[MAX_D + 1];
    double sorted[2 * MAX_D * MAX_N], low[MAX_D * (MAX_N + 1)],
        high[MAX_D * (MAX_N + 1)], factor[MAX_N * MAX_N], kernel[MAX_N * MAX_N];
    uint8_t codes[MAX_N * MAX_D];
    uint16_t wide_codes[MAX_N * MAX_D];
    int n_twins;
    gem_kauri_bins bins;
} columns;

static const double *sort_values;

/* By rising value, by rising number where the values agree. */
static int compare(const void *a, const void *b)
{
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    double u = sort_values[i], v = sort_values[j];
    return u < v ? -1 : u > v ? 1 : i - j;
}

static void sort_column(const double *values, int n, int32_t *order, double *sorted)
{
    sort_values = values;
    for (int i = 0; i < n; i++)
        order[i] = i;
    qsort(order, (size_t)n, sizeof *order, compare);
    for (int i = 0; i < n; i++)
        sorted[i] = values[order[i]];
}

/* Bins of like numbers of distinct values, and one for missing ones. */
static void make_bins(const problem *p, columns *c, int f)
{
    int32_t order[MAX_N], at = c->first[f], n_values = 0, n_distinct = 0, missing = 0;
    double values[MAX_N] = {0.0}, sorted[MAX_N], distinct[MAX_N];

    for (int i = 0; i < p->n; i++) {
        missing |= isnan(p->x[i][f]);
        if (!isnan(p->x[i][f]))
            values[n_values++] = p->x[i][f];
    }
    sort_column(values, n_values, order, sorted);
    for (int i = 0; i < n_values; i++)
        if (i == 0 || sorted[i] > sorted[i - 1])
            distinct[n_distinct++] = sorted[i];
    for (int i = 0, n = n_distinct < p->n_bins ? n_distinct : p->n_bins; i < n; i++) {
        c->low[at] = distinct[i * n_distinct / n];
        c->high[at++] = distinct[(i + 1) * n_distinct / n - 1];
    }
    for (int wide = 0; wide < 2; wide++)
        gem_kauri_assign_bins(p->x[0] + f, p->n, MAX_D, c->high + c->first[f],
                              at - c->first[f], wide,
                              wide ? (void *)(c->wide_codes + f) : c->codes + f, p->d);
    if (missing || at == c->first[f])
        c->low[at] = c->high[at] = INFINITY, at++;
    c->first[f + 1] = at;
}

static void sort_columns(const problem *p, columns *c)
{
    double values[MAX_N];

    for (int column = 0; column < p->d + c->n_twins; column++) {
        int twin = column >= p->d, f = twin ? c->twins[column - p->d] : column;
        for (int i = 0; i < p->n; i++) {
            double value = p->x[i][f];
            if (p->walk == WALK_SORTED_BINS)
                values[i] = isnan(value) && twin ? -1.0 : c->codes[i * p->d + f];
            else
                values[i] = !isnan(value) ? value : twin ? -INFINITY : INFINITY;
        }
        sort_column(values, p->n, c->order + column * p->n, c->sorted + column * p->n);
    }
}

static void make_columns(const problem *p, columns *c)
{
    c->n_twins = 0;
    c->first[0] = 0;
    for (int f = 0; f < p->d; f++) {
        int missing = 0;
        for (int i = 0; i < p->n; i++)
            missing |= isnan(p->x[i][f]);
        if (missing)
            c->twins[c->n_twins++] = f;
        make_bins(p, c, f);
    }
    sort_columns(p, c);
    for (int i = 0; i < p->n; i++) {
        for (int j = 0; j < p->n; j++)
            c->kernel[i * p->n + j] = p->kernel[i][j];
        for (int j = 0; j < p->rank; j++)
            c->factor[i * p->rank + j] = p->factor[i][j];
    }
}

/* A cut that the walk may choose: it lies between bins. */
static int is_between_bins(const columns *c, const problem *p, int f, double value)
{
    if (p->walk == WALK_SORTED || isnan(value))
        return 1;
    for (int b = c->first[f]; b < c->first[f + 1]; b++)
        if (c->high[b] == value)
            return 1;
    return 0;
}

static columns the_columns;

static gem_kauri_status grow(const problem *p, tree *out)
{
    columns *c = &the_columns;
    gem_kauri_data data = {0};
    gem_kauri_tree t = {0};
    gem_kauri_status status;
    int wide = p->n_bins % 2;

    make_columns(p, c);
    c->bins.codes = wide ? (const void *)c->wide_codes : c->codes;
    c->bins.wide = wide;
    c->bins.first = c->first;
    c->bins.low = c->low;
    c->bins.high = c->high;
    data.n_samples = p->n;
    data.n_features = p->d;
    data.n_twins = c->n_twins;
    data.twins = c->twins;
    data.order = p->walk == WALK_BINNED ? NULL : c->order;
    data.sorted = p->walk == WALK_BINNED ? NULL : c->sorted;
    data.bins = p->walk == WALK_SORTED ? NULL : &c->bins;
    data.factor = p->use_factor ? c->factor : NULL;
    data.rank = p->rank;
    data.weight = p->use_weight ? p->weight : NULL;
    data.kernel = c->kernel;
    data.definite = p->definite;
    data.resolution = RESOLUTION;
    t.left = out->left;
    t.right = out->right;
    t.feature = out->feature;
    t.threshold = out->threshold;
    t.missing_left = out->missing_left;
    t.gain = out->gain;
    t.depth = out->depth;
    t.cluster = out->cluster;
    t.size = out->size;
    t.kind = out->kind;
    t.leaf_of = out->leaf_of;
    t.leaf_node = out->leaf_node;
    out->t = t;
    status = gem_kauri_grow(&data, &p->rules, &out->t);
    return status;
}

static int goes_left(double value, double threshold, int missing_left)
{
    return isnan(value) ? missing_left : value <= threshold;
}

static double objective(const problem *p, const int *cluster)
{
    double j = 0.0;
    for (int c = 0; c < p->n + 2; c++) {
        double sum = 0.0, size = 0.0;
        for (int a = 0; a < p->n; a++) {
            size += cluster[a] == c ? weight_of(p, a) : 0.0;
            for (int b = 0; b < p->n && cluster[a] == c; b++)
                if (cluster[b] == c)
                    sum += weight_of(p, a) * weight_of(p, b) * p->kernel[a][b];
        }
        j += size > 0.0 ? sum / size : 0.0;
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
                          int leaf, int f, double value, int missing_left,
                          double before)
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
                trial[i] = node[i] != leaf                              ? cluster[i]
                           : goes_left(p->x[i][f], value, missing_left) ? a
                                                                        : b;
            gain = objective(p, trial) - before;
            best = gain > best ? gain : best;
        }
    }
    return best;
}

/* Whether the sides of a cut are as large as the rules want them. */
static int is_allowed(const problem *p, const int *node, int leaf, int f, double value,
                      int missing_left)
{
    int size = 0, n_left = 0;
    double weight = 0.0, left = 0.0, least = p->rules.min_weight_leaf;

    for (int i = 0; i < p->n; i++) {
        int side = goes_left(p->x[i][f], value, missing_left);
        if (node[i] != leaf)
            continue;
        size++;
        n_left += side;
        weight += weight_of(p, i);
        left += side ? weight_of(p, i) : 0.0;
    }
    return n_left >= p->rules.min_samples_leaf &&
           size - n_left >= p->rules.min_samples_leaf && left >= least &&
           weight - left >= least;
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
            for (int j = 0; j < 2 * p->n; j++) {
                int missing_left = j >= p->n;
                double gain, value = p->x[j % p->n][f];
                if (node[j % p->n] != leaf ||
                    !is_between_bins(&the_columns, p, f, value))
                    continue;
                /* A missing value stands for the cut that leaves them alone. */
                if (isnan(value) && missing_left)
                    continue;
                value = isnan(value) ? INFINITY : value;
                if (!is_allowed(p, node, leaf, f, value, missing_left))
                    continue;
                gain =
                    best_filing(p, cluster, node, leaf, f, value, missing_left, before);
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
    double overlooked = 0.0; /* gains that count as rounding */

    for (int i = 0; i < p->n; i++)
        overlooked += weight_of(p, i) * RESOLUTION;
    /* At most twice the trace, unless the kernel is indefinite: its diagonal may be 0. */
    for (int i = 0; i < p->n; i++) {
        scale += weight_of(p, i) * fabs(p->kernel[i][i]);
        for (int j = 0; j < p->n; j++)
            scale += weight_of(p, i) * fabs(p->kernel[i][j]) / p->n;
    }
    for (int left = 1; left < t->t.n_nodes; left += 2) {
        int parent = 0;
        double after, best = exhaustive ? best_gain(p, cluster, node, t) : 0.0;
        while (parent < left && t->left[parent] != left)
            parent++;
        CHECK(t->right[parent] == left + 1, "%s: children of %d", name, parent);
        for (int i = 0; i < p->n; i++)
            if (node[i] == parent) {
                node[i] = goes_left(p->x[i][t->feature[parent]], t->threshold[parent],
                                    t->missing_left[parent])
                              ? left
                              : left + 1;
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
