/* Kauri trees against brute force: every split of every round is compared with
 * all the splits that the rules allow, the objective being recomputed from the
 * kernel matrix for each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kauri.h"

#define MAX_N 40
#define MAX_D 6
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
    gem_kauri_data data = {p->n,    p->d,   order,       sorted, NULL,
                           p->rank, kernel, p->definite, 1e-15};
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

    for (int i = 0; i < p->n; i++)
        scale += fabs(p->kernel[i][i]);
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
        CHECK(!exhaustive || t->gain[parent] > best - 1e-8 * scale,
              "%s: node %d gain %.15g, best %.15g", name, parent, t->gain[parent],
              best);
        CHECK(count_clusters(p, cluster) <= p->rules.max_clusters, "%s", name);
        before = after;
    }
    for (int i = 0; i < p->n; i++)
        CHECK(t->leaf_node[t->leaf_of[i]] == node[i], "%s: leaf of %d", name, i);
    if (exhaustive && t->t.n_leaves < p->rules.max_leaves) {
        double left = best_gain(p, cluster, node, t);
        CHECK(left < 1e-8 * scale, "%s: stopped with a gain of %g left", name, left);
    }
}

static problem make_problem(int n, int d, int rank, int levels)
{
    static problem p;
    memset(&p, 0, sizeof p);
    p.n = n;
    p.d = d;
    p.rank = rank;
    p.use_factor = 1;
    for (int i = 0; i < n; i++) {
        for (int f = 0; f < d; f++) {
            p.x[i][f] = uniform();
            if (levels)
                p.x[i][f] = floor(p.x[i][f] * levels);
        }
        for (int j = 0; j < rank; j++)
            p.factor[i][j] = uniform() + (j < d ? p.x[i][j] : 0.0);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int c = 0; c < rank; c++)
                p.kernel[i][j] += p.factor[i][c] * p.factor[j][c];
    p.rules = (gem_kauri_rules){3, n, n, 2, 1, d, 0.0, 0, NULL, NULL};
    return p;
}

static void make_indefinite(problem *p)
{
    p->use_factor = p->definite = 0;
    for (int i = 0; i < p->n; i++)
        for (int j = 0; j <= i; j++)
            p->kernel[i][j] = p->kernel[j][i] = uniform();
}

static void test_against_brute_force(void)
{
    for (int round = 0; round < 60; round++) {
        char name[64];
        static tree t;
        problem p = make_problem(10 + round % 14, 1 + round % 3, 1 + round % 5,
                                 round % 4 == 3 ? 5 : 0);
        p.rules.max_clusters = 2 + round % 4;
        p.rules.min_samples_leaf = 1 + round % 7 / 5;
        p.rules.min_samples_split = round % 5 == 4 ? 5 : 2;
        if (round % 3 == 1)
            p.use_factor = 0, p.definite = round % 2;
        if (round % 3 == 2)
            make_indefinite(&p);
        if (round % 6 == 5)
            p.rules.max_leaves = 6;
        if (round % 8 == 7)
            p.rules.max_depth = 2;
        snprintf(name, sizeof name, "problem %d", round);
        CHECK(grow(&p, &t) == GEM_KAURI_OK, "%s", name);
        replay(&p, &t, name, 1);
    }
}

/* Joining a cluster never raises a positive semi-definite objective, so stars
 * go first and no leaf shares its cluster while there is room: double stars
 * are a matter of indefinite kernels. */
static void test_every_kind(void)
{
    for (int round = 0; round < 3000; round++) {
        static tree t;
        problem p = make_problem(5 + round % 6, 1 + round % 2, 1, 0);
        p.rules.max_clusters = p.n;
        make_indefinite(&p);
        CHECK(grow(&p, &t) == GEM_KAURI_OK, "indefinite problem %d", round);
        replay(&p, &t, "indefinite", 1);
    }
    for (int kind = 1; kind < 5; kind++)
        CHECK(kinds_seen[kind] > 4, "kind %d was hardly ever chosen", kind);
}

/* More clusters than the first allocation holds, and many rounds. */
static void test_many_clusters(void)
{
    static tree t;
    for (int dense = 0; dense < 2; dense++) {
        problem p = make_problem(MAX_N, 3, 4, 0);
        p.use_factor = !dense;
        p.rules.max_clusters = 11;
        CHECK(grow(&p, &t) == GEM_KAURI_OK, "many clusters");
        replay(&p, &t, "many clusters", 0);
    }
}

static void test_same_tree_by_factor_and_kernel(void)
{
    static tree a, b;
    for (int round = 0; round < 20; round++) {
        problem p = make_problem(30, 4, 3, round % 2 ? 4 : 0);
        grow(&p, &a);
        p.use_factor = 0;
        p.definite = round % 2;
        grow(&p, &b);
        CHECK(a.t.n_nodes == b.t.n_nodes, "nodes %d, %d", a.t.n_nodes, b.t.n_nodes);
        for (int i = 0; i < a.t.n_nodes; i++)
            CHECK(a.feature[i] == b.feature[i] && a.threshold[i] == b.threshold[i] &&
                      a.cluster[i] == b.cluster[i],
                  "round %d node %d", round, i);
    }
}

static void test_limits(void)
{
    static tree t;
    problem p = make_problem(20, 2, 2, 0);

    p.rules.max_clusters = 1;
    grow(&p, &t);
    CHECK(t.t.n_nodes == 1 && t.t.n_leaves == 1, "one cluster");
    p.rules.max_clusters = 3;
    p.rules.min_samples_split = 21;
    grow(&p, &t);
    CHECK(t.t.n_nodes == 1, "min_samples_split holds at the root");
    p.rules.min_samples_split = 2;
    p.rules.min_gain = 1.1;
    grow(&p, &t);
    CHECK(t.t.n_nodes == 1, "no split gains more than everything");
    for (int i = 0; i < p.n; i++)
        p.x[i][0] = p.x[i][1] = 7.0;
    p.rules.min_gain = 0.0;
    grow(&p, &t);
    CHECK(t.t.n_nodes == 1, "equal values never separate");
    p.n = 1;
    p.rules.max_leaves = 1;
    grow(&p, &t);
    CHECK(t.t.n_nodes == 1 && t.size[0] == 1, "one sample");
}

static int stop(void *context)
{
    ++*(int *)context;
    return 1;
}

/* Enough work for a poll: the caller's answer ends the growth. */
static void test_interruption(void)
{
    enum { N = 20000, D = 40 };
    int32_t *order = malloc(sizeof *order * N * D),
            *nodes = malloc(sizeof *nodes * N * 24);
    double *sorted = malloc(sizeof *sorted * N * D),
           *real = malloc(sizeof *real * N * 8);
    double *factor = malloc(sizeof *factor * N * D);
    int calls = 0;

    if (order && nodes && sorted && real && factor) {
        gem_kauri_data data = {N, D, order, sorted, factor, D, NULL, 1, 0.0};
        gem_kauri_rules rules = {3, N, N, 2, 1, D, 0.0, 0, stop, &calls};
        gem_kauri_tree t = {0,
                            0,
                            nodes,
                            nodes + 2 * N,
                            nodes + 4 * N,
                            real,
                            real + 2 * N,
                            nodes + 6 * N,
                            nodes + 8 * N,
                            nodes + 10 * N,
                            nodes + 12 * N,
                            nodes + 14 * N,
                            nodes + 15 * N};
        for (int f = 0; f < D; f++)
            for (int i = 0; i < N; i++) {
                order[f * N + i] = (i * 7 + f) % N;
                sorted[f * N + i] = i;
                factor[((i * 7 + f) % N) * D + f] = i;
            }
        CHECK(gem_kauri_grow(&data, &rules, &t) == GEM_KAURI_INTERRUPTED,
              "interrupted");
        CHECK(calls == 1, "%d polls after the answer to stop", calls);
    }
    free(order);
    free(nodes);
    free(sorted);
    free(real);
    free(factor);
}

static void test_apply(void)
{
    static tree t;
    int32_t node[MAX_N];
    double x[MAX_N * MAX_D];
    problem p = make_problem(MAX_N, 3, 3, 0);

    grow(&p, &t);
    for (int i = 0; i < p.n; i++)
        for (int f = 0; f < p.d; f++)
            x[i * p.d + f] = p.x[i][f];
    gem_kauri_apply(t.left, t.right, t.feature, t.threshold, x, p.n, p.d, node);
    for (int i = 0; i < p.n; i++)
        CHECK(node[i] == t.leaf_node[t.leaf_of[i]], "sample %d", i);
}

int main(void)
{
    test_against_brute_force();
    test_every_kind();
    test_many_clusters();
    test_same_tree_by_factor_and_kernel();
    test_limits();
    test_interruption();
    test_apply();
    printf("%d failures; kinds of splits:", failures);
    for (int kind = 1; kind < 5; kind++)
        printf(" %d", kinds_seen[kind]);
    printf("\n");
    return failures > 0;
}
