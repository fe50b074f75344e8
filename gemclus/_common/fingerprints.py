"""Recognise rows of numbers seen before without keeping them."""

import numpy as np
from scipy.sparse import csr_array, issparse

# Rows hashed at a time, so that the temporaries stay small beside the data.
_BLOCK_ENTRIES = 2**18


def row_fingerprints(X):
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


def match_rows(fingerprints, known):
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
