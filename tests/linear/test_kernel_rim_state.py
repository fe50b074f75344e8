"""State that KernelRIM keeps of one training never gets into the next."""

import numpy as np
import pytest
from estimators import PUBLISHED

from gemclus.linear import KernelRIM

X = np.random.RandomState(0).normal(size=(15, 3))


class Failing(KernelRIM):
    """Fails in some step, if it is told to."""

    fails = True

    def _compute_grads(self, X, y_pred, gradient):
        gradients = super()._compute_grads(X, y_pred, gradient)
        if self.fails:
            raise RuntimeError("a failure of the user's")
        return gradients


@pytest.mark.parametrize(
    "change", [{"base_kernel": "rbf"}, {"base_kernel_params": {"gamma": 0.1}}]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_fit_leaves_no_kernel_behind(method, change):
    start = {"base_kernel": "linear"}
    if "base_kernel" not in change:
        start = {"base_kernel": "rbf", "base_kernel_params": {"gamma": 5.0}}
    model = Failing(max_iter=3, random_state=0, **PUBLISHED | start)
    with pytest.raises(RuntimeError, match="a failure"):
        getattr(model, method)(X)
    model.fails = False
    model.set_params(**change).fit(X)
    fresh = KernelRIM(max_iter=3, random_state=0, **(PUBLISHED | start | change)).fit(X)
    np.testing.assert_array_equal(model.W_, fresh.W_)
    np.testing.assert_array_equal(model.objective_curve_, fresh.objective_curve_)


def test_a_changed_kernel_counts_from_the_next_fit_on():
    model = KernelRIM(
        base_kernel="linear", max_iter=3, random_state=0, **PUBLISHED
    ).fit(X)
    model.set_params(base_kernel="rbf").fit(X)
    fresh = KernelRIM(base_kernel="rbf", max_iter=3, random_state=0, **PUBLISHED).fit(X)
    np.testing.assert_array_equal(model.W_, fresh.W_)


def test_samples_changed_in_place_between_fits_are_seen():
    samples = X.copy()
    model = KernelRIM(base_kernel="rbf", max_iter=3, random_state=0, **PUBLISHED).fit(
        samples
    )
    samples *= 3.0
    fresh = KernelRIM(base_kernel="rbf", max_iter=3, random_state=0, **PUBLISHED).fit(
        X * 3.0
    )
    np.testing.assert_array_equal(model.fit(samples).W_, fresh.W_)
