/* Warm start: dual network simplex on the tree that was optimal for other masses.
 *
 * Potentials depend on the tree and the costs, not on the supplies, so the last optimal
 * tree stays dual feasible for any new masses. Arcs with negative flow leave one by one;
 * the arc of least slack across the cut enters. Searching the cut is what costs time, so
 *  - the leaving arc is the one with the largest |flow| / (nodes on its smaller side);
 *  - only rows of the smaller side are scanned, on the int16 copy of the costs, which
 *    gives lower bounds; the few arcs that these leave open are looked at exactly;
 *  - with the triangle inequality, only nodes that have a basic arc leaving them can send
 *    on the entering arc, and only nodes that have one entering them can receive: the
 *    others are dominated by their neighbours.
 *
 * sides = 1: transshipment between the n points. sides = 2: the 2n-node transportation
 * problem, where node i sends by row i and node n + j receives by column j.
 */
#ifndef GEM_TRANSPORT_DUAL_H
#define GEM_TRANSPORT_DUAL_H

#include "transport_costs.h"
#include "transport_tree.h"
#include "transport_watch.h"

/* Buffers, grown as needed and kept between solves. */
typedef struct gem_dual_work {
    int16_t *receive16, *send16; /* quantised +f of receivers, -f of senders */
    int32_t *list;               /* nodes with a negative flow above them, maybe */
    uint8_t *listed;
    int32_t *side, *row_node; /* nodes of the smaller side; those scanned */
    double *row_bound;        /* lower bound of the slack of their rows */
    size_t nodes;
} gem_dual_work;

void gem_dual_work_free(gem_dual_work *work);

/* Bring the tree, optimal for other supplies, traversed and with potentials, to
 * optimality for its present ones. Leaves it traversed, with fresh potentials (0 at the
 * root). *solved = 0: given up after too many pivots; the tree is still dual feasible. */
gem_transport_status gem_dual_solve(const gem_transport_costs *costs, gem_tree *tree,
                                    int sides, gem_dual_work *work, gem_watch *watch,
                                    int64_t *pivots, int *solved);

#endif
