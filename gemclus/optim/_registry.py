"""Names of optimisers, as models accept them."""

from __future__ import annotations

from typing import Any, TypeAlias

from sklearn.base import clone

from gemclus._common.validation import check_choice
from gemclus.optim._base import Optimiser
from gemclus.optim._first_order import SGD, Adam
from gemclus.optim._fista import FISTA
from gemclus.optim._lbfgs import LBFGS

# Name -> class. The choices of a model's `solver`, beside a user's own.
OPTIMISERS: dict[str, type[Optimiser]] = {
    "adam": Adam,
    "fista": FISTA,
    "lbfgs": LBFGS,
    "sgd": SGD,
}


# The choice that leaves the optimiser to the model.
AUTO = "auto"

Solver: TypeAlias = str | Optimiser | type[Optimiser]


def optimiser_class(solver: Any) -> type[Optimiser]:
    """The class meant by the constructor argument `solver` of a model.

    Parameters
    ----------
    solver : str, Optimiser or subclass of it
        A name of `OPTIMISERS`, a class or an instance. ``"auto"`` is what a model
        makes of it: see `DiscriminativeModel`.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a name nor an optimiser.
    """
    if isinstance(solver, Optimiser):
        return type(solver)
    if isinstance(solver, type) and issubclass(solver, Optimiser):
        return solver
    if not isinstance(solver, str):
        raise TypeError(
            f"solver must be one of {sorted([AUTO, *OPTIMISERS])}, or a class or an "
            "instance of gemclus.optim.Optimiser, got "
            f"{solver!r} ({type(solver).__name__})"
        )
    return OPTIMISERS[check_choice("solver", solver, [AUTO, *OPTIMISERS])]


def make_optimiser(solver: Any, learning_rate: float) -> Optimiser:
    """A new optimiser for one training.

    Parameters
    ----------
    solver : str, Optimiser or subclass of it
        As `optimiser_class` takes it. An instance is cloned.
    learning_rate : float
        Given to a name or a class; an instance has its own.
    """
    if isinstance(solver, Optimiser):
        return clone(solver)
    return optimiser_class(solver)(learning_rate)
