"""Linear models: ``softmax(X W + b)``."""

from gemclus._common.public import publish
from gemclus.linear._linear import LinearMMD, LinearModel, LinearWasserstein
from gemclus.linear._rim import RIM, KernelRIM

__all__ = ["RIM", "KernelRIM", "LinearMMD", "LinearModel", "LinearWasserstein"]

publish(__name__, globals(), __all__)
