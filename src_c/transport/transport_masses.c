/* Masses as integers: each supply is rounded to 2^-60 of the moving mass and the rest goes
 * to the largest one, so that all sums over subtrees are exact and balance. */
#include "transport_problem.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* What a - b leaves when a and b are equal but for rounding. */
#define NO_DIFFERENCE (4.0 * DBL_EPSILON)

static double difference(double a, double b)
{
    const double moved = a - b, larger = a > b ? a : b;
    return fabs(moved) <= NO_DIFFERENCE * larger ? 0.0 : moved;
}

static double units_per_mass(double total)
{
    return total > DBL_MIN * GEM_MASS_UNITS ? GEM_MASS_UNITS / total : 0.0;
}

static double moving_mass(const double *a, const double *b, size_t n)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
        total += fabs(difference(a[i], b[i]));
    return total;
}

int gem_moves_mass(const double *a, const double *b, size_t n)
{
    return units_per_mass(moving_mass(a, b, n)) > 0.0;
}

void gem_reduced_supplies(const double *a, const double *b, gem_tree *tree)
{
    const double units = units_per_mass(moving_mass(a, b, (size_t)tree->n));
    int64_t imbalance = 0;
    int32_t largest = 0;
    for (int32_t i = 0; i < tree->n; i++) {
        const int64_t supply = llrint(difference(a[i], b[i]) * units);
        tree->node[i].supply = supply;
        imbalance += supply;
        if (llabs(supply) > llabs(tree->node[largest].supply))
            largest = i;
    }
    tree->node[largest].supply -= imbalance;
}

void gem_common_mass(const double *a, const double *b, size_t n, int64_t *common)
{
    const double units = units_per_mass(moving_mass(a, b, n));
    for (size_t i = 0; i < n; i++) {
        const double mass = (a[i] < b[i] ? a[i] : b[i]) * units;
        common[i] = mass < GEM_MASS_UNITS ? llrint(mass) : (int64_t)GEM_MASS_UNITS;
    }
}

void gem_bipartite_supplies(const double *a, const double *b, gem_tree *tree)
{
    const int32_t n = tree->n / 2;
    double total = 0.0;
    for (int32_t i = 0; i < n; i++)
        total += a[i] + b[i];
    const double units = units_per_mass(total);
    int64_t imbalance = 0;
    int32_t largest = n;
    for (int32_t i = 0; i < n; i++) {
        tree->node[i].supply = llrint(a[i] * units);
        tree->node[n + i].supply = -llrint(b[i] * units);
        imbalance += tree->node[i].supply + tree->node[n + i].supply;
    }
    for (int32_t x = 0; x < tree->n; x++)
        if (llabs(tree->node[x].supply) > llabs(tree->node[largest].supply))
            largest = x;
    tree->node[largest].supply -= imbalance;
}
