/* Values to bins. */
#include "kauri.h"

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
