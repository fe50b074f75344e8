"""Several trainings from different starts, of which the best is kept."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from inspect import signature
from typing import Any

import joblib
import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from gemclus._common.interruption import TrainingInterrupted
from gemclus._training.state import adopt, twin_of
from gemclus._training.task import Task
from gemclus._training.training import Outcome, train_once

# Trainings are compared as they end, so that no more than the best is kept; where
# joblib is 1.2, the oldest one of scikit-learn, they come all together.
_KNOWN = signature(joblib.Parallel).parameters
_AS_THEY_END = {"return_as": "generator"} if "return_as" in _KNOWN else {}

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
    best: Trained | None = None
    n_complete = 0
    try:
        for trained in train(model, task, [first, *seeds]):
            if best is None or _reached(trained) > _reached(best):
                best = trained
            n_complete += 1
    except KeyboardInterrupt as interruption:
        if best is None:
            raise
        adopt(model, best[0])
        raise TrainingInterrupted(
            f"training was interrupted when {n_complete} of {model.n_init} trainings "
            "were complete; the best of them is kept"
        ) from interruption
    assert best is not None
    adopt(model, best[0])
    return best[1]


def _train_in_turn(model: Any, task: Task, seeds: list[Any]) -> Iterator[Trained]:
    """Yield each training; Ctrl-C in the first leaves `model` what that has got to."""
    for position, seed in enumerate(seeds):
        candidate = twin_of(model)
        try:
            yield _train(candidate, task, seed)
        except KeyboardInterrupt:
            if position == 0:
                adopt(model, candidate)
            raise


def _train_apart(model: Any, task: Task, seeds: list[Any]) -> Iterator[Trained]:
    """The same in other processes; callbacks, which may not pickle, stay here."""
    sent = twin_of(model)
    for name in [name for name in vars(sent) if "callback" in name]:
        delattr(sent, name)
    yield from Parallel(n_jobs=model.n_jobs, **_AS_THEY_END)(
        delayed(_train)(twin_of(sent), task, seed) for seed in seeds
    )


def _train(model: Any, task: Task, seed: Any) -> Trained:
    return model, train_once(model, task, check_random_state(seed))


def _reached(trained: Trained) -> float:
    """What a training reached."""
    return float(trained[0].objective_curve_[-1])
