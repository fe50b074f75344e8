/* The passes of the best instruction set that this processor has.
 *
 * Three sets are built on x86-64: the baseline, x86-64-v3 (AVX2, FMA, BMI) and
 * x86-64-v4 (AVX-512); elsewhere the baseline alone. Asking the processor is slow
 * in virtual machines (tens of microseconds): call gem_passes_select once and keep
 * what it returns. The tables are constant and live as long as the program.
 */
#ifndef GEM_DISPATCH_H
#define GEM_DISPATCH_H

#include "dense.h"
#include "fdivergence.h"
#include "softmax.h"
#include "vmath.h"

typedef enum { GEM_ISA_BASELINE, GEM_ISA_V3, GEM_ISA_V4, GEM_ISA_COUNT } gem_isa;

typedef struct {
    const char *isa; /* "baseline", "x86-64-v3" or "x86-64-v4" */
    const gem_vmath_table *vmath;
    const gem_softmax_table *softmax;
    const gem_fdiv_table *fdivergence;
    const gem_dense_table *dense;
} gem_passes;

/* The best passes of `most` or a lower set. */
const gem_passes *gem_passes_select(gem_isa most);

/* The tables themselves: of every set that was built (GEM_HAVE_V3, GEM_HAVE_V4). */
extern const gem_vmath_table gem_vmath_baseline, gem_vmath_v3, gem_vmath_v4;
extern const gem_softmax_table gem_softmax_baseline, gem_softmax_v3, gem_softmax_v4;
extern const gem_fdiv_table gem_fdiv_baseline, gem_fdiv_v3, gem_fdiv_v4;
extern const gem_dense_table gem_dense_baseline, gem_dense_v3, gem_dense_v4;

#endif
