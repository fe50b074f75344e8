"""Names of objectives, as models accept them."""

from __future__ import annotations

from typing import Any

from gemclus._common.validation import check_choice
from gemclus.gemini._fdivergences import (
    KLGEMINI,
    MI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
)
from gemclus.gemini._mmd import MMDGEMINI
from gemclus.gemini._wasserstein import WassersteinGEMINI

# name -> factory. The tests run over this table: a line here is all that a new
# objective needs to be checked against its oracle and in every model.
GEMINIS = {
    "mmd_ova": lambda: MMDGEMINI(ovo=False),
    "mmd_ovo": lambda: MMDGEMINI(ovo=True),
    "wasserstein_ova": lambda: WassersteinGEMINI(ovo=False),
    "wasserstein_ovo": lambda: WassersteinGEMINI(ovo=True),
    "kl_ova": lambda: KLGEMINI(ovo=False),
    "kl_ovo": lambda: KLGEMINI(ovo=True),
    "mi": lambda: MI(),
    "tv_ova": lambda: TVGEMINI(ovo=False),
    "tv_ovo": lambda: TVGEMINI(ovo=True),
    "hellinger_ova": lambda: HellingerGEMINI(ovo=False),
    "hellinger_ovo": lambda: HellingerGEMINI(ovo=True),
    "chi2_ova": lambda: ChiSquareGEMINI(ovo=False),
    "chi2_ovo": lambda: ChiSquareGEMINI(ovo=True),
}

AVAILABLE_GEMINIS = list(GEMINIS)


def make_gemini(gemini: Any) -> Any:
    """The objective meant by the constructor argument `gemini` of a model.

    Parameters
    ----------
    gemini : str, GEMINI instance or None
        A name of `AVAILABLE_GEMINIS`; None means ``"mmd_ova"``. An instance,
        of any class with `compute_affinity` and `evaluate`, is returned as it
        is.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a name nor an objective.
    """
    if gemini is None:
        gemini = "mmd_ova"
    if isinstance(gemini, str):
        return GEMINIS[check_choice("gemini", gemini, AVAILABLE_GEMINIS)]()
    if isinstance(gemini, type) or not (
        callable(getattr(gemini, "compute_affinity", None))
        and callable(getattr(gemini, "evaluate", None))
    ):
        raise TypeError(
            f"gemini must be one of {AVAILABLE_GEMINIS}, None, or an instance with "
            f"compute_affinity and evaluate, got {gemini!r}"
        )
    return gemini
