"""Models with one hidden layer: ``softmax(relu(X W1 + b1) W2 + b2)``."""

from gemclus._common.public import publish
from gemclus.mlp._mlp import MLPMMD, MLPModel, MLPWasserstein

__all__ = ["MLPMMD", "MLPModel", "MLPWasserstein"]

publish(__name__, globals(), __all__)
