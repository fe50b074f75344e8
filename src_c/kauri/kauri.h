/* Greedy kernel-k-means trees (Kauri).
 *
 * A tree is grown leaf by leaf to raise the objective
 *
 *     J = sum over clusters k of sigma(C_k x C_k) / |C_k|,
 *
 * where sigma(A x B) is the sum of the kernel over A x B. One round splits the
 * leaf, at the feature and threshold, that raise J most. The two sides of a
 * leaf L of cluster k are then filed in one of four ways:
 *
 *     star        one side founds a new cluster, the other stays in k;
 *     double star both sides found a new cluster (L is not all of k);
 *     switch      one side joins another cluster, the other stays in k;
 *     refurbish   the sides join two other clusters (if L was all of k, that
 *                 cluster is empty afterwards and may be founded anew).
 *
 * The gain of a split is the change of J. It is computed from distances: with
 * n_a the size and m_a the mean of a side in feature space, and
 * E_ac = n_a |m_a - m_c|^2 = sum of d_ic^2 over the side - its own scatter,
 *
 *     leaving k          + n_k / (n_k - n_a) E_ak
 *     joining p          - n_p / (n_p + n_a) E_ap      (0 for a new cluster)
 *     L falling in two   + n_L / (n_a n_b) sigma(S_a x S_a), centred in L.
 *
 * Each term is unmoved by a translation in feature space, and each holds for
 * indefinite kernels too: the squared distances may then be negative.
 *
 * What depends on a leaf alone (its cuts, and for each the scatter of the
 * sides) is computed once per leaf and feature. What depends on the clusters is
 * the distance of each sample to each cluster, renewed for the clusters that a
 * split has touched. For positive semi-definite kernels a leaf is scanned for
 * switches and refurbishments only if an upper bound on their gain (n_L K
 * operations instead of n_L D K) exceeds the best split known.
 *
 * A cut, in turn, is looked at cluster by cluster only if a bound from three
 * groups of clusters leaves hope (kauri_moves.c).
 *
 * With weights w, sigma(A x B) = sum of w w' kappa and sizes are sums of weights:
 * all of the above holds as it stands.
 *
 * Two walks over the cuts of a leaf:
 *
 *     sorted  every gap between the values of a feature, from samples sorted once
 *             (`order`, `sorted`);
 *     binned  the gaps between bins of values (`order` is NULL): all gains follow
 *             from the sums of the factor over the samples of a leaf in each bin,
 *             E_ac = n_a |m_a - m_c|^2 from the sum over a side alone. The sums of
 *             the larger side of a split are those of the leaf less those of the
 *             smaller one (kauri_bins.c).
 *
 * Cost of a round, with N samples, D features, K clusters and a factor of rank
 * r: at most O(N D (r + K)) operations; with a kernel matrix at most
 * O(N D (N + K)); binned, with B bins for each feature, O(n D r) for the n samples
 * of the smaller side and O(D B r K) for each leaf that is looked at.
 *
 * Memory in bytes beside the arguments, L leaves having come to be: sorted
 * 20 N D (28 with weights) + 8 L D + 8 N (K + max(r, K)) + 100 N, and 8 N K more
 * with a kernel matrix; binned 9 N + 8 L (D + r), and the sums of some leaves: of
 * D B (r + 2) doubles each at most max(8 N D bytes, 64 MiB) in all, and once more.
 */
#ifndef GEM_KAURI_H
#define GEM_KAURI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    GEM_KAURI_OK = 0,
    GEM_KAURI_NO_MEMORY = 1,
    GEM_KAURI_INTERRUPTED = 2 /* the caller's poll asked to stop */
} gem_kauri_status;

/* How the sides of a split were filed; a leaf has GEM_KAURI_NONE. */
typedef enum {
    GEM_KAURI_NONE = 0,
    GEM_KAURI_STAR = 1,
    GEM_KAURI_DOUBLE_STAR = 2,
    GEM_KAURI_SWITCH = 3,
    GEM_KAURI_REFURBISH = 4
} gem_kauri_kind;

/* The values of features in bins: whole numbers that rise with the value. The
 * bins of all features are numbered in one row. */
typedef struct {
    const void *codes;        /* (n_samples, n_features): bins, each feature's from 0 */
    int wide;                 /* nonzero if the codes are uint16_t, else uint8_t */
    const int32_t *first;     /* (n_features + 1): number of each feature's bin 0 */
    const double *low, *high; /* (first[n_features]): least and largest value of a
                                 bin; infinite in one that holds missing values */
} gem_kauri_bins;

/* The samples. Everything that is not const is used as scratch: its content is
 * undefined afterwards. All numbers must be finite, but for missing values.
 *
 * A feature with missing values is looked at twice: they lie above all values in
 * the feature itself, and below all in its twin. */
typedef struct {
    int32_t n_samples;  /* at least 1 */
    int32_t n_features; /* at least 1 */
    int32_t n_twins;
    const int32_t *twins;       /* (n_twins): the feature of each, ascending */
    int32_t *order;             /* (n_features + n_twins, n_samples): samples by rising
                             value, or NULL: cuts lie between bins */
    double *sorted;             /* (n_features + n_twins, n_samples): the values in that
                             order, infinite where missing; with bins, their codes,
                             and -1 where missing in a twin */
    const gem_kauri_bins *bins; /* or NULL; without `order` the factor is needed */
    double *factor; /* (n_samples, rank): kernel = factor factor', or NULL. It is
                       read only where there is no `order`. */
    int32_t rank;
    const double *weight; /* (n_samples): of the samples, positive; NULL for ones */
    const double *kernel; /* (n_samples, n_samples), symmetric; read if there is
                             no factor */
    int definite;         /* nonzero if `kernel` is known to be positive
                             semi-definite, at least once centred */
    double resolution;    /* a gain below this times the size of the leaf is
                             rounding of the kernel's entries */
} gem_kauri_data;

/* One of several tasks that may run at once. */
typedef void (*gem_kauri_task)(void *argument, int32_t i);

/* When to stop, and where to look. A limit that shall not bind is n_samples. */
typedef struct {
    int32_t max_clusters;      /* at least 1 */
    int32_t max_leaves;        /* 1 .. n_samples */
    int32_t max_depth;         /* the root has depth 0 */
    int32_t min_samples_split; /* smaller leaves are never split */
    int32_t min_samples_leaf;  /* at least 1, for both sides of a split */
    double min_weight_leaf;    /* of the weights, for both sides; not negative */
    int32_t max_features;      /* drawn for each leaf, constant ones not counted */
    double min_gain; /* stop below this fraction of the scatter of all samples */
    uint64_t seed;   /* of the draw of features */
    int (*poll)(void *context); /* called several times a second unless NULL;
                                   nonzero asks to stop */
    void *poll_context;
    /* Calls task(argument, i) for each 0 <= i < n_tasks, in any order and on any
     * threads, and returns when all are done. NULL: one after the other. The tree
     * has the same bits for any number of threads. */
    void (*share)(void *context, gem_kauri_task task, void *argument, int32_t n_tasks);
    void *share_context;
    int32_t n_threads; /* that `share` may use; at least 1 */
} gem_kauri_rules;

/* The tree: arrays of the caller with room for 2 max_leaves - 1 nodes. Node 0
 * is the root; a split appends its left, then its right child. */
typedef struct {
    int32_t n_nodes;
    int32_t n_leaves;
    int32_t *left, *right; /* children, -1 in leaves */
    int32_t *feature;      /* -2 in leaves */
    double *threshold;     /* left if value <= threshold; -2 in leaves. It is the
                              middle of the gap between the two sides; infinite if
                              one side holds just the missing values. */
    int32_t *missing_left; /* nonzero if missing values go left; to the larger side
                              where none was missing */
    double *gain;          /* change of J; 0 in leaves */
    int32_t *depth;
    int32_t *cluster;   /* of the node when it was made */
    int32_t *size;      /* number of samples */
    int32_t *kind;      /* a gem_kauri_kind */
    int32_t *leaf_of;   /* (n_samples): number of each sample's leaf: the left
                          side of a split keeps the number of the leaf, the
                          right side takes the next free one */
    int32_t *leaf_node; /* (max_leaves): node of each leaf */
} gem_kauri_tree;

/* Grow `tree`. Cluster numbers are less than max_clusters; some may be empty.
 * Deterministic; among splits whose gains agree to rounding it takes the
 * simplest kind, then the widest gap relative to the range of the feature, the
 * lowest threshold, the first feature, and the leaf of the lowest number. An
 * interruption leaves the tree as it has grown so far. */
gem_kauri_status gem_kauri_grow(const gem_kauri_data *data,
                                const gem_kauri_rules *rules, gem_kauri_tree *tree);

/* Node reached by each row of x (n_samples, n_features), from the arrays of a
 * tree as above. NaN is missing. */
void gem_kauri_apply(const int32_t *left, const int32_t *right, const int32_t *feature,
                     const double *threshold, const int32_t *missing_left,
                     const double *x, int64_t n_samples, int64_t n_features,
                     int32_t *node);

/* Bins of a feature from its values in rising order, without missing ones, and
 * their weights (NULL for ones): one for each distinct value if there are no more
 * than max_bins, else bins of like weights, in which a value that weighs as much as
 * a bin is alone. Fills the least and largest value of each bin (room for the lesser
 * of n and max_bins); their number. */
int32_t gem_kauri_find_bins(const double *sorted, const double *weight, int64_t n,
                            int32_t max_bins, double *low, double *high);

/* Bin of each value of one feature: the first b < n_bins with value <= high[b], or
 * the last; n_bins for NaN. Values lie `stride` and codes `code_stride` entries
 * apart; `wide` as above. */
void gem_kauri_assign_bins(const double *x, int64_t n, int64_t stride,
                           const double *high, int32_t n_bins, int wide, void *codes,
                           int64_t code_stride);

#ifdef __cplusplus
}
#endif

#endif
