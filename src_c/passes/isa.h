/* Building one source for several instruction sets.
 *
 * Sources listed as "passes" in meson.build are compiled once for each
 * instruction set, with -DGEM_ISA_SUFFIX=_<name>. Each exports exactly one
 * symbol, its table of functions, named GEM_ISA(gem_<subject>); everything
 * else in it is static. dispatch.h picks the tables at run time.
 *
 * Contraction of a*b + c is off (-ffp-contract=off), and GEM_MULADD says where
 * it is wanted: so two functions that share a formula agree to the last bit.
 */
#ifndef GEM_ISA_H
#define GEM_ISA_H

#ifndef GEM_ISA_SUFFIX
#define GEM_ISA_SUFFIX _baseline
#endif

#define GEM_PASTE_(name, suffix) name##suffix
#define GEM_PASTE(name, suffix) GEM_PASTE_(name, suffix)
#define GEM_ISA(name) GEM_PASTE(name, GEM_ISA_SUFFIX)

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#include <math.h>
#define GEM_MULADD(a, b, c) fma((a), (b), (c))
#else
#define GEM_MULADD(a, b, c) ((a) * (b) + (c))
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define GEM_INLINE static __forceinline
#else
#define GEM_INLINE static inline __attribute__((always_inline))
#endif

/* A loop whose iterations are independent of each other. */
#if defined(_MSC_VER) && !defined(__clang__)
#define GEM_SIMD __pragma(loop(ivdep))
#else
#define GEM_SIMD _Pragma("omp simd")
#endif

#endif
