"""The border between the Kauri tree in C and Python."""

from threading import Event, Lock

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint64_t

from gemclus.tree._kauri.c_kauri cimport (
    GEM_KAURI_NO_MEMORY,
    gem_kauri_apply,
    gem_kauri_assign_bins,
    gem_kauri_bins,
    gem_kauri_data,
    gem_kauri_find_bins,
    gem_kauri_grow,
    gem_kauri_rules,
    gem_kauri_status,
    gem_kauri_task,
    gem_kauri_tree,
)


cdef class _Job:
    """Tasks that threads take from each other."""

    cdef gem_kauri_task task
    cdef void *argument
    cdef list started, ended
    cdef object lock, wake

    def run(self, int32_t i):
        """Run task `i`, unless it has been taken."""
        with self.lock:
            if self.started[i]:
                return
            self.started[i] = True
        with nogil:
            self.task(self.argument, i)
        self.ended[i] = True
        self.wake.set()


cdef class _Caller:
    """The services of Python in a growth: signals, and threads."""

    cdef object pool
    cdef list raised

    cdef bint poll(self):
        if not self.raised:
            try:
                PyErr_CheckSignals()
            except BaseException as error:
                self.raised.append(error)
        return bool(self.raised)

    cdef share(self, gem_kauri_task task, void *argument, int32_t n_tasks):
        """Come back when all tasks have ended, whatever signals raise meanwhile."""
        cdef _Job job = _Job.__new__(_Job)
        job.task, job.argument = task, argument
        job.started, job.ended = [False] * n_tasks, [False] * n_tasks
        job.lock, job.wake = Lock(), Event()
        todo = list(range(1, n_tasks))
        while not all(job.ended):
            try:
                while todo:
                    self.pool.submit(job.run, todo.pop())
                for i in range(n_tasks):
                    job.run(i)
                while not all(job.ended):
                    job.wake.wait(0.02)
            except BaseException as error:
                self.raised.append(error)


cdef int poll_signals(void *context) noexcept with gil:
    """Run signal handlers; nonzero if one raised."""
    return (<_Caller>context).poll()


cdef void share_tasks(
    void *context, gem_kauri_task task, void *argument, int32_t n_tasks
) noexcept with gil:
    (<_Caller>context).share(task, argument, n_tasks)


cdef int set_bins(
    gem_kauri_bins *bins,
    object codes,
    const int32_t[::1] first,
    const double[::1] low,
    const double[::1] high,
) except -1:
    cdef const uint8_t[:, ::1] narrow
    cdef const uint16_t[:, ::1] wide

    bins.wide = codes.dtype != np.uint8
    if bins.wide:
        wide = codes
        bins.codes = &wide[0, 0]
    else:
        narrow = codes
        bins.codes = &narrow[0, 0]
    bins.first, bins.low, bins.high = &first[0], &low[0], &high[0]
    return 0


def grow(
    columns,
    double[:, ::1] factor,
    const double[:, ::1] kernel,
    const double[::1] weight,
    *,
    bint definite,
    double resolution,
    int32_t max_clusters,
    int32_t max_leaves,
    int32_t max_depth,
    int32_t min_samples_split,
    int32_t min_samples_leaf,
    double min_weight_leaf,
    int32_t max_features,
    double min_gain,
    uint64_t seed,
    int32_t n_threads,
    pool,
):
    """Grow a tree; see ``src_c/kauri/kauri.h`` for each argument and for the cost.

    `columns` is a `Columns`; either `factor` (N, r) or `kernel` (N, N) is None;
    `weight` (N,) may be None. The sorted columns and, with them, the factor are
    used as scratch. `pool` is an executor for `n_threads` - 1 threads, or None.
    The GIL is released; signals are looked at several times a second.

    Returns the node arrays left, right, feature, threshold, gain, depth,
    cluster, size, kind, missing left, then the leaf number of each sample (N,),
    the node of each leaf, and what a signal handler raised, or None: the tree is
    then what it was at that time.

    Raises MemoryError.
    """
    cdef gem_kauri_data data
    cdef gem_kauri_rules rules
    cdef gem_kauri_tree tree
    cdef gem_kauri_bins bins
    cdef gem_kauri_status status
    cdef _Caller caller = _Caller.__new__(_Caller)
    cdef Py_ssize_t n = columns.n_samples, capacity = 2 * <Py_ssize_t>max_leaves - 1
    cdef int32_t[:, ::1] nodes = np.empty((8, capacity), dtype=np.int32)
    cdef double[:, ::1] reals = np.empty((2, capacity))
    cdef int32_t[::1] leaf_of = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] leaf_node = np.empty(max_leaves, dtype=np.int32)
    cdef const int32_t[::1] twins = columns.twins
    cdef int32_t[:, ::1] order = columns.order
    cdef double[:, ::1] sorted_values = columns.sorted
    caller.raised, caller.pool = [], pool

    data.n_samples = <int32_t>n
    data.n_features = columns.n_features
    data.n_twins = <int32_t>twins.shape[0]
    data.twins = NULL
    if twins.shape[0]:
        data.twins = &twins[0]
    data.order, data.sorted, data.bins = NULL, NULL, NULL
    if order is not None:
        data.order, data.sorted = &order[0, 0], &sorted_values[0, 0]
    if columns.bins is not None:
        codes, first, low, high = columns.bins
        set_bins(&bins, codes, first, low, high)
        data.bins = &bins
    data.factor, data.kernel, data.weight = NULL, NULL, NULL
    data.rank = 0
    if factor is not None:
        data.factor, data.rank = &factor[0, 0], <int32_t>factor.shape[1]
    else:
        data.kernel = &kernel[0, 0]
    if weight is not None:
        data.weight = &weight[0]
    data.definite = definite
    data.resolution = resolution

    rules.max_clusters = max_clusters
    rules.max_leaves = max_leaves
    rules.max_depth = max_depth
    rules.min_samples_split = min_samples_split
    rules.min_samples_leaf = min_samples_leaf
    rules.min_weight_leaf = min_weight_leaf
    rules.max_features = max_features
    rules.min_gain = min_gain
    rules.seed = seed
    rules.poll = poll_signals
    rules.poll_context = <void *>caller
    rules.share = share_tasks
    if pool is None:
        rules.share = NULL
    rules.share_context = <void *>caller
    rules.n_threads = n_threads

    tree.left = &nodes[0, 0]
    tree.right = &nodes[1, 0]
    tree.feature = &nodes[2, 0]
    tree.depth = &nodes[3, 0]
    tree.cluster = &nodes[4, 0]
    tree.size = &nodes[5, 0]
    tree.kind = &nodes[6, 0]
    tree.missing_left = &nodes[7, 0]
    tree.threshold = &reals[0, 0]
    tree.gain = &reals[1, 0]
    tree.leaf_of = &leaf_of[0]
    tree.leaf_node = &leaf_node[0]
    with nogil:
        status = gem_kauri_grow(&data, &rules, &tree)
    if status == GEM_KAURI_NO_MEMORY:
        raise MemoryError("not enough memory to grow the tree")

    # Copies: the arrays are as long as the largest tree allowed.
    left, right, feature, depth, cluster, size, kind, missing_left = (
        row.copy() for row in np.asarray(nodes)[:, : tree.n_nodes]
    )
    threshold, gain = (row.copy() for row in np.asarray(reals)[:, : tree.n_nodes])
    return (
        (
            left, right, feature, threshold, gain, depth, cluster, size, kind,
            missing_left,
        ),
        np.asarray(leaf_of),
        np.asarray(leaf_node)[: tree.n_leaves].copy(),
        caller.raised[0] if caller.raised else None,
    )


def apply(
    const int32_t[::1] left,
    const int32_t[::1] right,
    const int32_t[::1] feature,
    const double[::1] threshold,
    const int32_t[::1] missing_left,
    const double[:, ::1] X,
):
    """Leaf (as a node number) that each row of `X` reaches, int32 of shape (n,).

    The GIL is released. Cost O(n depth).
    """
    cdef int32_t[::1] node = np.empty(X.shape[0], dtype=np.int32)
    if X.shape[0]:
        with nogil:
            gem_kauri_apply(
                &left[0], &right[0], &feature[0], &threshold[0], &missing_left[0],
                &X[0, 0], X.shape[0], X.shape[1], &node[0],
            )
    return np.asarray(node)


def find_bins(
    const double[::1] sorted_values, const double[::1] weights, int32_t max_bins
):
    """Least and largest value of each bin, from values in rising order without NaN.

    `weights` may be None. The GIL is released. Cost O(N).
    """
    cdef Py_ssize_t n = sorted_values.shape[0]
    cdef double[:, ::1] edges = np.empty((2, min(n, max_bins)))
    cdef const double *first = NULL
    cdef int32_t n_bins = 0
    if weights is not None and n:
        first = &weights[0]
    if n:
        with nogil:
            n_bins = gem_kauri_find_bins(
                &sorted_values[0], first, n, max_bins, &edges[0, 0], &edges[1, 0]
            )
    low, high = np.asarray(edges)[:, :n_bins].copy()
    return low, high


def assign_bins(const double[:, ::1] X, Py_ssize_t feature, const double[::1] high, codes):
    """Write the bins of a feature of `X` (N, D) to its column of `codes` (N, D), uint8
    or uint16: the first with value <= high, the last beyond, their number for NaN.

    The GIL is released. Cost O(N log(bins)).
    """
    cdef uint8_t[:, ::1] narrow
    cdef uint16_t[:, ::1] wide
    cdef void *first
    cdef int is_wide = codes.dtype != np.uint8
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1]
    if is_wide:
        wide = codes
        first = &wide[0, feature]
    else:
        narrow = codes
        first = &narrow[0, feature]
    with nogil:
        gem_kauri_assign_bins(
            &X[0, feature], n, d, &high[0], <int32_t>high.shape[0], is_wide, first, d
        )
