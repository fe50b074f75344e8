#include "dispatch.h"

static const gem_kernels baseline = {
    "baseline", &gem_vmath_baseline, &gem_softmax_baseline, &gem_fdiv_baseline,
    &gem_dense_baseline};

#ifdef GEM_HAVE_V3

#include <stdint.h>
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif

static const gem_kernels v3 = {
    "x86-64-v3", &gem_vmath_v3, &gem_softmax_v3, &gem_fdiv_v3, &gem_dense_v3};

typedef struct {
    uint32_t a, b, c, d;
} registers;

static registers cpuid(uint32_t leaf)
{
    registers r = {0, 0, 0, 0};
#ifdef _MSC_VER
    int out[4];
    __cpuid(out, (int)(leaf & 0x80000000u));
    if ((uint32_t)out[0] < leaf)
        return r;
    __cpuidex(out, (int)leaf, 0);
    r = (registers){(uint32_t)out[0], (uint32_t)out[1], (uint32_t)out[2], (uint32_t)out[3]};
#else
    (void)__get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
#endif
    return r;
}

/* Which registers the operating system saves; only valid after OSXSAVE. */
static uint32_t saved_state(void)
{
#ifdef _MSC_VER
    return (uint32_t)_xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

#define BIT(n) (UINT32_C(1) << (n))

int gem_cpu_has_v3(void)
{
    /* FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT. */
    const uint32_t leaf1_c = BIT(12) | BIT(22) | BIT(27) | BIT(28) | BIT(29);
    const uint32_t leaf7_b = BIT(3) | BIT(5) | BIT(8);
    const uint32_t extended_c = BIT(5);
    const uint32_t xmm_and_ymm = BIT(1) | BIT(2);
    return (cpuid(1).c & leaf1_c) == leaf1_c && (cpuid(7).b & leaf7_b) == leaf7_b
           && (cpuid(0x80000001u).c & extended_c) == extended_c
           && (saved_state() & xmm_and_ymm) == xmm_and_ymm;
}

const gem_kernels *gem_kernels_select(int pin_baseline)
{
    return !pin_baseline && gem_cpu_has_v3() ? &v3 : &baseline;
}

#else

int gem_cpu_has_v3(void)
{
    return 0;
}

const gem_kernels *gem_kernels_select(int pin_baseline)
{
    (void)pin_baseline;
    return &baseline;
}

#endif
