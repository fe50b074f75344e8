/* Exponential and logarithm of arrays of float64.
 *
 * Errors, in units in the last place of the exact result, are below
 * GEM_EXP_ULPS and GEM_LOG_ULPS for every input, subnormal results included.
 *
 *   exp: overflow gives +inf, underflow subnormal numbers and then 0;
 *        exp(-inf) = 0, exp(+inf) = +inf, NaN gives NaN.
 *   log: log(+-0) = -inf, a negative number or NaN gives NaN, log(+inf) = +inf;
 *        log(1) is exactly 0.
 *
 * Results may differ in the last digit between instruction sets, and nowhere
 * else: they depend on neither position nor length. `out` may be `x` itself;
 * otherwise the two do not overlap.
 */
#ifndef GEM_VMATH_H
#define GEM_VMATH_H

#include <stddef.h>

#define GEM_EXP_ULPS 1.0
#define GEM_LOG_ULPS 1.0

typedef struct {
    void (*exp)(const double *x, double *out, size_t n);
    void (*log)(const double *x, double *out, size_t n);
} gem_vmath_table;

#endif
