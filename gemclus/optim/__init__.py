"""First-order optimisers that update parameter arrays in place."""

from gemclus.optim._first_order import OPTIMISERS, SGD, Adam, make_optimiser

__all__ = ["OPTIMISERS", "SGD", "Adam", "make_optimiser"]
