"""Linear models: ``softmax(X W + b)``."""

from gemclus.linear._linear import LinearMMD, LinearModel

__all__ = ["LinearMMD", "LinearModel"]
