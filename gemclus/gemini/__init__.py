"""The objectives: GEMINIs between cluster memberships and data."""

from gemclus.gemini._base import GEMINI
from gemclus.gemini._fdivergences import (
    MI,
    ChiSquareGEMINI,
    HellingerGEMINI,
    KLGEMINI,
    TVGEMINI,
)
from gemclus.gemini._mmd import MMDGEMINI
from gemclus.gemini._registry import AVAILABLE_GEMINIS
from gemclus.gemini._wasserstein import WassersteinGEMINI

__all__ = [
    "AVAILABLE_GEMINIS",
    "GEMINI",
    "MI",
    "ChiSquareGEMINI",
    "HellingerGEMINI",
    "KLGEMINI",
    "MMDGEMINI",
    "TVGEMINI",
    "WassersteinGEMINI",
]
