"""Recognise rows of numbers seen before without keeping them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse

from gemclus._common.pickling import stored_as_state
from gemclus._common.typing import Booleans, Integers

# Rows hashed at a time, so that the temporaries stay small beside the data.
_BLOCK_ENTRIES = 2**18


def row_fingerprints(X: Any) -> Integers:
    """A 64-bit number for each row, the same for equal rows.

    Equal means equal as float64 numbers, whatever the dtype or storage. Two
    different rows share a fingerprint with a probability of about 5e-20.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, D)
        Finite numbers.

    Returns
    -------
    fingerprints : ndarray of shape (n,), uint64
        Sums over the columns of mixed bits times a random odd number. Cost
        O(n D).
    """
    random = np.random.RandomState(0)
    multipliers = random.randint(2**64, size=X.shape[1], dtype=np.uint64)
    multipliers |= np.uint64(1)
    if issparse(X):
        if not X.has_canonical_format:
            # Entries that are stored in parts count by their sum, which SciPy
            # may put in their place at any time.
            X = X.copy()
            X.sum_duplicates()
        # A zero has no mixed bits, stored or not.
        mixed = _mix(X.data)
        return csr_array((mixed, X.indices, X.indptr), shape=X.shape) @ multipliers
    fingerprints = np.empty(X.shape[0], dtype=np.uint64)
    step = max(1, _BLOCK_ENTRIES // X.shape[1])
    for start in range(0, X.shape[0], step):
        rows = slice(start, start + step)
        fingerprints[rows] = _mix(X[rows]) @ multipliers
    return fingerprints


def match_rows(fingerprints: Integers, known: Integers) -> tuple[Integers, Integers]:
    """Positions among `known` of rows given by their fingerprints.

    Parameters
    ----------
    fingerprints : ndarray of shape (n,), uint64
        The rows to find.
    known : ndarray of shape (N,), uint64
        The rows to find them among.

    Returns
    -------
    positions : ndarray of shape (n,)
        A position of each row; 0 where there is none.
    counts : ndarray of shape (n,)
        Number of known rows that are equal to each row.
    """
    order = np.argsort(known, kind="stable")
    ordered = known[order]
    first = np.searchsorted(ordered, fingerprints, side="left")
    counts = np.searchsorted(ordered, fingerprints, side="right") - first
    return order[np.where(counts > 0, first, 0)], counts


@stored_as_state
class KnownRows:
    """Rows that are found again in other data, without being kept.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Finite numbers, of which 8 bytes a row are kept.
    """

    fingerprints: Integers

    def __init__(self, X: Any) -> None:
        self.fingerprints = row_fingerprints(X)

    def __len__(self) -> int:
        return len(self.fingerprints)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KnownRows):
            return NotImplemented
        return np.array_equal(self.fingerprints, other.fingerprints)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def find(self, positions: Integers, X: Any) -> tuple[Integers, Booleans]:
        """Positions of some of the rows in other data.

        Parameters
        ----------
        positions : ndarray of int of any shape
            Which of the known rows.
        X : ndarray or CSR matrix of shape (n, D)
            The data to find them in.

        Returns
        -------
        rows : ndarray of int
            Their positions there, an array of the shape of `positions`: the same
            ones if `X` has all rows in their order, else the first equal row.
        found : ndarray of bool
            Which of them are there.
        """
        fingerprints = row_fingerprints(X)
        if np.array_equal(fingerprints, self.fingerprints):
            return positions, np.ones(positions.shape, dtype=bool)
        wanted = self.fingerprints[positions.ravel()]
        rows, counts = match_rows(wanted, fingerprints)
        return rows.reshape(positions.shape), (counts > 0).reshape(positions.shape)


def _mix(values):
    """The bits of float64 numbers, each scrambled one to one; 0 gives 0."""
    # Adding 0 turns -0 into 0.
    bits = np.ascontiguousarray(values, dtype=np.float64) + 0.0
    bits = bits.view(np.uint64)
    # The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
