/* Vectors of doubles, as wide as a register, where they stay while arrays would not.
 * With compilers that have no vector types they are structures. Include from passes
 * only.
 */
#ifndef GEM_VEC_H
#define GEM_VEC_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
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
typedef int64_t gem_vec_bits __attribute__((vector_size(sizeof(gem_vec))));
/* Not zero in lanes that are marked. gcc 12 keeps such a sum of int64 out of SSE2. */
typedef int32_t gem_vec_marks __attribute__((vector_size(sizeof(gem_vec))));
#define GEM_VEC_AT(v, i) (v)[i]
#else
typedef struct {
    double lane[GEM_VEC_LANES];
} gem_vec;
typedef gem_vec gem_vec_marks;
#define GEM_VEC_AT(v, i) (v).lane[i]
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

GEM_INLINE gem_vec gem_vec_all(double x)
{
    gem_vec v;
    for (int i = 0; i < GEM_VEC_LANES; i++)
        GEM_VEC_AT(v, i) = x;
    return v;
}

/* a * b + c. */
GEM_INLINE gem_vec gem_vec_muladd(gem_vec a, gem_vec b, gem_vec c)
{
#if defined(__GNUC__) && !defined(__FMA__) && !defined(__ARM_FEATURE_FMA)
    return a * b + c;
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        GEM_VEC_AT(c, i) =
            GEM_MULADD(GEM_VEC_AT(a, i), GEM_VEC_AT(b, i), GEM_VEC_AT(c, i));
    return c;
#endif
}

/* c - a * b. */
GEM_INLINE gem_vec gem_vec_mulsub(gem_vec a, gem_vec b, gem_vec c)
{
#if defined(__GNUC__) && !defined(__FMA__) && !defined(__ARM_FEATURE_FMA)
    return c - a * b;
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        GEM_VEC_AT(c, i) =
            GEM_MULADD(-GEM_VEC_AT(a, i), GEM_VEC_AT(b, i), GEM_VEC_AT(c, i));
    return c;
#endif
}

/* x where a > b, else 0. */
GEM_INLINE gem_vec gem_vec_if_above(gem_vec a, gem_vec b, gem_vec x)
{
#if defined(__GNUC__)
    return (gem_vec)((a > b) & (gem_vec_bits)x);
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        x.lane[i] = a.lane[i] > b.lane[i] ? x.lane[i] : 0.0;
    return x;
#endif
}

/* x where a == b, else 0. */
GEM_INLINE gem_vec gem_vec_if_equal(gem_vec a, gem_vec b, gem_vec x)
{
#if defined(__GNUC__)
    return (gem_vec)((a == b) & (gem_vec_bits)x);
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        x.lane[i] = a.lane[i] == b.lane[i] ? x.lane[i] : 0.0;
    return x;
#endif
}

/* Marks the lanes where a == b as well. */
GEM_INLINE gem_vec_marks gem_vec_mark_equal(gem_vec_marks marks, gem_vec a, gem_vec b)
{
#if defined(__GNUC__)
    return marks | (gem_vec_marks)(a == b);
#else
    for (int i = 0; i < GEM_VEC_LANES; i++)
        marks.lane[i] = a.lane[i] == b.lane[i] ? 1.0 : marks.lane[i];
    return marks;
#endif
}

GEM_INLINE int gem_vec_any(gem_vec_marks marks)
{
    int any = 0;
    for (size_t i = 0; i < sizeof marks / sizeof GEM_VEC_AT(marks, 0); i++)
        any |= GEM_VEC_AT(marks, i) != 0;
    return any;
}

#endif
