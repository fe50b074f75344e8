"""Objectives of the models that have one of their own."""

from __future__ import annotations

from typing import Any

from gemclus._common.typing import Pairwise, Parameters
from gemclus.gemini import MMDGEMINI, WassersteinGEMINI


class MMDObjectiveMixin:
    """For models with the parameters `kernel`, `ovo` and `kernel_params`."""

    ovo: bool
    kernel: Any
    kernel_params: Parameters

    def get_gemini(self) -> MMDGEMINI:
        """Return the MMD GEMINI that `fit` maximises."""
        return MMDGEMINI(self.ovo, self.kernel, self.kernel_params)


class WassersteinObjectiveMixin:
    """For models with the parameters `metric`, `ovo` and `metric_params`."""

    ovo: bool
    metric: Pairwise
    metric_params: Parameters
    n_init: int
    n_jobs: int | None

    def get_gemini(self) -> WassersteinGEMINI:
        """Return the Wasserstein GEMINI that `fit` maximises."""
        # Several trainings take the jobs for themselves.
        n_jobs = self.n_jobs if self.n_init == 1 else None
        return WassersteinGEMINI(
            self.ovo, self.metric, self.metric_params, n_jobs=n_jobs
        )
