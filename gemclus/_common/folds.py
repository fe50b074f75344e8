"""Whether a cross-validation is what fits a model."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

# Functions that fit a model to some rows of the data -> their variable for the rows.
_VALIDATION = "sklearn.model_selection._validation"
_FITTING_FOLDS = {
    (_VALIDATION, "_fit_and_score"): "train",
    (_VALIDATION, "_fit_and_predict"): "train",
    (_VALIDATION, "_permutation_test_score"): "train",
    (_VALIDATION, "_incremental_fit_estimator"): "partial_train",
    ("sklearn.feature_selection._rfe", "_rfe_single_fit"): "train",
    ("gemclus.selection._criteria", "score_fold"): "train",
    ("gemclus.selection._stability", "_kept_features"): "rows",
}


def is_renumbered(n_samples: int) -> bool:
    """Whether the samples of a fit are rows of others, where their numbers differ.

    Scikit-learn does not tell an estimator that it is given a fold, so this looks for
    the functions that cut folds among those that are running. Cost: that of a
    traceback.

    Parameters
    ----------
    n_samples : int
        Number of samples of the fit, which tells its fold from others further up.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        function = frame.f_globals.get("__name__"), frame.f_code.co_name
        if function in _FITTING_FOLDS:
            rows = _as_positions(frame.f_locals.get(_FITTING_FOLDS[function]))
            if len(rows) == n_samples:
                return not np.array_equal(rows, np.arange(n_samples))
        frame = frame.f_back
    return False


def _as_positions(rows: Any) -> Any:
    rows = np.asarray(() if rows is None else rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.ravel()
