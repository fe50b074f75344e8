"""Results of a user's `evaluate` are checked where it is called, and named."""

import numpy as np
import pytest

from gemclus.gemini import AVAILABLE_GEMINIS, MI
from gemclus.gemini._registry import make_gemini
from gemclus.linear import LinearModel

X = np.random.RandomState(0).normal(size=(30, 3))


class Altered(MI):
    """Mutual information whose answers are changed."""

    change = None

    def evaluate(self, y_pred, affinity, return_grad=False):
        value, gradient = super().evaluate(y_pred, affinity, return_grad=True)
        if not return_grad:
            return value
        return type(self).change(value, gradient)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value, gradient: None, r"\(value, gradient\).*got NoneType"),
        (lambda value, gradient: value, r"\(value, gradient\).*got float64"),
        (lambda v, g: (np.array([v, v]), g), r"one number.*ndarray of shape \(2,\)"),
        (lambda v, g: ("a", g), "one number as the value, got str"),
        (lambda v, g: (None, g), "one number as the value, got NoneType"),
        (lambda v, g: (v, None), r"gradient of numbers.*\(30, 3\), got NoneType"),
        (lambda v, g: (v, g[:, :1]), r"\(30, 3\), got ndarray of shape \(30, 1\)"),
        (lambda v, g: (v, g.astype(complex)), "dtype complex128"),
    ],
)
def test_answers_of_the_wrong_kind_name_evaluate(change, message, solver, monkeypatch):
    monkeypatch.setattr(Altered, "change", staticmethod(change))
    model = LinearModel(3, gemini=Altered(), max_iter=2, solver=solver, random_state=0)
    with pytest.raises(
        ValueError, match="evaluate of Altered must return .*" + message
    ):
        model.fit(X)


def test_lists_and_zero_dimensional_arrays_are_numbers(monkeypatch):
    def change(value, gradient):
        return np.array(value), gradient.tolist()

    settings = dict(max_iter=3, solver="adam", init="random", random_state=0)
    monkeypatch.setattr(Altered, "change", staticmethod(change))
    model = LinearModel(3, gemini=Altered(), **settings).fit(X)
    expected = LinearModel(3, gemini="mi", **settings).fit(X)
    np.testing.assert_array_equal(model.W_, expected.W_)


@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_values_are_numpy_scalars(name):
    """Code for the published interface reads their shape."""
    gemini = make_gemini(name)
    P = np.random.RandomState(1).dirichlet(np.ones(3), size=30)
    affinity = gemini.compute_affinity(X)
    value = gemini.evaluate(P, affinity)
    again, gradient = gemini.evaluate(P, affinity, return_grad=True)
    assert isinstance(value, np.float64) and value.shape == again.shape == ()
    assert value == again and gradient.shape == P.shape
