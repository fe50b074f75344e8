/* Exact optimal transport between two measures on the same n points.
 *
 *     W(a, b) = min  sum_ij d[i][j] T[i][j]   over  T >= 0, T 1 = a, T' 1 = b
 *             = max  sum_i a[i] u[i] - b[i] v[i]   over  u[i] - v[j] <= d[i][j]
 *
 * solved by network simplex methods of our own, made for many problems that
 * share their costs and change little from one call to the next.
 *
 * How to use it:
 *     gem_transport_costs_create(d, n, is_metric, &costs, &bad);   once per matrix
 *     gem_transport_problem_create(n, &problem);     one per sequence of problems
 *     gem_transport_work_create(&work);              one per thread
 *     gem_transport_solve(costs, problem, work, a, b, keep, poll, context);
 *     gem_transport_value(problem); gem_transport_potentials(problem, u, v);
 *     ..._destroy, in any order once nothing is being solved.
 *
 * Threads: the costs are only read by a solve, a problem and a work space belong to
 * one solve at a time; there are no globals. The answer does not depend on the work space.
 *
 * Routes. When d is a metric (or behaves as one for this problem, which is proved and
 * not assumed), mass common to a and b stays where it is, only b+ = max(a - b, 0)
 * travels to b- = max(b - a, 0), and one potential u = v does. Otherwise the
 * whole problem on 2n nodes is solved. See transport_primal.h for the cold start,
 * transport_dual.h for the warm start, transport_certificate.h for the proof.
 *
 * Numbers. Costs are read through a power of two that brings their maximum into
 * [1/2, 1), masses are rounded to multiples of 2^-60 of their sum, so the bases are
 * exact at any scale. With dmax the largest cost, potentials are feasible within about
 * 1e-14 * dmax, and so is the value per unit of mass.
 *
 * Functions return a status; nothing prints, nothing aborts. */
#ifndef GEM_TRANSPORT_H
#define GEM_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

typedef enum gem_transport_status {
    GEM_TRANSPORT_OK = 0,
    GEM_TRANSPORT_NO_MEMORY, /* malloc failed; the problem is as after create */
    GEM_TRANSPORT_TOO_LARGE, /* n is 0 or above GEM_TRANSPORT_MAX_POINTS */
    GEM_TRANSPORT_BAD_COST,  /* a cost is negative, infinite or NaN */
    GEM_TRANSPORT_BAD_MASS, /* a mass is negative, infinite or NaN, or the sums differ */
    GEM_TRANSPORT_INTERRUPTED, /* poll asked to stop; the problem is as after create */
    GEM_TRANSPORT_STALLED      /* no convergence within the pivot limit (a defect) */
} gem_transport_status;

#define GEM_TRANSPORT_MAX_POINTS ((size_t)1 << 29)

/* Called from time to time, every few milliseconds, without any lock; a non-zero
 * return stops the solve. */
typedef int (*gem_transport_poll)(void *context);

typedef struct gem_transport_costs gem_transport_costs;
typedef struct gem_transport_problem gem_transport_problem;
typedef struct gem_transport_work gem_transport_work;

/* What a solve went through, for tests and benchmarks. Added up until reset. */
typedef struct gem_transport_counters {
    int64_t cold, warm; /* solves that ended on this path */
    int64_t bipartite;  /* of them, on the 2n-node problem */
    int64_t fallbacks;  /* warm starts given up for a cold one */
    int64_t primal_pivots, dual_pivots;
} gem_transport_counters;

/* Read-only view of the n x n C-ordered matrix d, which is not copied and must
 * outlive it. is_metric promises symmetry, a zero diagonal and the triangle inequality
 * (within rounding); without the promise each answer is certified. One pass over
 * d checks the entries; *bad (may be NULL) is the position of the first refused one. */
gem_transport_status gem_transport_costs_create(const double *d, size_t n,
                                                int is_metric,
                                                gem_transport_costs **costs,
                                                size_t *bad);
/* Add the int16 copy that warm starts search (n * n * 2 bytes; twice that for
 * asymmetric costs). Call before threads share the costs. */
gem_transport_status gem_transport_costs_prepare_warm(gem_transport_costs *costs);
void gem_transport_costs_destroy(gem_transport_costs *costs);
int gem_transport_costs_is_symmetric(const gem_transport_costs *costs);
int gem_transport_costs_has_zero_diagonal(const gem_transport_costs *costs);

gem_transport_status gem_transport_problem_create(size_t n,
                                                  gem_transport_problem **problem);
void gem_transport_problem_destroy(gem_transport_problem *problem);

gem_transport_status gem_transport_work_create(gem_transport_work **work);
void gem_transport_work_destroy(gem_transport_work *work);

/* Solve for the masses a and b (n entries each, of equal sums).
 * keep = 0: from nothing. keep = 1: from the last optimal tree of this problem, if it
 * has one for the same costs (the caller's promise) and the warm copy exists. */
gem_transport_status gem_transport_solve(const gem_transport_costs *costs,
                                         gem_transport_problem *problem,
                                         gem_transport_work *work, const double *a,
                                         const double *b, int keep,
                                         gem_transport_poll poll, void *context);

/* Of the last successful solve: */
double gem_transport_value(const gem_transport_problem *problem);
/* One potential serves both sides (u = v)? */
int gem_transport_is_reduced(const gem_transport_problem *problem);
/* n entries each, centred so that the mean of v is 0. */
void gem_transport_potentials(const gem_transport_problem *problem, double *u,
                              double *v);
/* Smallest of d[i][j] - u[i] + v[j] over all n^2 pairs; negative = infeasible. */
double gem_transport_min_slack(const gem_transport_costs *costs, const double *u,
                               const double *v);
gem_transport_counters *gem_transport_problem_counters(gem_transport_problem *problem);

#endif
