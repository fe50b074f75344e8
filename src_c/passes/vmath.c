#include "vmath.h"

#include "dispatch.h"
#include "vmath_lanes.h"

static void exp_array(const double *x, double *out, size_t n)
{
    GEM_SIMD
    for (size_t i = 0; i < n; i++)
        out[i] = gem_exp_lane(x[i]);
}

static void log_array(const double *x, double *out, size_t n)
{
    GEM_SIMD
    for (size_t i = 0; i < n; i++)
        out[i] = gem_log_lane(x[i]);
}

const gem_vmath_table GEM_ISA(gem_vmath) = {exp_array, log_array};
