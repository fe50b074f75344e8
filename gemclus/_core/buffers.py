"""Large arrays of a training, taken again by its next step.

Asking the system for an array of many megabytes, and touching its pages for the
first time, can take longer than the arithmetic on it. Inside `reuse`, `empty`
gives out arrays whose memory an earlier step has let go of.
"""

import threading
from contextlib import contextmanager
from math import prod
from sys import getrefcount

import numpy as np

# Smaller arrays come faster from the allocator.
LEAST_BYTES = 1 << 17
_LEAST_ENTRIES = LEAST_BYTES // 8
# Buffers that are kept while nobody holds them.
_MOST_BUFFERS = 8

_local = threading.local()


@contextmanager
def reuse():
    """Let the arrays of this thread be taken again, until the end of the block."""
    outer = getattr(_local, "buffers", None)
    _local.buffers = []
    try:
        yield
    finally:
        _local.buffers = outer


@contextmanager
def lent(buffers):
    """Take arrays from a list of the caller's, until the end of the block.

    The list, empty at first, keeps the memory: for work that goes on on other
    threads, one at a time.
    """
    outer = getattr(_local, "buffers", None)
    _local.buffers = buffers
    try:
        yield
    finally:
        _local.buffers = outer


def empty(shape, dtype):
    """A C-contiguous array with any content, as `numpy.empty` gives it.

    No other array shares its memory while anything, a view for instance, holds
    on to it.
    """
    n_entries = prod(shape)
    if n_entries < _LEAST_ENTRIES:
        return np.empty(shape, dtype)
    dtype = np.dtype(dtype)
    n_bytes = n_entries * dtype.itemsize
    buffers = getattr(_local, "buffers", None)
    if n_bytes < LEAST_BYTES or buffers is None:
        return np.empty(shape, dtype)
    for position in range(len(buffers)):
        if buffers[position].size == n_bytes and _is_free(buffers, position):
            return buffers[position].view(dtype).reshape(shape)
    if len(buffers) >= _MOST_BUFFERS:
        buffers[:] = [
            buffers[position]
            for position in range(len(buffers))
            if not _is_free(buffers, position)
        ][: _MOST_BUFFERS - 1]
    buffer = np.empty(n_bytes, np.uint8)
    buffers.append(buffer)
    return buffer.view(dtype).reshape(shape)


def empty_like(array):
    """`empty` with the shape and dtype of `array`."""
    if array.nbytes < LEAST_BYTES:
        return np.empty(array.shape, array.dtype)
    return empty(array.shape, array.dtype)


def _references(buffers, position):
    return getrefcount(buffers[position])


def _is_free(buffers, position):
    """Whether the list alone holds a buffer: every view refers to it."""
    return _references(buffers, position) <= _ALONE


# What the same call counts for a buffer that only a list holds.
_ALONE = _references([np.empty(1, np.uint8)], 0)
