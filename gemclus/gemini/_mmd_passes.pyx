"""Compiled passes of the MMD objectives.

With ``pi`` the proportions and ``H P = P - pi``, centring the predictions
stands for centring the kernel on both sides, at O(N K) instead of O(N^2).

The centroids of the clusters in the feature space, relative to the mean of all
samples, are ``mu_k = Z^T (P_k - pi_k) / (N pi_k)``; both objectives and their
gradients are functions of ``pi`` and of the centroids' norms (OvA) or
distances (OvO).
"""

import numpy as np

from cpython.buffer cimport PyBuffer_Release
from libc.math cimport fabs, isfinite, sqrt
from libc.stdlib cimport calloc, free, malloc

from gemclus._core.arrays cimport open_rows

# Rows that are added to one sum before it joins the others.
cdef enum:
    SUMMED_ROWS = 64


cdef Py_ssize_t rows_together(Py_ssize_t n_rows, Py_ssize_t n_columns) noexcept nogil:
    """Number of rows to take as one vector: enough for a loop that pays."""
    return min(n_rows, 1 + 255 // n_columns)


cdef double *tiled(const double[::1] row, Py_ssize_t times) except NULL:
    """A row repeated; to be freed."""
    cdef Py_ssize_t K = row.shape[0], i, k
    cdef double *tile = <double *>malloc(K * times * sizeof(double))
    if tile == NULL:
        raise MemoryError
    for i in range(times):
        for k in range(K):
            tile[i * K + k] = row[k]
    return tile


cdef inline double clip(double p, double epsilon) noexcept nogil:
    # Selections, which run in vectors, and not jumps.
    p = epsilon if p < epsilon else p
    return 1.0 - epsilon if p > 1.0 - epsilon else p


def proportions(P, double epsilon):
    """Cluster proportions ``pi`` (K,): column means of the clipped predictions.

    Sums are of differences to the first row, so that equal rows have exactly
    these proportions, and run over blocks of rows, so that their error does not
    grow with N. NaN or infinity in `P` raises ValueError. Cost O(N K).
    """
    cdef Py_buffer view
    cdef bint finite
    cdef double[::1] pi = np.zeros(P.shape[1])
    open_rows(P, &view)
    if view.itemsize == sizeof(float):
        finite = _proportions(<const float *>view.buf, &view, epsilon, &pi[0])
    else:
        finite = _proportions(<const double *>view.buf, &view, epsilon, &pi[0])
    PyBuffer_Release(&view)
    if not finite:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    return pi.base


cdef bint _proportions(
    const real *P, const Py_buffer *view, double epsilon, double *pi
) except -1:
    cdef Py_ssize_t N = view.shape[0], K = view.shape[1], rows = rows_together(N, K)
    cdef Py_ssize_t start = 0, stop, j, k, i
    cdef double p, total = 0.0
    cdef double *first = <double *>malloc(2 * K * rows * sizeof(double))
    cdef double *part = first + K * rows
    if first == NULL:
        raise MemoryError
    with nogil:
        for i in range(rows):
            for k in range(K):
                first[i * K + k] = clip(P[k], epsilon)
        while start < N:
            stop = min(N, start + SUMMED_ROWS * rows)
            for j in range(K * rows):
                part[j] = 0.0
            while start < stop:
                for j in range(K * min(rows, stop - start)):
                    p = P[start * K + j]
                    part[j] += (clip(p, epsilon) - first[j]) + 0.0 * p
                start += rows
            for i in range(rows):
                for k in range(K):
                    pi[k] += part[i * K + k]
        for k in range(K):
            pi[k] = first[k] + pi[k] / N
            total += pi[k]
    free(first)
    return isfinite(total)


def centre(const real[:, ::1] P, const double[::1] pi, double epsilon, real[:, ::1] out):
    """Write ``H P``: clipped predictions minus proportions. Cost O(N K).

    Differences at the rounding of `pi` are 0, so that equal rows give exactly
    the zero of an independent clustering.
    """
    cdef Py_ssize_t N = P.shape[0], K = P.shape[1], rows = rows_together(N, K)
    cdef double *tile = tiled(pi, rows)
    with nogil:
        centre_rows(&P[0, 0], N, K, tile, rows, epsilon, &out[0, 0])
    free(tile)


cdef void centre_rows(
    const real *P,
    Py_ssize_t N,
    Py_ssize_t K,
    const double *tile,
    Py_ssize_t tile_rows,
    double epsilon,
    real *out,
) noexcept nogil:
    """`centre`, given ``pi`` repeated `tile_rows` times."""
    cdef Py_ssize_t start = 0, j
    cdef double difference
    cdef const real *x
    cdef real *y
    while start < N:
        x = P + start * K
        y = out + start * K
        for j in range(K * min(tile_rows, N - start)):
            difference = clip(x[j], epsilon) - tile[j]
            y[j] = <real>(difference if fabs(difference) > 1e-15 * tile[j] else 0.0)
        start += tile_rows


def centroid_mixing(
    double[:, ::1] mu, pi, means, double N, bint ovo, double nought=0.0
):
    """Value and gradient as functions of centroids, in O(r K^2).

    Parameters
    ----------
    mu : ndarray of shape (r, K)
        ``Z^T H P``; it becomes the centroids, divided by ``N pi``.
    pi : ndarray of shape (K,)
        Cluster proportions.
    means : ndarray of shape (r,)
        Means of the columns of Z.
    N : float
        Number of samples, or their total weight.
    ovo : bool
        One-vs-one instead of one-vs-all.
    nought : float, default=0
        Norms and distances up to here are rounding, and count as 0.

    Returns
    -------
    value : float
        The objective.
    A : ndarray of shape (r, K)
    shift : ndarray of shape (K,)
        The gradient is ``Z A + shift``, where `P` was not clipped.
    """
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k, l
    cdef const double[::1] proportion = pi, mean = means
    cdef double[:, ::1] A = np.zeros((r, K))
    cdef double[::1] shift = np.zeros(K)
    cdef double *d = <double *>calloc(2 * K * K, sizeof(double))
    cdef double *C = d + K * K
    cdef double value
    if d == NULL:
        raise MemoryError
    with nogil:
        for j in range(r):
            for k in range(K):
                mu[j, k] /= N * proportion[k]
        if ovo:
            centroid_distances(mu, d)
            drop(d, K * K, nought)
            value = mix_ovo(d, proportion, N, C, shift)
        else:
            centroid_norms(mu, d)
            drop(d, K, nought)
            value = mix_ova(d, proportion, N, C)
        for j in range(r):
            for l in range(K):
                for k in range(K):
                    A[j, k] += mu[j, l] * C[l * K + k]
            for k in range(K):
                if ovo:
                    shift[k] -= A[j, k] * mu[j, k]
                # Centring the columns of Z A.
                shift[k] -= A[j, k] * mean[j]
    free(d)
    return value, A.base, shift.base


cdef void drop(double *d, Py_ssize_t size, double nought) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        d[i] = d[i] if d[i] > nought else 0.0


cdef void centroid_norms(const double[:, ::1] mu, double *d) noexcept nogil:
    """Norms ``d`` (K,) of the columns of the centroids `mu` (r, K). Cost O(r K)."""
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k
    for j in range(r):
        for k in range(K):
            d[k] += mu[j, k] * mu[j, k]
    for k in range(K):
        d[k] = sqrt(d[k])


cdef void centroid_distances(const double[:, ::1] mu, double *d) noexcept nogil:
    """Distances ``d`` (K, K) between the columns of `mu` (r, K). Cost O(r K^2)."""
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k, l
    cdef double difference
    for j in range(r):
        for k in range(K):
            for l in range(k):
                difference = mu[j, k] - mu[j, l]
                d[k * K + l] += difference * difference
    for k in range(K):
        for l in range(k):
            d[k * K + l] = sqrt(d[k * K + l])
            d[l * K + k] = d[k * K + l]


def kernel_norms(
    const real[:, ::1] HP, const real[:, ::1] U, const double[::1] pi, double N
):
    """Norms ``d`` (K,) of the centroids from ``HP`` and ``U = H kappa H P``.

    The rows of `HP` are multiplied by the weights of the samples, of total `N`. A
    negative squared norm, which an indefinite kernel can give, counts as 0. Cost
    O(N K).
    """
    cdef Py_ssize_t K = HP.shape[1], i, k
    norms = np.zeros(K)
    cdef double[::1] d = norms
    with nogil:
        for i in range(HP.shape[0]):
            for k in range(K):
                d[k] += <double>HP[i, k] * U[i, k]
        for k in range(K):
            d[k] = sqrt(d[k]) / (N * pi[k]) if d[k] > 0.0 else 0.0
    return norms


def kernel_distances(
    const real[:, ::1] HP, const real[:, ::1] U, const double[::1] pi, double N
):
    """Distances ``d`` (K, K) between centroids from ``HP`` and ``U = H kappa H P``.

    The rows of `HP` are as in `kernel_norms`. The differences are taken before the
    product, so that clusters that coincide are at distance 0 to rounding. A negative
    squared distance, which an indefinite kernel can give, counts as 0. Cost
    O(N K^2).
    """
    cdef Py_ssize_t K = HP.shape[1], i, k, l
    distances = np.zeros((K, K))
    cdef double[:, ::1] d = distances
    with nogil:
        for i in range(HP.shape[0]):
            for k in range(K):
                for l in range(k):
                    d[k, l] += (HP[i, k] / pi[k] - HP[i, l] / pi[l]) * (
                        U[i, k] / pi[k] - U[i, l] / pi[l]
                    )
        for k in range(K):
            for l in range(k):
                d[k, l] = sqrt(d[k, l]) / N if d[k, l] > 0.0 else 0.0
                d[l, k] = d[k, l]
    return distances


def ova_mixing(const double[::1] d, const double[::1] pi, double N):
    """OvA from the norms of the centroids: value, mixing (K, K), row (K,): `mix_ova`."""
    cdef Py_ssize_t K = pi.shape[0]
    cdef double[:, ::1] C = np.zeros((K, K))
    value = mix_ova(&d[0], pi, N, &C[0, 0])
    return value, C.base, np.zeros(K)


def ovo_mixing(const double[:, ::1] d, const double[::1] pi, double N):
    """OvO from the distances of the centroids: value, mixing, row (K,): `mix_ovo`."""
    cdef Py_ssize_t K = pi.shape[0]
    cdef double[:, ::1] C = np.zeros((K, K))
    cdef double[::1] row = np.zeros(K)
    value = mix_ovo(&d[0, 0], pi, N, &C[0, 0], row)
    return value, C.base, row.base


cdef double mix_ova(
    const double *d, const double[::1] pi, double N, double *C
) noexcept nogil:
    """OvA: the value, and the mixing matrix C (K, K), which holds zeros.

    ``V = sum_k pi_k d_k``; the gradient is ``H Z mu C`` with
    ``C = diag(1 / (N d_k))``, 0 where ``d_k = 0``. Cost O(K).
    """
    cdef Py_ssize_t K = pi.shape[0], k
    cdef double value = 0.0
    for k in range(K):
        value += pi[k] * d[k]
        if d[k] > 0.0:
            C[k * K + k] = 1.0 / (N * d[k])
    return value


cdef double mix_ovo(
    const double *d, const double[::1] pi, double N, double *C, double[::1] row
) noexcept nogil:
    """OvO: the value, the mixing matrix C (K, K) and the row, which hold zeros.

    ``V = pi^T d pi``; the gradient is ``H Z mu C + row - diag(C^T mu^T mu)`` with
    ``C[:, k] = sum_l 2 pi_l / (N d_kl) (e_k - e_l)``, leaving out the pairs at
    distance 0, and ``row = 2 d pi / N``. Cost O(K^2).
    """
    cdef Py_ssize_t K = pi.shape[0], k, l
    cdef double value = 0.0, weight
    for k in range(K):
        for l in range(K):
            row[k] += d[k * K + l] * pi[l]
            if d[k * K + l] > 0.0:
                weight = 2.0 * pi[l] / (N * d[k * K + l])
                C[k * K + k] += weight
                C[l * K + k] -= weight
        value += row[k] * pi[k]
        row[k] *= 2.0 / N
    return value


def finish_gradient(
    real[:, ::1] G, const real[:, ::1] P, const double[::1] shift, double epsilon
):
    """Add `shift` to the columns of `G`, and put 0 where `P` was clipped.

    In place; cost O(N K).
    """
    cdef Py_ssize_t N = G.shape[0], K = G.shape[1], rows = rows_together(N, K)
    cdef Py_ssize_t start = 0, j
    cdef double *tile = tiled(shift, rows)
    cdef const real *p
    cdef real *g
    cdef double moved
    with nogil:
        while start < N:
            p = &P[start, 0]
            g = &G[start, 0]
            for j in range(K * min(rows, N - start)):
                moved = g[j] + tile[j]
                moved = 0.0 if p[j] < epsilon else moved
                g[j] = <real>(0.0 if p[j] > 1.0 - epsilon else moved)
            start += rows
    free(tile)
