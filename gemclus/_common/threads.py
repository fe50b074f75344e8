"""The thread pools of the libraries beneath: BLAS and OpenMP."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def thread_pools() -> ThreadpoolController:
    """Those of this process, looked up once: a search costs more than small fits."""
    return ThreadpoolController()


class _OneThread:
    """Limits the pools of one kind while at least one holder needs it.

    Holders may overlap in any order: the first one finds the limits that the last
    one restores. Limits that each restores by itself would restore each other's.
    """

    def __init__(self, user_api: str) -> None:
        self._user_api = user_api
        self._lock = threading.Lock()
        self._n_holders = 0
        self._limiter: Any = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def __enter__(self) -> None:
        with self._lock:
            if self._n_holders == 0:
                self._limiter = thread_pools().limit(limits=1, user_api=self._user_api)
            self._n_holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                self._restore()

    def _restore(self) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.restore_original_limits()

    def _begin_anew(self) -> None:
        """In a forked process, the other threads that held the limit are gone."""
        self._lock = threading.Lock()
        self._n_holders = 0
        self._restore()


@cache
def one_thread(user_api: str) -> _OneThread:
    """A context in which the pools of a kind, "blas" or "openmp", have one thread."""
    return _OneThread(user_api)
