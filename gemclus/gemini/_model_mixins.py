"""What the models with an objective of their own maximise."""

from gemclus.gemini import MMDGEMINI, WassersteinGEMINI


class MMDObjectiveMixin:
    """For models with the parameters `kernel`, `ovo` and `kernel_params`."""

    def get_gemini(self):
        """Return the MMD GEMINI that `fit` maximises."""
        return MMDGEMINI(self.ovo, self.kernel, self.kernel_params)


class WassersteinObjectiveMixin:
    """For models with the parameters `metric`, `ovo` and `metric_params`."""

    def get_gemini(self):
        """Return the Wasserstein GEMINI that `fit` maximises."""
        # Several trainings take the jobs for themselves.
        n_jobs = self.n_jobs if self.n_init == 1 else None
        return WassersteinGEMINI(
            self.ovo, self.metric, self.metric_params, n_jobs=n_jobs
        )
