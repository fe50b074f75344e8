/* Problems for the tests and the fuzz target of the transport solver, and the proofs that
 * an answer must pass. */
#ifndef GEM_TRANSPORT_CASES_H
#define GEM_TRANSPORT_CASES_H

#include "transport.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { CASE_COSTS = 14, CASE_MASSES = 8 };

static inline double case_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) * 0x1p-53;
}

static inline uint64_t case_seed(uint64_t seed)
{
    return (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

/* Is costs[kind] a metric that may be promised? */
static inline int case_is_metric(int kind)
{
    return kind <= 6;
}

static inline double case_coordinate(int kind, size_t i, size_t n, uint64_t *state)
{
    const double u = case_random(state);
    switch (kind) {
    case 1:
        return (double)((i * 7 + (size_t)(u * 2)) % 5); /* lattice */
    case 2:
        return (double)(i % 3) * 0.1; /* duplicates */
    case 3:
        return (double)i / (double)n; /* points on a line */
    case 4:
        return u * 1e-160;
    case 5:
        return u * 1e150;
    case 6:
        return u < 0.5 ? u : u * 1e9; /* two scales */
    default:
        return u;
    }
}

/* 0 .. 6 metrics (Manhattan in 3 dimensions); then squares, random symmetric, asymmetric,
 * full random, metric with a diagonal, metric not promised, zero costs. */
static inline void case_costs(int kind, size_t n, uint64_t seed, double *d)
{
    uint64_t state = case_seed(seed);
    double *x = malloc(3 * n * sizeof *x);
    for (size_t k = 0; k < 3 * n; k++)
        x[k] = case_coordinate(kind, k / 3, n, &state);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < 3; k++)
                sum += fabs(x[3 * i + k] - x[3 * j + k]);
            if (kind == 7)
                sum *= sum;
            else if (kind == 8)
                sum = j < i ? d[j * n + i] : j == i ? 0.0 : case_random(&state);
            else if (kind == 9)
                sum = i == j ? 0.0 : 0.5 + case_random(&state);
            else if (kind == 10)
                sum = case_random(&state);
            else if (kind == 11)
                sum += 0.2;
            else if (kind == 13)
                sum = 0.0;
            d[i * n + j] = sum;
        }
    free(x);
}

/* Masses of step `step` of a sequence; each kind changes a little from step to step. */
static inline void case_masses(int kind, size_t n, uint64_t seed, int step, double *a,
                               double *b)
{
    uint64_t state = case_seed(seed + 1000);
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double u = case_random(&state), w = case_random(&state), t = 0.1 * step;
        b[i] = 1.0 / (double)n;
        switch (kind) {
        case 0:
            a[i] = 0.1 + u + t * (w - 0.5) * u;
            break;
        case 1:
            a[i] = (i + (size_t)step) % 3 == 0;
            break; /* one-hot */
        case 2:
            a[i] = 1.0 + 1e-9 * (u - 0.5) + 1e-10 * t * w;
            break; /* near uniform */
        case 3:
            a[i] = pow(10.0, -20.0 * (u + 0.01 * t * w));
            break;
        case 4:
            a[i] = i == (size_t)(u * 0.01 * step) % n;
            break; /* one point */
        case 5:
            a[i] = 1.0;
            break; /* nothing to move */
        case 6:
            a[i] = u < 0.3 ? 0.0 : u + t * w;
            break;
        default:
            a[i] = (double)(1 + (int)(4 * u + t * w));
            break; /* ties */
        }
        a[i] = a[i] < 0.0 ? 0.0 : a[i];
        total += a[i];
    }
    if (total == 0.0)
        a[0] = total = 1.0;
    for (size_t i = 0; i < n; i++)
        a[i] /= total;
    if (kind == 6 || kind == 7) { /* the other side is not uniform either */
        total = 0.0;
        for (size_t i = 0; i < n; i++)
            total += b[i] = a[n - 1 - i] + (kind == 6 ? 0.0 : 0.1);
        for (size_t i = 0; i < n; i++)
            b[i] /= total;
    }
}

/* Cold value of the whole bipartite problem, for costs that hide that they are a metric: a
 * diagonal that is all but zero sends them there. */
static inline int case_bipartite_value(const double *d, size_t n, const double *a,
                                       const double *b, double dmax, double *value)
{
    double *nudged = malloc(n * n * sizeof *nudged);
    gem_transport_costs *costs = NULL;
    gem_transport_problem *problem = NULL;
    gem_transport_work *work = NULL;
    for (size_t k = 0; k < n * n; k++)
        nudged[k] = d[k];
    nudged[0] += 1e-15 * dmax;
    int good =
        gem_transport_costs_create(nudged, n, 0, &costs, NULL) == GEM_TRANSPORT_OK &&
        gem_transport_problem_create(n, &problem) == GEM_TRANSPORT_OK &&
        gem_transport_work_create(&work) == GEM_TRANSPORT_OK &&
        gem_transport_solve(costs, problem, work, a, b, 0, NULL, NULL) ==
            GEM_TRANSPORT_OK;
    if (good)
        *value = gem_transport_value(problem);
    gem_transport_costs_destroy(costs);
    gem_transport_problem_destroy(problem);
    gem_transport_work_destroy(work);
    free(nudged);
    return good;
}

/* The last answer of `problem`: feasible potentials whose value is the one reported. */
static inline const char *case_check(const gem_transport_costs *costs,
                                     const gem_transport_problem *problem,
                                     const double *a, const double *b, size_t n,
                                     double dmax, double *value)
{
    double *u = malloc(2 * n * sizeof *u), *v = u + n, dual = 0.0;
    const char *wrong = NULL;
    /* Potentials of subnormal costs are rounded to multiples of 2^-1074. */
    const double rounding = 0x1p-1071;
    gem_transport_potentials(problem, u, v);
    *value = gem_transport_value(problem);
    for (size_t i = 0; i < n; i++) {
        dual += u[i] * a[i] - v[i] * b[i];
        if (!isfinite(u[i]) || !isfinite(v[i]))
            wrong = "a potential is not finite";
    }
    if (gem_transport_min_slack(costs, u, v) < -1e-12 * dmax - rounding)
        wrong = "the potentials are not feasible";
    if (fabs(dual - *value) > 1e-13 * dmax + (double)n * rounding)
        wrong = "the potentials have another value";
    free(u);
    return wrong;
}

/* One warm sequence of problems; each answer feasible, and as good as the cold answer of
 * another route. Returns what is wrong, or NULL. */
static inline const char *case_run(int cost, int mass, size_t n, int steps,
                                   uint64_t seed)
{
    double *d = malloc((n * n + 2 * n) * sizeof *d), *a = d + n * n, *b = a + n;
    double dmax = 0.0, warm_value, cold_value;
    const char *wrong = NULL;
    gem_transport_costs *costs = NULL;
    gem_transport_problem *warm = NULL, *cold = NULL;
    gem_transport_work *work = NULL;

    case_costs(cost, n, seed, d);
    for (size_t k = 0; k < n * n; k++)
        dmax = d[k] > dmax ? d[k] : dmax;
    if (gem_transport_costs_create(d, n, case_is_metric(cost), &costs, NULL) ||
        gem_transport_costs_prepare_warm(costs) ||
        gem_transport_problem_create(n, &warm) ||
        gem_transport_problem_create(n, &cold) || gem_transport_work_create(&work))
        wrong = "nothing could be made";
    for (int step = 0; !wrong && step < steps; step++) {
        case_masses(mass, n, seed, step, a, b);
        if (gem_transport_solve(costs, warm, work, a, b, 1, NULL, NULL) ||
            gem_transport_solve(costs, cold, work, a, b, 0, NULL, NULL))
            wrong = "no solution";
        if (!wrong)
            wrong = case_check(costs, warm, a, b, n, dmax, &warm_value);
        if (!wrong)
            wrong = case_check(costs, cold, a, b, n, dmax, &cold_value);
        if (!wrong && fabs(warm_value - cold_value) > 1e-12 * dmax + 0x1p-1064)
            wrong = "warm and cold differ";
        if (!wrong && dmax > 0.0 &&
            (!case_bipartite_value(d, n, a, b, dmax, &cold_value) ||
             fabs(warm_value - cold_value) > 1e-12 * dmax + 0x1p-1064))
            wrong = "the bipartite problem differs";
    }
    gem_transport_costs_destroy(costs);
    gem_transport_problem_destroy(warm);
    gem_transport_problem_destroy(cold);
    gem_transport_work_destroy(work);
    free(d);
    return wrong;
}

#endif
