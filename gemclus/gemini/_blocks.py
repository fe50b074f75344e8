"""Objectives cut into sums over blocks of rows.

A full-batch evaluation is a map over blocks, a sum of a few numbers, and another
map. A *decomposition* does the three parts; where the blocks lie, in one array, on
threads, in a file or on other machines, is not its business::

    state = None
    while state is None or state.value is None:
        totals = sum(cut.sums(P_b, affinity_b, w_b, state) for each block b)
        state = cut.advance(totals, state)
    gradients = [cut.gradient(P_b, affinity_b, w_b, state) for each block b]

`sums` are arrays of float64 with some tens to thousands of numbers, whatever the
number of rows. Added in the order of the blocks they give the same bits wherever they
were computed. Decompositions and states pickle. They keep nothing of a block, so that
threads may share one.

Weights `w_b` are arrays of float64, not negative, or None for 1 each; a block may have
none but zeros.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from gemclus._common.validation import check_predictions
from gemclus._core.array_passes import first_not_finite
from gemclus._core.buffers import empty_like
from gemclus.gemini import _fdivergence_passes, _mmd_blocks
from gemclus.gemini._mmd_passes import centroid_mixing

# Rows taken at a time in products of NumPy: the temporaries stay in cache.
_BLOCK = 2048


class Decomposition(ABC):
    """One objective over blocks of rows: see the top of this file."""

    @abstractmethod
    def sums(self, P, affinity, weights, state, G=None):
        """Terms that one block adds to the totals of the round after `state`.

        Parameters
        ----------
        P : ndarray of shape (n, K)
            Predictions of the block.
        affinity : FactoredKernel or None
            The kernel of the block's samples, if the objective has one. Its `centre`
            must be the same for all blocks.
        weights : ndarray of shape (n,) or None
        state : object or None
            What `advance` returned after the last round; None in the first.
        G : ndarray of shape (n, K), default=None
            Memory of the block, in which a round may leave what `gradient` then need
            not do again.

        Returns
        -------
        sums : ndarray of float64
        """

    @abstractmethod
    def advance(self, totals, state):
        """The state after a round, from the sums of all blocks added up.

        It has the `value` of the objective after the last round, None before.
        """

    @abstractmethod
    def gradient(self, P, affinity, weights, state, G=None):
        """Derivative of the value with respect to the rows of a block.

        `G` is the memory that all rounds of `sums` were given, or None.
        """


@dataclass
class FDivergenceState:
    """Totals of the rounds so far."""

    first: np.ndarray
    second: np.ndarray | None = None
    value: float | None = None


class FDivergenceBlocks(Decomposition):
    """An f-divergence: two rounds of K + 3 and K + 1 numbers."""

    def __init__(self, kind, epsilon):
        self.kind = kind
        self.epsilon = epsilon

    def sums(self, P, affinity, weights, state, G=None):
        P = check_predictions(P)
        first = None if state is None else state.first
        return _fdivergence_passes.sums(self.kind, P, self.epsilon, weights, first, G)

    def advance(self, totals, state):
        if state is None:
            _fdivergence_passes.check(self.kind, self.epsilon, totals)
            return FDivergenceState(totals)
        value = _fdivergence_passes.value(self.kind, self.epsilon, state.first, totals)
        return FDivergenceState(state.first, totals, value)

    def gradient(self, P, affinity, weights, state, G=None):
        P = check_predictions(P)
        if G is None:
            G = empty_like(P)
            _fdivergence_passes.sums(
                self.kind, P, self.epsilon, weights, state.first, G
            )
        _fdivergence_passes.spread(
            self.kind, P, self.epsilon, weights, state.first, state.second, G
        )
        return G


@dataclass
class MMDState:
    """The gradient of row i is ``w_i ((z_i - centre) A + shift)``."""

    value: float
    A: np.ndarray
    shift: np.ndarray


class MMDBlocks(Decomposition):
    """The MMD with a factor of r columns: one round of (r + 2) (K + 1) numbers."""

    def __init__(self, ovo, epsilon):
        self.ovo = ovo
        self.epsilon = epsilon

    def sums(self, P, affinity, weights, state, G=None):
        P = check_predictions(P)
        # The spread of the rows is the same in each step.
        known = getattr(affinity, "_spread", None)
        is_new = known is None or known[0] is not weights
        moments, spread, count = centred_sums(
            affinity, P, weights, self.epsilon, squares=is_new
        )
        if is_new:
            affinity._spread = known = weights, spread
        spread = known[1]
        last = np.zeros((1, moments.shape[1]))
        last[0, :2] = spread, count
        return np.concatenate([moments, last])

    def advance(self, totals, state):
        if not np.isfinite(totals).all():
            raise ValueError("y_pred must be finite, it contains NaN or infinity")
        spread, count = totals[-1, :2]
        weight = totals[-2, -1]
        pi, means = totals[-2, :-1] / weight, totals[:-2, -1] / weight
        mu = totals[:-2, :-1] - np.outer(totals[:-2, -1], pi)
        # What rounding leaves of the distance of centroids that coincide.
        nought = 4e-16 * (10.0 + np.sqrt(count)) * np.sqrt(spread / weight)
        value, A, shift = centroid_mixing(mu, pi, means, weight, self.ovo, nought)
        return MMDState(value, A, shift)

    def gradient(self, P, affinity, weights, state, G=None):
        P = check_predictions(P)
        return centred_gradient(
            affinity, P, weights, self.epsilon, state.A, state.shift
        )


def centred_sums(affinity, P, weights, epsilon, pi=None, squares=False):
    """`_mmd_blocks.sums` with any factor of a kernel. Cost O(n r K)."""
    Z, centre = affinity.factor, affinity.centre
    if isinstance(Z, np.ndarray) and Z.dtype in (P.dtype, np.float64):
        same = P.astype(Z.dtype, copy=False)
        result = _mmd_blocks.sums(Z, same, centre, weights, epsilon, pi, squares)
        if result is not None:
            return result
    if first_not_finite((P,)) >= 0:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    moments = np.zeros((Z.shape[1] + 1, P.shape[1] + 1))
    spread = 0.0
    for start in range(0, len(P), _BLOCK):
        rows, w = _centred_rows(affinity, start), _some_weights(weights, start)
        T = np.ones((rows.shape[0], P.shape[1] + 1))
        T[:, :-1] = P[start : start + _BLOCK]
        np.clip(T[:, :-1], epsilon, 1.0 - epsilon, out=T[:, :-1])
        if pi is not None:
            T[:, :-1] -= pi
            T[:, :-1][np.abs(T[:, :-1]) <= 1e-15 * pi] = 0.0
        if w is not None:
            T *= w[:, None]
        moments[:-1] += rows.T @ T
        moments[-1] += T.sum(axis=0)
        spread += float((_squares(rows).T @ T[:, -1]).sum())
    return moments, spread, len(P) if weights is None else np.count_nonzero(weights)


def centred_gradient(affinity, P, weights, epsilon, A, shift):
    """`_mmd_blocks.gradient` with any factor of a kernel. Cost O(n r K)."""
    Z, centre = affinity.factor, affinity.centre
    if isinstance(Z, np.ndarray) and Z.dtype == P.dtype:
        G = _mmd_blocks.gradient(Z, P, centre, weights, epsilon, A, shift)
        if G is not None:
            return G
    G = empty_like(P)
    for start in range(0, len(P), _BLOCK):
        rows, w = _centred_rows(affinity, start), _some_weights(weights, start)
        # In double precision, where 1 - epsilon is not 1.
        p = P[start : start + _BLOCK].astype(np.float64)
        slopes = rows @ A + shift
        if w is not None:
            slopes *= w[:, None]
        slopes[(p < epsilon) | (p > 1.0 - epsilon)] = 0.0
        G[start : start + _BLOCK] = slopes
    return G


def _is_sparse(rows):
    return not isinstance(rows, np.ndarray)


def _squares(rows):
    return rows.multiply(rows) if _is_sparse(rows) else rows**2


def _centred_rows(affinity, start):
    """Some rows of a factor, in float64; sparse ones are not centred."""
    rows = affinity.factor[start : start + _BLOCK]
    return rows if _is_sparse(rows) else rows - affinity.centre


def _some_weights(weights, start):
    return None if weights is None else weights[start : start + _BLOCK]
