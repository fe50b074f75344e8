"""Warnings that point at the user's code."""

from __future__ import annotations

import sys
import warnings

# Packages whose frames lie between the code of the user and a warning.
_INNER = {"gemclus", "sklearn", "joblib"}


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside this package and what it is called through."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
