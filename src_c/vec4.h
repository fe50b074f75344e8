/* Vectors of four doubles, which stay in registers where arrays would not. With
 * compilers that have no vector types they are structures. Include from kernels
 * only.
 */
#ifndef GEM_VEC4_H
#define GEM_VEC4_H

#include <math.h>
#include <string.h>

#include "isa.h"

#define GEM_VEC4 4

#if defined(__GNUC__)
typedef double gem_vec4 __attribute__((vector_size(32)));
#else
typedef struct {
    double lane[GEM_VEC4];
} gem_vec4;
#endif

GEM_INLINE gem_vec4 gem_vec4_load(const double *from)
{
    gem_vec4 v;
    memcpy(&v, from, sizeof v);
    return v;
}

GEM_INLINE void gem_vec4_store(double *to, gem_vec4 v)
{
    memcpy(to, &v, sizeof v);
}

/* a * b + c. */
GEM_INLINE gem_vec4 gem_vec4_muladd(double a, gem_vec4 b, gem_vec4 c)
{
#if defined(__GNUC__) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
    for (int i = 0; i < GEM_VEC4; i++)
        c[i] = fma(a, b[i], c[i]);
    return c;
#elif defined(__GNUC__)
    return a * b + c;
#else
    for (int i = 0; i < GEM_VEC4; i++)
        c.lane[i] = GEM_MULADD(a, b.lane[i], c.lane[i]);
    return c;
#endif
}

#endif
