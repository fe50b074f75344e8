"""One step over blocks of rows: the same hooks and sums, wherever the blocks lie."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from typing import Any

import joblib
import numpy as np

from gemclus._common.threads import one_thread
from gemclus._core import buffers
from gemclus._core.layer_passes import takes
from gemclus._training import contracts
from gemclus._training.centres import ClusterMeans
from gemclus._training.source import ArraySource, Batch, warn_of_scale
from gemclus._training.state import twin_of
from gemclus.affinity import FactoredKernel
from gemclus.gemini._base import decomposition

# Numbers (features and twice the probabilities) of the rows of a block: measured by
# benchmarks/bench_blocks.py. Smaller blocks stay in the cache from one pass to the
# next; each costs some tens of microseconds beside its arithmetic.
_BLOCK_NUMBERS = 2**20
# Of the predictions for rows of a mapped file that stay in memory between the rounds of
# a step. Those of all rows may need as much as the file; each that is made again takes
# half of its part of the step.
_BYTES_OF_MAPPED = 280 * 10**6
# Blocks from which on a step is cut at all.
_LEAST_BLOCKS = 4

_HOOKS = ("_init_params", "_get_weights", "_infer", "_compute_grads", "_enter_batch")


def rows_are_independent(model: Any) -> bool:
    """Whether a model promises it: see `DiscriminativeModel.rows_are_independent`.

    The promise of a class does not bind what derives from it and overrides a hook.
    """
    classes = type(model).__mro__

    def owner(name: str) -> int:
        return next(i for i, cls in enumerate(classes) if name in vars(cls))

    promise = owner("rows_are_independent")
    return bool(model.rows_are_independent) and all(
        owner(hook) >= promise for hook in _HOOKS
    )


def block_rows(n_features: int, n_clusters: int) -> int:
    """Rows of a block of an array, whatever the number of threads."""
    rows = max(2048, _BLOCK_NUMBERS // (n_features + 2 * n_clusters))
    # A power of two, for the sake of the passes.
    return 1 << (rows.bit_length() - 1)


def is_cut(model: Any, X: Any) -> bool:
    """Whether the steps of `model` on all of `X` are cut into blocks."""
    if not isinstance(X, np.ndarray) or not X.flags.c_contiguous:
        return False
    n_rows = _LEAST_BLOCKS * block_rows(X.shape[1], model.n_clusters)
    return X.shape[0] >= n_rows and rows_are_independent(model)


class Block:
    """Some rows, and what a step keeps of them from one round to the next.

    Parameters
    ----------
    X : ndarray of shape (n, D)
        The rows.
    affinity : FactoredKernel or None
        Their kernel.
    sample_weight : ndarray of shape (n,) or None
        Their weights.
    keeps : bool
        Whether predictions stay in memory during a step; they are made again for
        each round otherwise.
    """

    def __init__(
        self, X: Any, affinity: Any, sample_weight: Any, keeps: bool = True
    ) -> None:
        self.X = X
        self.affinity = affinity
        self.sample_weight = sample_weight
        self._keeps = keeps
        self._kept: tuple[Any, Any, Any] | None = None
        # Of what is kept.
        self._memory: list[Any] = []

    def sums(self, model: Any, cut: Any, state: Any) -> Any:
        """The part of the block in the totals of a round; see `Decomposition`."""
        if not self._keeps:
            _, P, G = self._predicted(model, first=state is None)
            return cut.sums(P, self.affinity, self.sample_weight, state, G)
        with buffers.lent(self._memory):
            twin, P, G = self._predicted(model, first=state is None)
            if G is None and state is not None:
                G = buffers.empty_like(P)
            self._kept = twin, P, G
            return cut.sums(P, self.affinity, self.sample_weight, state, G)

    def gradients(self, model: Any, cut: Any, state: Any) -> list[Any]:
        """The part of the block in the gradients of the weights.

        It takes the memory of its thread, which the last block has left in the cache.
        """
        twin, P, G = self._predicted(model)
        self._kept = None
        slopes = cut.gradient(P, self.affinity, self.sample_weight, state, G)
        gradients = twin._compute_grads(self.X, P, slopes)
        contracts.check_gradients(gradients, twin._get_weights())
        return gradients

    def extent(self, model: Any) -> tuple[float, int, Any, Any]:
        """The numbers of the predictions that `warn_of_scale` takes."""
        P = self._predicted(model)[1]
        return float(P.max(axis=1).sum()), len(P), P.min(axis=0), P.max(axis=0)

    def means(self, model: Any) -> Any:
        """The part of the block in the means, masses and sizes of the clusters."""
        P = model._infer(self.X, retain=False)
        sizes = np.bincount(P.argmax(axis=1), minlength=P.shape[1])
        means = ClusterMeans(P.shape[1], self.X.shape[1])
        means.add(self.X, P, self.sample_weight)
        return np.column_stack([means.sums, means.masses, sizes])

    def forget(self) -> None:
        """Let go of what a step that failed has left."""
        self._kept = None

    def _predicted(self, model: Any, first: bool = False) -> tuple[Any, Any, Any]:
        """A twin of the model that has seen these rows, predictions and slopes.

        They are new in the first round, and made again in others if they are not kept.
        """
        if self._kept is not None and not first:
            return self._kept
        # Of its own: what it retains belongs to these rows.
        twin = twin_of(model)
        twin.__dict__.pop("_retained", None)
        P = twin._infer(self.X, retain=True)
        if first:
            contracts.check_inferred(P, len(self.X), model.n_clusters)
        return twin, P, None


class BlockSource(ArraySource):
    """Rows in blocks, for steps on all of them; batches are those of one array."""

    # The objective over blocks.
    _cut: Any = None

    @abstractmethod
    def _run(self, name: str, *arguments: Any) -> Sequence[Any]:
        """Call a method of all blocks and return the results in their order."""

    def _is_cut(self, weights: list[Any], batch: Batch | None) -> bool:
        """Whether this evaluation goes by blocks."""
        return batch is None or batch[0] is self.X

    def evaluate(
        self, weights: list[Any], batch: Batch | None = None
    ) -> tuple[float, list[Any]]:
        if not self._is_cut(weights, batch):
            return super().evaluate(weights, batch)
        with one_thread("blas"):
            state = self._rounds()
            totals = _added_lists(self._run("gradients", self.model, self._cut, state))
        gradients = [
            total.astype(weight.dtype, copy=False)
            for total, weight in zip(totals, weights, strict=True)
        ]
        penalty = self.model._smooth_penalty(self.X, gradients)
        return self._checked(float(state.value) - penalty, gradients), gradients

    def value(self, batch: Batch | None = None) -> float:
        weights = self.model._get_weights()
        if not self._is_cut(weights, batch):
            return super().value(batch)
        with one_thread("blas"):
            state = self._rounds()
            self._run("forget")
        return float(state.value) - float(self.model._smooth_penalty(self.X))

    def _rounds(self) -> Any:
        """The state of the objective at the current weights, with its value."""
        state = None
        try:
            while state is None or state.value is None:
                sums = self._run("sums", self.model, self._cut, state)
                if state is None and self._fresh:
                    self._fresh = False
                    warn_of_scale(*_joined(self._run("extent", self.model)))
                state = self._cut.advance(_added(sums), state)
        except contracts.ContractError as error:
            self._run("forget")
            self._refuse(error)
        return state


class ThreadSource(BlockSource):
    """Blocks of one array, in memory or in a mapped file, on threads.

    Parameters
    ----------
    model, X, affinity, evaluator, fresh, sample_weight
        As in `ArraySource`.
    cut : Decomposition
        The objective over blocks.
    n_threads : int
        Threads, the caller's among them. The results do not depend on it.
    """

    independent_rows = True

    def __init__(self, *arguments: Any, cut: Any, n_threads: int = 1) -> None:
        super().__init__(*arguments)
        self._cut = cut
        self._n_threads = n_threads
        self._pool: ThreadPoolExecutor | None = None
        # Of each thread but the caller's, for what no block keeps.
        self._memories: list[list[Any]] = [[] for _ in range(n_threads - 1)]
        self._blocks: list[Block] | None = None
        self._narrow: bool | None = None

    def _is_cut(self, weights: list[Any], batch: Batch | None) -> bool:
        if not super()._is_cut(weights, batch):
            return False
        if self._narrow is None:
            # Wide layers are products of BLAS, which has threads of its own.
            self._narrow = all(
                takes(*weight.shape) for weight in weights if weight.ndim == 2
            )
        return self._narrow

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the threads from one step to the next."""
        if self._n_threads == 1 or self._pool is not None:
            yield
            return
        with ThreadPoolExecutor(self._n_threads - 1) as pool:
            self._pool = pool
            try:
                yield
            finally:
                self._pool = None
                for memory in self._memories:
                    memory.clear()

    def _run(self, name: str, *arguments: Any) -> Sequence[Any]:
        if self._blocks is None:
            self._blocks = self._make_blocks()
        blocks = self._blocks
        results: list[Any] = [None] * len(blocks)
        positions, stopped = count(), False

        def work() -> None:
            nonlocal stopped
            try:
                while not stopped and (i := next(positions)) < len(blocks):
                    results[i] = getattr(blocks[i], name)(*arguments)
            except BaseException:
                stopped = True
                raise

        def work_apart(memory: list[Any]) -> None:
            with buffers.lent(memory):
                work()

        n_others = min(self._n_threads, len(blocks)) - 1 if self._pool else 0
        others = [
            self._pool.submit(work_apart, memory)  # type: ignore[union-attr]
            for memory in self._memories[:n_others]
        ]
        try:
            work()
        finally:
            wait(others)
        for other in others:
            other.result()
        return results

    def _make_blocks(self) -> list[Block]:
        X, weights, affinity = self.X, self.sample_weight, self.affinity
        rows = block_rows(X.shape[1], self.model.n_clusters)
        n_kept = self._n_rows_kept()
        factor = affinity.factor if isinstance(affinity, FactoredKernel) else None
        blocks = []
        for start in range(0, len(X), rows):
            part = slice(start, start + rows)
            kernel = None
            if factor is not None:
                kernel = FactoredKernel(factor[part], affinity.centre)
            weight = None if weights is None else weights[part]
            keeps = min(part.stop, len(X)) <= n_kept
            blocks.append(Block(X[part], kernel, weight, keeps))
        return blocks

    def _n_rows_kept(self) -> float:
        """Rows, from the first on, whose predictions stay between rounds."""
        if not is_mapped(self.X):
            return np.inf
        # Of each layer; biases have a single row.
        outputs = sum(
            weight.shape[1]
            for weight in self.model._get_weights()
            if weight.ndim == 2 and len(weight) > 1
        )
        # And the slopes that a round leaves for the gradient.
        outputs = max(outputs, self.model.n_clusters) + self.model.n_clusters
        return _BYTES_OF_MAPPED / (outputs * self.X.itemsize)


def array_source(task: Any, model: Any, fresh: bool) -> ArraySource:
    """The source of a task whose rows lie in one array: see `Task.source`."""
    arguments: tuple[Any, ...] = (model, task.X, task.affinity, task.evaluator())
    arguments += (fresh, task.sample_weight)
    if is_cut(model, task.X):
        cut = decomposition(task.objective, task.affinity)
        if cut is not None:
            n_threads = n_threads_of(model)
            return ThreadSource(*arguments, cut=cut, n_threads=n_threads)
    return ArraySource(*arguments)


def n_threads_of(model: Any) -> int:
    """Threads of one training: several trainings take the jobs for themselves."""
    return 1 if model.n_init > 1 else joblib.effective_n_jobs(model.n_jobs)


def is_mapped(X: Any) -> bool:
    """Whether an array lies in a mapped file."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return False


def _added(sums: Sequence[Any]) -> Any:
    total = np.array(sums[0])
    for other in sums[1:]:
        total += other
    return total


def _added_lists(gradients: Sequence[list[Any]]) -> list[Any]:
    """Sums of the gradients of blocks, in float64."""
    totals = [np.array(gradient, dtype=np.float64) for gradient in gradients[0]]
    for others in gradients[1:]:
        for total, other in zip(totals, others, strict=True):
            total += other
    return totals


def _joined(extents: Sequence[tuple[float, int, Any, Any]]) -> tuple[float, float, int]:
    """The mean of the largest probabilities, the largest range, the columns."""
    tops, counts, low, high = zip(*extents, strict=True)
    spread = np.max(high, axis=0) - np.min(low, axis=0)
    n_rows = sum(counts)
    return sum(tops) / n_rows, float(spread.max()), min(n_rows, len(spread))
