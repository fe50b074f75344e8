/* Cold start: primal network simplex on a transportation problem.
 *
 * Sources send to targets only. A row-minimum greedy start gives the first basis;
 * candidate-list pricing (the best arc of each of a few rows, then minor iterations)
 * on a packed float32 copy of the source x target costs finds the entering arcs;
 * a last phase looks at the exact float64 costs of whatever float32 cannot decide, so
 * that the end is optimal within the tolerance of the costs.
 *
 * Degeneracy. The bases are strongly feasible for the perturbation that gives each
 * source a little more than all targets together: a basic arc without flow points
 * towards the root, unless it ends in a target that is a leaf. Choosing the last
 * blocking arc of the cycle, in the direction of the entering arc and from the join
 * node on, keeps this so and excludes cycling (Cunningham, Mathematical Programming 11,
 * 1976).
 */
#ifndef GEM_TRANSPORT_PRIMAL_H
#define GEM_TRANSPORT_PRIMAL_H

#include "transport_costs.h"
#include "transport_tree.h"
#include "transport_watch.h"

/* Node sources[s] sends by the costs' row `sources[s]`; node targets[t] receives by
 * column `targets[t] - column_offset`. */
typedef struct gem_primal_problem {
    const gem_transport_costs *costs;
    const int32_t *sources, *targets;
    int32_t n_sources, n_targets, column_offset;
} gem_primal_problem;

/* Buffers, grown as needed and kept between solves. */
typedef struct gem_primal_work {
    float *packed; /* n_sources x n_targets */
    size_t packed_size;
    float *price;   /* float32 potentials: sources, then targets */
    int64_t *spare; /* perturbation left, in the greedy start */
    int32_t *slot;  /* node -> position in price */
    int32_t *list;  /* nodes of one side of the cut */
    size_t nodes;
} gem_primal_work;

void gem_primal_work_free(gem_primal_work *work);
/* Release the packed costs, by far the largest buffer. */
void gem_primal_work_trim(gem_primal_work *work);

/* Solve for the supplies in the tree's nodes: >= 0 at sources, <= 0 at targets, of sum 0
 * and not all 0. All nodes of the tree are sources or targets, at least one of each.
 * Leaves an optimal tree, traversed, with potentials (0 at the root). */
gem_transport_status gem_primal_solve(const gem_primal_problem *problem, gem_tree *tree,
                                      gem_primal_work *work, gem_watch *watch,
                                      int64_t *pivots);

#endif
