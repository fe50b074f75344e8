"""The checks for users' own classes pass what is right and name what is wrong."""

import estimators
import numpy as np
import pytest
from estimators import PUBLISHED

from gemclus.gemini import AVAILABLE_GEMINIS, GEMINI, MI, MMDGEMINI
from gemclus.gemini._registry import make_gemini
from gemclus.linear import RIM, LinearModel
from gemclus.testing import check_gemini, check_model_gradients

X = np.random.RandomState(3).normal(size=(12, 4))


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_objectives_of_the_package_pass(name):
    check_gemini(make_gemini(name))


@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_models_of_the_package_pass(cls):
    model = estimators.make_gradient_model(cls)
    if hasattr(model, "alpha"):
        model.set_params(alpha=0.0)  # handled by a proximal step, not a gradient
    check_model_gradients(model, X, random_state=0)


class Altered(MI):
    """Mutual information with one fault."""

    fault = None

    def evaluate(self, y_pred, affinity, return_grad=False):
        answer = super().evaluate(y_pred, affinity, return_grad)
        value, gradient = answer if return_grad else (answer, None)
        if self.fault == "entry" and return_grad:
            gradient[2, 1] += 0.25
        elif self.fault == "value" and return_grad:
            value += 1e-3
        elif self.fault == "input":
            y_pred[0, 0] += 1e-9
        elif self.fault == "constant":
            value += 0.5
        elif self.fault == "order of samples":
            value += y_pred[0, 0] - 1 / 3
            if return_grad:
                gradient[0, 0] += 1.0
        elif self.fault == "order of clusters":
            value += y_pred[:, 0].mean()
            if return_grad:
                gradient[:, 0] += 1 / len(y_pred)
        elif self.fault == "array":
            value = np.array([value])
        elif self.fault == "no gradient":
            return value
        elif self.fault == "one of two" and return_grad:
            return (value,)
        elif self.fault == "three" and return_grad:
            return value, gradient, None
        elif self.fault == "a list" and return_grad:
            return [value, gradient]
        return (value, gradient) if return_grad else value


class AlteredAffinity(MMDGEMINI):
    """An objective that changes the kernel it is given."""

    def evaluate(self, y_pred, affinity, return_grad=False):
        answer = super().evaluate(y_pred, affinity, return_grad)
        affinity[0, 1] += 1e-9
        return answer


def test_an_objective_that_changes_its_affinity_is_named():
    gemini = AlteredAffinity(kernel="rbf")
    with pytest.raises(AssertionError, match="evaluate modifies the affinity"):
        check_gemini(gemini)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("entry", r"gradient of evaluate is .* at \(2, 1\), not .* off by 0\.25"),
        ("value", "with a gradient and .* without"),
        ("input", "modifies y_pred"),
        ("constant", "the same for all samples must score 0, got 0.5"),
        ("order of samples", "permutation of the samples changes the value"),
        ("order of clusters", "permutation of the clusters changes the value"),
        ("array", "one number"),
        ("no gradient", r"\(value, gradient\)"),
        ("one of two", r"\(value, gradient\).*got tuple"),
        ("three", r"\(value, gradient\).*got tuple"),
        ("a list", r"\(value, gradient\).*got list"),
    ],
)
def test_faults_of_an_objective_are_named(fault, message, monkeypatch):
    monkeypatch.setattr(Altered, "fault", fault)
    with pytest.raises(AssertionError, match=message):
        check_gemini(Altered())


class Secretive(MI):
    """Depends on something that is not a parameter."""

    extra = 0.0

    def evaluate(self, y_pred, affinity, return_grad=False):
        answer = super().evaluate(y_pred, affinity, return_grad)
        if return_grad:
            return answer[0] + self.extra, answer[1]
        return answer + self.extra


def test_an_objective_that_does_not_travel_is_named():
    check_gemini(Secretive())
    gemini = Secretive()
    gemini.extra = 1e-10
    with pytest.raises(AssertionError, match="a clone of Secretive"):
        check_gemini(gemini)


class WrongSign(LinearModel):
    def _compute_grads(self, X, y_pred, gradient):
        return [-g for g in super()._compute_grads(X, y_pred, gradient)]


class OneShort(LinearModel):
    def _compute_grads(self, X, y_pred, gradient):
        return super()._compute_grads(X, y_pred, gradient)[:1]


class Transposed(LinearModel):
    def _compute_grads(self, X, y_pred, gradient):
        W, b = super()._compute_grads(X, y_pred, gradient)
        return [W.T, b]


class Idle(LinearModel):
    def _get_weights(self):
        return [*super()._get_weights(), self.idle_]

    def _init_params(self, random_state, X=None):
        super()._init_params(random_state, X)
        self.idle_ = np.zeros(2)

    def _compute_grads(self, X, y_pred, gradient):
        return [*super()._compute_grads(X, y_pred, gradient), np.zeros(2)]


class ForgottenPenalty(RIM):
    def _smooth_penalty(self, X, gradients=None):
        return super()._smooth_penalty(X)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (WrongSign, r"entry 0 of _compute_grads is .* at \(\d, \d\), not .* off by"),
        (OneShort, "returns 1 gradients for 2 arrays"),
        (Transposed, r"entry 0 of _compute_grads has shape \(3, 4\), not \(4, 3\)"),
        (Idle, "does not depend on entry 2 of _get_weights"),
        (ForgottenPenalty, "entry 0 of _compute_grads"),
    ],
)
def test_faults_of_a_model_are_named(cls, message):
    with pytest.raises(AssertionError, match=message):
        check_model_gradients(cls(3, random_state=0, **PUBLISHED), X)


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="model must be a DiscriminativeModel, got 3"):
        check_model_gradients(3, X)
    with pytest.raises(
        TypeError, match="gemini must be an instance of GEMINI, got 'mi'"
    ):
        check_gemini("mi")
    with pytest.raises(ValueError, match="n_clusters must be at least 2"):
        check_gemini(MI(), n_clusters=1)
    assert issubclass(MI, GEMINI)


class Constant(GEMINI):
    """An objective without a slope."""

    def compute_affinity(self, X, y=None):
        return None

    def evaluate(self, y_pred, affinity, return_grad=False):
        return (0.0, np.zeros_like(y_pred)) if return_grad else 0.0


def test_gradients_of_nought_are_right():
    check_gemini(Constant())


@pytest.mark.parametrize("name", ["step", "rtol"])
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_steps_and_tolerances_must_be_positive(name, value):
    for check in (
        lambda **given: check_gemini(MI(), **given),
        lambda **given: check_model_gradients(LinearModel(2, gemini="mi"), X, **given),
    ):
        with pytest.raises(ValueError, match=name):
            check(**{name: value})
