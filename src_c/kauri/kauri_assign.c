/* Bins of values, and values to bins. */
#include <math.h>

#include "kauri.h"

/* A value that weighs so much of a bin has one of its own. */
#define COMMON (1.0 - 1e-9)

static double weight_of(const double *weight, int64_t i)
{
    return weight ? weight[i] : 1.0;
}

/* What the values weigh that are not common, and how many bins are left to them:
 * those lighter than `share` of a bin. */
typedef struct {
    double mass, share;
    int32_t n_bins;
} others;

/* End of the run of equal values from i on; what it weighs. */
static int64_t end_run(const double *sorted, const double *weight, int64_t n, int64_t i,
                       double *mass)
{
    int64_t end = i + 1;

    *mass = weight_of(weight, i);
    for (; end < n && sorted[end] == sorted[i]; end++)
        *mass += weight_of(weight, end);
    return end;
}

static others find_others(const double *sorted, const double *weight, int64_t n,
                          int32_t max_bins, double share)
{
    others o = {0.0, share, max_bins};
    double mass;

    for (int64_t i = 0; i < n;) {
        i = end_run(sorted, weight, n, i, &mass);
        if (mass >= COMMON * share && o.n_bins > 1)
            o.n_bins--;
        else
            o.mass += mass;
    }
    o.share = fmin(share, o.mass / o.n_bins);
    return o;
}

static int64_t count_distinct(const double *sorted, int64_t n)
{
    int64_t count = n > 0;
    for (int64_t i = 1; i < n; i++)
        count += sorted[i - 1] < sorted[i];
    return count;
}

static int32_t bin_each(const double *sorted, int64_t n, double *low, double *high)
{
    int32_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || sorted[i - 1] < sorted[i])
            low[count] = high[count] = sorted[i], count++;
    return count;
}

int32_t gem_kauri_find_bins(const double *sorted, const double *weight, int64_t n,
                            int32_t max_bins, double *low, double *high)
{
    others o;
    int32_t last = -1;
    int is_common, was_common = 1;
    double filled = 0.0, mass, common;

    if (count_distinct(sorted, n) <= max_bins)
        return bin_each(sorted, n, low, high);
    o = find_others(sorted, weight, n, max_bins, INFINITY);
    for (int pass = 0; pass < 2; pass++)
        o = find_others(sorted, weight, n, max_bins, o.share);
    common = COMMON * o.share;
    for (int64_t i = 0, end; i < n; i = end) {
        end = end_run(sorted, weight, n, i, &mass);
        is_common = mass >= common;
        if (last < 0 || (last + 1 < max_bins &&
                         (is_common || was_common || filled + 0.5 * mass > o.share))) {
            /* Bins that a common value has cut short leave more to the others. */
            if (!was_common && o.n_bins > 1) {
                o.mass -= filled;
                o.share = o.mass / --o.n_bins;
            }
            last++;
            low[last] = sorted[i];
            filled = 0.0;
        }
        high[last] = sorted[i];
        filled += mass;
        was_common = is_common;
    }
    return last + 1;
}

/* The first bin that reaches up to the value, by halving without branches. */
static int32_t find_bin(double value, const double *high, int32_t n_bins)
{
    const double *at = high;
    int32_t n = n_bins;

    if (value != value)
        return n_bins;
    while (n > 1) {
        int32_t half = n / 2;
        at += at[half - 1] < value ? half : 0;
        n -= half;
    }
    return (int32_t)(at - high);
}

void gem_kauri_assign_bins(const double *x, int64_t n, int64_t stride,
                           const double *high, int32_t n_bins, int wide, void *codes,
                           int64_t code_stride)
{
    uint16_t *wide_codes = codes;
    uint8_t *narrow_codes = codes;

    for (int64_t i = 0; i < n; i++) {
        int32_t bin = find_bin(x[i * stride], high, n_bins);
        if (wide)
            wide_codes[i * code_stride] = (uint16_t)bin;
        else
            narrow_codes[i * code_stride] = (uint8_t)bin;
    }
}
