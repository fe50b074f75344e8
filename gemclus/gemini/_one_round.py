"""f-divergences in a single round of sums, where a round is expensive.

What an f-divergence sums needs the proportions ``pi`` of all rows, hence a round for
these first. Four of them separate: their sums about any proportions ``q`` that all
blocks know, here equal ones, give those about ``pi``. The cost is a second pass over
the predictions for the gradient, and digits of the value near independence: its error
is that of sums of the size of ``log K``, not of its own.
"""

from dataclasses import dataclass

import numpy as np

from gemclus.gemini import _fdivergence_passes as passes
from gemclus.gemini._blocks import FDivergenceBlocks, FDivergenceState


@dataclass
class _Sums:
    """Sums over rows: of ``f(P_i, q)``, of its derivatives by `q`, and of weights.

    ``pi`` and ``q`` have shape (K,).
    """

    value: float
    slopes: np.ndarray
    weight: float
    pi: np.ndarray
    q: np.ndarray


def _kl_ova(s):
    # What comes through pi cancels: the formula has no slopes.
    return s.value - s.weight * float(s.pi @ np.log(s.pi / s.q)), s.slopes


def _kl_ovo(s):
    slopes = s.slopes + s.weight * np.log(s.pi / s.q)
    return s.value + float((s.pi - s.q) @ s.slopes), slopes


def _hellinger_ova(s):
    slopes = s.slopes * np.sqrt(s.q / s.pi)
    return 2.0 * float(slopes @ s.pi), slopes


def _chi2_ova(s):
    slopes = s.slopes * (s.q / s.pi) ** 2
    return -float(slopes @ s.pi), slopes


_FORMULAS = {
    passes.KINDS[formula.__name__.removeprefix("_")]: formula
    for formula in (_kl_ova, _kl_ovo, _hellinger_ova, _chi2_ova)
}


class OneRoundFDivergence(FDivergenceBlocks):
    """One of these four: one round of 2 K + 4 numbers."""

    def sums(self, P, affinity, weights, state, G=None):
        proportions = super().sums(P, affinity, weights, None)
        others = super().sums(P, affinity, weights, _equal(P.shape[1]))
        return np.concatenate([proportions, others])

    def advance(self, totals, state):
        K = (len(totals) - 4) // 2
        first, (value, *slopes) = totals[: K + 3], totals[K + 3 :]
        passes.check(self.kind, self.epsilon, first)
        pi, q = first[3:] / first[0], np.full(K, 1.0 / K)
        sums = _Sums(value, np.array(slopes), first[0], pi, q)
        second = np.hstack(_FORMULAS[self.kind](sums))
        value = passes.value(self.kind, self.epsilon, first, second)
        return FDivergenceState(first, second, value)

    def gradient(self, P, affinity, weights, state, G=None):
        # The only round leaves nothing in G: it does not know pi.
        return super().gradient(P, affinity, weights, state)


def in_one_round(cut):
    """The same objective in a single round, if it has one."""
    if type(cut) is FDivergenceBlocks and cut.kind in _FORMULAS:
        return OneRoundFDivergence(cut.kind, cut.epsilon)
    return cut


def _equal(K):
    """A state after a first round that found equal proportions."""
    return FDivergenceState(np.concatenate([[1.0, 2.0, 0.0], np.full(K, 1.0 / K)]))
