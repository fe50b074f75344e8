/* Certificates of the transport solver, on problems from kind to adversarial: the
 * generator is shared with the fuzz target. Prints what failed; returns how many. */
#include "transport_cases.h"

#include "transport_primal.h"
#include "transport_problem.h"
#include "transport_tree.h"

#include <stdio.h>
#include <stdlib.h>

static int failures;

static void expect(int good, const char *what, const char *where)
{
    if (good)
        return;
    failures++;
    printf("FAILED: %s (%s)\n", what, where);
}

/* Every field of the tree against its definition. */
static int tree_is_consistent(const gem_tree *tree)
{
    const gem_node *node = tree->node;
    int32_t *size = calloc((size_t)tree->n, sizeof *size);
    int32_t *seen = malloc(((size_t)tree->n + 2) * sizeof *seen);
    int64_t *net = calloc((size_t)tree->n, sizeof *net);
    int good = gem_tree_side(tree, tree->root, 1, seen) == tree->n;
    for (int32_t k = tree->n - 1; good && k >= 0; k--) {
        const int32_t x = seen[k];
        size[x] += 1;
        net[x] += node[x].supply;
        good = good && size[x] == node[x].size && net[x] == node[x].net;
        if (x == tree->root)
            continue;
        size[node[x].parent] += size[x];
        net[node[x].parent] += net[x];
        const double gap = tree->f[x] - tree->f[node[x].parent];
        good = good && fabs((node[x].up ? gap : -gap) - node[x].cost) <= 1e-13;
    }
    free(size);
    free(seen);
    free(net);
    return good;
}

static void test_tree(void)
{
    gem_tree tree;
    uint64_t state = 7;
    expect(gem_tree_create(&tree, 60), "memory", "tree");
    gem_tree_clear(&tree);
    for (int32_t x = 0; x < 60; x++)
        tree.node[x].supply = x - 3;
    for (int32_t x = 1; x < 60; x++)
        gem_tree_hang(&tree, x, (int32_t)(case_random(&state) * x), x % 2, 0.1 * x);
    gem_tree_traverse(&tree);
    gem_tree_sum_supplies(&tree);
    gem_tree_potentials(&tree);
    expect(tree_is_consistent(&tree), "a new tree is consistent", "tree");
    for (int round = 0; round < 500; round++) {
        int32_t list[62], leaving = 0, inner, outer;
        while (leaving == tree.root)
            leaving = (int32_t)(case_random(&state) * 60);
        int32_t count = gem_tree_side(&tree, leaving, 1, list);
        inner = list[(int32_t)(case_random(&state) * count)];
        count = gem_tree_side(&tree, leaving, 0, list);
        outer = list[(int32_t)(case_random(&state) * count)];
        gem_tree_exchange(&tree, leaving, inner, outer, round % 2, 0.01 * round);
        if (round % 50 == 49) {
            int32_t out[60], in[60];
            for (int32_t x = 0; x < 60; x++) {
                out[x] = tree.node[x].out_degree;
                in[x] = tree.node[x].in_degree;
            }
            gem_tree_traverse(&tree);
            for (int32_t x = 0; x < 60; x++)
                expect(out[x] == tree.node[x].out_degree &&
                           in[x] == tree.node[x].in_degree,
                       "degrees follow the exchanges", "tree");
            const int32_t centre = gem_tree_centroid(&tree);
            for (int32_t x = 0; x < 60; x++)
                expect(tree.node[x].parent != centre || tree.node[x].size <= 30,
                       "the centroid halves the tree", "tree");
        }
        /* Potentials and nets in full now and then; sizes and nets of exchanges always. */
        gem_tree_potentials(&tree);
        if (round % 50 == 49)
            expect(tree_is_consistent(&tree), "exchanged trees are consistent", "tree");
        if (round % 100 == 99) {
            gem_tree_reroot(&tree, (round * 7) % 60);
            gem_tree_traverse(&tree);
            gem_tree_sum_supplies(&tree);
            gem_tree_potentials(&tree);
            expect(tree_is_consistent(&tree), "rerooted trees are consistent", "tree");
        }
    }
    gem_tree_destroy(&tree);
}

/* Cold and warm on each kind of costs and masses, the masses changing all the time. */
static void test_cases(void)
{
    static const size_t sizes[] = {1, 2, 3, 7, 30, 101};
    char where[100];
    for (int cost = 0; cost < CASE_COSTS; cost++)
        for (int mass = 0; mass < CASE_MASSES; mass++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                snprintf(where, sizeof where, "costs %d, masses %d, n = %d", cost, mass,
                         (int)sizes[k]);
                const char *wrong =
                    case_run(cost, mass, sizes[k], 6, (uint64_t)(cost * 97 + mass));
                expect(wrong == NULL, wrong ? wrong : "", where);
            }
}

static void test_refusals(void)
{
    double d[4] = {0, 1, 1, 0}, a[2] = {0.5, 0.5}, b[2] = {1, 0};
    gem_transport_costs *costs = NULL;
    gem_transport_problem *problem = NULL;
    gem_transport_work *work = NULL;
    size_t bad = 0;
    const double broken[] = {-1.0, INFINITY, NAN};

    for (int k = 0; k < 3; k++) {
        d[2] = broken[k];
        expect(gem_transport_costs_create(d, 2, 1, &costs, &bad) ==
                   GEM_TRANSPORT_BAD_COST,
               "a broken cost is refused", "refusals");
        expect(bad == 2 && costs == NULL, "its position is told", "refusals");
    }
    d[2] = 1;
    expect(gem_transport_costs_create(d, 0, 1, &costs, NULL) == GEM_TRANSPORT_TOO_LARGE,
           "no points are refused", "refusals");
    gem_transport_costs_create(d, 2, 1, &costs, NULL);
    gem_transport_problem_create(2, &problem);
    gem_transport_work_create(&work);
    for (int k = 0; k < 3; k++) {
        a[0] = broken[k];
        expect(gem_transport_solve(costs, problem, work, a, b, 0, NULL, NULL) ==
                   GEM_TRANSPORT_BAD_MASS,
               "a broken mass is refused", "refusals");
    }
    a[0] = 0.6;
    expect(gem_transport_solve(costs, problem, work, a, b, 0, NULL, NULL) ==
               GEM_TRANSPORT_BAD_MASS,
           "unequal totals are refused", "refusals");
    a[0] = 0.5;
    expect(gem_transport_solve(costs, problem, work, a, b, 0, NULL, NULL) ==
               GEM_TRANSPORT_OK,
           "the problem still works", "refusals");
    expect(gem_transport_value(problem) == 0.5, "half of the mass moves by 1",
           "refusals");
    gem_transport_costs_destroy(costs);
    gem_transport_problem_destroy(problem);
    gem_transport_work_destroy(work);
    gem_transport_costs_destroy(NULL);
    gem_transport_problem_destroy(NULL);
    gem_transport_work_destroy(NULL);
}

static int stop_at_once(void *context)
{
    ++*(int *)context;
    return 1;
}

static void test_interruption(void)
{
    const size_t n = 1500;
    int polls = 0;
    double *d = malloc(n * n * sizeof *d), *a = malloc(n * sizeof *a),
           *b = malloc(n * sizeof *b);
    gem_transport_costs *costs;
    gem_transport_problem *problem;
    gem_transport_work *work;
    case_costs(0, n, 1, d);
    case_masses(0, n, 1, 0, a, b);
    gem_transport_costs_create(d, n, 1, &costs, NULL);
    gem_transport_problem_create(n, &problem);
    gem_transport_work_create(&work);
    expect(gem_transport_solve(costs, problem, work, a, b, 0, stop_at_once, &polls) ==
               GEM_TRANSPORT_INTERRUPTED,
           "a poll stops the solve", "interruption");
    expect(polls == 1, "it is asked once", "interruption");
    expect(gem_transport_solve(costs, problem, work, a, b, 1, NULL, NULL) ==
               GEM_TRANSPORT_OK,
           "the problem still works", "interruption");
    gem_transport_costs_destroy(costs);
    gem_transport_problem_destroy(problem);
    gem_transport_work_destroy(work);
    free(d);
    free(a);
    free(b);
}

int main(void)
{
    test_tree();
    test_refusals();
    test_interruption();
    test_cases();
    if (failures)
        printf("%d failures\n", failures);
    return failures != 0;
}
