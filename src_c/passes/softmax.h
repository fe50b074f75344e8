/* Softmax of the rows of a C-contiguous (n, k) array, and its derivative.
 *
 * rows:      each row x becomes exp(x - max x) / sum exp(x - max x), in place.
 *            Entries of -inf become 0. A row that holds NaN or +inf, or nothing
 *            but -inf, becomes NaN. Returns 1 if no row was such, else 0.
 * backward:  out = -P * (G - rowsum(P * G)), where P are probabilities: minus
 *            the gradient with respect to the logits, given the gradient G with
 *            respect to P. `out` may be `gradient` itself.
 *
 * Sums are kept in float64 for float32 arrays too. Cost: O(n k); rows needs a
 * work space. The rows of an array may be done in any
 * number of calls: every row depends on itself alone, to the last bit.
 */
#ifndef GEM_SOFTMAX_H
#define GEM_SOFTMAX_H

#include <stddef.h>

typedef struct {
    /* Doubles of work space for k columns; 0 if their bytes exceed size_t. */
    size_t (*work)(size_t k);
    int (*rows_f64)(double *logits, size_t n, size_t k, double *work);
    int (*rows_f32)(float *logits, size_t n, size_t k, double *work);
    void (*backward_f64)(const double *p, const double *gradient, double *out, size_t n,
                         size_t k);
    void (*backward_f32)(const float *p, const float *gradient, float *out, size_t n,
                         size_t k);
} gem_softmax_table;

#endif
