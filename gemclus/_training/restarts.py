"""Several trainings from different starts, of which the best is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from gemclus._common.interruption import TrainingInterrupted, run_for
from gemclus._common.validation import check_seed
from gemclus._training.state import adopt, drop_callbacks, has_weights, twin_of
from gemclus._training.task import Task
from gemclus._training.training import Outcome, train_once

Trained = tuple[Any, Outcome]


def train_best(model: Any, task: Task, random_state: np.random.RandomState) -> Outcome:
    """Train `n_init` times and keep the training with the best objective.

    The first training is that of ``n_init=1``, so more of them never end lower.
    The seeds of the others are drawn beforehand: the result does not depend on
    `n_jobs`. Callbacks follow trainings in this process only.

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C: the model is the best training that is complete, or else
        the one that was running in this process, if any.
    """
    first = deepcopy(random_state)
    others = np.random.RandomState(random_state.randint(np.iinfo(np.int32).max))
    seeds = others.randint(np.iinfo(np.int32).max, size=model.n_init - 1)
    apart = joblib.effective_n_jobs(model.n_jobs) > 1
    train = _train_apart if apart else _train_in_turn
    task.n_trainings = model.n_init
    best: Trained | None = None
    curves: list[Any] = []

    def keep_the_best() -> Outcome:
        assert best is not None
        adopt(model, best[0])
        model.objective_curves_ = curves
        return best[1]

    try:
        for trained in train(model, task, [first, *seeds]):
            if best is None or _reached(trained) > _reached(best):
                best = trained
            curves.append(trained[0].objective_curve_)
    except KeyboardInterrupt as interruption:
        if best is None and has_weights(model):
            raise
        kept = "the model is as it was before"
        if best is not None:
            keep_the_best()
            kept = "the best of them is kept"
        raise TrainingInterrupted(
            f"training was interrupted when {len(curves)} of {model.n_init} trainings "
            f"were complete; {kept}"
        ) from interruption
    return keep_the_best()


def _train_in_turn(model: Any, task: Task, seeds: list[Any]) -> Iterator[Trained]:
    """Yield each training; Ctrl-C in the first leaves `model` what that has got to."""
    for position, seed in enumerate(seeds):
        candidate = twin_of(model)
        try:
            yield _train(candidate, replace(task, position=position), seed)
        except KeyboardInterrupt:
            if position == 0:
                adopt(model, candidate)
            raise


def _train_apart(model: Any, task: Task, seeds: list[Any]) -> Iterator[Trained]:
    """The same in other processes; callbacks, which may not pickle, stay here."""
    sent = twin_of(model)
    drop_callbacks(sent)
    yield from Parallel(n_jobs=model.n_jobs, **_as_they_end())(
        delayed(run_for)(
            os.getpid(), _train, twin_of(sent), replace(task, position=position), seed
        )
        for position, seed in enumerate(seeds)
    )


def _as_they_end() -> dict[str, str]:
    """Arguments with which joblib gives each training when it has ended.

    They are compared one by one, so that no more than the best is kept. Where the
    backend, or joblib before 1.3, cannot do so, they come all together.
    """
    backend, _ = get_active_backend()
    able = getattr(backend, "supports_return_generator", False)
    return {"return_as": "generator"} if able else {}


def _train(model: Any, task: Task, seed: Any) -> Trained:
    return model, train_once(model, task, check_seed(seed))


def _reached(trained: Trained) -> float:
    """The result of one training."""
    return float(trained[0].objective_curve_[-1])
