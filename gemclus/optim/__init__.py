"""Optimisers of parameter arrays, in place."""

from gemclus._common.public import publish
from gemclus.optim._base import Optimiser
from gemclus.optim._first_order import SGD, Adam
from gemclus.optim._fista import FISTA
from gemclus.optim._lbfgs import LBFGS
from gemclus.optim._registry import OPTIMISERS

__all__ = ["FISTA", "LBFGS", "OPTIMISERS", "SGD", "Adam", "Optimiser"]

publish(__name__, globals(), __all__)
