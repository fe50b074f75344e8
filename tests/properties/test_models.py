"""Trainings on the same data in another form end at the same model."""

import estimators
import numpy as np
import pytest
from estimators import PUBLISHED
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from strategies import LAYOUTS, examples, layouts, seeds

from gemclus import add_mlcl_constraint
from gemclus.linear import LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearModel

OBJECTIVES = ["mi", "kl_ovo", "hellinger_ovo", "mmd_ova", "mmd_ovo", "tv_ova"]
MODELS = [LinearModel, MLPModel, SparseLinearModel]


def data(seed, n=24, d=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 2.0 * rng.integers(0, 2, size=(n, 1))
    return X, rng


def trained(cls, X, **arguments):
    return cls(
        3, max_iter=6, learning_rate=0.02, random_state=0, **PUBLISHED | arguments
    ).fit(X)


@pytest.mark.parametrize("cls", MODELS)
@given(seed=seeds, gemini=st.sampled_from(OBJECTIVES), layout=layouts)
@examples(10)
def test_the_order_and_the_storage_of_samples_do_not_matter(cls, seed, gemini, layout):
    X, rng = data(seed)
    model = trained(cls, X, gemini=gemini)
    order = rng.permutation(len(X))
    forms = [X[order], LAYOUTS[layout](X), np.asfortranarray(X).tolist()]
    if cls is not SparseLinearModel or gemini != "mmd_ova":
        forms.append(csr_array(X))
    for form in forms:
        other = trained(cls, form, gemini=gemini)
        for ours, theirs in zip(other._get_weights(), model._get_weights()):
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("cls", MODELS)
@given(seed=seeds, gemini=st.sampled_from(OBJECTIVES))
@examples(10)
def test_samples_given_twice_train_the_same_model(cls, seed, gemini):
    X, _ = data(seed)
    once = trained(cls, X, gemini=gemini)
    twice = trained(cls, np.repeat(X, 2, axis=0), gemini=gemini)
    np.testing.assert_allclose(twice.objective_curve_, once.objective_curve_, rtol=1e-8)
    for ours, theirs in zip(twice._get_weights(), once._get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("cls", estimators.GRADIENT_MODELS)
@given(seed=seeds)
@examples(4)
def test_predictions_are_made_row_by_row(cls, seed):
    X, rng = data(seed)
    model = estimators.make_gradient_model(cls).set_params(max_iter=3, random_state=0)
    P = model.fit(X).predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.labels_, P.argmax(axis=1))
    order = rng.permutation(len(X))[:7]
    np.testing.assert_allclose(model.predict_proba(X[order]), P[order], rtol=1e-10)
    for i in order[:3]:
        np.testing.assert_allclose(
            model.predict_proba(X[i : i + 1])[0], P[i], rtol=1e-10
        )


@pytest.mark.parametrize("cls", [LinearModel, CategoricalModel])
@given(seed=seeds, gemini=st.sampled_from(["mi", "mmd_ova"]))
@examples(10)
def test_pairs_have_no_order(cls, seed, gemini):
    X, rng = data(seed)
    pairs = rng.permutation(24)[:12].reshape(6, 2)
    must, cannot = pairs[:3], pairs[3:]
    model = cls(
        3, gemini=gemini, max_iter=4, learning_rate=0.05, random_state=0, **PUBLISHED
    )
    one = add_mlcl_constraint(model, must, cannot, factor=0.4).fit(X)
    turned = add_mlcl_constraint(model, must[::-1, ::-1], cannot[::-1], factor=0.4)
    split = add_mlcl_constraint(model, must[:1], cannot[1:], factor=0.4)
    split = add_mlcl_constraint(split, must[1:], cannot[:1], factor=0.4)
    for other in (turned.fit(X), split.fit(X)):
        np.testing.assert_allclose(
            other.objective_curve_, one.objective_curve_, rtol=1e-9, atol=1e-12
        )
        for ours, theirs in zip(other._get_weights(), one._get_weights()):
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-10)
