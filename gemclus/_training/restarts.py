"""Several trainings from different starts, of which the best is kept."""

from copy import copy
from inspect import signature

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from gemclus._common.warnings import warn
from gemclus._training.start import INTERRUPTED

# Trainings are compared as they end, so that no more than the best is kept; where
# joblib is 1.2, the oldest one of scikit-learn, they come all together.
_KNOWN = signature(joblib.Parallel).parameters
_AS_THEY_END = {"return_as": "generator"} if "return_as" in _KNOWN else {}


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
    apart = joblib.effective_n_jobs(model.n_jobs) > 1
    train = _fit_apart if apart else _fit_in_turn
    best, n_complete, interrupted = None, 0, False
    try:
        for candidate, interrupted in train(  # noqa: B007
            model, X, gemini, affinity, seeds, context
        ):
            if best is None or _last_objective(candidate) > _last_objective(best):
                best = candidate
            n_complete += 1
    except KeyboardInterrupt:
        interrupted = True
        warn(
            f"{INTERRUPTED} when {n_complete} of {len(seeds)} trainings were complete; "
            "the best of them is kept.",
            ConvergenceWarning,
        )
        if best is None:
            best = copy(model)
            best._create(X, check_random_state(seeds[0]))
    # Not the copies of what the user gave that come back from other processes.
    given = model.get_params(deep=False)
    new = {name: value for name, value in vars(best).items() if name not in given}
    vars(model).update(new)
    return interrupted


def _fit_in_turn(model, X, gemini, affinity, seeds, context):
    """Yield each training and whether it was interrupted, which ends them."""
    for seed in seeds:
        candidate, interrupted = _fit(copy(model), X, gemini, affinity, seed, context)
        yield candidate, interrupted
        if interrupted:
            return


def _fit_apart(model, X, gemini, affinity, seeds, context):
    """The same in other processes; callbacks, which may not pickle, stay here."""
    sent = copy(model)
    for name in [name for name in vars(sent) if "callback" in name]:
        delattr(sent, name)
    yield from Parallel(n_jobs=model.n_jobs, **_AS_THEY_END)(
        delayed(_fit)(copy(sent), X, gemini, affinity, seed) for seed in seeds
    )


def _fit(model, X, gemini, affinity, seed, context=None):
    random_state = check_random_state(seed)
    return model, model._fit_once(X, gemini, affinity, random_state, context)


def _last_objective(model):
    """What a training reached; nothing if it was interrupted in its first epoch."""
    return model.objective_curve_[-1] if len(model.objective_curve_) else -np.inf
