"""The base classes of scikit-learn; ``estimators.pyi`` gives them types.

scikit-learn has no types: without them no checker knows a class derived from its.
"""

from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.feature_selection import SelectorMixin

__all__ = [
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "ClusterMixin",
    "MetaEstimatorMixin",
    "SelectorMixin",
    "TransformerMixin",
]
