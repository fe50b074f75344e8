"""The base classes of scikit-learn; ``estimators.pyi`` gives them types.

scikit-learn has no types: without them no checker knows a class derived from its.
"""

import sklearn.base
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.feature_selection import SelectorMixin


class BaseEstimator(sklearn.base.BaseEstimator):
    """That of scikit-learn, whose ``?`` leads to the page of the class.

    In notebooks; a class derived elsewhere has no page, and no link.
    """

    _doc_link_module = "gemclus"
    _doc_link_template = (
        "https://gemclus.github.io/gemclus/api/generated/"
        "{estimator_module}.{estimator_name}.html"
    )


__all__ = [
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "ClusterMixin",
    "MetaEstimatorMixin",
    "SelectorMixin",
    "TransformerMixin",
]
