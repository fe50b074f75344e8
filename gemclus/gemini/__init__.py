"""The objectives: GEMINIs between cluster memberships and data."""

from gemclus._common.public import publish
from gemclus.gemini._base import GEMINI
from gemclus.gemini._fdivergences import (
    KLGEMINI,
    MI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
)
from gemclus.gemini._mmd import MMDGEMINI
from gemclus.gemini._registry import AVAILABLE_GEMINIS
from gemclus.gemini._wasserstein import WassersteinGEMINI

__all__ = [
    "AVAILABLE_GEMINIS",
    "GEMINI",
    "KLGEMINI",
    "MI",
    "MMDGEMINI",
    "TVGEMINI",
    "ChiSquareGEMINI",
    "HellingerGEMINI",
    "WassersteinGEMINI",
]

publish(__name__, globals(), __all__)
