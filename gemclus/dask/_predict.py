"""Predictions of collections: lazy ones, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._common.validation import check_fitted
from gemclus._training.state import twin_of


def predict(model: Any, X: Any) -> Any:
    """Labels, as a lazy array of an array and a lazy series of a frame."""
    return _map(model, "predict", X)


def predict_proba(model: Any, X: Any) -> Any:
    """Probabilities, as a lazy array of an array and a lazy frame of a frame."""
    return _map(model, "predict_proba", X)


def _map(model: Any, method: str, X: Any) -> Any:
    check_fitted(model, "optimiser_")
    _check_features(model, X)
    local = _predictor(model)
    n_clusters = local._trained_clusters
    if hasattr(X, "chunks"):
        if X.numblocks[1] != 1:
            raise ValueError(
                f"blocks of X must have all columns, got chunks {X.chunks[1]} of "
                "them: call X.rechunk({1: -1})"
            )
        if method == "predict":
            return X.map_blocks(
                _labels_of_array,
                local,
                dtype=np.intp,
                drop_axis=1,
                meta=np.empty(0, np.intp),
            )
        dtype = X.dtype if X.dtype == np.float32 else np.dtype(np.float64)
        return X.map_blocks(
            _probabilities_of_array,
            local,
            dtype=dtype,
            chunks=(X.chunks[0], (n_clusters,)),
            meta=np.empty((0, n_clusters), dtype),
        )
    import pandas as pd

    if method == "predict":
        meta = pd.Series(dtype=np.intp)
        return X.map_partitions(_labels_of_frame, local, meta=meta)
    columns = list(local.get_feature_names_out())
    meta = pd.DataFrame({name: np.empty(0) for name in columns})
    return X.map_partitions(_probabilities_of_frame, local, meta=meta)


def _check_features(model: Any, X: Any) -> None:
    n_features = X.shape[1]
    if n_features != model.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(model).__name__} is expecting "
            f"{model.n_features_in_} features as input"
        )


def _predictor(model: Any) -> Any:
    """A model with copies of its weights, which later trainings do not move."""
    local = twin_of(model, apart=True)
    for name in list(vars(local)):
        if name in ("labels_", "H_", "optimiser_", "_retained") or "callback" in name:
            delattr(local, name)
    # What tells a fitted model.
    local.optimiser_ = None
    return local


def _labels_of_array(rows: Any, model: Any) -> Any:
    return model.predict(np.asarray(rows)) if len(rows) else np.empty(0, np.intp)


def _probabilities_of_array(rows: Any, model: Any) -> Any:
    if not len(rows):
        return np.empty((0, model._trained_clusters))
    return model.predict_proba(np.asarray(rows))


def _labels_of_frame(frame: Any, model: Any) -> Any:
    import pandas as pd

    labels = model.predict(frame) if len(frame) else np.empty(0, np.intp)
    return pd.Series(labels, index=frame.index)


def _probabilities_of_frame(frame: Any, model: Any) -> Any:
    import pandas as pd

    columns = list(model.get_feature_names_out())
    if not len(frame):
        return pd.DataFrame({name: np.empty(0) for name in columns}, index=frame.index)
    P = model.predict_proba(frame)
    return pd.DataFrame(np.asarray(P, np.float64), index=frame.index, columns=columns)
