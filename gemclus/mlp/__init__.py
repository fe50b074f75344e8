"""Models with one hidden layer: ``softmax(relu(X W1 + b1) W2 + b2)``."""

from gemclus.mlp._mlp import MLPMMD, MLPModel, MLPWasserstein

__all__ = ["MLPMMD", "MLPModel", "MLPWasserstein"]
