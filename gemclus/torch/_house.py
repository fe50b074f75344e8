"""All that this room takes from the private rooms of the package, in one place."""

from __future__ import annotations

from gemclus._common.estimators import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from gemclus._common.interruption import TrainingInterrupted
from gemclus._common.pickling import VersionedStateMixin
from gemclus._common.typing import (
    ArrayLike,
    Floats,
    Integers,
    Pairwise,
    Parameters,
    Seed,
)
from gemclus._common.validation import (
    check_bool,
    check_choice,
    check_float,
    check_int,
    check_samples,
    check_seed,
    check_verbose,
)
from gemclus._common.warnings import warn
from gemclus._training.callbacks import CallbackSupportMixin, with_callbacks
from gemclus._training.monitor import Monitor, callback_context, watching
from gemclus._training.start import check_init

__all__ = [
    "ArrayLike",
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassNamePrefixFeaturesOutMixin",
    "ClusterMixin",
    "Floats",
    "Integers",
    "Monitor",
    "Pairwise",
    "Parameters",
    "Seed",
    "TrainingInterrupted",
    "TransformerMixin",
    "VersionedStateMixin",
    "callback_context",
    "check_bool",
    "check_choice",
    "check_float",
    "check_init",
    "check_int",
    "check_samples",
    "check_seed",
    "check_verbose",
    "warn",
    "watching",
    "with_callbacks",
]
