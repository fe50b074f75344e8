"""The border between the Kauri tree in C and Python."""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, uint64_t

from gemclus.tree._kauri.c_kauri cimport (
    GEM_KAURI_NO_MEMORY,
    gem_kauri_apply,
    gem_kauri_data,
    gem_kauri_grow,
    gem_kauri_rules,
    gem_kauri_status,
    gem_kauri_tree,
)


cdef int poll_signals(void *context) noexcept with gil:
    """Run signal handlers; keep what they raise in the list `context`."""
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        (<list>context).append(error)
        return 1
    return 0


cdef raise_status(gem_kauri_status status, list raised):
    if raised:
        raise raised[0]
    if status == GEM_KAURI_NO_MEMORY:
        raise MemoryError("not enough memory to grow the tree")


def grow(
    int32_t[:, ::1] order,
    double[:, ::1] sorted_values,
    double[:, ::1] factor,
    const double[:, ::1] kernel,
    *,
    bint definite,
    double resolution,
    int32_t max_clusters,
    int32_t max_leaves,
    int32_t max_depth,
    int32_t min_samples_split,
    int32_t min_samples_leaf,
    int32_t max_features,
    double min_gain,
    uint64_t seed,
):
    """Grow a tree; see ``src_c/kauri.h`` for each argument and for the cost.

    `order` and `sorted_values` have shape (D, N); either `factor` (N, r) or
    `kernel` (N, N) is None. `order`, `sorted_values` and `factor` are used as
    scratch. The GIL is released; signals are looked at several times a second.

    Returns the node arrays left, right, feature, threshold, gain, depth,
    cluster, size, kind, then the leaf number of each sample (N,) and the node
    of each leaf.

    Raises MemoryError, or what a signal handler raised.
    """
    cdef gem_kauri_data data
    cdef gem_kauri_rules rules
    cdef gem_kauri_tree tree
    cdef gem_kauri_status status
    cdef Py_ssize_t n = order.shape[1], capacity = 2 * <Py_ssize_t>max_leaves - 1
    cdef int32_t[:, ::1] nodes = np.empty((7, capacity), dtype=np.int32)
    cdef double[:, ::1] reals = np.empty((2, capacity))
    cdef int32_t[::1] leaf_of = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] leaf_node = np.empty(max_leaves, dtype=np.int32)
    cdef list raised = []

    data.n_samples = <int32_t>n
    data.n_features = <int32_t>order.shape[0]
    data.order = &order[0, 0]
    data.sorted = &sorted_values[0, 0]
    data.factor = NULL
    data.kernel = NULL
    data.rank = 0
    if factor is not None:
        data.factor = &factor[0, 0]
        data.rank = <int32_t>factor.shape[1]
    else:
        data.kernel = &kernel[0, 0]
    data.definite = definite
    data.resolution = resolution

    rules.max_clusters = max_clusters
    rules.max_leaves = max_leaves
    rules.max_depth = max_depth
    rules.min_samples_split = min_samples_split
    rules.min_samples_leaf = min_samples_leaf
    rules.max_features = max_features
    rules.min_gain = min_gain
    rules.seed = seed
    rules.poll = poll_signals
    rules.poll_context = <void *>raised

    tree.left = &nodes[0, 0]
    tree.right = &nodes[1, 0]
    tree.feature = &nodes[2, 0]
    tree.depth = &nodes[3, 0]
    tree.cluster = &nodes[4, 0]
    tree.size = &nodes[5, 0]
    tree.kind = &nodes[6, 0]
    tree.threshold = &reals[0, 0]
    tree.gain = &reals[1, 0]
    tree.leaf_of = &leaf_of[0]
    tree.leaf_node = &leaf_node[0]
    with nogil:
        status = gem_kauri_grow(&data, &rules, &tree)
    raise_status(status, raised)

    # Copies: the arrays are as long as the largest tree allowed.
    left, right, feature, depth, cluster, size, kind = (
        row.copy() for row in np.asarray(nodes)[:, : tree.n_nodes]
    )
    threshold, gain = (row.copy() for row in np.asarray(reals)[:, : tree.n_nodes])
    return (
        (left, right, feature, threshold, gain, depth, cluster, size, kind),
        np.asarray(leaf_of),
        np.asarray(leaf_node)[: tree.n_leaves].copy(),
    )


def apply(
    const int32_t[::1] left,
    const int32_t[::1] right,
    const int32_t[::1] feature,
    const double[::1] threshold,
    const double[:, ::1] X,
):
    """Leaf (as a node number) that each row of `X` reaches, int32 of shape (n,).

    The GIL is released. Cost O(n depth).
    """
    cdef int32_t[::1] node = np.empty(X.shape[0], dtype=np.int32)
    if X.shape[0]:
        with nogil:
            gem_kauri_apply(
                &left[0], &right[0], &feature[0], &threshold[0], &X[0, 0],
                X.shape[0], X.shape[1], &node[0],
            )
    return np.asarray(node)
