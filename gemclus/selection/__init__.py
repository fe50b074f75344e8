"""The choice of the number of clusters, and of features, for any clustering."""

from gemclus._common.public import publish
from gemclus.selection._consensus import consensus_scores
from gemclus.selection._kselector import KSelector
from gemclus.selection._scorers import (
    calinski_harabasz_scorer,
    silhouette_scorer,
    whole_data,
)
from gemclus.selection._stability import StabilitySelection

__all__ = [
    "KSelector",
    "StabilitySelection",
    "calinski_harabasz_scorer",
    "consensus_scores",
    "silhouette_scorer",
    "whole_data",
]

publish(__name__, globals(), __all__)
