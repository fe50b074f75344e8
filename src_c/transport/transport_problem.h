/* One problem: its tree, what the last solve found, and the work space of a thread. */
#ifndef GEM_TRANSPORT_PROBLEM_H
#define GEM_TRANSPORT_PROBLEM_H

#include "transport.h"
#include "transport_dual.h"
#include "transport_primal.h"
#include "transport_tree.h"

struct gem_transport_problem {
    size_t n;
    gem_tree tree;
    int sides;       /* nodes per point in the tree: 1 reduced, 2 bipartite, 0 none */
    int has_optimum; /* the tree is dual feasible: a warm start may use it */
    int not_metric;  /* a certificate failed: go straight to the bipartite problem */
    int is_null;     /* a = b: value 0, potentials 0 */
    double value, half_unscale, centre;
    gem_transport_counters counters;
};

struct gem_transport_work {
    gem_primal_work primal;
    gem_dual_work dual;
    int32_t *sources, *targets; /* n each */
    int64_t *common, *inflow;
    size_t n;
};

/* Largest integer supply: 2^60, so that sums of them never overflow. */
#define GEM_MASS_UNITS 0x1p60

/* Is there anything to move? Differences within the rounding of the masses are none. */
int gem_moves_mass(const double *a, const double *b, size_t n);
/* Supplies of the reduced problem: a - b on node i. */
void gem_reduced_supplies(const double *a, const double *b, gem_tree *tree);
/* min(a, b) in the same units, for gem_certify_throughput. */
void gem_common_mass(const double *a, const double *b, size_t n, int64_t *common);
/* Supplies of the whole problem: a on node i, -b on node n + j. */
void gem_bipartite_supplies(const double *a, const double *b, gem_tree *tree);

#endif
