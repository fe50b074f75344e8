/* Proofs that an answer is optimal, for costs that were not promised to be a metric. */
#ifndef GEM_TRANSPORT_CERTIFICATE_H
#define GEM_TRANSPORT_CERTIFICATE_H

#include "transport_costs.h"
#include "transport_tree.h"
#include "transport_watch.h"

/* Are the tree's potentials (node i = point i) feasible over all n^2 pairs? With a zero
 * diagonal this proves that letting common mass stay was optimal: the plan and the one
 * potential then have the same value in the whole problem. */
gem_transport_status gem_certify_potentials(const gem_transport_costs *costs,
                                            const gem_tree *tree, gem_watch *watch,
                                            int *feasible);

/* In a plan of the tree that sends mass through points, is what passes point i at most
 * common[i], the mass that a and b share there? Then it is a transport plan: what
 * arrives is what b wants and what leaves is what a had. */
int gem_certify_throughput(const gem_tree *tree, const int64_t *common,
                           int64_t *inflow);

#endif
