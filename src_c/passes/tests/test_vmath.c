/* exp and log of every instruction set against long double, which has 11 bits
 * more; skipped (77) where it has not. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "dispatch.h"

#define BLOCK 4096

static int failures;

static void fail(const char *isa, const char *what, double x, double got)
{
    printf("%s: %s(%a) gave %a\n", isa, what, x, got);
    failures++;
}

static uint64_t next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = (*state ^ (*state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(next(state) >> 11) * 0x1p-53);
}

/* Distance in units in the last place of the float64 nearest to `exact`. */
static double ulps(double got, long double exact)
{
    int exponent;
    if ((double)exact == got)
        return 0.0;
    frexpl(exact, &exponent);
    exponent = exponent - 53 < -1074 ? -1074 : exponent - 53;
    return (double)(fabsl((long double)got - exact) / ldexpl(1.0L, exponent));
}

typedef struct {
    const char *name;
    void (*ours)(const double *, double *, size_t);
    long double (*exact)(long double);
    double bound, worst, where;
} function;

static void check_block(function *f, const char *isa, const double *x)
{
    static double out[BLOCK];
    f->ours(x, out, BLOCK);
    for (int i = 0; i < BLOCK; i++) {
        double error = ulps(out[i], f->exact((long double)x[i]));
        if (!(error <= f->bound))
            fail(isa, f->name, x[i], out[i]);
        if (error > f->worst) {
            f->worst = error;
            f->where = x[i];
        }
    }
}

static void sweep(function *f, const char *isa, double low, double high, int blocks)
{
    static double x[BLOCK];
    uint64_t state = 1;
    for (int b = 0; b < blocks; b++) {
        for (int i = 0; i < BLOCK; i++)
            x[i] = uniform(&state, low, high);
        check_block(f, isa, x);
    }
}

/* Every binade of positive numbers, subnormal ones too. */
static void sweep_binades(function *f, const char *isa)
{
    static double x[BLOCK];
    uint64_t state = 2;
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        for (int i = 0; i < BLOCK; i++)
            x[i] = ldexp(i ? uniform(&state, 1.0, 2.0) : 1.0, exponent);
        check_block(f, isa, x);
    }
}

static int same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

/* Special arguments, exactly. */
static void check_points(const char *isa, const gem_vmath_table *table)
{
    static const double points[][3] = {
        /* x, exp(x), log(x) */
        {0.0, 1.0, -INFINITY},
        {-0.0, 1.0, -INFINITY},
        {INFINITY, INFINITY, INFINITY},
        {-INFINITY, 0.0, NAN},
        {NAN, NAN, NAN},
        {-0x1p-1070, 1.0, NAN},
        {-DBL_MAX, 0.0, NAN},
        {DBL_MAX, INFINITY, 0x1.62e42fefa39efp+9},
        {0x1.62e42fefa39f0p+9, INFINITY, 0x1.a428494faf1b1p+2},
        {0x1p-1074, 1.0, -0x1.74385446d71c3p+9},
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        /* At each position, as vector code and as its remainder. */
        for (int at = 0; at < 9; at++) {
            double x[9], out[9];
            for (int j = 0; j < 9; j++)
                x[j] = j == at ? points[i][0] : 1.0;
            table->exp(x, out, 9);
            if (!same(out[at], points[i][1]))
                fail(isa, "exp", x[at], out[at]);
            table->log(x, x, 9); /* in place */
            if (!same(x[at], points[i][2]))
                fail(isa, "log", points[i][0], x[at]);
            if (!same(x[at ? 0 : 1], 0.0))
                fail(isa, "log", 1.0, x[at ? 0 : 1]);
        }
}

static void check(const gem_passes *passes)
{
    const char *isa = passes->isa;
    function e = {"exp", passes->vmath->exp, expl, GEM_EXP_ULPS, 0.0, 0.0};
    function l = {"log", passes->vmath->log, logl, GEM_LOG_ULPS, 0.0, 0.0};
    sweep(&e, isa, -750.0, 709.78, 150);
    sweep(&e, isa, -1.0, 1.0, 150);
    sweep(&e, isa, -746.0, -708.0, 50);
    sweep(&e, isa, -1e-8, 1e-8, 10);
    sweep(&l, isa, 0.5, 2.0, 150);
    sweep(&l, isa, 1.0 - 1e-6, 1.0 + 1e-6, 50);
    sweep_binades(&l, isa);
    check_points(isa, passes->vmath);
    printf("%s: exp within %.3f ulp (at %a), log within %.3f (at %a)\n", isa, e.worst,
           e.where, l.worst, l.where);
}

int main(void)
{
    const gem_passes *last = NULL;
    if (LDBL_MANT_DIG < 64)
        return 77;
    for (int isa = 0; isa < GEM_ISA_COUNT; isa++) {
        const gem_passes *passes = gem_passes_select((gem_isa)isa);
        if (passes != last)
            check(passes);
        last = passes;
    }
    return failures != 0;
}
