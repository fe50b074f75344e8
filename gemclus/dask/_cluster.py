"""Blocks on the workers of a distributed cluster, each kept by an actor."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from gemclus._common.threads import one_thread
from gemclus._core import buffers
from gemclus._training.state import twin_of
from gemclus.dask._blocks import (
    BlockBatch,
    CollectionSource,
    Recipe,
    batch_step,
    make_block,
)

# Evaluations that are begun again after a worker was lost.
_RETRIES = 3
# Seconds after which it is looked whether a worker that does not answer is there, and
# how often it is looked whether blocks are back.
_PATIENCE = 1.0
_TRIES = 60


class LostWorker(Exception):
    """An actor does not answer: its worker has gone."""

    def __init__(self, worker: str) -> None:
        super().__init__(worker)
        self.worker = worker


def active_client() -> Any:
    """The client whose workers train, or None: without one, or inside a task."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        distributed.get_worker()
    except ValueError:
        pass
    else:
        return None
    try:
        client = distributed.default_client()
    except ValueError:
        return None
    return client if client.status == "running" else None


class Keeper:
    """The blocks of one worker: an actor.

    Parameters
    ----------
    recipe : Recipe
    model : DiscriminativeModel
        Its weights are set before each evaluation.
    positions : list of int
        Which blocks.
    *data : ndarray or None
        The rows of each, then the weights of each.
    """

    def __init__(
        self, recipe: Recipe, model: Any, positions: list[int], *data: Any
    ) -> None:
        self._recipe = recipe
        self._model = model
        self._memory: list[Any] = []
        rows, weights = data[: len(positions)], data[len(positions) :]
        self._blocks = {
            position: make_block(
                recipe, position, recipe.layout.checked_rows(position, X), w, True
            )
            for position, X, w in zip(positions, rows, weights, strict=True)
        }

    def run(self, name: str, weights: Any, *arguments: Any) -> list[tuple[int, Any]]:
        """A method of all blocks: pairs of their positions and results."""
        self._set(weights)
        if name != "forget":
            arguments = (self._model, *arguments)
        with one_thread("blas"), buffers.lent(self._memory):
            return [
                (position, getattr(block, name)(*arguments))
                for position, block in self._blocks.items()
            ]

    def batch(self, position: int, rows: Any, weights: Any) -> Any:
        """A step on some rows of a block by themselves."""
        self._set(weights)
        block = self._blocks[position]
        w = None if block.sample_weight is None else block.sample_weight[rows]
        return batch_step(self._recipe, self._model, block.X[rows], w)

    def batch_weight(self, position: int, rows: Any) -> float:
        """The weight of some rows of a block."""
        return float(self._blocks[position].sample_weight[rows].sum())

    def _set(self, weights: Any) -> None:
        if weights is not None:
            for weight, new in zip(self._model._get_weights(), weights, strict=True):
                weight[...] = new


class Cluster:
    """The blocks of a training on the workers of a client.

    Parameters
    ----------
    client : distributed.Client
    recipe : Recipe
    blocks : list of tuple of (Delayed, object)
        Rows and weights of each block.
    """

    def __init__(self, client: Any, recipe: Recipe, blocks: list[Any]) -> None:
        self._client = client
        self._recipe = recipe
        rows, weights = zip(*blocks, strict=True)
        self._rows = client.compute(list(rows))
        delayed = [hasattr(weight, "compute") for weight in weights]
        self._weights = client.compute(list(weights)) if all(delayed) else list(weights)
        self._keepers: dict[str, Any] = {}
        self._owner: dict[int, str] = {}
        self._made: list[Any] = []

    def call(self, model: Any, name: str, weights: Any, *arguments: Any) -> list[Any]:
        """A method of all blocks, in their order."""
        self._prepare(model)
        futures = {
            worker: self._attempt(worker, lambda k: k.run(name, weights, *arguments))
            for worker in self._keepers
        }
        results: dict[int, Any] = {}
        for worker, future in futures.items():
            results.update(self._result(worker, future))
        return [results[position] for position in range(len(self._rows))]

    def ask(self, model: Any, position: int, name: str, *arguments: Any) -> Any:
        """A method of one block."""
        self._prepare(model)
        worker = self._owner[position]
        future = self._attempt(worker, lambda k: getattr(k, name)(position, *arguments))
        return self._result(worker, future)

    def forget_keepers(self) -> None:
        """After a loss: blocks are computed again where they are missing."""
        if self._made:
            # Theirs alone, whatever traceback or cycle still refers to them.
            self._client.cancel(self._made, force=True)
        self._keepers, self._owner, self._made = {}, {}, []

    def close(self) -> None:
        """Free the memory of the workers, whatever else still knows the futures."""
        self.forget_keepers()
        for future in [*self._rows, *self._weights]:
            if hasattr(future, "release"):
                future.release()
        self._rows, self._weights = [], []

    def _attempt(self, worker: str, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._keepers.get(worker))
        except OSError as error:
            raise LostWorker(worker) from error
        except ValueError as error:
            if "Actor" not in str(error) and "actor" not in str(error):
                raise
            raise LostWorker(worker) from error

    def _result(self, worker: str, future: Any) -> Any:
        """The answer of a worker; it is asked after while there is none."""

        def answer(_: Any) -> Any:
            while True:
                try:
                    return future.result(timeout=_PATIENCE)
                except TimeoutError:
                    if worker not in self._workers():
                        raise LostWorker(worker) from None

        return self._attempt(worker, answer)

    def _workers(self) -> set[str]:
        """Addresses of the workers that there are."""
        return set(self._client.run_on_scheduler(_addresses))

    def _holders(self) -> list[str]:
        """A worker for each block that holds it; after a loss, once it does again."""
        import distributed

        for _ in range(_TRIES):
            distributed.wait(self._rows)
            for future in self._rows:
                if future.status == "error":
                    future.result()
            known = self._client.who_has(self._rows)
            alive = self._workers()
            holders = [
                min(set(known.get(future.key, ())) & alive, default="")
                for future in self._rows
            ]
            if all(holders):
                return holders
            time.sleep(_PATIENCE)
        raise LostWorker("which held some blocks")

    def _prepare(self, model: Any) -> None:
        """Make an actor on each worker that holds blocks."""
        if self._keepers:
            return
        mine = defaultdict(list)
        for position, worker in enumerate(self._holders()):
            mine[worker].append(position)
        layout = copy(self._recipe.layout)
        layout.blocks = layout.weights = []
        recipe = copy(self._recipe)
        recipe.layout = layout
        sent = _sent(model)
        pending = {
            worker: self._client.submit(
                Keeper,
                recipe,
                sent,
                positions,
                *[self._rows[i] for i in positions],
                *[self._weights[i] for i in positions],
                workers=[worker],
                actor=True,
                pure=False,
            )
            for worker, positions in mine.items()
        }
        self._made = list(pending.values())
        for worker, future in pending.items():
            self._keepers[worker] = self._result(worker, future)
        self._owner = {i: worker for worker, some in mine.items() for i in some}


class ClusterSource(CollectionSource):
    """Blocks on the workers of a cluster."""

    def __init__(self, model: Any, task: Any, fresh: bool) -> None:
        super().__init__(model, task, fresh)
        self._cluster: Cluster = task.cluster

    def evaluate(
        self, weights: list[Any], batch: Any = None
    ) -> tuple[float, list[Any]]:
        return self._retried(
            lambda: super(ClusterSource, self).evaluate(weights, batch)
        )

    def value(self, batch: Any = None) -> float:
        return self._retried(lambda: super(ClusterSource, self).value(batch))

    def weight(self, batch: Any) -> float:
        return self._retried(lambda: super(ClusterSource, self).weight(batch))

    def totals(self) -> Any:
        total = super().totals
        return self._retried(total)

    def _retried(self, evaluate: Callable[[], Any]) -> Any:
        """The whole evaluation again, if a worker is lost in it."""
        for attempt in range(_RETRIES + 1):
            try:
                return evaluate()
            except LostWorker as lost:
                self._cluster.forget_keepers()
                if attempt == _RETRIES:
                    raise RuntimeError(
                        f"worker {lost.worker} was lost, and {_RETRIES} retries on the "
                        "workers that are left did not end either"
                    ) from lost
        raise AssertionError

    def _run(self, name: str, *arguments: Any) -> Sequence[Any]:
        if name == "forget":
            return self._cluster.call(self.model, name, None)
        _, *rest = arguments
        # The first round of an evaluation takes the weights along.
        first = name == "means" or (name == "sums" and rest[-1] is None)
        weights = self.model._get_weights() if first else None
        return self._cluster.call(self.model, name, weights, *rest)

    def _ask(self, block: int, name: str, positions: Any) -> Any:
        more = () if name == "batch_weight" else (self.model._get_weights(),)
        return self._cluster.ask(self.model, block, name, positions, *more)


def _addresses(dask_scheduler: Any) -> list[str]:
    return list(dask_scheduler.workers)


def _sent(model: Any) -> Any:
    """A model with copies of its weights alone, for another process."""
    sent = twin_of(model, apart=True)
    for name in list(vars(sent)):
        if name in ("labels_", "H_", "_retained", "optimiser_") or "callback" in name:
            delattr(sent, name)
    return sent


__all__ = ["BlockBatch", "Cluster", "ClusterSource", "Keeper", "active_client"]
