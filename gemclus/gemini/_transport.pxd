from libc.stdint cimport int64_t


cdef extern from "transport.h" nogil:
    ctypedef enum gem_transport_status:
        GEM_TRANSPORT_OK
        GEM_TRANSPORT_NO_MEMORY
        GEM_TRANSPORT_TOO_LARGE
        GEM_TRANSPORT_BAD_COST
        GEM_TRANSPORT_BAD_MASS
        GEM_TRANSPORT_INTERRUPTED
        GEM_TRANSPORT_STALLED

    ctypedef int (*gem_transport_poll)(void *context) noexcept nogil

    ctypedef struct gem_transport_costs:
        pass
    ctypedef struct gem_transport_problem:
        pass
    ctypedef struct gem_transport_work:
        pass
    ctypedef struct gem_transport_counters:
        int64_t cold, warm, bipartite, fallbacks, primal_pivots, dual_pivots

    gem_transport_status gem_transport_costs_create(
        const double *d, size_t n, int is_metric,
        gem_transport_costs **costs, size_t *bad)
    gem_transport_status gem_transport_costs_prepare_warm(gem_transport_costs *costs)
    void gem_transport_costs_destroy(gem_transport_costs *costs)
    int gem_transport_costs_is_symmetric(const gem_transport_costs *costs)
    int gem_transport_costs_has_zero_diagonal(const gem_transport_costs *costs)

    gem_transport_status gem_transport_problem_create(
        size_t n, gem_transport_problem **problem)
    void gem_transport_problem_destroy(gem_transport_problem *problem)
    gem_transport_status gem_transport_work_create(gem_transport_work **work)
    void gem_transport_work_destroy(gem_transport_work *work)

    gem_transport_status gem_transport_solve(
        const gem_transport_costs *costs, gem_transport_problem *problem,
        gem_transport_work *work, const double *a, const double *b, int keep,
        gem_transport_poll poll, void *context)
    double gem_transport_value(const gem_transport_problem *problem)
    int gem_transport_is_reduced(const gem_transport_problem *problem)
    void gem_transport_potentials(
        const gem_transport_problem *problem, double *u, double *v)
    double gem_transport_min_slack(
        const gem_transport_costs *costs, const double *u, const double *v)
    gem_transport_counters *gem_transport_problem_counters(
        gem_transport_problem *problem)
