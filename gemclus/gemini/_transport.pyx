"""The Wasserstein objectives on the transport solver.

With ``share_i`` the share of sample i in the weight of all, 1 / N without weights,
``w_ik = share_i P_ik / pi_k`` its weight in cluster k, and ``(u, v)`` optimal
potentials of a problem of value ``W(w_k, b)``, moving ``P`` moves ``pi_k W`` by
``share_i (W + u_i - <u, w_k>)`` for each unit of ``P_ik``. Both objectives are sums of
such terms over a table of problems (k, l), with row K of the weights standing for the
shares, the distribution of all samples.
"""

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, isfinite
from libc.stdlib cimport calloc, free

from gemclus._core.arrays cimport real
from gemclus.gemini._transport cimport *

# Rows of P that sum to 1 within this: the two clusters are complements.
cdef double COMPLEMENT = 1e-14


cdef struct Stop:
    # What a poll looks at: the flag of all threads, and whether this thread may
    # run signal handlers.
    int flag
    int check_signals
    void *owner


cdef int poll(void *context) noexcept nogil:
    cdef Stop *stop = <Stop *>context
    if stop.check_signals and not stop.flag:
        with gil:
            try:
                PyErr_CheckSignals()
            except BaseException as error:
                (<Transports>stop.owner)._interruption = error
                stop.flag = 1
    return stop.flag


cdef inline double clip(double p, double epsilon) noexcept nogil:
    if p < epsilon:
        return epsilon
    return 1.0 - epsilon if p > 1.0 - epsilon else p


cdef class Transports:
    """All transport problems of one objective on one matrix of distances.

    Parameters
    ----------
    distances : ndarray of shape (N, N), float64, C-contiguous
        Kept, not copied.
    is_metric : bool
        Whether it is known to be a metric; answers are certified otherwise.
    n_clusters : int
        K.
    ovo : bool
        One-vs-one instead of one-vs-all.

    Raises
    ------
    ValueError
        If an entry is negative, infinite or NaN, named by its position.

    Notes
    -----
    Not to be used by two threads at once. One pass over the distances.
    """

    cdef gem_transport_costs *costs
    cdef gem_transport_problem **problems
    cdef gem_transport_work **works
    cdef Py_ssize_t n_works
    cdef const double[:, ::1] D
    cdef readonly Py_ssize_t n_samples, n_clusters, n_problems
    cdef readonly bint ovo
    cdef bint symmetric, zero_diagonal, warm, complementary, weighted
    cdef Py_ssize_t[:, ::1] table
    cdef double[:, ::1] weights, u, v
    cdef double[::1] pi, values
    cdef Stop stop
    cdef object _interruption

    def __cinit__(self, const double[:, ::1] distances, bint is_metric,
                  Py_ssize_t n_clusters, bint ovo):
        cdef size_t bad = 0, n = distances.shape[0]
        cdef gem_transport_status status
        cdef Py_ssize_t q
        self.D = distances
        with nogil:
            status = gem_transport_costs_create(
                &distances[0, 0], n, is_metric, &self.costs, &bad)
        if status == GEM_TRANSPORT_BAD_COST:
            i, j = divmod(bad, n)
            raise ValueError(
                "affinity must hold distances, which are finite and not negative, "
                f"got {distances[i, j]} at ({i}, {j})"
            )
        check(status)
        self.n_samples, self.n_clusters, self.ovo = n, n_clusters, ovo
        self.symmetric = gem_transport_costs_is_symmetric(self.costs)
        self.zero_diagonal = gem_transport_costs_has_zero_diagonal(self.costs)
        self.table = self._make_table()
        self.n_problems = self.table.shape[0]
        self.pi = np.empty(n_clusters)
        self.weights = np.full((n_clusters + 1, n), 1.0 / n)
        self.u = np.empty((self.n_problems, n))
        self.v = np.empty((self.n_problems, n))
        self.values = np.empty(self.n_problems)
        self.problems = <gem_transport_problem **>calloc(
            self.n_problems + 1, sizeof(gem_transport_problem *))
        if self.problems == NULL:
            raise MemoryError()
        for q in range(self.n_problems):
            check(gem_transport_problem_create(n, &self.problems[q]))

    def __dealloc__(self):
        cdef Py_ssize_t q
        if self.problems != NULL:
            for q in range(self.n_problems):
                gem_transport_problem_destroy(self.problems[q])
            free(self.problems)
        if self.works != NULL:
            for q in range(self.n_works):
                gem_transport_work_destroy(self.works[q])
            free(self.works)
        gem_transport_costs_destroy(self.costs)

    def _make_table(self):
        """Rows (k, l): the weights that each problem transports from and to."""
        K = self.n_clusters
        if not self.ovo:
            pairs = [(k, K) for k in range(K)]
        elif self.symmetric:
            pairs = [(k, l) for k in range(K) for l in range(k + 1, K)]
        else:
            pairs = [(k, l) for k in range(K) for l in range(K) if k != l]
        if self.ovo and not self.zero_diagonal:
            # Even what stays in its place has a cost.
            pairs += [(k, k) for k in range(K)]
        return np.array(pairs, dtype=np.intp).reshape(-1, 2)

    def keep_trees(self):
        """From now on, start from the last optimal bases. Cost O(N^2), once."""
        cdef gem_transport_status status
        if not self.warm:
            with nogil:
                status = gem_transport_costs_prepare_warm(self.costs)
            check(status)
            self.warm = True

    def weigh(self, const real[:, ::1] P, double epsilon, const double[::1] shares=None):
        """Take the predictions (N, K): proportions and weights. Cost O(N K).

        `shares` (N,) are those of the samples, summing to 1; None is 1 / N each.
        Returns whether the predictions are finite.
        """
        cdef Py_ssize_t N = self.n_samples, K = self.n_clusters, i, k
        cdef double p, total, gap = 0.0, unclipped = 0.0
        cdef double[:, ::1] w = self.weights
        cdef double whole = N if shares is None else 1.0
        if shares is not None and shares.shape[0] != N:
            raise ValueError(f"shares must be {N} numbers, got {shares.shape[0]}")
        self.weighted = shares is not None
        with nogil:
            for i in range(N):
                w[K, i] = shares[i] if self.weighted else 1.0 / N
            for k in range(K):
                self.pi[k] = 0.0
            for i in range(N):
                total = 0.0
                for k in range(K):
                    unclipped += fabs(P[i, k])
                    p = clip(P[i, k], epsilon)
                    total += p
                    if self.weighted:
                        p *= shares[i]
                    w[k, i] = p
                    self.pi[k] += p
                if fabs(total - 1.0) > gap:
                    gap = fabs(total - 1.0)
            for k in range(K):
                for i in range(N):
                    w[k, i] /= self.pi[k]
                self.pi[k] /= whole
        self.complementary = (
            K == 2 and not self.ovo and self.symmetric and gap <= COMPLEMENT)
        return bool(isfinite(unclipped))

    def reserve_threads(self, Py_ssize_t n_threads):
        """Work spaces for this many threads, after `weigh`. Returns how many are
        of use."""
        cdef Py_ssize_t t
        # The second of two complements is read off the first.
        n_threads = 1 if self.complementary else min(n_threads, self.n_problems)
        n_threads = max(1, n_threads)
        if self.n_works < n_threads:
            grown = <gem_transport_work **>calloc(n_threads, sizeof(gem_transport_work *))
            if grown == NULL:
                raise MemoryError()
            for t in range(self.n_works):
                grown[t] = self.works[t]
            free(self.works)
            self.works = grown
            while self.n_works < n_threads:
                check(gem_transport_work_create(&self.works[self.n_works]))
                self.n_works += 1
        return n_threads

    def solve(self, Py_ssize_t thread=0, Py_ssize_t n_threads=1):
        """Solve every `n_threads`-th problem, from problem `thread` on.

        Raises
        ------
        KeyboardInterrupt
            Or what else a signal handler raised, in the main thread.
        """
        cdef Stop stop = Stop(0, n_threads == 1, <void *>self)
        cdef void *context = <void *>&stop if n_threads == 1 else <void *>&self.stop
        cdef gem_transport_status status = GEM_TRANSPORT_OK
        cdef Py_ssize_t q = thread
        self._interruption = None
        with nogil:
            while q < self.n_problems and status == GEM_TRANSPORT_OK:
                status = self._solve_one(q, self.works[thread], context)
                q += n_threads
        if self._interruption is not None:
            error, self._interruption = self._interruption, None
            raise error
        check(status)

    def set_stop(self, bint flag):
        """Ask the threads that solve to return (or allow them to run)."""
        self.stop.flag = flag

    cdef gem_transport_status _solve_one(
            self, Py_ssize_t q, gem_transport_work *work, void *context) noexcept nogil:
        cdef gem_transport_status status
        cdef gem_transport_problem *problem = self.problems[q]
        cdef Py_ssize_t N = self.n_samples, i
        cdef double value = 0.0
        if q == 1 and self.complementary and gem_transport_is_reduced(self.problems[0]):
            # pi_2 (w_2 - 1/N) = -pi_1 (w_1 - 1/N): the same problem upside down.
            for i in range(N):
                self.u[1, i] = self.v[1, i] = -self.u[0, i]
                value += self.u[1, i] * (self.weights[1, i] - self.weights[2, i])
            self.values[1] = value if value > 0.0 else 0.0
            return GEM_TRANSPORT_OK
        status = gem_transport_solve(
            self.costs, problem, work, &self.weights[self.table[q, 0], 0],
            &self.weights[self.table[q, 1], 0], self.warm, poll, context)
        if status == GEM_TRANSPORT_OK:
            self.values[q] = gem_transport_value(problem)
            gem_transport_potentials(problem, &self.u[q, 0], &self.v[q, 0])
        return status

    def value(self):
        """The objective, from the solved problems."""
        cdef double value = 0.0
        cdef Py_ssize_t q
        for q in range(self.n_problems):
            value += self._share(q) * self.values[q]
        return value

    cdef double _share(self, Py_ssize_t q) noexcept nogil:
        # OvA: pi_k. OvO: pi_k pi_l, twice if (l, k) is the same problem.
        cdef Py_ssize_t k = self.table[q, 0], l = self.table[q, 1]
        if not self.ovo:
            return self.pi[k]
        return self.pi[k] * self.pi[l] * (2.0 if self.symmetric and k != l else 1.0)

    def gradient(self, const real[:, ::1] P, double epsilon, real[:, ::1] G):
        """Write the derivative with respect to `P`, 0 where it is clipped.

        Cost O(N K) for OvA, O(N K^2) for OvO.
        """
        cdef Py_ssize_t N = self.n_samples, K = self.n_clusters, i, k, q
        total = np.zeros((K, N))
        cdef double[:, ::1] g = total
        with nogil:
            for q in range(self.n_problems):
                k = self.table[q, 0]
                self._add(g[k], q, k, self.u[q], 1.0)
                if self.ovo:
                    k = self.table[q, 1]
                    self._add(g[k], q, k, self.v[q], -1.0)
            for i in range(N):
                for k in range(K):
                    if P[i, k] < epsilon or P[i, k] > 1.0 - epsilon:
                        G[i, k] = 0
                    else:
                        G[i, k] = <real>g[k, i]

    cdef void _add(self, double[::1] g, Py_ssize_t q, Py_ssize_t k,
                   double[::1] f, double sign) noexcept nogil:
        # g += share / pi_k (W + sign (f - <f, w_k>)) / N, or by the shares of samples
        cdef Py_ssize_t N = self.n_samples, K = self.n_clusters, i
        cdef double factor = self._share(q) / (self.pi[k] * (1.0 if self.weighted else N))
        cdef double mean = 0.0
        for i in range(N):
            mean += f[i] * self.weights[k, i]
        if self.weighted:
            for i in range(N):
                g[i] += (
                    factor * self.weights[K, i] * (self.values[q] + sign * (f[i] - mean)))
            return
        for i in range(N):
            g[i] += factor * (self.values[q] + sign * (f[i] - mean))

    def counters(self):
        """Counts of solves, by their kind, and of pivots, over all problems."""
        cdef gem_transport_counters *c
        names = ("cold", "warm", "bipartite", "fallbacks", "primal_pivots", "dual_pivots")
        total = dict.fromkeys(names, 0)
        for q in range(self.n_problems):
            c = gem_transport_problem_counters(self.problems[q])
            one = (c.cold, c.warm, c.bipartite, c.fallbacks, c.primal_pivots, c.dual_pivots)
            for name, number in zip(names, one):
                total[name] += number
        return total

    def certificate(self):
        """For tests: arrays of values (Q,), potentials u, v (Q, N), weights
        (K + 1, N), table (Q, 2) and the least slack of each problem (Q,)."""
        slack = np.empty(self.n_problems)
        for q in range(self.n_problems):
            slack[q] = gem_transport_min_slack(self.costs, &self.u[q, 0], &self.v[q, 0])
        return (
            np.array(self.values), np.array(self.u), np.array(self.v),
            np.array(self.weights), np.array(self.table), slack,
        )


cdef int check(gem_transport_status status) except -1:
    """The exception that a status of the solver means."""
    if status == GEM_TRANSPORT_NO_MEMORY:
        raise MemoryError("not enough memory for the transport solver")
    if status == GEM_TRANSPORT_INTERRUPTED:
        raise InterruptedError("the transport solver was stopped")
    if status == GEM_TRANSPORT_BAD_MASS:
        raise ValueError(
            "y_pred must hold finite memberships between 0 and 1; the weights of a "
            "cluster do not sum to 1"
        )
    if status == GEM_TRANSPORT_TOO_LARGE:
        raise ValueError("affinity must have between 1 and 2**29 rows")
    if status != GEM_TRANSPORT_OK:
        raise RuntimeError("the transport solver did not converge: please report it")
    return 0
