"""Several trainings from different starts, of which the best is kept."""

import warnings
from copy import copy

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from gemclus._start import INTERRUPTED


def fit_best(model, X, gemini, affinity, random_state, context):
    """Train `n_init` times and keep the training with the best objective.

    The seed of each is drawn beforehand, so the result does not depend on
    `n_jobs`. Callbacks follow trainings in this process only.

    Returns
    -------
    interrupted : bool
        Whether Ctrl-C ended the trainings.
    """
    seeds = random_state.randint(np.iinfo(np.int32).max, size=model.n_init)
    apart = effective_n_jobs(model.n_jobs) > 1
    train = _fit_apart if apart else _fit_in_turn
    candidates, interrupted = train(model, X, gemini, affinity, seeds, context)
    best = vars(max(candidates, key=_last_objective))
    # Not the copies of what the user gave that come back from other processes.
    given = model.get_params(deep=False)
    vars(model).update({name: best[name] for name in best if name not in given})
    return interrupted


def _fit_in_turn(model, X, gemini, affinity, seeds, context):
    """One training after the other; the one that is interrupted counts."""
    candidates, interrupted = [], False
    for seed in seeds:
        candidate = copy(model)
        random_state = check_random_state(seed)
        interrupted = candidate._fit_once(X, gemini, affinity, random_state, context)
        candidates.append(candidate)
        if interrupted:
            break
    return candidates, interrupted


def _fit_apart(model, X, gemini, affinity, seeds, context):
    """Trainings in other processes; after Ctrl-C, those that were complete."""
    candidates = []
    # Callbacks stay in this process: they may hold what cannot be pickled.
    sent = copy(model)
    for name in [name for name in vars(sent) if "callback" in name]:
        delattr(sent, name)
    try:
        trainings = Parallel(n_jobs=model.n_jobs, return_as="generator")(
            delayed(_fit_copy)(sent, X, gemini, affinity, seed) for seed in seeds
        )
        for candidate in trainings:
            candidates.append(candidate)
    except KeyboardInterrupt:
        warnings.warn(
            f"{INTERRUPTED} when {len(candidates)} of {len(seeds)} trainings were "
            "complete; the others are lost.",
            ConvergenceWarning,
            stacklevel=5,
        )
        if not candidates:
            candidates = [copy(model)]
            candidates[0]._create(X, check_random_state(seeds[0]))
        return candidates, True
    return candidates, False


def _fit_copy(model, X, gemini, affinity, seed):
    """One of several trainings, in a process of its own."""
    model._fit_once(X, gemini, affinity, check_random_state(seed))
    return model


def _last_objective(model):
    """What a training reached; nothing if it was interrupted in its first epoch."""
    return model.objective_curve_[-1] if len(model.objective_curve_) else -np.inf
