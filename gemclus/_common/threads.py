"""The thread pools of the libraries beneath: BLAS and OpenMP."""

from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def thread_pools():
    """Those of this process, looked up once: a search costs more than small fits."""
    return ThreadpoolController()
