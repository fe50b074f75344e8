"""Reports of ``verbose=True``, through `logging` or straight to the terminal."""

from __future__ import annotations

import logging
import sys
import warnings
from contextlib import suppress
from typing import Any

#: The package's logger: quiet unless the user's program sets logging up.
logger = logging.getLogger("gemclus")
logger.addHandler(logging.NullHandler())


def say(message: str, *arguments: Any) -> None:
    """Log a line, and write it to the standard error stream if no handler shows it.

    Parameters
    ----------
    message : str
        With the placeholders of `logging`.
    *arguments : object
        What takes their places.
    """
    logger.info(message, *arguments)
    if not _is_shown():
        # A closed stream or a full disk is no reason to lose a training.
        with suppress(OSError, ValueError, AttributeError):
            print(message % arguments, file=sys.stderr, flush=True)


def _is_shown() -> bool:
    """Whether some handler of the user's shows what is logged."""
    if not logger.isEnabledFor(logging.INFO):
        return False
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            if not isinstance(handler, logging.NullHandler):
                if handler.level <= logging.INFO:
                    return True
        place = place.parent if place.propagate else None
    return False


def progress_bar(name: str, total: int) -> Any:
    """A tqdm bar, if tqdm is installed and there is a terminal or notebook for it."""
    if not (_in_notebook() or _is_terminal(sys.stderr)):
        return None
    try:
        with warnings.catch_warnings():
            # Without ipywidgets tqdm draws its bar as text, and would warn of it.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
        return tqdm(total=total, desc=name, unit="epoch")
    except ImportError:  # no tqdm, or no widgets for it
        return None


def _is_terminal(stream: Any) -> bool:
    with suppress(ValueError, AttributeError):  # closed, or none at all
        return bool(stream.isatty())
    return False


def _in_notebook() -> bool:
    """Whether the code runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
