/* Products of arrays of many rows with few columns: what an affine layer before
 * a softmax computes, and the sums over rows that its gradient is made of.
 *
 * X is (rows, d) and the other side (rows, m), both C-contiguous. What belongs to
 * the columns, W (d, m) and b (m), lies in a panel of doubles: d + 1 rows, the last
 * one for b, each padded with zeros to a width of whole vectors.
 *
 * pack:     the panel of W and b; b = NULL stands for zeros.
 * affine:   out = X W + b.
 * moments:  panel += (X^T T, column sums of T). It starts from a panel of zeros.
 * unpack:   W and b of such a panel.
 *
 * Sums are kept in float64 for float32 arrays too. The rows of an array may be done
 * in any number of calls, in order: neither product depends on it, to the last bit.
 * Cost: O(rows d m). A general matrix product repacks its operands, which for few
 * rows takes longer than the product and for many rows reads them twice; here the
 * panel stays in the first cache and X is read once.
 */
#ifndef GEM_DENSE_H
#define GEM_DENSE_H

#include <stddef.h>

/* Most columns m: beyond them a general product is as fast. */
#define GEM_DENSE_COLUMNS 32

typedef struct {
    /* Doubles of the panel for d and m; 0 if there is none: m = 0, too many columns,
     * or a panel that the first cache does not hold. */
    size_t (*panel)(size_t d, size_t m);
    void (*pack_f64)(const double *w, const double *b, size_t d, size_t m,
                     double *panel);
    void (*pack_f32)(const float *w, const float *b, size_t d, size_t m, double *panel);
    void (*affine_f64)(const double *x, size_t rows, size_t d, const double *panel,
                       size_t m, double *out);
    void (*affine_f32)(const float *x, size_t rows, size_t d, const double *panel,
                       size_t m, float *out);
    void (*moments_f64)(const double *x, const double *t, size_t rows, size_t d,
                        size_t m, double *panel);
    void (*moments_f32)(const float *x, const float *t, size_t rows, size_t d, size_t m,
                        double *panel);
    void (*unpack_f64)(const double *panel, size_t d, size_t m, double *w, double *b);
    void (*unpack_f32)(const double *panel, size_t d, size_t m, float *w, float *b);
} gem_dense_table;

#endif
