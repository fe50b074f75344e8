#include "transport_certificate.h"

#include <math.h>

double gem_transport_min_slack(const gem_transport_costs *costs, const double *u,
                               const double *v)
{
    double least = INFINITY;
    for (size_t i = 0; i < costs->n; i++) {
        const double *row = costs->d + i * costs->n;
        const double from = u[i];
#pragma omp simd reduction(min : least)
        for (size_t j = 0; j < costs->n; j++) {
            const double slack = row[j] - from + v[j];
            least = slack < least ? slack : least;
        }
    }
    return least;
}

gem_transport_status gem_certify_potentials(const gem_transport_costs *costs,
                                            const gem_tree *tree, gem_watch *watch,
                                            int *feasible)
{
    const double scale = costs->scale, bound = -8.0 * costs->tolerance;
    *feasible = 1;
    for (int32_t i = 0; i < tree->n && *feasible; i++) {
        const double *row = costs->d + (size_t)i * costs->n;
        const double from = tree->f[i];
        double least = INFINITY;
#pragma omp simd reduction(min : least)
        for (int32_t j = 0; j < tree->n; j++) {
            const double slack = row[j] * scale - from + tree->f[j];
            least = slack < least ? slack : least;
        }
        *feasible = least >= bound;
        if (gem_watch_stops(watch, tree->n))
            return GEM_TRANSPORT_INTERRUPTED;
    }
    return GEM_TRANSPORT_OK;
}

int gem_certify_throughput(const gem_tree *tree, const int64_t *common, int64_t *inflow)
{
    const gem_node *node = tree->node;
    for (int32_t x = 0; x < tree->n; x++)
        inflow[x] = 0;
    for (int32_t x = 0; x < tree->n; x++)
        if (x != tree->root)
            inflow[node[x].up ? node[x].parent : x] += gem_tree_flow(node + x);
    for (int32_t x = 0; x < tree->n; x++) {
        const int64_t outflow = inflow[x] + node[x].supply;
        if ((outflow < inflow[x] ? outflow : inflow[x]) > common[x])
            return 0;
    }
    return 1;
}
