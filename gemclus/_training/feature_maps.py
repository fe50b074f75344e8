"""Feature maps of the objectives and models: fitted once a training, then kept."""

from __future__ import annotations

from copy import copy
from typing import Any

from gemclus.affinity import FittedFeatureMap, fit_feature_map, is_feature_map
from gemclus.gemini import MMDGEMINI


def with_feature_map(model: Any, gemini: Any, X: Any) -> Any:
    """The objective of a training or a score, with the feature map that it needs.

    Parameters
    ----------
    model : DiscriminativeModel
        A model whose training has not begun gets a new `feature_map_`; others
        have one.
    gemini : GEMINI
        What the model's `get_gemini` returned. It is left as it is.
    X : ndarray or CSR matrix of shape (N, D)
        The samples.
    """
    if not has_begun(model):
        vars(model).pop("feature_map_", None)
    own = getattr(type(gemini), "compute_affinity", None) is MMDGEMINI.compute_affinity
    if not own or not is_feature_map(gemini.kernel):
        return gemini
    fitted = copy(gemini)
    fitted.kernel = feature_map_of(model, gemini.kernel, gemini.kernel_params, X)
    fitted.kernel_params = None
    return fitted


def feature_map_of(
    model: Any, transformer: Any, params: Any, X: Any, argument: str = "kernel"
) -> FittedFeatureMap:
    """The `feature_map_` of a model, which a new training fits to its samples."""
    if not has_begun(model):
        feature_map = fit_feature_map(transformer, params, X, argument)
        model.feature_map_ = feature_map.transformer
        return feature_map
    kept = getattr(model, "feature_map_", None)
    if kept is None:
        raise ValueError(
            f"{argument}={type(transformer).__name__} is no parameter of the last fit, "
            "which knew no feature map: fit the model again"
        )
    return FittedFeatureMap(kept, argument)


def has_begun(model: Any) -> bool:
    """Whether the model has parameters that a training goes on from, or a score uses:
    the optimiser comes after them."""
    return hasattr(model, "optimiser_")
