/* The kernels of the best instruction set that this processor has.
 *
 * Two sets are built on x86-64: the baseline, and x86-64-v3 (AVX2, FMA, BMI);
 * elsewhere the baseline alone. Asking the processor is slow in virtual
 * machines (tens of microseconds): call gem_kernels_select once and keep what
 * it returns. The tables are constant and live as long as the program.
 */
#ifndef GEM_DISPATCH_H
#define GEM_DISPATCH_H

#include "dense.h"
#include "fdivergence.h"
#include "softmax.h"
#include "vmath.h"

typedef struct {
    const char *isa; /* "baseline" or "x86-64-v3" */
    const gem_vmath_table *vmath;
    const gem_softmax_table *softmax;
    const gem_fdiv_table *fdivergence;
    const gem_dense_table *dense;
} gem_kernels;

/* The best kernels, or those of the baseline if `pin_baseline` is not 0. */
const gem_kernels *gem_kernels_select(int pin_baseline);

/* 1 if processor and operating system run x86-64-v3 code, else 0. */
int gem_cpu_has_v3(void);

/* The tables themselves: of every set that was built (GEM_HAVE_V3). */
extern const gem_vmath_table gem_vmath_baseline, gem_vmath_v3;
extern const gem_softmax_table gem_softmax_baseline, gem_softmax_v3;
extern const gem_fdiv_table gem_fdiv_baseline, gem_fdiv_v3;
extern const gem_dense_table gem_dense_baseline, gem_dense_v3;

#endif
