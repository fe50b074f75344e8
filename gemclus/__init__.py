"""Discriminative clustering trained by maximising GEMINIs.

A *GEMINI* (generalised mutual information) measures how strongly cluster
memberships depend on the data. A discriminative model ``p(y | x)`` trained to
maximise one is a clustering that generalises to new samples.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

try:
    __version__ = version("gemclus")
    from gemclus.gemini import _mmd_passes as _compiled
except (ImportError, PackageNotFoundError) as _error:
    # What a compiled module itself refuses (an unknown GEMCLUS_ISA, a subinterpreter)
    # has no name, and says what is wrong.
    if not str(_error.name or "").startswith("gemclus"):
        raise
    raise ImportError(
        "gemclus is imported from a folder without its compiled modules, most "
        "likely the source checkout. Install it first with `pip install .` (or "
        "`pip install --no-build-isolation -e .` for development) and, unless "
        f"it is an editable install, start Python elsewhere. Cause: {_error}"
    ) from _error
del _compiled

from gemclus import affinity, gemini, optim, penalties
from gemclus._base import DiscriminativeModel
from gemclus._common.interruption import TrainingInterrupted
from gemclus._common.public import publish
from gemclus._common.versions import show_versions
from gemclus.constraints import add_mlcl_constraint

if TYPE_CHECKING:
    from gemclus import (
        data,
        inspection,
        linear,
        mlp,
        nonparametric,
        selection,
        sparse,
        testing,
        tree,
    )

# Rooms that wait for their first use: who trains a linear model needs no trees.
_WAITING = (
    "data",
    "inspection",
    "linear",
    "mlp",
    "nonparametric",
    "selection",
    "sparse",
    "testing",
    "tree",
)

__all__ = [
    "DiscriminativeModel",
    "TrainingInterrupted",
    "__version__",
    "add_mlcl_constraint",
    "affinity",
    "data",
    "gemini",
    "inspection",
    "linear",
    "mlp",
    "nonparametric",
    "optim",
    "penalties",
    "selection",
    "show_versions",
    "sparse",
    "testing",
    "tree",
]

publish(
    __name__,
    globals(),
    [
        "DiscriminativeModel",
        "TrainingInterrupted",
        "add_mlcl_constraint",
        "show_versions",
    ],
)


def __getattr__(name: str) -> object:
    if name in _WAITING:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WAITING})
