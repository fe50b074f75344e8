"""scikit-learn's checks of every estimator, and what they leave out."""

import copy
import pickle

import estimators
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import euclidean_distances
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gemclus.affinity import DenseKernel, Distances
from gemclus.gemini import MMDGEMINI, WassersteinGEMINI
from gemclus.linear import KernelRIM, LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.tree import Douglas

_ONLY_TRAINING_SAMPLES = "predictions exist for the training samples alone"

_NEEDS_CLASSIFIER_TAGS = (
    "the check reads the tags of classifiers, which a clusterer with predict_proba "
    "does not have"
)
_TAKES_SPARSE = {
    "check_estimator_sparse_array": _NEEDS_CLASSIFIER_TAGS,
    "check_estimator_sparse_matrix": _NEEDS_CLASSIFIER_TAGS,
}


def _weights_equal_repetitions(reason):
    name = "check_sample_weight_equivalence_on_{}_data"
    return dict.fromkeys(map(name.format, ("dense", "sparse")), reason)


# Class (and its subclasses) -> check -> why it cannot pass. For weights against
# repeated rows see test_sample_weight.py as well.
EXPECTED_FAILED_CHECKS = {
    LinearModel: _TAKES_SPARSE,
    KernelRIM: _weights_equal_repetitions(
        "repeated samples have parameters of their own, and count in the penalty's N"
    ),
    MLPModel: _TAKES_SPARSE
    | _weights_equal_repetitions("k-means++ draws other centres among repeated rows"),
    CategoricalModel: _TAKES_SPARSE
    | {"check_fit_idempotent": _ONLY_TRAINING_SAMPLES}
    | _weights_equal_repetitions(_ONLY_TRAINING_SAMPLES),
    Douglas: _weights_equal_repetitions("a tree of 30 features has too many leaves"),
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


def _search_grid(estimator):
    name = "max_clusters" if hasattr(estimator, "max_clusters") else "n_clusters"
    return {name: [2, 3]}


@every_estimator
def test_grid_search(estimator, frame):
    search = GridSearchCV(
        clone(estimator), _search_grid(estimator), cv=3, error_score="raise"
    )
    if isinstance(estimator, CategoricalModel):
        with pytest.raises(ValueError, match="training samples"):
            search.fit(frame)
        return
    search.fit(frame)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(frame).shape == (len(frame),)


# Estimators with an argument that may be "precomputed", and what then is `y`.
PRECOMPUTED = [
    (estimator, argument, kind)
    for estimator in estimators.CHECKED_ESTIMATORS
    for argument, kind in [("kernel", DenseKernel), ("metric", Distances)]
    if argument in estimator.get_params()
    and not isinstance(estimator, CategoricalModel)
]


@pytest.fixture
def matrices(frame):
    return {"kernel": frame @ frame.T, "metric": euclidean_distances(frame)}


@pytest.mark.parametrize(
    ("estimator", "argument", "kind"),
    PRECOMPUTED,
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_grid_search_with_a_precomputed_affinity(
    estimator, argument, kind, frame, matrices
):
    model = clone(estimator).set_params(**{argument: "precomputed"}, random_state=0)
    if "batch_size" in model.get_params():
        model.set_params(batch_size=8)
    if "solver" in model.get_params():
        model.set_params(**estimators.PUBLISHED)
    grid = _search_grid(estimator)
    search = GridSearchCV(model, grid, cv=3, error_score="raise")
    search.fit(frame, kind(matrices[argument]))
    named = {"kernel": "linear", "metric": "euclidean"}[argument]
    model = clone(model).set_params(**{argument: named})
    expected = GridSearchCV(model, grid, cv=3, error_score="raise").fit(frame)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"],
        expected.cv_results_["mean_test_score"],
        rtol=1e-6,
    )
    with pytest.raises(ValueError, match=f"affinity.{kind.__name__}"):
        GridSearchCV(search.estimator, grid, cv=3, error_score="raise").fit(
            frame, np.asarray(matrices[argument])
        )


def test_grid_search_over_the_objective(frame):
    model = LinearModel(gemini=MMDGEMINI(kernel="precomputed"), max_iter=5)
    model.set_params(**estimators.PUBLISHED, random_state=0)
    grid = {"gemini__ovo": [True, False], "gemini__epsilon": [1e-12, 1e-6]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise")
    search.fit(frame, DenseKernel(frame @ frame.T))
    found = search.cv_results_["mean_test_score"]
    # OvO and OvA differ; the clipping, far from its bounds, is not to be seen.
    for params, score in zip(search.cv_results_["params"], found, strict=True):
        plain = clone(model).set_params(gemini__kernel="linear", **params)
        scores = cross_val_score(plain, frame, cv=3, error_score="raise")
        assert score == pytest.approx(scores.mean(), rel=1e-6)
    assert len(set(np.round(found, 6))) == 2


@pytest.mark.parametrize("kind", [DenseKernel, Distances])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((30, 29)), "shape"),
        (np.full((30, 30), np.nan), "finite"),
        (np.triu(np.ones((30, 30))), "symmetric"),
    ],
)
def test_a_bad_precomputed_affinity_is_refused(kind, matrix, message, frame):
    if kind is DenseKernel:
        model = LinearModel(gemini=MMDGEMINI(kernel="precomputed"))
    else:
        model = LinearModel(gemini=WassersteinGEMINI(metric="precomputed"))
    with pytest.raises(ValueError, match=message):
        model.fit(frame, kind(matrix))
