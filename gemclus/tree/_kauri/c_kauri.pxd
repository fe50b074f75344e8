"""The C headers of the Kauri tree; their manual is src_c/kauri.h."""

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef extern from "kauri.h" nogil:
    ctypedef enum gem_kauri_status:
        GEM_KAURI_OK
        GEM_KAURI_NO_MEMORY
        GEM_KAURI_INTERRUPTED

    ctypedef struct gem_kauri_data:
        int32_t n_samples
        int32_t n_features
        int32_t *order
        double *sorted
        double *factor
        int32_t rank
        const double *kernel
        int definite
        double resolution

    ctypedef struct gem_kauri_rules:
        int32_t max_clusters
        int32_t max_leaves
        int32_t max_depth
        int32_t min_samples_split
        int32_t min_samples_leaf
        int32_t max_features
        double min_gain
        uint64_t seed
        int (*poll)(void *context) noexcept nogil
        void *poll_context

    ctypedef struct gem_kauri_tree:
        int32_t n_nodes
        int32_t n_leaves
        int32_t *left
        int32_t *right
        int32_t *feature
        double *threshold
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
        const double *x,
        int64_t n_samples,
        int64_t n_features,
        int32_t *node,
    )
