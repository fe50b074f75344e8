"""scikit-learn's checks of every estimator, and what they leave out."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import estimators
from gemclus.linear import LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel

_ONLY_TRAINING_SAMPLES = "predictions exist for the training samples alone"

_NEEDS_CLASSIFIER_TAGS = (
    "the check reads the tags of classifiers, which a clusterer with predict_proba "
    "does not have"
)
_TAKES_SPARSE = {
    "check_estimator_sparse_array": _NEEDS_CLASSIFIER_TAGS,
    "check_estimator_sparse_matrix": _NEEDS_CLASSIFIER_TAGS,
}

# Class (and its subclasses) -> check -> why it cannot pass.
EXPECTED_FAILED_CHECKS = {
    LinearModel: _TAKES_SPARSE,
    MLPModel: _TAKES_SPARSE,
    CategoricalModel: _TAKES_SPARSE | {"check_fit_idempotent": _ONLY_TRAINING_SAMPLES},
}


def expected_failed_checks(estimator):
    """The checks of scikit-learn that `estimator` fails, with the reasons."""
    failures = {}
    for cls, checks in EXPECTED_FAILED_CHECKS.items():
        if isinstance(estimator, cls):
            failures |= checks
    return failures


# The data of the checks have offsets of 100, and warn as they should.
@pytest.mark.filterwarnings("ignore:The first predictions are:UserWarning")
@parametrize_with_checks(
    estimators.CHECKED_ESTIMATORS, expected_failed_checks=expected_failed_checks
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def frame():
    X = np.random.RandomState(0).normal(size=(30, 3))
    X[:15] += 4.0
    return pd.DataFrame(X, columns=["a", "b", "c"])


every_estimator = pytest.mark.parametrize(
    "estimator",
    estimators.CHECKED_ESTIMATORS,
    ids=lambda estimator: type(estimator).__name__,
)


@every_estimator
@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_duplicates_predict_the_same(estimator, duplicate, frame):
    model = clone(estimator).set_params(random_state=0).fit(frame)
    twin = duplicate(model)
    np.testing.assert_array_equal(twin.predict(frame), model.labels_)
    assert twin.get_params() == model.get_params()


@every_estimator
def test_fit_keeps_nothing_but_what_it_documents(estimator, frame):
    model = clone(estimator).set_params(random_state=0).fit(frame)
    # A direct call of a hook may retain activations; a pickle has none.
    if hasattr(model, "_infer"):
        model._infer(frame.to_numpy(), retain=True)
    n_samples = len(frame)
    documented = type(model).__doc__
    for name, value in model.__getstate__().items():
        if isinstance(value, np.ndarray) and n_samples in value.shape:
            assert name in documented or name == "_fingerprints", name


@every_estimator
def test_frames_are_fitted_without_warnings(estimator, frame):
    model = clone(estimator).fit(frame)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    model.predict(frame)
    model.score(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "a", "b"]])


@every_estimator
def test_clones_are_unfitted_and_equal(estimator, frame):
    model = clone(estimator).fit(frame)
    twin = clone(model)
    assert twin.get_params() == estimator.get_params() == model.get_params()
    assert not hasattr(twin, "labels_")


@every_estimator
def test_pipeline(estimator, frame):
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    labels = pipeline.fit_predict(frame)
    np.testing.assert_array_equal(pipeline.predict(frame), labels)
    assert np.isfinite(pipeline.score(frame))
