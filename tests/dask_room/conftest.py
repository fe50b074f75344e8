"""A cluster of processes, as users have it."""

import sys
from pathlib import Path

import pytest

# dask would take the folder tests/sparse for an optional package of that name.
sys.modules.setdefault("sparse", None)
try:
    pytest.importorskip("dask.array")
    pytest.importorskip("dask.dataframe")
    pytest.importorskip("distributed")
finally:
    if sys.modules["sparse"] is None:
        del sys.modules["sparse"]

TESTS = str(Path(__file__).parents[1])


@pytest.fixture(scope="package")
def cluster():
    """Two workers in processes of their own."""
    from distributed import LocalCluster

    # Workers take over the path, with the folder tests/sparse.
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if entry != TESTS]
    try:
        with LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster:
            yield cluster
    finally:
        sys.path[:] = path


@pytest.fixture
def client(cluster):
    """The active client of a test."""
    from distributed import Client

    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client
