/* f-divergence GEMINIs of predictions P (n, k), C-contiguous: value, and
 * gradient with respect to P, its entries taken as free variables.
 *
 * With pi the mean of the rows of P (clipped to [epsilon, 1 - epsilon]), each is
 *
 *     value = offset + factor * mean_i f(P_i, pi)
 *     G_ij  = factor * share_i * (df/dp_j (P_i, pi) + mean_l df/dpi_j (P_l, pi))
 *
 * where share_i = w_i / sum_l w_l is the share of row i, 1 / n without weights, and
 * means are taken with these shares. G is 0 where P is not inside (epsilon,
 * 1 - epsilon). The functions f and their derivatives are the "row formulas" of
 * fdivergence_formulas.h.
 *
 * Use: start; proportions over all rows; settle; rows over all rows; finish; and,
 * for a gradient, spread over all rows. Each of the three passes may be cut into
 * any number of calls, in order, whose lengths are multiples of GEM_FDIV_BLOCK
 * except for the last one: the results stay the same to the last bit, and so does
 * the value whether or not there is a gradient.
 *
 * Weights: one for each row of a call, not negative, or NULL for 1 each. All three
 * passes are given the same ones. They count as repetitions of the row; what a common
 * factor changes is rounding.
 *
 * Blocks: rows may lie in several states, whose sums are read and merged.
 *
 *     each block:  start; proportions; read pass 1
 *     one state:   start; merge pass 1 of all blocks
 *     each block:  start; merge pass 1 of all; settle as a part; rows; read pass 2
 *     one state:   settle as the whole; merge pass 2 of all blocks; finish: the value
 *     each block:  the same start, merges and finish; spread over its gradient
 *
 * Cost: O(n k), GEM_FDIV_TV_OVO O(n k log k), but n k^2 / 2 comparisons for the few
 * clusters where these are faster (tv_rows.h); O(k) memory. Sums are kept in float64,
 * compensated between strips of rows. With k = 1 or a single row of positive weight the
 * value and the gradient are 0.
 */
#ifndef GEM_FDIVERGENCE_H
#define GEM_FDIVERGENCE_H

#include <stddef.h>

#define GEM_FDIV_BLOCK 2048

typedef enum {
    GEM_FDIV_KL_OVA,
    GEM_FDIV_KL_OVO,
    GEM_FDIV_TV_OVA,
    GEM_FDIV_TV_OVO,
    GEM_FDIV_HELLINGER_OVA,
    GEM_FDIV_HELLINGER_OVO,
    GEM_FDIV_CHI2_OVA,
    GEM_FDIV_CHI2_OVO,
    GEM_FDIV_COUNT
} gem_fdiv_kind;

typedef enum {
    GEM_FDIV_OK = 0,
    GEM_FDIV_BAD_ARGUMENT, /* kind, n = 0, k = 0, epsilon not in (0, 1/2]; at settle:
                              no row of positive weight */
    GEM_FDIV_NOT_FINITE    /* P holds NaN or infinity */
} gem_fdiv_status;

/* The state of one evaluation: the caller owns it and its work space. */
typedef struct {
    gem_fdiv_kind kind;
    size_t n, k, strip_rows;
    double epsilon;
    double moved; /* how far clipping moved the entries; NaN or inf if not finite */
    double weight, weight_rest; /* of all rows, and what rounding dropped from it */
    double count;               /* rows of positive weight */
    double *work;
} gem_fdiv;

/* Doubles of the sums of pass 1 (the weight, the count, what clipping moved, k sums of
 * w p) and of pass 2 (the sum of w f and k sums of w df/dpi). */
#define GEM_FDIV_SUMS_1(k) (3 + (k))
#define GEM_FDIV_SUMS_2(k) (1 + (k))

typedef struct {
    /* "kl_ova" and so on. */
    const char *(*name)(gem_fdiv_kind kind);
    /* Doubles of work space for k clusters; 0 if their bytes exceed size_t. */
    size_t (*work)(size_t k);
    /* `n`: rows that this state will meet, at least 1. */
    gem_fdiv_status (*start)(gem_fdiv *state, gem_fdiv_kind kind, size_t n, size_t k,
                             double epsilon, double *work);
    /* Pass 1: the sums of the columns. */
    void (*proportions_f64)(gem_fdiv *state, const double *p, const double *weights,
                            size_t rows);
    void (*proportions_f32)(gem_fdiv *state, const float *p, const double *weights,
                            size_t rows);
    /* Between passes 1 and 2: pi, and whether P was finite. `whole`: whether the sums
     * of pass 2 will be those of all rows; 0 for the part of one block. */
    gem_fdiv_status (*settle)(gem_fdiv *state, int whole);
    /* Pass 2: values and, if `gradient` is not NULL, the direct terms. */
    void (*rows_f64)(gem_fdiv *state, const double *p, const double *weights,
                     double *gradient, size_t rows);
    void (*rows_f32)(gem_fdiv *state, const float *p, const double *weights,
                     float *gradient, size_t rows);
    /* The value; prepares pass 3. */
    double (*finish)(gem_fdiv *state);
    /* Pass 3: adds what comes through pi. */
    void (*spread_f64)(const gem_fdiv *state, const double *p, const double *weights,
                       double *gradient, size_t rows);
    void (*spread_f32)(const gem_fdiv *state, const float *p, const double *weights,
                       float *gradient, size_t rows);
    /* The sums of a pass, 1 or 2: written out, or added to those of a state. */
    void (*read)(const gem_fdiv *state, int pass, double *sums);
    void (*merge)(gem_fdiv *state, int pass, const double *sums);
} gem_fdiv_table;

#endif
