"""One training of a network: its epochs, and the state between them."""

from __future__ import annotations

import copy
import inspect
import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from gemclus.torch._loss import check_outputs
from gemclus.torch._network import make_network
from gemclus.torch._seeding import starting_labels

REMEDY = (
    "Lower learning_rate or the weights of the regularisers, or scale the samples "
    "(for instance to mean 0 and variance 1)."
)
# How much more probable a soft start makes the label of a sample than each other
# one, for how many epochs it leads there, and for how many steps at least.
_ODDS = 3.0
_START_EPOCHS, _START_STEPS = 2, 60


class Diverged(ArithmeticError):
    """The loss of a step is not finite."""


@dataclass
class Task:
    """The part that all trainings of a fit share.

    `X` is (N, ...) on the CPU, `affinity` (N, N) or None, `weight` (N,) or None, all
    of the samples that count; `regularisers` are `Regulariser`s. `init` is a name, or
    labels of shape (N,).
    """

    module: torch.nn.Module
    X: torch.Tensor
    affinity: object
    weight: torch.Tensor | None
    loss: torch.nn.Module
    regularisers: list
    n_clusters: int
    n_heads: int
    n_auxiliary: int
    batch_size: int
    learning_rate: float
    max_epochs: int
    schedule: str
    pretrained: bool
    device: torch.device
    init: object

    def n_batches(self):
        """Batches of an epoch: of nearly the same size, and none of one sample."""
        n_samples = len(self.X)
        return max(1, min(math.ceil(n_samples / self.batch_size), n_samples // 2))

    def affinity_of(self, rows):
        if self.affinity is None:
            return None
        rows = rows.numpy()
        return self.affinity[rows][:, rows]


class Regulariser:
    """A loss beside the objective, its weight, and what it wants to know."""

    def __init__(self, loss, weight):
        self.loss, self.weight = loss, weight
        call = loss.forward if isinstance(loss, torch.nn.Module) else loss
        known = inspect.signature(call).parameters
        self._wanted = {"sample_weight", "indices"} & set(known)

    def to(self, device):
        """Move its buffers to where the network is."""
        if isinstance(self.loss, torch.nn.Module):
            self.loss.to(device)
        return self

    def __call__(self, network, X, outputs, **more):
        more = {name: more[name] for name in self._wanted}
        return self.weight * self.loss(network, X, outputs, **more)


class Training:
    """One start of the training of a network.

    Parameters
    ----------
    task : Task
        What is trained.
    seed : int
        Source of the weights, the order of the samples, and the random numbers of
        torch that regularisers and layers draw.

    Attributes
    ----------
    losses : list of ndarray of shape (n_heads,)
        Mean loss of each head over each epoch, before its updates.
    objectives : list of ndarray of shape (n_heads,)
        The part of the `GeminiLoss` alone.
    """

    def __init__(self, task, seed):
        self.task = task
        self.losses = []
        self.objectives = []
        self._seed = seed
        self._random = torch.random.get_rng_state()
        self._kept = None
        with self._seeded():
            torch.manual_seed(seed)
            self.network = make_network(
                task.module, task.X[:2], task.n_clusters, task.n_heads,
                task.n_auxiliary, task.pretrained,
            ).to(task.device)  # fmt: skip
            moved = [p for p in self.network.parameters() if p.requires_grad]
            if not moved:
                raise ValueError("module must have parameters that require a gradient")
            self.optimiser = torch.optim.Adam(moved, lr=task.learning_rate)

    # Heads and starts are compared by the objective alone: the regularisers prefer
    # those that have missed a boundary, which then costs them nothing.

    @property
    def best_head(self):
        """The head with the least `GeminiLoss` of the last epoch."""
        return int(np.argmin(self.objectives[-1])) if self.objectives else 0

    @property
    def least(self):
        """That loss of that head; infinite before the first epoch."""
        return float(self.objectives[-1].min()) if self.objectives else math.inf

    def begin(self):
        """Lead the new weights to where the `init` of the task says."""
        labels = starting_labels(self.task, self._seed)
        if labels is not None:
            self.lead_towards(labels)

    def lead_towards(self, labels):
        """Train each head softly towards labels of its own, for a few epochs.

        Parameters
        ----------
        labels : ndarray of shape (n_heads, N)
            Labels from 0 to K - 1; samples of -1 do not lead.
        """
        labels = torch.as_tensor(np.ascontiguousarray(labels), dtype=torch.int64)
        others = self.task.n_clusters - 1
        sure, other = _ODDS / (others + _ODDS), 1.0 / (others + _ODDS)
        with self._seeded():
            few = math.ceil(_START_STEPS / self.task.n_batches())
            for _ in range(max(_START_EPOCHS, few)):
                for rows, X, weight, share in self._batches():
                    log_q = self._stacks(self._outputs(X))[0].log_softmax(-1)
                    targets = labels[:, rows].to(log_q.device)
                    known = targets >= 0
                    if not bool(known.any()):
                        continue
                    chosen = log_q.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
                    values = (other - sure) * chosen - other * log_q.sum(-1)
                    values = torch.where(known, values, 0.0)
                    if weight is not None:
                        values = values * (weight / weight.mean())
                    self._step(share * values.mean(-1).sum())
        # What Adam remembers is of another loss.
        self.optimiser.state.clear()

    def epoch(self):
        """Train for one epoch.

        Returns
        -------
        loss : float
            The mean loss of the best head over the batches, before their updates.

        Raises
        ------
        Diverged
            If the loss of a batch is not finite; the weights are then those of the
            last epoch.
        """
        self._keep()
        n_heads = self.task.n_heads
        total, objective = np.zeros(n_heads), np.zeros(n_heads)
        try:
            with self._seeded():
                count = self.task.n_batches()
                for position, batch in enumerate(self._batches()):
                    self._set_rate(len(self.losses) + position / count)
                    values, gemini, share = self._train(*batch)
                    total += share * values[:n_heads]
                    objective += share * gemini[:n_heads]
        except Diverged:
            self._restore()
            raise
        self.losses.append(total / count)
        self.objectives.append(objective / count)
        return float(self.losses[-1][self.best_head])

    def _train(self, rows, X, weight, share):
        """One step. Returns the loss and the objective of each head, and `share`."""
        outputs = self._outputs(X)
        affinity = self.task.affinity_of(rows)
        samples = X if affinity is None else None
        objective = torch.cat(
            [
                self.task.loss(stack, samples, affinity=affinity, sample_weight=weight)
                for stack in self._stacks(outputs)
            ]
        )
        values = objective
        for regulariser in self.task.regularisers:
            values = values + regulariser(
                self.network, X, outputs, sample_weight=weight, indices=rows
            )
        found = values.detach().cpu().double().numpy()
        if not np.isfinite(found).all():
            raise Diverged(f"the loss of a batch is {found.sum()}")
        self._step(share * values.sum())
        return found, objective.detach().cpu().double().numpy(), share

    def _outputs(self, X):
        outputs = self.network(X)
        if not isinstance(outputs, tuple):
            check_outputs(outputs, self.task.n_clusters)
        return outputs

    @staticmethod
    def _stacks(outputs):
        """Logits as stacks of heads (H, n, K), the auxiliary one last."""
        return outputs if isinstance(outputs, tuple) else (outputs[None],)

    def _step(self, loss):
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def _set_rate(self, n_epochs):
        factor = SCHEDULES[self.task.schedule](n_epochs / self.task.max_epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = self.task.learning_rate * factor

    def _batches(self):
        """Positions, samples and weights of each batch, and its share of the whole:
        its mean weight in units of that of all batches."""
        task = self.task
        order = torch.randperm(len(task.X))
        self.network.train()
        mean = None if task.weight is None else float(task.weight.mean())
        for rows in torch.tensor_split(order, task.n_batches()):
            X = task.X[rows].to(task.device, non_blocking=True)
            if task.weight is None:
                yield rows, X, None, 1.0
                continue
            weight = task.weight[rows].to(task.device)
            yield rows, X, weight, float(weight.mean()) / mean

    @contextmanager
    def _seeded(self):
        """The random numbers of torch are this training's own meanwhile."""
        devices = [self.task.device] if self.task.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.random.set_rng_state(self._random)
            if devices:
                torch.cuda.manual_seed(int(torch.randint(2**62, ())))
            yield
            self._random = torch.random.get_rng_state()

    def go_on(self, task):
        """Train on other data from now on, where this training stands."""
        self.task = task
        self.to(task.device)

    def to(self, device):
        """Move the network, and what the optimiser remembers."""
        self.network.to(device)
        for state in self.optimiser.state.values():
            for name, value in state.items():
                if isinstance(value, torch.Tensor) and name != "step":
                    state[name] = value.to(device)

    def _keep(self):
        self._kept = copy.deepcopy(
            (self.network.state_dict(), self.optimiser.state_dict())
        )

    def _restore(self):
        weights, optimiser = self._kept
        self.network.load_state_dict(weights)
        self.optimiser.load_state_dict(optimiser)


def _cosine(part):
    return 0.5 * (1.0 + math.cos(math.pi * min(part, 1.0)))


# Name -> the learning rate, in units of its largest, after a part of the epochs.
SCHEDULES = {"constant": lambda part: 1.0, "cosine": _cosine}
