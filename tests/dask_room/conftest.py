"""A cluster of processes, as users have it."""

import pytest

pytest.importorskip("dask.array")
pytest.importorskip("dask.dataframe")
pytest.importorskip("distributed")


@pytest.fixture(scope="package")
def cluster():
    """Two workers in processes of their own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        memory_limit=0,
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """The active client of a test."""
    from distributed import Client

    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client
