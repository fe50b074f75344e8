"""Training and scoring on collections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gemclus._common.validation import (
    check_fitted,
    check_seed,
)
from gemclus._training import contracts
from gemclus._training.blocks import rows_are_independent
from gemclus._training.centres import ClusterMeans
from gemclus._training.feature_maps import with_feature_map
from gemclus._training.monitor import callback_context
from gemclus._training.restarts import train_best
from gemclus._training.samples import nested_positions, sample_sizes
from gemclus._training.state import finished, in_training
from gemclus._training.task import Task
from gemclus._training.training import train_once, warn_of
from gemclus.affinity import FactoredKernel
from gemclus.affinity._feature_maps import FittedFeatureMap
from gemclus.dask._blocks import BlockKernel, CollectionSource, LocalSource, Recipe
from gemclus.dask._cluster import Cluster, ClusterSource, active_client
from gemclus.dask._layout import draw, lay_out
from gemclus.dask._predict import predict
from gemclus.gemini._base import decomposition, training_affinity
from gemclus.gemini._one_round import in_one_round

# Rows drawn for the start, and for the centre of the sums.
_DRAWN = 20_000
# Numbers of the rows drawn for trainings on samples of them.
_DRAWN_NUMBERS = 2**22


@dataclass
class CollectionTask(Task):
    """A task whose `X` are rows drawn for the start: its source has all of them.

    `drawn` are more rows and their weights, of which samples are made.
    """

    recipe: Any = None
    cut: Any = None
    blocks: list[Any] = field(default_factory=list)
    cluster: Any = None
    drawn: tuple[Any, Any] = (None, None)

    def samples(self, random_state: np.random.RandomState) -> list[Task]:
        X, weights = self.drawn
        factor = getattr(self.affinity, "factor", X)
        sizes = _sample_sizes(self.recipe.layout, factor.shape[1])
        drawn = Task(X, self.gemini, self.objective, None, weights, self.alpha)
        samples = drawn._parts(sizes, random_state)
        if self.recipe.kernel is not None:
            for sample in samples:
                sample.affinity = self.recipe.kernel(sample.X)
        return samples

    def source(self, model: Any, fresh: bool = False) -> CollectionSource:
        kind = LocalSource if self.cluster is None else ClusterSource
        return kind(model, self, fresh)


def fit(model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> None:
    """Train `model` on a dask array or frame: see `DiscriminativeModel.fit`."""
    model._check_parameters()
    _check_model(model, y)
    goes_on = model._goes_on()
    layout = lay_out(X, sample_weight)
    if layout.n_rows < model.n_clusters:
        raise ValueError(
            f"n_samples={layout.n_rows} must be at least n_clusters={model.n_clusters}"
        )
    random_state = check_seed(model.random_state)
    n_drawn = max([_DRAWN, *([] if goes_on else _sample_sizes(layout))])
    drawn, weights = draw(layout, n_drawn, random_state)
    with in_training(model, goes_on) as twin:
        drawn = twin._check_samples(_named(layout, drawn), reset=not goes_on)
        twin._begin_fit(drawn)
        if not goes_on:
            for name in ("optimiser_", "_stream"):
                vars(twin).pop(name, None)
        with _task(twin, layout, drawn, weights) as task:
            with (
                callback_context(model, twin, X) as task.context,
                finished(twin, lambda: _finish(twin, X, task)),
            ):
                # Restarts follow each other: the cluster is one.
                if twin.n_init > 1 and not goes_on:
                    twin.n_jobs = None
                    outcome = train_best(twin, task, random_state)
                else:
                    outcome = train_once(twin, task, random_state, goes_on)
            warn_of(outcome.complaint, twin)


def _finish(model: Any, X: Any, task: CollectionTask) -> None:
    """Set what depends on the weights, in one pass over the blocks."""
    model.__dict__.pop("_retained", None)
    model.labels_ = predict(model, X)
    totals = task.source(model).totals()
    n_features = task.X.shape[1]
    means = ClusterMeans(model.n_clusters, n_features)
    means.sums, means.masses = totals[:, :n_features], totals[:, n_features:-1]
    model.cluster_centers_ = means.value()
    model.n_clusters_ = int(np.count_nonzero(totals[:, -1]))


def score(model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
    """The objective of `model` on a dask array or frame."""
    check_fitted(model, "optimiser_")
    _check_model(model, y, scored=True)
    layout = lay_out(X, sample_weight)
    drawn, weights = draw(layout, _DRAWN, np.random.RandomState(0))
    drawn = model._check_samples(_named(layout, drawn), reset=False)
    with _task(model, layout, drawn, weights, scored=True) as task:
        source = task.source(model)
        return source.value(None) + float(model._smooth_penalty(drawn))


def _check_model(model: Any, y: Any, scored: bool = False) -> None:
    name = type(model).__name__
    if y is not None:
        raise TypeError(
            f"{name} takes no y with a dask collection: a precomputed matrix cannot be "
            "cut into blocks of rows"
        )
    if not rows_are_independent(model):
        raise TypeError(
            f"{name} does not take dask collections, as its rows are not "
            "independent of each other: call X.compute(), or set "
            "rows_are_independent = True in a class whose hooks are sums over rows"
        )
    if model._constraints is not None:
        raise TypeError(
            f"{name} does not take constraints between samples with a dask collection: "
            "call X.compute()"
        )
    if not scored and not isinstance(model.init, str):
        raise TypeError(
            "init must be 'random' or 'k-means++' with a dask collection, got labels"
        )
    if getattr(model, "dynamic", False):
        raise TypeError("dynamic=True does not take dask collections: call X.compute()")


def _sample_sizes(layout: Any, width: int = 0) -> list[int]:
    """Rows of the samples that stand for all for a while: `_training/samples.py`."""
    sizes = sample_sizes(layout.n_rows, layout.n_features)
    width = max(width, layout.n_features)
    return [size for size in sizes if size * width <= _DRAWN_NUMBERS]


@contextmanager
def _task(
    model: Any, layout: Any, drawn: Any, weights: Any, scored: bool = False
) -> Iterator[CollectionTask]:
    """The task of a training; the memory of workers is free at its end."""
    everything = drawn, weights
    if len(drawn) > _DRAWN:
        few = nested_positions([_DRAWN], len(drawn), np.random.RandomState(0))[0]
        drawn, weights = drawn[few], None if weights is None else weights[few]
    gemini = contracts.check_gemini(model.get_gemini())
    gemini = with_feature_map(model, gemini, drawn)
    by_batches = model.batch_size is not None and not scored
    kernel = cut = affinity = None
    if not by_batches:
        affinity, kernel = _kernel(model, gemini, drawn)
        # Where it may cost a message to each worker, or a look into a file.
        cut = in_one_round(decomposition(gemini, affinity))
        if cut is None:
            raise TypeError(
                f"{type(gemini).__name__} cannot be cut into blocks of a dask "
                "collection: give the MMD a kernel with a factor ('linear', "
                "'cosine', or a feature map such as "
                "sklearn.kernel_approximation.Nystroem), take an f-divergence, or "
                "train by batches with batch_size"
            )
    raw = layout.weights or [None] * len(layout.blocks)
    blocks = list(zip(layout.blocks, raw, strict=True))
    small = copy(layout)
    small.blocks = []
    recipe = Recipe(small, gemini, kernel)
    task = CollectionTask(
        drawn,
        gemini,
        gemini,
        affinity,
        weights,
        model._penalty_weight(),
        recipe=recipe,
        cut=cut,
        blocks=blocks,
        drawn=everything,
    )
    client = active_client()
    if client is not None:
        task.cluster = Cluster(client, recipe, blocks)
    try:
        yield task
    finally:
        if task.cluster is not None:
            task.cluster.close()


def _kernel(model: Any, gemini: Any, drawn: Any) -> tuple[Any, Any]:
    """The kernel of the rows drawn, and what makes that of a block."""
    kernel = getattr(gemini, "kernel", None)
    params = getattr(gemini, "kernel_params", None)
    if isinstance(kernel, FittedFeatureMap):
        affinity = FactoredKernel(kernel.factor(drawn))
    elif isinstance(kernel, str) and kernel == "precomputed":
        return None, None
    else:
        affinity = training_affinity(gemini, drawn)
    if not isinstance(affinity, FactoredKernel):
        return affinity, None
    return affinity, BlockKernel(kernel, params, affinity.centre)


def _named(layout: Any, rows: Any) -> Any:
    """Rows as what the collection is, for the names of the features."""
    if layout.names is None:
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=layout.names)
