"""The thread pools of the libraries beneath: BLAS and OpenMP."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

import threadpoolctl
from threadpoolctl import ThreadpoolController


@cache
def thread_pools() -> ThreadpoolController:
    """Those of this process, looked up once: a search costs more than small fits."""
    return ThreadpoolController()


class _OneThread:
    """Limits the pools of one kind while at least one holder needs it.

    Holders may overlap in any order: the first one finds the numbers that the last
    one restores. Limits that each restores by itself would restore each other's.
    """

    def __init__(self, user_api: str) -> None:
        self._user_api = user_api
        self._lock = threading.Lock()
        self._n_holders = 0
        self._found: list[tuple[Any, int]] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def __enter__(self) -> None:
        with self._lock:
            if self._n_holders == 0:
                pools = thread_pools().select(user_api=self._user_api).lib_controllers
                self._found = [(pool, pool.num_threads) for pool in pools]
                _set([(pool, 1) for pool in pools])
            self._n_holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                self._restore()

    def _restore(self) -> None:
        found, self._found = self._found, []
        # Where it is not 1 any more, someone else has set it meanwhile.
        _set([(pool, number) for pool, number in found if pool.num_threads == 1])

    def _begin_anew(self) -> None:
        """In a forked process, the other threads that held the limit are gone."""
        self._lock = threading.Lock()
        self._n_holders = 0
        self._restore()


def _set(numbers: list[tuple[Any, int]]) -> None:
    """Set the numbers of threads of some pools.

    From 3.8 on, threadpoolctl lets one thread at a time set that of OpenBLAS. It
    is free again at once: the last holder may be another thread than the first.
    """
    for pool, number in numbers:
        if number is not None:
            pool.set_num_threads(number)
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    free = getattr(controller, "clear_controlling_thread", None)
    if free is not None and not _is_limited_here():
        free()


def _is_limited_here() -> bool:
    """Whether the user's own limit, in this thread, encloses the training."""
    ownership = getattr(threadpoolctl, "CONTROLLING_THREAD_OWNERSHIP", None)
    return bool(getattr(ownership, "count", 0))


@cache
def one_thread(user_api: str) -> _OneThread:
    """A context in which the pools of a kind, "blas" or "openmp", have one thread."""
    return _OneThread(user_api)
