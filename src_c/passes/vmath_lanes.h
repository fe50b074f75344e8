/* exp and log of one number, without a branch or a call, so that the compiler
 * turns a loop over them into vector code. Include from passes only; vmath.h
 * states what they promise.
 */
#ifndef GEM_VMATH_LANES_H
#define GEM_VMATH_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "isa.h"

/* ln 2 in two parts: 41 bits, so that its product with an exponent is exact,
 * and the rest. */
#define GEM_LN2_HI 0x1.62e42fefa3p-1
#define GEM_LN2_LO 0x1.3de6af278ece6p-42
#define GEM_INV_LN2 0x1.71547652b82fep+0
/* Adding it rounds to an integer, found in the low bits of the sum. */
#define GEM_ROUNDER 0x1.8p52

GEM_INLINE uint64_t gem_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

GEM_INLINE double gem_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for the integer n that lies in the low bits of rounder + n. */
GEM_INLINE double gem_exp2_of(double shifted)
{
    return gem_from_bits((gem_bits(shifted) + 1023) << 52);
}

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2: minimax, 2^-59 of exp(r). */
GEM_INLINE double gem_exp_tail(double r)
{
    double q = 0x1.ad7f330d73d4ap-26;
    q = GEM_MULADD(q, r, 0x1.28ad72df49402p-22);
    q = GEM_MULADD(q, r, 0x1.71df257997528p-19);
    q = GEM_MULADD(q, r, 0x1.a0199a0c67cbcp-16);
    q = GEM_MULADD(q, r, 0x1.a01a012a45948p-13);
    q = GEM_MULADD(q, r, 0x1.6c16c1842a073p-10);
    q = GEM_MULADD(q, r, 0x1.1111111127c1bp-7);
    q = GEM_MULADD(q, r, 0x1.555555555087dp-5);
    q = GEM_MULADD(q, r, 0x1.55555555554fap-3);
    q = GEM_MULADD(q, r, 0x1.000000000000ap-1);
    return q;
}

/* e with exp(x) = e 2^n: the integer n is stored, with the rounder added to it.
 * The first part of r is exact, so the last sum is all that rounds it. */
GEM_INLINE double gem_exp_fraction(double x, double *shifted)
{
    *shifted = GEM_MULADD(x, GEM_INV_LN2, GEM_ROUNDER);
    double n = *shifted - GEM_ROUNDER, low = n * GEM_LN2_LO;
    double high = GEM_MULADD(n, -GEM_LN2_HI, x);
    double r = high - low;
    return 1.0 + (high + GEM_MULADD(r * r, gem_exp_tail(r), -low));
}

/* Beyond the bounds e is nonsense, and then replaced; NaN stays NaN in it. */
GEM_INLINE double gem_exp_lane(double x)
{
    double shifted, e = gem_exp_fraction(x, &shifted), n = shifted - GEM_ROUNDER;
    /* 2^n as two factors, for results that are subnormal or above 2^1023. */
    double half = 0.5 * n + GEM_ROUNDER;
    double rest = (n - (half - GEM_ROUNDER)) + GEM_ROUNDER;
    e = e * gem_exp2_of(half) * gem_exp2_of(rest);
    e = x < -746.0 ? 0.0 : e;
    return x > 710.0 ? INFINITY : e;
}

/* The same for x <= 0 or NaN, but 0 where the result would be subnormal. */
GEM_INLINE double gem_exp_nonpositive(double x)
{
    double shifted, e = gem_exp_fraction(x, &shifted) * gem_exp2_of(shifted);
    return x < -708.0 ? 0.0 : e;
}

/* 2q: twice (log((1+s)/(1-s)) - 2s) / s^3 in z = s^2, |s| <= 3 - sqrt(8): minimax. */
GEM_INLINE double gem_log_tail(double z)
{
    double q = 0x1.2f070ad27ee9cp-2;
    q = GEM_MULADD(q, z, 0x1.39a192ac13fbep-2);
    q = GEM_MULADD(q, z, 0x1.74664061a2e27p-2);
    q = GEM_MULADD(q, z, 0x1.c71c520293366p-2);
    q = GEM_MULADD(q, z, 0x1.24924941f900bp-1);
    q = GEM_MULADD(q, z, 0x1.999999997fd32p-1);
    q = GEM_MULADD(q, z, 0x1.5555555555592p+0);
    return q;
}

/* log of a positive, normal, finite x, less `bias` powers of two. */
GEM_INLINE double gem_log_normal(double x, double bias)
{
    /* x = m 2^n with m in [sqrt(1/2), sqrt(2)). */
    const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd);
    uint64_t shifted = gem_bits(x) - root_half + UINT64_C(0x3ff0000000000000);
    double n = gem_from_bits((shifted >> 52) | UINT64_C(0x4330000000000000)) -
               (0x1p52 + 1023.0) - bias;
    double m = gem_from_bits((shifted & UINT64_C(0x000fffffffffffff)) + root_half);
    double f = m - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    /* log m = 2s + s z q = f - (d - s (d + z 2q)) / 2 with d = f^2. */
    double d = f * f;
    double tail =
        GEM_MULADD(s, GEM_MULADD(z, gem_log_tail(z), d), n * (2.0 * GEM_LN2_LO));
    return GEM_MULADD(n, GEM_LN2_HI, GEM_MULADD(-0.5, d - tail, f));
}

GEM_INLINE double gem_log_lane(double x)
{
    int tiny = x < 0x1p-1022;
    double y = gem_log_normal(tiny ? x * 0x1p54 : x, tiny ? 54.0 : 0.0);
    /* NaN and +inf are their own logarithms. */
    y = ((x > 0.0) & (x < INFINITY)) ? y : x;
    y = x < 0.0 ? NAN : y;
    return x == 0.0 ? -INFINITY : y;
}

#endif
