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
    p.n_bins = n;
    p.rules = (gem_kauri_rules){0};
    p.rules.max_clusters = 3;
    p.rules.max_leaves = p.rules.max_depth = n;
    p.rules.min_samples_split = 2;
    p.rules.min_samples_leaf = 1;
    p.rules.max_features = d;
    p.rules.n_threads = 1;
    return p;
}

static void make_indefinite(problem *p)
{
    p->use_factor = p->definite = 0;
    for (int i = 0; i < p->n; i++)
        for (int j = 0; j <= i; j++)
            p->kernel[i][j] = p->kernel[j][i] = uniform();
}

/* Weights of very different sizes, and some missing values. */
static void vary(problem *p, int round)
{
    p->use_weight = round % 2;
    for (int i = 0; i < p->n; i++)
        p->weight[i] = exp(6.0 * uniform());
    if (round % 5 == 1)
        p->rules.min_weight_leaf = 2.0;
    for (int i = 0; i < p->n && round % 3 == 0; i++)
        for (int f = 0; f < p->d; f++)
            if (uniform() > 0.2 && f != 1)
                p->x[i][f] = NAN;
}

/* Rounds from 60 on have weights and missing values, from 120 on bins. */
static problem varied_problem(int round)
{
    problem p = make_problem(10 + round % 14, 1 + round % 3, 1 + round % 5,
                             round % 4 == 3 ? 5 : 0);

    p.rules.max_clusters = 2 + round % 4;
    p.rules.min_samples_leaf = 1 + round % 7 / 5;
    p.rules.min_samples_split = round % 5 == 4 ? 5 : 2;
    if (round >= 120) {
        p.walk = round / 3 % N_WALKS;
        p.n_bins = round % 5 ? 2 + round % 5 : MAX_N;
    }
    if (round % 3 == 1 && p.walk != WALK_BINNED)
        p.use_factor = 0, p.definite = round % 2;
    if (round % 3 == 2 && p.walk != WALK_BINNED)
        make_indefinite(&p);
    if (round % 6 == 5)
        p.rules.max_leaves = 6;
    if (round % 8 == 7)
        p.rules.max_depth = 2;
    if (round >= 60)
        vary(&p, round / 60);
    return p;
}

static void test_against_brute_force(void)
{
    for (int round = 0; round < 900; round++) {
        char name[64];
        static tree t;
        problem p = varied_problem(round);

        snprintf(name, sizeof name, "problem %d, walk %d", round, p.walk);
        CHECK(grow(&p, &t) == GEM_KAURI_OK, "%s", name);
        replay(&p, &t, name, 1);
    }
}

static void check_same(const tree *a, const tree *b, const char *name, int round)
{
    CHECK(a->t.n_nodes == b->t.n_nodes, "%s %d: nodes %d, %d", name, round,
          a->t.n_nodes, b->t.n_nodes);
    for (int i = 0; i < a->t.n_nodes && i < b->t.n_nodes; i++)
        CHECK(a->feature[i] == b->feature[i] && a->threshold[i] == b->threshold[i] &&
                  a->cluster[i] == b->cluster[i] &&
                  a->missing_left[i] == b->missing_left[i],
              "%s %d: node %d", name, round, i);
}

/* A bin for each value: all walks find the same tree. */
static void test_same_tree_by_bins(void)
{
    static tree a, b;
    for (int round = 0; round < 120; round++) {
        problem p = make_problem(MAX_N - round % 7, 1 + round % 4, 1 + round % 3,
                                 round % 2 ? 4 : 0);
        p.rules.max_clusters = 2 + round % 9;
        p.rules.max_features = 1 + round % p.d;
        p.rules.seed = (uint64_t)round;
        vary(&p, round / 2);
        grow(&p, &a);
        for (p.walk = 1; p.walk < N_WALKS; p.walk++) {
            grow(&p, &b);
            check_same(&a, &b, "bins", round);
        }
    }
}

/* Samples of an integer weight, and the same samples repeated. */
static void test_weights_are_repetitions(void)
{
    static tree a, b;
    for (int round = 0; round < 90; round++) {
        problem p = make_problem(12, 2, 2, round % 2 ? 4 : 0), q;
        int n = 0;

        p.walk = round % N_WALKS;
        p.use_factor = p.walk == WALK_BINNED || round % 4 < 2;
        p.definite = 1;
        p.use_weight = 1;
        q = p;
        q.use_weight = 0;
        for (int i = 0; i < p.n; i++) {
            p.weight[i] = 1.0 + floor(3.0 * (uniform() + 0.5));
            for (int copy = 0; copy < (int)p.weight[i]; copy++, n++) {
                memcpy(q.x[n], p.x[i], sizeof q.x[n]);
                memcpy(q.factor[n], p.factor[i], sizeof q.factor[n]);
            }
        }
        q.n = q.rules.max_leaves = q.rules.max_depth = n;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                q.kernel[i][j] = 0.0;
                for (int c = 0; c < p.rank; c++)
                    q.kernel[i][j] += q.factor[i][c] * q.factor[j][c];
            }
        grow(&p, &a);
        grow(&q, &b);
        check_same(&a, &b, "weights", round);
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
        check_same(&a, &b, "kernel", round);
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
        gem_kauri_data data = {.n_samples = N,
                               .n_features = D,
                               .order = order,
                               .sorted = sorted,
                               .factor = factor,
                               .rank = D};
        gem_kauri_rules rules = {.max_clusters = 3,
                                 .max_leaves = N,
                                 .max_depth = N,
                                 .min_samples_split = 2,
                                 .min_samples_leaf = 1,
                                 .max_features = D,
                                 .poll = stop,
                                 .poll_context = &calls,
                                 .n_threads = 1};
        gem_kauri_tree t = {.left = nodes,
                            .right = nodes + 2 * N,
                            .feature = nodes + 4 * N,
                            .threshold = real,
                            .missing_left = nodes + 16 * N,
                            .gain = real + 2 * N,
                            .depth = nodes + 6 * N,
                            .cluster = nodes + 8 * N,
                            .size = nodes + 10 * N,
                            .kind = nodes + 12 * N,
                            .leaf_of = nodes + 14 * N,
                            .leaf_node = nodes + 15 * N};
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
    gem_kauri_apply(t.left, t.right, t.feature, t.threshold, t.missing_left, x, p.n,
                    p.d, node);
    for (int i = 0; i < p.n; i++)
        CHECK(node[i] == t.leaf_node[t.leaf_of[i]], "sample %d", i);
}

int main(void)
{
    test_against_brute_force();
    test_same_tree_by_bins();
    test_weights_are_repetitions();
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
