"""Models without a map from data to clusters: the training samples have logits."""

from gemclus._common.public import publish
from gemclus.nonparametric._categorical import (
    CategoricalMMD,
    CategoricalModel,
    CategoricalWasserstein,
)

__all__ = ["CategoricalMMD", "CategoricalModel", "CategoricalWasserstein"]

publish(__name__, globals(), __all__)
