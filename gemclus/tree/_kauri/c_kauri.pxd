"""The C header of the Kauri tree; its manual is src_c/kauri/kauri.h."""

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef extern from "kauri.h" nogil:
    ctypedef enum gem_kauri_status:
        GEM_KAURI_OK
        GEM_KAURI_NO_MEMORY
        GEM_KAURI_INTERRUPTED

    ctypedef struct gem_kauri_bins:
        const void *codes
        int wide
        const int32_t *first
        const double *low
        const double *high

    ctypedef struct gem_kauri_data:
        int32_t n_samples
        int32_t n_features
        int32_t n_twins
        const int32_t *twins
        int32_t *order
        double *sorted
        const gem_kauri_bins *bins
        double *factor
        int32_t rank
        const double *weight
        const double *kernel
        int definite
        double resolution

    ctypedef void (*gem_kauri_task)(void *argument, int32_t i) noexcept nogil

    ctypedef struct gem_kauri_rules:
        int32_t max_clusters
        int32_t max_leaves
        int32_t max_depth
        int32_t min_samples_split
        int32_t min_samples_leaf
        double min_weight_leaf
        int32_t max_features
        double min_gain
        uint64_t seed
        int (*poll)(void *context) noexcept nogil
        void *poll_context
        void (*share)(
            void *context, gem_kauri_task task, void *argument, int32_t n_tasks
        ) noexcept nogil
        void *share_context
        int32_t n_threads

    ctypedef struct gem_kauri_tree:
        int32_t n_nodes
        int32_t n_leaves
        int32_t *left
        int32_t *right
        int32_t *feature
        double *threshold
        int32_t *missing_left
        double *gain
        int32_t *depth
        int32_t *cluster
        int32_t *size
        int32_t *kind
        int32_t *leaf_of
        int32_t *leaf_node

    gem_kauri_status gem_kauri_grow(
        const gem_kauri_data *data,
        const gem_kauri_rules *rules,
        gem_kauri_tree *tree,
    )
    void gem_kauri_apply(
        const int32_t *left,
        const int32_t *right,
        const int32_t *feature,
        const double *threshold,
        const int32_t *missing_left,
        const double *x,
        int64_t n_samples,
        int64_t n_features,
        int32_t *node,
    )
    int32_t gem_kauri_find_bins(
        const double *sorted,
        const double *weight,
        int64_t n,
        int32_t max_bins,
        double *low,
        double *high,
    )
    void gem_kauri_assign_bins(
        const double *x,
        int64_t n,
        int64_t stride,
        const double *high,
        int32_t n_bins,
        int wide,
        void *codes,
        int64_t code_stride,
    )
