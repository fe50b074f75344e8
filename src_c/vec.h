/* Vectors of doubles, as wide as a register, where they stay while arrays would not.
 * With compilers that have no vector types they are structures. Include from kernels
 * only.
 */
#ifndef GEM_VEC_H
#define GEM_VEC_H

#include <math.h>
#include <string.h>

#include "isa.h"

#ifdef __AVX512F__
#define GEM_VEC_LANES 8
#elif defined(__AVX__)
#define GEM_VEC_LANES 4
#else
#define GEM_VEC_LANES 2
#endif

#if defined(__GNUC__)
typedef double gem_vec __attribute__((vector_size(GEM_VEC_LANES * sizeof(double))));
#else
typedef struct {
    double lane[GEM_VEC_LANES];
} gem_vec;
#endif

GEM_INLINE gem_vec gem_vec_load(const double *from)
{
    gem_vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

GEM_INLINE void gem_vec_store(double *to, gem_vec v)
{
    memcpy(to, &v, sizeof v);
}

/* a * b + c. */
GEM_INLINE gem_vec gem_vec_muladd(double a, gem_vec b, gem_vec c)
{
#if defined(__GNUC__) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
    for (int i = 0; i < GEM_VEC_LANES; i++)
        c[i] = fma(a, b[i], c[i]);
    return c;
#elif defined(__GNUC__)
    return a * b + c;
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        c.lane[i] = GEM_MULADD(a, b.lane[i], c.lane[i]);
    return c;
#endif
}

#endif
