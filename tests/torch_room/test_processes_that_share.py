"""Processes that share a batch train as one that has it whole."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from gemclus.torch import GeminiLoss

WORKER = Path(__file__).with_name("shared_batch_worker.py")
if not torch.distributed.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)


def load_worker():
    spec = importlib.util.spec_from_file_location("shared_batch_worker", WORKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    outs = [folder / f"{rank}.pt" for rank in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(rank), str(folder / "meeting"), str(out)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, out in enumerate(outs)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
    return [torch.load(out) for out in outs]


worker = load_worker()


@pytest.mark.parametrize(
    "case",
    range(len(worker.CASES)),
    ids=lambda i: "-".join(map(str, worker.CASES[i][:2])),
)
def test_the_gradient_is_that_of_the_whole_batch(case, results):
    name, arguments, sizes, weighted = worker.CASES[case]
    module, X, weight = worker.problem(sum(sizes), weighted)
    value, gradients = worker.gradients(module, X, weight, name, arguments)
    for rank in range(2):
        shared, found = results[rank][case]
        if "consistency" not in arguments:  # of each process's own samples
            torch.testing.assert_close(shared, value, rtol=1e-12, atol=1e-12)
        for got, expected in zip(found, gradients):
            torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_evaluation_mode_does_not_wait_for_others(results):
    module, X, _ = worker.problem(23, False)
    expected = GeminiLoss("mi")(module(X[:9])).detach()
    torch.testing.assert_close(results[0][-1], expected)
