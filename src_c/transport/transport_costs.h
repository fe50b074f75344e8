/* The read-only costs that all problems of one matrix share.
 *
 * `scale` is the power of two that brings the largest cost into [1/2, 1), so that
 * neither tiny nor huge distances overflow a sum; multiplying by it is exact.
 *
 * The int16 copy holds floor(d * scale * GEM_UNITS): a lower bound that is
 * searched before anything exact is looked at.
 */
#ifndef GEM_TRANSPORT_COSTS_H
#define GEM_TRANSPORT_COSTS_H

#include "transport.h"

/* Resolution of the int16 copy. See transport_dual.c for what must fit. */
#define GEM_UNITS 16000
/* Its rows are padded with zeros to a multiple of this. */
#define GEM_LANES16 32

struct gem_transport_costs {
    const double *d;
    size_t n;
    double scale, half_unscale; /* 2^e may overflow, 2^(e-1) does not */
    double tolerance;           /* on scaled reduced costs */
    int is_metric;              /* the caller's promise */
    int is_symmetric, has_zero_diagonal, is_zero;
    size_t stride16;
    int16_t *rows16, *columns16; /* NULL until prepared; equal when symmetric */
};

static inline double gem_cost(const gem_transport_costs *costs, size_t i, size_t j)
{
    return costs->d[i * costs->n + j] * costs->scale;
}

#endif
