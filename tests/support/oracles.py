"""Naive textbook definitions: loops over samples and clusters, written to be
believed, not to be fast. `P` is (N, K), `A` the kernel or distances (N, N).

Numbers are of the precision of `P`: of long double, for those without an `A`."""

import numpy as np
from scipy.optimize import linprog


def proportions(P):
    return P.mean(axis=0)


def conditional(P):
    """Column k is p(x | y=k) on the samples."""
    return P / P.sum(axis=0)


def _f_ova(P, divergence):
    pi, w = proportions(P), conditional(P)
    uniform = np.full(len(P), 1 / P.dtype.type(len(P)), P.dtype)
    return sum(pi[k] * divergence(w[:, k], uniform) for k in range(P.shape[1]))


def _f_ovo(P, divergence):
    pi, w = proportions(P), conditional(P)
    K = P.shape[1]
    return sum(
        pi[k] * pi[l] * divergence(w[:, k], w[:, l]) for k in range(K) for l in range(K)
    )


def _kl(p, q):
    return np.sum(p * np.log(p / q))


def _tv(p, q):
    return np.sum(np.abs(p - q)) / 2


def _hellinger(p, q):
    return 1 - np.sum(np.sqrt(p * q))


def _chi2(p, q):
    return (np.sum(p * p / q) - 1) / 2


def _mmd(p, q, A):
    difference = p - q
    return float(np.sqrt(max(difference @ A @ difference, 0.0)))


def transport(p, q, A):
    """Least cost of carrying p to q, by a general linear-programming solver."""
    N = len(p)
    leaves = np.kron(np.eye(N), np.ones(N))
    arrives = np.kron(np.ones(N), np.eye(N))
    result = linprog(
        A.ravel(),
        A_eq=np.vstack([leaves, arrives])[:-1],
        b_eq=np.concatenate([p, q])[:-1],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10},
    )
    assert result.success, result.message
    return float(result.fun)


ORACLES = {
    "mi": lambda P, A: _f_ova(P, _kl),
    "kl_ova": lambda P, A: _f_ova(P, _kl),
    "kl_ovo": lambda P, A: _f_ovo(P, _kl),
    "tv_ova": lambda P, A: _f_ova(P, _tv),
    "tv_ovo": lambda P, A: _f_ovo(P, _tv),
    "hellinger_ova": lambda P, A: _f_ova(P, _hellinger),
    "hellinger_ovo": lambda P, A: _f_ovo(P, _hellinger),
    "chi2_ova": lambda P, A: _f_ova(P, _chi2),
    "chi2_ovo": lambda P, A: _f_ovo(P, _chi2),
    "mmd_ova": lambda P, A: _f_ova(P, lambda p, q: _mmd(p, q, A)),
    "mmd_ovo": lambda P, A: _f_ovo(P, lambda p, q: _mmd(p, q, A)),
    "wasserstein_ova": lambda P, A: _f_ova(P, lambda p, q: transport(p, q, A)),
    "wasserstein_ovo": lambda P, A: _f_ovo(P, lambda p, q: transport(p, q, A)),
}
