#include "dispatch.h"

static const gem_passes baseline = {"baseline", &gem_vmath_baseline,
                                    &gem_softmax_baseline, &gem_fdiv_baseline,
                                    &gem_dense_baseline};

#ifdef GEM_HAVE_V3

#include <stdint.h>
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif

static const gem_passes v3 = {"x86-64-v3", &gem_vmath_v3, &gem_softmax_v3, &gem_fdiv_v3,
                              &gem_dense_v3};

#ifdef GEM_HAVE_V4
static const gem_passes v4 = {"x86-64-v4", &gem_vmath_v4, &gem_softmax_v4, &gem_fdiv_v4,
                              &gem_dense_v4};
#endif

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
    r = (registers){(uint32_t)out[0], (uint32_t)out[1], (uint32_t)out[2],
                    (uint32_t)out[3]};
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

static int has_all(uint32_t bits, uint32_t wanted)
{
    return (bits & wanted) == wanted;
}

static gem_isa isa_of_processor(void)
{
    /* FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT. */
    const uint32_t leaf1_c = BIT(12) | BIT(22) | BIT(27) | BIT(28) | BIT(29);
    const uint32_t leaf7_b = BIT(3) | BIT(5) | BIT(8);
    const uint32_t extended_c = BIT(5);
    const uint32_t xmm_and_ymm = BIT(1) | BIT(2);
    /* AVX-512 F, DQ, CD, BW, VL; masks and both halves of the zmm registers. */
    const uint32_t avx512 = BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31);
    const uint32_t masks_and_zmm = BIT(5) | BIT(6) | BIT(7);
    if (!has_all(cpuid(1).c, leaf1_c) || !has_all(cpuid(7).b, leaf7_b) ||
        !has_all(cpuid(0x80000001u).c, extended_c) ||
        !has_all(saved_state(), xmm_and_ymm))
        return GEM_ISA_BASELINE;
    if (!has_all(cpuid(7).b, avx512) || !has_all(saved_state(), masks_and_zmm))
        return GEM_ISA_V3;
    return GEM_ISA_V4;
}

const gem_passes *gem_passes_select(gem_isa most)
{
    const gem_isa here = most == GEM_ISA_BASELINE ? most : isa_of_processor();
#ifdef GEM_HAVE_V4
    if (most >= GEM_ISA_V4 && here == GEM_ISA_V4)
        return &v4;
#endif
    return here >= GEM_ISA_V3 ? &v3 : &baseline;
}

#else

const gem_passes *gem_passes_select(gem_isa most)
{
    (void)most;
    return &baseline;
}

#endif
