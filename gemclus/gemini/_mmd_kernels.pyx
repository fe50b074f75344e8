"""Compiled passes of the MMD objectives.

With ``pi`` the proportions and ``H P = P - pi``, centring the predictions
stands for centring the kernel on both sides, at O(N K) instead of O(N^2).

The centroids of the clusters in the feature space, relative to the mean of all
samples, are ``mu_k = Z^T (P_k - pi_k) / (N pi_k)``; both objectives and their
gradients are functions of ``pi`` and of the centroids' norms (OvA) or
distances (OvO).
"""

import numpy as np

from libc.math cimport fabs, sqrt
from libc.stdlib cimport free, malloc

ctypedef fused real:
    float
    double


cdef Py_ssize_t rows_together(Py_ssize_t n_rows, Py_ssize_t n_columns) noexcept nogil:
    """How many rows to take as one vector: enough for a loop that pays."""
    return min(n_rows, 1 + 255 // n_columns)


cdef double *tiled(const double[::1] row, Py_ssize_t times) except NULL:
    """A row repeated; to be freed."""
    cdef Py_ssize_t K = row.shape[0], j
    cdef double *tile = <double *>malloc(K * times * sizeof(double))
    if tile == NULL:
        raise MemoryError
    for j in range(K * times):
        tile[j] = row[j % K]
    return tile


cdef inline double clip(double p, double epsilon) noexcept nogil:
    if p < epsilon:
        return epsilon
    return 1.0 - epsilon if p > 1.0 - epsilon else p


def proportions(const real[:, ::1] P, double epsilon):
    """Cluster proportions ``pi`` (K,): column means of the clipped predictions.

    Sums are of differences to the first row, so that equal rows have exactly
    these proportions, and run over blocks of rows, so that their error does not
    grow with N. NaN or infinity in `P` gives NaN in `pi`. Cost O(N K).
    """
    cdef Py_ssize_t N = P.shape[0], K = P.shape[1], i, k, start, stop
    pi = np.zeros(K)
    rows = np.empty((2, K))
    cdef double[::1] total = pi, first = rows[0], part = rows[1]
    cdef double p
    with nogil:
        for k in range(K):
            first[k] = clip(P[0, k], epsilon)
        for start in range(0, N, 256):
            stop = min(N, start + 256)
            for k in range(K):
                part[k] = 0.0
            for i in range(start, stop):
                for k in range(K):
                    p = P[i, k]
                    part[k] += clip(p, epsilon) - first[k] + 0.0 * p
            for k in range(K):
                total[k] += part[k]
        for k in range(K):
            total[k] = first[k] + total[k] / N
    return pi


def centre(const real[:, ::1] P, const double[::1] pi, double epsilon, real[:, ::1] out):
    """Write ``H P``: clipped predictions minus proportions. Cost O(N K).

    Differences at the rounding of `pi` are 0, so that equal rows give exactly
    the zero of an independent clustering.
    """
    cdef Py_ssize_t N = P.shape[0], K = P.shape[1], rows = rows_together(N, K)
    cdef Py_ssize_t start = 0, j
    cdef double p, difference
    cdef double *tile = tiled(pi, rows)
    cdef const real *x
    cdef real *y
    with nogil:
        while start < N:
            x = &P[start, 0]
            y = &out[start, 0]
            for j in range(K * min(rows, N - start)):
                p = x[j]
                p = epsilon if p < epsilon else p
                p = 1.0 - epsilon if p > 1.0 - epsilon else p
                difference = p - tile[j]
                y[j] = <real>(difference if fabs(difference) > 1e-15 * tile[j] else 0.0)
            start += rows
    free(tile)


def divide_columns(double[:, ::1] mu, const double[::1] pi, Py_ssize_t N):
    """``mu /= N pi``, in place. Cost O(r K)."""
    cdef Py_ssize_t j, k
    with nogil:
        for j in range(mu.shape[0]):
            for k in range(mu.shape[1]):
                mu[j, k] /= N * pi[k]


def centroid_norms(const double[:, ::1] mu):
    """Norms ``d`` (K,) of the columns of the centroids `mu` (r, K). Cost O(r K)."""
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k
    norms = np.zeros(K)
    cdef double[::1] d = norms
    with nogil:
        for j in range(r):
            for k in range(K):
                d[k] += mu[j, k] * mu[j, k]
        for k in range(K):
            d[k] = sqrt(d[k])
    return norms


def centroid_distances(const double[:, ::1] mu):
    """Distances ``d`` (K, K) between the columns of `mu` (r, K). Cost O(r K^2)."""
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k, l
    distances = np.zeros((K, K))
    cdef double[:, ::1] d = distances
    cdef double difference
    with nogil:
        for j in range(r):
            for k in range(K):
                for l in range(k):
                    difference = mu[j, k] - mu[j, l]
                    d[k, l] += difference * difference
        for k in range(K):
            for l in range(k):
                d[k, l] = sqrt(d[k, l])
                d[l, k] = d[k, l]
    return distances


def kernel_norms(
    const real[:, ::1] HP, const real[:, ::1] U, const double[::1] pi
):
    """Norms ``d`` (K,) of the centroids from ``HP`` and ``U = H kappa H P``.

    A negative squared norm, which an indefinite kernel can give, counts as 0.
    Cost O(N K).
    """
    cdef Py_ssize_t N = HP.shape[0], K = HP.shape[1], i, k
    norms = np.zeros(K)
    cdef double[::1] d = norms
    with nogil:
        for i in range(N):
            for k in range(K):
                d[k] += <double>HP[i, k] * U[i, k]
        for k in range(K):
            d[k] = sqrt(d[k]) / (N * pi[k]) if d[k] > 0.0 else 0.0
    return norms


def kernel_distances(
    const real[:, ::1] HP, const real[:, ::1] U, const double[::1] pi
):
    """Distances ``d`` (K, K) between centroids from ``HP`` and ``U = H kappa H P``.

    The differences are taken before the product, so that clusters that
    coincide are at distance 0 to rounding. A negative squared distance, which
    an indefinite kernel can give, counts as 0. Cost O(N K^2).
    """
    cdef Py_ssize_t N = HP.shape[0], K = HP.shape[1], i, k, l
    distances = np.zeros((K, K))
    cdef double[:, ::1] d = distances
    with nogil:
        for i in range(N):
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


def ova_mixing(const double[::1] d, const double[::1] pi, Py_ssize_t N):
    """OvA from the norms of the centroids: value, mixing (K, K), row (K,).

    ``V = sum_k pi_k d_k``; the gradient is ``H Z mu C + row`` with
    ``C = diag(1 / (N d_k))``, 0 where ``d_k = 0``, and no row. Cost O(K^2).
    """
    cdef Py_ssize_t K = pi.shape[0], k
    mixing = np.zeros((K, K))
    cdef double[:, ::1] C = mixing
    cdef double value = 0.0
    for k in range(K):
        value += pi[k] * d[k]
        if d[k] > 0.0:
            C[k, k] = 1.0 / (N * d[k])
    return value, mixing, np.zeros(K)


def ovo_mixing(const double[:, ::1] d, const double[::1] pi, Py_ssize_t N):
    """OvO from the distances between centroids: value, mixing (K, K), row (K,).

    ``V = pi^T d pi``; the gradient is ``H Z mu C + row - diag(C^T mu^T mu)`` with
    ``C[:, k] = sum_l 2 pi_l / (N d_kl) (e_k - e_l)``, leaving out the pairs at
    distance 0, and ``row = 2 d pi / N``. Cost O(K^2).
    """
    cdef Py_ssize_t K = pi.shape[0], k, l
    mixing = np.zeros((K, K))
    first = np.zeros(K)
    cdef double[:, ::1] C = mixing
    cdef double[::1] row = first
    cdef double value = 0.0, weight
    for k in range(K):
        for l in range(K):
            row[k] += d[k, l] * pi[l]
            if d[k, l] > 0.0:
                weight = 2.0 * pi[l] / (N * d[k, l])
                C[k, k] += weight
                C[l, k] -= weight
        value += row[k] * pi[k]
        row[k] *= 2.0 / N
    return value, mixing, first


def mix_centroids(
    const double[:, ::1] mu, const double[:, ::1] C, double[::1] row, bint ovo
):
    """``A = mu C`` (r, K), and ``row -= diag(A^T mu)`` for OvO. Cost O(r K^2)."""
    cdef Py_ssize_t r = mu.shape[0], K = mu.shape[1], j, k, l
    mixed = np.zeros((r, K))
    cdef double[:, ::1] A = mixed
    with nogil:
        for j in range(r):
            for l in range(K):
                for k in range(K):
                    A[j, k] += mu[j, l] * C[l, k]
            if ovo:
                for k in range(K):
                    row[k] -= A[j, k] * mu[j, k]
    return mixed


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
