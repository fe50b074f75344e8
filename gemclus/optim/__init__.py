"""Optimisers of parameter arrays, in place."""

from gemclus._common.public import publish
from gemclus.optim._first_order import SGD, Adam
from gemclus.optim._lbfgs import LBFGS

# The choices of a model's `solver`.
OPTIMISERS = {"adam": Adam, "lbfgs": LBFGS, "sgd": SGD}

__all__ = ["LBFGS", "OPTIMISERS", "SGD", "Adam"]

publish(__name__, globals(), __all__)
