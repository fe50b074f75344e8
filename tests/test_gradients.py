"""Gradients by finite differences through the whole chain: from the parameters
of each model, through its predictions, to each objective and the penalties."""

import estimators
import numpy as np
import pytest
from sklearn.utils import check_random_state

from gemclus import add_mlcl_constraint
from gemclus._training.task import make_task
from gemclus.testing import numerical_gradient


def check_model_gradients(model, X, batch=None):
    """Compare what a training has of minus the objective with differences."""
    task = make_task(model, X)
    model._init_params(check_random_state(0), X)
    if batch is not None:
        affinity = task.affinity
        batch = X[batch], None if affinity is None else affinity.take(batch)
    source = task.source(model)
    weights = model._get_weights()

    def minus_objective():
        return -source.evaluate(weights, batch)[0]

    gradients = source.evaluate(weights, batch)[1]
    assert len(gradients) == len(weights)
    for position, (gradient, weight) in enumerate(zip(gradients, weights, strict=True)):
        expected = numerical_gradient(minus_objective, weight)
        assert np.abs(expected).max() > 1e-6, f"weight {position} does nothing"
        np.testing.assert_allclose(
            gradient,
            expected,
            rtol=1e-7,
            atol=1e-10,
            err_msg=f"weight {position} of {model}",
        )


@pytest.fixture
def X():
    return np.random.RandomState(3).normal(size=(12, 4))


@pytest.mark.parametrize(
    ("cls", "gemini"),
    list(estimators.gradient_cases()),
    ids=lambda value: getattr(value, "__name__", value),
)
def test_gradient(cls, gemini, X):
    check_model_gradients(estimators.make_gradient_model(cls, gemini), X)


@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_gradient_on_a_batch(cls, X):
    batch = np.array([7, 0, 3, 11, 4, 2, 9])
    check_model_gradients(estimators.make_gradient_model(cls), X, batch)


@pytest.mark.parametrize("batch", [None, [7, 0, 3, 11, 4, 2, 9]])
@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_gradient_with_constraints(cls, batch, X):
    model = add_mlcl_constraint(
        estimators.make_gradient_model(cls),
        must_link=[[0, 3], [3, 5], [11, 0]],
        cannot_link=[[2, 0], [1, 9]],
        factor=0.7,
    )
    check_model_gradients(model, X, None if batch is None else np.array(batch))


@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_gradients_have_the_dtype_of_the_data(cls, X):
    model = estimators.make_gradient_model(cls).set_params(max_iter=2)
    model.fit(X.astype(np.float32))
    assert {weight.dtype for weight in model._get_weights()} == {np.dtype(np.float32)}
    assert model.predict_proba(X.astype(np.float32)).dtype == np.float32
