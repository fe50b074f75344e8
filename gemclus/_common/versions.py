"""Versions of the installed packages, for reports of faults."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gemclus._core.dispatch import instruction_set

_NEEDED = ["gemclus", "numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl"]
_OPTIONAL = ["matplotlib", "pandas", "tqdm", "dask", "distributed", "torch", "onnx"]


def show_versions() -> None:
    """Print the versions of this package and of those that it uses.

    The first line also tells this package from another of the same import name: it
    names the folder and the instruction set of the compiled passes.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn, with its thread pools.

    Examples
    --------
    >>> import gemclus
    >>> gemclus.show_versions()  # doctest: +ELLIPSIS
    gemclus 0.1.0 from ... (passes for ...)
    ...
    """
    import gemclus

    print(
        f"gemclus {gemclus.__version__} from {Path(gemclus.__file__).parent} "
        f"(passes for {instruction_set()})"
    )
    print(f"Python {sys.version.split()[0]} on {platform.platform()}")
    for name in _NEEDED[1:] + _OPTIONAL:
        try:
            print(f"{name} {version(name)}")
        except PackageNotFoundError:
            print(f"{name} is not installed")
