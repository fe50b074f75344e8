/* The public interface: which route a problem takes, and what is read off at its end. */
#include "transport.h"

#include "transport_certificate.h"
#include "transport_costs.h"
#include "transport_problem.h"

#include <math.h>
#include <stdlib.h>

/* Relative difference of the totals of a and b that is not rounding. */
#define IMBALANCE 1e-9

typedef struct solve_call {
    const gem_transport_costs *costs;
    gem_transport_problem *problem;
    gem_transport_work *work;
    const double *a, *b;
    gem_watch watch;
} solve_call;

/* ------------------------------------------------------------- life times */

gem_transport_status gem_transport_problem_create(size_t n, gem_transport_problem **out)
{
    *out = NULL;
    if (n == 0 || n > GEM_TRANSPORT_MAX_POINTS)
        return GEM_TRANSPORT_TOO_LARGE;
    gem_transport_problem *problem = calloc(1, sizeof *problem);
    if (!problem)
        return GEM_TRANSPORT_NO_MEMORY;
    problem->n = n;
    problem->is_null = 1;
    *out = problem;
    return GEM_TRANSPORT_OK;
}

void gem_transport_problem_destroy(gem_transport_problem *problem)
{
    if (!problem)
        return;
    gem_tree_destroy(&problem->tree);
    free(problem);
}

gem_transport_status gem_transport_work_create(gem_transport_work **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? GEM_TRANSPORT_OK : GEM_TRANSPORT_NO_MEMORY;
}

static void free_lists(gem_transport_work *work)
{
    free(work->sources);
    free(work->targets);
    free(work->common);
    free(work->inflow);
    work->sources = work->targets = NULL;
    work->common = work->inflow = NULL;
    work->n = 0;
}

void gem_transport_work_destroy(gem_transport_work *work)
{
    if (!work)
        return;
    free_lists(work);
    gem_primal_work_free(&work->primal);
    gem_dual_work_free(&work->dual);
    free(work);
}

static int reserve_lists(gem_transport_work *work, size_t n)
{
    if (work->n >= n)
        return 1;
    free_lists(work);
    work->sources = malloc(n * sizeof *work->sources);
    work->targets = malloc(n * sizeof *work->targets);
    work->common = malloc(n * sizeof *work->common);
    work->inflow = malloc(n * sizeof *work->inflow);
    if (!work->sources || !work->targets || !work->common || !work->inflow) {
        free_lists(work);
        return 0;
    }
    work->n = n;
    return 1;
}

/* A tree of `sides` nodes per point; an existing one of this shape is kept. */
static int shape_tree(gem_transport_problem *problem, int sides)
{
    if (problem->sides == sides)
        return 1;
    gem_tree_destroy(&problem->tree);
    problem->has_optimum = 0;
    problem->sides =
        gem_tree_create(&problem->tree, (int32_t)problem->n * sides) ? sides : 0;
    return problem->sides == sides;
}

/* ----------------------------------------------------------------- routes */

static gem_transport_status solve_primal(solve_call *call, int32_t n_sources,
                                         int32_t n_targets, int32_t column_offset)
{
    gem_transport_problem *problem = call->problem;
    const gem_primal_problem primal = {
        .costs = call->costs,
        .sources = call->work->sources,
        .targets = call->work->targets,
        .n_sources = n_sources,
        .n_targets = n_targets,
        .column_offset = column_offset,
    };
    problem->has_optimum = 0;
    const gem_transport_status status =
        gem_primal_solve(&primal, &problem->tree, &call->work->primal, &call->watch,
                         &problem->counters.primal_pivots);
    problem->has_optimum = status == GEM_TRANSPORT_OK;
    gem_primal_work_trim(&call->work->primal);
    return status;
}

/* b+ to b-; points without either are targets that want nothing. */
static gem_transport_status solve_cold_reduced(solve_call *call)
{
    const gem_tree *tree = &call->problem->tree;
    int32_t n_sources = 0, n_targets = 0;
    for (int32_t x = 0; x < tree->n; x++) {
        if (tree->node[x].supply > 0)
            call->work->sources[n_sources++] = x;
        else
            call->work->targets[n_targets++] = x;
    }
    if (n_sources == 0) { /* only the rounding of the totals would have moved */
        call->problem->is_null = 1;
        return GEM_TRANSPORT_OK;
    }
    return solve_primal(call, n_sources, n_targets, 0);
}

static gem_transport_status solve_cold_bipartite(solve_call *call)
{
    gem_transport_problem *problem = call->problem;
    const int32_t n = (int32_t)problem->n;
    if (!shape_tree(problem, 2))
        return GEM_TRANSPORT_NO_MEMORY;
    gem_bipartite_supplies(call->a, call->b, &problem->tree);
    for (int32_t x = 0; x < n; x++) {
        call->work->sources[x] = x;
        call->work->targets[x] = n + x;
    }
    const gem_transport_status status = solve_primal(call, n, n, n);
    problem->counters.bipartite += status == GEM_TRANSPORT_OK;
    return status;
}

/* Cold: reduced if that can be right, proved if it was not promised, else bipartite. */
static gem_transport_status solve_cold(solve_call *call)
{
    gem_transport_problem *problem = call->problem;
    const gem_transport_costs *costs = call->costs;
    if (!problem->not_metric && costs->has_zero_diagonal) {
        int optimal = 1;
        if (!shape_tree(problem, 1))
            return GEM_TRANSPORT_NO_MEMORY;
        gem_reduced_supplies(call->a, call->b, &problem->tree);
        gem_transport_status status = solve_cold_reduced(call);
        if (status == GEM_TRANSPORT_OK && !costs->is_metric && !problem->is_null)
            status =
                gem_certify_potentials(costs, &problem->tree, &call->watch, &optimal);
        if (status != GEM_TRANSPORT_OK || optimal)
            return status;
        problem->not_metric = 1;
    }
    return solve_cold_bipartite(call);
}

/* Warm: from the kept tree. *solved = 0 asks for a cold start. */
static gem_transport_status solve_warm(solve_call *call, int *solved)
{
    gem_transport_problem *problem = call->problem;
    gem_tree *tree = &problem->tree;
    if (problem->sides == 1)
        gem_reduced_supplies(call->a, call->b, tree);
    else
        gem_bipartite_supplies(call->a, call->b, tree);
    const gem_transport_status status =
        gem_dual_solve(call->costs, tree, problem->sides, &call->work->dual,
                       &call->watch, &problem->counters.dual_pivots, solved);
    if (status != GEM_TRANSPORT_OK || !*solved)
        return status;
    if (problem->sides == 1 && !call->costs->is_metric) {
        gem_common_mass(call->a, call->b, problem->n, call->work->common);
        *solved = gem_certify_throughput(tree, call->work->common, call->work->inflow);
    }
    problem->counters.bipartite += *solved && problem->sides == 2;
    return status;
}

/* ---------------------------------------------------------------- results */

/* Value and centre from the potentials; masses as given, not as rounded. */
static void read_off(solve_call *call)
{
    gem_transport_problem *problem = call->problem;
    const double *u = problem->tree.f;
    const double *v = u + (problem->sides == 2 ? problem->n : 0);
    double mean = 0.0, value = 0.0;

    problem->value = 0.0;
    if (problem->is_null)
        return;
    for (size_t j = 0; j < problem->n; j++)
        mean += v[j];
    mean /= (double)problem->n;
    if (problem->sides == 1)
        for (size_t i = 0; i < problem->n; i++)
            value += (u[i] - mean) * (call->a[i] - call->b[i]);
    else
        for (size_t i = 0; i < problem->n; i++)
            value += (u[i] - mean) * call->a[i] - (v[i] - mean) * call->b[i];
    problem->centre = mean;
    problem->half_unscale = call->costs->half_unscale;
    problem->value = 2.0 * (value > 0.0 ? value : 0.0) * problem->half_unscale;
}

static gem_transport_status check_masses(const double *a, const double *b, size_t n)
{
    double total_a = 0.0, total_b = 0.0;
    int good = 1;
    for (size_t i = 0; i < n; i++) {
        good &= a[i] >= 0.0 && b[i] >= 0.0;
        total_a += a[i];
        total_b += b[i];
    }
    good &= isfinite(total_a) && isfinite(total_b) &&
            fabs(total_a - total_b) <= IMBALANCE * (total_a + total_b);
    return good ? GEM_TRANSPORT_OK : GEM_TRANSPORT_BAD_MASS;
}

/* a = b and nothing to pay for staying, or nothing costs anything. The tree is kept. */
static int nothing_to_pay(const solve_call *call)
{
    const gem_transport_costs *costs = call->costs;
    return costs->is_zero ||
           (costs->has_zero_diagonal && !gem_moves_mass(call->a, call->b, costs->n));
}

gem_transport_status gem_transport_solve(const gem_transport_costs *costs,
                                         gem_transport_problem *problem,
                                         gem_transport_work *work, const double *a,
                                         const double *b, int keep,
                                         gem_transport_poll poll, void *context)
{
    solve_call call = {costs, problem, work, a, b, {poll, context, 0}};
    gem_transport_status status = check_masses(a, b, problem->n);
    int solved = 0;

    if (status != GEM_TRANSPORT_OK)
        return status;
    problem->is_null = nothing_to_pay(&call);
    if (problem->is_null) {
        problem->value = 0.0;
        return GEM_TRANSPORT_OK;
    }
    if (!reserve_lists(work, problem->n))
        return GEM_TRANSPORT_NO_MEMORY;
    if (keep && problem->has_optimum && costs->rows16) {
        status = solve_warm(&call, &solved);
        problem->counters.warm += solved;
        problem->counters.fallbacks += !solved;
    }
    if (status == GEM_TRANSPORT_OK && !solved) {
        status = solve_cold(&call);
        problem->counters.cold += status == GEM_TRANSPORT_OK;
    }
    if (status == GEM_TRANSPORT_OK)
        read_off(&call);
    else
        problem->has_optimum = 0;
    return status;
}

double gem_transport_value(const gem_transport_problem *problem)
{
    return problem->value;
}

int gem_transport_is_reduced(const gem_transport_problem *problem)
{
    return problem->is_null || problem->sides == 1;
}

void gem_transport_potentials(const gem_transport_problem *problem, double *u,
                              double *v)
{
    const size_t n = problem->n;
    const double *from = problem->tree.f;
    if (problem->is_null) {
        for (size_t i = 0; i < n; i++)
            u[i] = v[i] = 0.0;
        return;
    }
    const double *to = from + (problem->sides == 2 ? n : 0);
    for (size_t i = 0; i < n; i++) {
        u[i] = 2.0 * (from[i] - problem->centre) * problem->half_unscale;
        v[i] = 2.0 * (to[i] - problem->centre) * problem->half_unscale;
    }
}

gem_transport_counters *gem_transport_problem_counters(gem_transport_problem *problem)
{
    return &problem->counters;
}
