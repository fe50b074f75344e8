"""The recipes of the guide, as they are printed there, on small data."""

import textwrap
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

torch = pytest.importorskip("torch")

from torch import nn
from torch.utils.data import DataLoader, TensorDataset

GUIDE = Path(__file__).parents[2] / "doc" / "guide" / "deep.rst"


def recipe(title):
    """The code of a section of the guide: its last literal block."""
    text = GUIDE.read_text()
    rest = text[text.index(f"\n{title}\n") + len(title) + 2 :].splitlines()[1:]
    section = []
    for line, below in zip(rest, [*rest[1:], ""]):
        if below and set(below) == {"-"}:
            break
        section.append(line)
    blocks = "\n".join(section).split("::\n\n")[1:]
    lines = []
    for line in blocks[-1].splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line)
    return textwrap.dedent("\n".join(lines))


def small(code):
    """The same with few starts and epochs."""
    changes = {"n_init=20": "n_init=2", "n_init=6": "n_init=2", "nccl": "gloo"}
    changes |= {"max_epochs=40": "max_epochs=2", "max_epochs=50": "max_epochs=2"}
    for long, short in changes.items():
        code = code.replace(long, short)
    return code


def run(title, **names):
    code = recipe(title)
    assert code.strip(), title
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(small(code), str(GUIDE), "exec"), names)
    return types.SimpleNamespace(**names)


def data(n_features=8):
    X, _ = make_blobs(120, n_features, centers=10, cluster_std=0.3, random_state=0)
    return X.astype("float32")


def parts(X):
    """The parts that a training loop of one's own has at hand."""
    torch.manual_seed(0)
    network = nn.Linear(X.shape[1], 10)
    loader = DataLoader(TensorDataset(torch.tensor(X)), batch_size=40)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    return dict(network=network, loader=loader, optimiser=optimiser, torch=torch)


def test_a_section_has_its_own_code_alone():
    assert recipe("With skorch").startswith("from skorch")
    assert "Lightning" not in recipe("With skorch")


def test_features_of_a_frozen_network():
    X = data()
    names = run(
        "Do you need it?", backbone=nn.Linear(8, 6), batches=torch.tensor(X).split(50)
    )
    assert names.labels.shape == (120,)
    assert len(set(names.labels)) > 5


def test_a_network_with_heads_and_regularisers():
    X = data(784)
    names = run(
        "Cluster with a network", X=X, augment=lambda X: X + 0.1 * torch.randn_like(X)
    )
    assert names.labels.shape == (120,)
    assert names.model.start_losses_.shape == (2,)


@pytest.mark.parametrize("title", ["A training loop of your own"])
def test_a_loop(title):
    from gemclus.torch import GeminiLoss, VATLoss

    names = parts(data())
    before = names["network"].weight.detach().clone()
    after = run(title, GeminiLoss=GeminiLoss, VATLoss=VATLoss, **names)
    assert after.total.isfinite()
    assert not torch.equal(before, after.network.weight)


def test_skorch():
    pytest.importorskip("skorch")
    from gemclus.torch import GeminiLoss

    X = data()
    torch.manual_seed(0)
    names = run(
        "With skorch", X=X, network=nn.Linear(8, 10), GeminiLoss=GeminiLoss, torch=torch
    )
    losses = names.net.history[:, "train_loss"]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    P = names.net.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5)


def test_lightning(monkeypatch):
    """Its step, without Lightning: a module that logs."""
    stub = types.ModuleType("lightning")
    stub.LightningModule = type(
        "LightningModule", (nn.Module,), {"log": lambda self, name, value: None}
    )
    monkeypatch.setitem(__import__("sys").modules, "lightning", stub)
    names = parts(data())
    model = run("With Lightning").Clustering(names["network"])
    loss = model.training_step(next(iter(names["loader"])), 0)
    loss.backward()
    model.configure_optimizers().step()
    assert model.network.weight.grad.abs().sum() > 0


def test_several_processes(monkeypatch):
    """As a group of one process; test_processes_that_share.py has two."""
    if not torch.distributed.is_available():
        pytest.skip("torch without torch.distributed")
    environment = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT="0", RANK="0")
    for name, value in {**environment, "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    names = parts(data())
    before = names["network"].weight.detach().clone()
    try:
        after = run("With several processes", device="cpu", **names)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    assert not torch.equal(before, after.network.weight)
