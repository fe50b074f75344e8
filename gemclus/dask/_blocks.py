"""Blocks of a collection: what runs on workers, and in this process without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gemclus._training import contracts
from gemclus._training.blocks import Block, BlockSource
from gemclus._training.state import twin_of
from gemclus.affinity import FactoredKernel, SampleIndices
from gemclus.affinity._feature_maps import FittedFeatureMap
from gemclus.affinity._kernels import factor_kernel
from gemclus.dask._layout import Layout
from gemclus.gemini._base import training_affinity, training_evaluator


@dataclass
class BlockKernel:
    """Makes the kernel of a block: a fitted feature map, or the name of a kernel."""

    kernel: Any
    params: Any
    centre: Any

    def __call__(self, X: Any) -> FactoredKernel:
        if isinstance(self.kernel, FittedFeatureMap):
            factor = self.kernel.factor(X)
        else:
            factor = factor_kernel(X, self.kernel, self.params)
        if factor is None:
            raise ValueError(
                f"a block of {len(X)} rows is too small for the factor of the "
                f"{self.kernel!r} kernel: call X.rechunk(...)"
            )
        return FactoredKernel(factor, self.centre)


@dataclass
class Recipe:
    """Knowledge of blocks beside their rows.

    Attributes
    ----------
    layout : Layout
        Without its blocks.
    objective : GEMINI
    kernel : BlockKernel or None
        None for objectives without one, and for batches.
    """

    layout: Layout
    objective: Any
    kernel: BlockKernel | None


def make_block(
    recipe: Recipe, position: int, X: Any, weights: Any, keeps: bool
) -> Block:
    """A block of checked rows."""
    affinity = None if recipe.kernel is None else recipe.kernel(X)
    return Block(X, affinity, recipe.layout.block_weights(weights), keeps)


def batch_step(
    recipe: Recipe, model: Any, X: Any, weights: Any
) -> tuple[float, list[Any]]:
    """Value and gradients of a batch of rows by themselves."""
    twin = twin_of(model)
    twin.__dict__.pop("_retained", None)
    affinity = training_affinity(recipe.objective, X)
    evaluate = training_evaluator(recipe.objective)
    P = contracts.check_inferred(twin._infer(X, retain=True), len(X), twin.n_clusters)
    weighted = {} if weights is None else {"sample_weight": weights}
    if affinity is None:
        affinity = SampleIndices(len(X))
    value, slopes = evaluate(P, affinity, return_grad=True, **weighted)
    gradients = twin._compute_grads(X, P, slopes)
    return float(value), contracts.check_gradients(gradients, twin._get_weights())


@dataclass
class BlockBatch:
    """Some rows of one block."""

    block: int
    positions: Any


class CollectionSource(BlockSource):
    """Rows of a collection; batches are rows of one block.

    Parameters
    ----------
    model : DiscriminativeModel
    task : CollectionTask
    fresh : bool
    """

    def __init__(self, model: Any, task: Any, fresh: bool) -> None:
        # The rows drawn for the start stand for all where a hook asks for some.
        super().__init__(model, task.X, None, None, fresh=fresh)
        self._cut = task.cut
        self.independent_rows = task.cut is not None
        self._layout: Layout = task.recipe.layout
        self._recipe: Recipe = task.recipe
        self._total: float | None = None

    def _is_cut(self, weights: list[Any], batch: Any) -> bool:
        return not isinstance(batch, BlockBatch)

    def batches(self, random_state: np.random.RandomState | None) -> Iterator[Any]:
        size = self.model.batch_size
        if size is None:
            yield None
            return
        if random_state is None:
            random_state = np.random.RandomState(0)
        for block in random_state.permutation(len(self._layout.lengths)):
            order = random_state.permutation(self._layout.lengths[block])
            for first in range(0, len(order), size):
                batch = BlockBatch(int(block), order[first : first + size])
                if self.weight(batch) > 0.0:
                    yield batch

    def weight(self, batch: Any) -> float:
        if not isinstance(batch, BlockBatch):
            return 1.0
        if self._layout.weights is None:
            return float(len(batch.positions))
        return self._ask(batch.block, "batch_weight", batch.positions)

    def evaluate(
        self, weights: list[Any], batch: Any = None
    ) -> tuple[float, list[Any]]:
        if not isinstance(batch, BlockBatch):
            return super().evaluate(weights, None)
        try:
            value, gradients = self._ask(batch.block, "batch", batch.positions)
        except contracts.ContractError as error:
            self._refuse(error)
        if self._layout.weights is not None:
            share = self.weight(batch) / len(batch.positions) / self._mean_weight()
            gradients = [
                gradient * gradient.dtype.type(share) for gradient in gradients
            ]
        penalty = self.model._smooth_penalty(self.X, gradients)
        return self._checked(value - penalty, gradients), gradients

    def value(self, batch: Any = None) -> float:
        if not isinstance(batch, BlockBatch):
            return super().value()
        value, _ = self._ask(batch.block, "batch", batch.positions)
        return float(value) - float(self.model._smooth_penalty(self.X))

    def totals(self) -> Any:
        """Sums of `Block.means` over all blocks."""
        return sum(self._run("means", self.model))

    def _mean_weight(self) -> float:
        if self._total is None:
            totals = [
                self._ask(block, "batch_weight", slice(None))
                for block in range(len(self._layout.lengths))
            ]
            self._total = sum(totals)
        return self._total / self._layout.n_rows

    def _ask(self, block: int, name: str, positions: Any) -> Any:
        """Call a method of one block."""
        raise NotImplementedError


class LocalSource(CollectionSource):
    """Blocks that are loaded one after the other, each time they are needed."""

    def __init__(self, model: Any, task: Any, fresh: bool) -> None:
        super().__init__(model, task, fresh)
        self._blocks = task.blocks
        # Blocks that are known to be finite.
        self._sound_blocks: set[int] = set()
        # The block of the last batch.
        self._last: tuple[int, Any, Any] | None = None

    def _run(self, name: str, *arguments: Any) -> Sequence[Any]:
        if name == "forget":
            return []
        results = []
        for position in range(len(self._layout.lengths)):
            block = make_block(self._recipe, position, *self._load(position), False)
            results.append(getattr(block, name)(*arguments))
        return results

    def _load(self, position: int) -> tuple[Any, Any]:
        rows, weights = self._blocks[position]
        X = rows.compute(scheduler="synchronous")
        if hasattr(weights, "compute"):
            weights = weights.compute(scheduler="synchronous")
        if position in self._sound_blocks:
            return self._layout.rows(position, X), weights
        X = self._layout.checked_rows(position, X)
        self._sound_blocks.add(position)
        return X, weights

    def _ask(self, block: int, name: str, positions: Any) -> Any:
        if self._last is None or self._last[0] != block:
            X, weights = self._load(block)
            self._last = block, X, self._layout.block_weights(weights)
        _, X, weights = self._last
        if weights is not None:
            weights = weights[positions]
        if name == "batch_weight":
            return float(weights.sum())
        return batch_step(self._recipe, self.model, X[positions], weights)
