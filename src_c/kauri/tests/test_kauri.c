/* Unit tests of the Kauri tree. */
#include "kauri_cases.h"

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
