"""The objective that the arguments of `GeminiLoss` mean."""

from __future__ import annotations

from dataclasses import dataclass

from gemclus.gemini import (
    AVAILABLE_GEMINIS,
    KLGEMINI,
    MI,
    MMDGEMINI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
    WassersteinGEMINI,
)
from gemclus.torch._house import check_bool, check_float

_CLASSES = {
    KLGEMINI: "kl",
    MI: "kl",
    TVGEMINI: "tv",
    HellingerGEMINI: "hellinger",
    ChiSquareGEMINI: "chi2",
    MMDGEMINI: "mmd",
    WassersteinGEMINI: "wasserstein",
}
_FAMILIES = sorted(set(_CLASSES.values()))


@dataclass(frozen=True)
class Objective:
    """One objective, with what it needs to know of the data.

    `family` is None for a GEMINI of the user's own, `own`, which NumPy evaluates.
    `affinity` is the kernel or metric, `params` its arguments.
    """

    family: str | None
    ovo: bool
    epsilon: float
    affinity: object = None
    params: dict | None = None
    own: object = None

    @property
    def is_fdivergence(self):
        return self.family not in (None, "mmd", "wasserstein")

    @property
    def is_local(self):
        """Whether a batch is described by sums over its rows."""
        linear = self.affinity in ("linear", "cosine") and not self.params
        return self.is_fdivergence or (self.family == "mmd" and linear)


def make_objective(
    objective, ovo, kernel, kernel_params, metric, metric_params, epsilon
):
    """The `Objective` of the arguments of `GeminiLoss`, checked."""
    if not isinstance(objective, str):
        return _from_instance(objective, ovo)
    family, variant = _parse(objective)
    if ovo is None:
        ovo = variant == "ovo"
    elif check_bool("ovo", ovo) != (variant == "ovo") and variant is not None:
        raise ValueError(f"ovo={ovo} contradicts objective={objective!r}")
    divergence = family not in ("mmd", "wasserstein")
    epsilon = check_float("epsilon", epsilon, 1e-100 if divergence else 0.0, 0.5)
    affinity, params = {
        "mmd": (kernel, kernel_params),
        "wasserstein": (metric, metric_params),
    }.get(family, (None, None))
    _check_affinity("kernel" if family == "mmd" else "metric", affinity, params)
    return Objective(family, ovo, epsilon, affinity, params)


def _parse(name):
    """Family and variant of a name; the variant is None for a family alone."""
    if name == "mi":
        return "kl", "ova"
    family, _, variant = name.rpartition("_")
    if name in AVAILABLE_GEMINIS and family in _FAMILIES:
        return family, variant
    if name in _FAMILIES:
        return name, None
    if name in AVAILABLE_GEMINIS:
        raise ValueError(
            f"objective={name!r} has no formula in torch: give an instance of its "
            f"GEMINI, which NumPy evaluates, or a name of the families {_FAMILIES}"
        )
    raise ValueError(
        f"objective must be one of {AVAILABLE_GEMINIS}, or a family "
        f"{_FAMILIES} with ovo, or a GEMINI, got {name!r}"
    )


def _check_affinity(argument, affinity, params):
    if (
        affinity is not None
        and not isinstance(affinity, str)
        and not callable(affinity)
    ):
        raise TypeError(
            f"{argument} must be a name or a callable, got {affinity!r} "
            f"({type(affinity).__name__})"
        )
    if params is not None and not isinstance(params, dict):
        raise TypeError(
            f"{argument}_params must be a dict or None, got {type(params).__name__}"
        )


def _from_instance(gemini, ovo):
    """The objective of a GEMINI: its own parameters, and not those of the loss."""
    if ovo is not None:
        raise ValueError("ovo must be None where objective is a GEMINI, which has it")
    if type(gemini) not in _CLASSES:
        for method in ("evaluate", "compute_affinity"):
            if isinstance(gemini, type) or not callable(getattr(gemini, method, None)):
                raise TypeError(
                    f"objective must be a name or a GEMINI, got {gemini!r} "
                    f"({type(gemini).__name__})"
                )
        return Objective(None, False, 0.0, own=gemini)
    family = _CLASSES[type(gemini)]
    kind = "kernel" if family == "mmd" else "metric"
    return make_objective(
        f"{family}_{'ovo' if check_bool('ovo', gemini.ovo) else 'ova'}",
        None,
        getattr(gemini, "kernel", None),
        getattr(gemini, f"{kind}_params", None),
        getattr(gemini, "metric", None),
        getattr(gemini, f"{kind}_params", None),
        gemini.epsilon,
    )
