"""Compiled passes of the group penalties.

A partition of the D rows of the weights is two arrays: `members`, the rows of
group 0, then those of group 1, and so on; and `starts`, where each begins, with
D at its end. Norms are taken over all entries of a group, in float64.
"""

import numpy as np

from libc.math cimport fabs, sqrt

from gemclus._core.arrays cimport real


cdef inline double norm_of(
    const real[:, ::1] W, const Py_ssize_t[::1] members, Py_ssize_t start, Py_ssize_t stop
) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef double total = 0.0
    for i in range(start, stop):
        for k in range(W.shape[1]):
            total += <double>W[members[i], k] * W[members[i], k]
    return sqrt(total)


cdef inline void fill(
    real[:, ::1] W,
    const Py_ssize_t[::1] members,
    Py_ssize_t start,
    Py_ssize_t stop,
    double value,
) noexcept nogil:
    cdef Py_ssize_t i, k
    for i in range(start, stop):
        for k in range(W.shape[1]):
            W[members[i], k] = <real>value


def group_norms(
    const real[:, ::1] W, const Py_ssize_t[::1] members, const Py_ssize_t[::1] starts
):
    """Euclidean norm of each group (G,). Cost O(D K)."""
    cdef Py_ssize_t n_groups = starts.shape[0] - 1, g
    norms = np.empty(n_groups)
    cdef double[::1] out = norms
    with nogil:
        for g in range(n_groups):
            out[g] = norm_of(W, members, starts[g], starts[g + 1])
    return norms


def total_norm(
    const real[:, ::1] W, const Py_ssize_t[::1] members, const Py_ssize_t[::1] starts
):
    """Sum of the Euclidean norms of the groups. Cost O(D K)."""
    cdef Py_ssize_t g
    cdef double total = 0.0
    with nogil:
        for g in range(starts.shape[0] - 1):
            total += norm_of(W, members, starts[g], starts[g + 1])
    return total


def group_lasso(
    real[:, ::1] W,
    const Py_ssize_t[::1] members,
    const Py_ssize_t[::1] starts,
    double step,
):
    """Shorten each group by `step`, in place: block soft-threshold. Cost O(D K)."""
    cdef Py_ssize_t i, k, g
    cdef double norm, factor
    with nogil:
        for g in range(starts.shape[0] - 1):
            norm = norm_of(W, members, starts[g], starts[g + 1])
            if step == 0.0:
                continue
            if norm <= step:
                fill(W, members, starts[g], starts[g + 1], 0.0)
                continue
            factor = 1.0 - step / norm
            for i in range(starts[g], starts[g + 1]):
                for k in range(W.shape[1]):
                    W[members[i], k] = <real>(factor * W[members[i], k])


cdef inline void sift_down(double* heap, Py_ssize_t size, Py_ssize_t i) noexcept nogil:
    """Move entry `i` down to where the largest entry is on top again."""
    cdef Py_ssize_t child
    cdef double moved = heap[i]
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if not heap[child] > moved:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = moved


cdef double skip_norm(
    double norm, double step, double M, double total, double* heap, Py_ssize_t size
) noexcept nogil:
    """Norm of the best skip weights, of those that have `norm` before.

    The bounded weights follow from that norm r, so it minimises
    ``(r - norm)^2 / 2 + step r + sum_i max(|u_i| - M r, 0)^2 / 2``, a convex
    function. Its derivative is piecewise linear: take the |u_i| into the sum
    from the largest on, as long as they exceed M r. `heap` holds the |u_i|,
    `total` their sum. Cost O(size + active log(size)).
    """
    cdef double r = norm - step, weight = 1.0, top
    cdef Py_ssize_t i
    if r + M * total <= 0.0:
        return 0.0
    for i in range(size // 2 - 1, -1, -1):
        sift_down(heap, size, i)
    while size and heap[0] > M * r:
        top = heap[0]
        size -= 1
        heap[0] = heap[size]
        sift_down(heap, size, 0)
        # The mean of r, of weight 1 + s M^2, and of top / M, of weight M^2: the
        # direct formula for r would overflow first for a large M.
        weight += M * M
        r += M * (top - M * r) / weight
    return r if r > 0.0 or r != r else 0.0


cdef void scale_skip(
    real[:, ::1] W,
    const Py_ssize_t[::1] members,
    Py_ssize_t start,
    Py_ssize_t stop,
    double r,
) noexcept nogil:
    """Give the skip weights of one group the norm `r` in their own direction."""
    cdef Py_ssize_t i, k
    cdef double largest = 0.0, total = 0.0, entry
    for i in range(start, stop):
        for k in range(W.shape[1]):
            entry = fabs(<double>W[members[i], k])
            if entry > largest or entry != entry:
                largest = entry
    if largest == 0.0:
        # No direction of their own: the one that favours no output.
        fill(W, members, start, stop, r / sqrt(<double>(stop - start) * W.shape[1]))
        return
    # Relative to the largest entry, whose square may underflow.
    for i in range(start, stop):
        for k in range(W.shape[1]):
            entry = W[members[i], k] / largest
            total += entry * entry
    total = sqrt(total)
    for i in range(start, stop):
        for k in range(W.shape[1]):
            W[members[i], k] = <real>(r * (W[members[i], k] / largest / total))


def hierarchical(
    real[:, ::1] W,
    real[:, ::1] U,
    const Py_ssize_t[::1] members,
    const Py_ssize_t[::1] starts,
    double step,
    double M,
):
    """Hierarchical operator on the skip weights `W` (D, K) and on `U` (D, h).

    In place. Cost O(D K + D h log h) at most, for groups of one row.
    """
    cdef Py_ssize_t h = U.shape[1], i, j, g, size, largest = 0
    cdef double norm, total, bound, entry
    for g in range(starts.shape[0] - 1):
        largest = max(largest, starts[g + 1] - starts[g])
    scratch = np.empty(max(1, largest * h))
    cdef double[::1] heap = scratch
    with nogil:
        for g in range(starts.shape[0] - 1):
            norm = norm_of(W, members, starts[g], starts[g + 1])
            size = 0
            total = 0.0
            for i in range(starts[g], starts[g + 1]):
                for j in range(h):
                    heap[size] = fabs(<double>U[members[i], j])
                    total += heap[size]
                    size += 1
            bound = skip_norm(norm, step, M, total, &heap[0], size)
            if bound == 0.0:
                fill(W, members, starts[g], starts[g + 1], 0.0)
                fill(U, members, starts[g], starts[g + 1], 0.0)
                continue
            if bound != norm:
                scale_skip(W, members, starts[g], starts[g + 1], bound)
            bound *= M
            for i in range(starts[g], starts[g + 1]):
                for j in range(h):
                    entry = U[members[i], j]
                    if entry > bound:
                        U[members[i], j] = <real>bound
                    elif entry < -bound:
                        U[members[i], j] = <real>(-bound)
