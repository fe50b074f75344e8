"""Refusals of parameters, labels and samples."""

import numpy as np
import pandas as pd
import pytest
from clusterers import ESTIMATORS
from estimators import PUBLISHED

from gemclus._common.validation import (
    check_float,
    check_int,
    check_jobs,
    check_labels,
    check_verbose,
)
from gemclus.data import celeux_one
from gemclus.gemini import GEMINI, WassersteinGEMINI
from gemclus.linear import RIM, LinearMMD, LinearModel
from gemclus.mlp import MLPModel
from gemclus.tree import Kauri, fidelity

X = np.random.RandomState(0).normal(size=(20, 3))


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**6000], ids=["large", "small", "very large"]
)
def test_numbers_beyond_floats_are_refused(value):
    with pytest.raises(ValueError, match="reg must be finite as a float, got .*bits"):
        RIM(reg=value, **PUBLISHED).fit(X)
    assert check_float("x", 10**300) == 1e300


def test_integers_too_long_to_write_are_refused_in_words():
    with pytest.raises(ValueError, match="x must be at least 1, got a negative int of"):
        check_int("x", -(10**6000), 1)
    with pytest.raises(ValueError, match="max_iter must be at least 1, got -3"):
        RIM(max_iter=-3, **PUBLISHED).fit(X)


@pytest.mark.parametrize(
    ("n_jobs", "error", "message"),
    [
        ("2", TypeError, "n_jobs must be an int, got '2'"),
        (1.5, TypeError, "n_jobs must be an int"),
        (True, TypeError, "n_jobs must be an int"),
        (0, ValueError, "n_jobs must not be 0"),
    ],
)
def test_numbers_of_jobs(n_jobs, error, message):
    with pytest.raises(error, match=message):
        RIM(n_jobs=n_jobs, **PUBLISHED).fit(X)
    with pytest.raises(error, match=message):
        WassersteinGEMINI(n_jobs=n_jobs).evaluate(np.full((2, 2), 0.5), np.eye(2))
    assert [check_jobs("n_jobs", n) for n in (None, 2, -1)] == [None, 2, -1]


@pytest.mark.parametrize("verbose", ["abc", None, 1.0, "False"])
def test_verbose_is_a_bool_or_an_int(verbose):
    with pytest.raises(TypeError, match="verbose must be True, False or an int"):
        RIM(verbose=verbose, **PUBLISHED).fit(X)
    given = (True, False, 0, 2, np.bool_(True), np.int64(0))
    answers = [check_verbose("verbose", value) for value in given]
    assert answers == [True, False, False, True, True, False]
    with pytest.raises(ValueError, match="verbose must be at least 0"):
        check_verbose("verbose", -1)


TEXT = pd.DataFrame({"size": [1.0, 2.0, 3.0], "city": ["Oslo", "Rome", "Oslo"]})


@pytest.mark.parametrize("model", [LinearMMD(2, max_iter=2, **PUBLISHED), Kauri(2)])
@pytest.mark.parametrize(
    ("samples", "column"),
    [
        (TEXT, "column city holds text, as 'Oslo'"),
        (TEXT.astype({"city": "category"}), "column city holds text"),
        (TEXT.to_numpy(), "column 1 holds text, as 'Oslo'"),
        ([[1.0, "a"], [2.0, "b"]], "column 1 holds text, as 'a'"),
        (TEXT.assign(more=["x", "1", "2"]), "columns city, more hold text"),
    ],
)
def test_columns_of_text_are_named_with_the_remedy(model, samples, column):
    with pytest.raises(ValueError, match=f"{column}.*OneHotEncoder"):
        model.fit(samples)


def test_text_in_new_samples_is_named():
    model = LinearMMD(2, max_iter=2, **PUBLISHED).fit(TEXT[["size"]].assign(city=0.0))
    for method in (model.predict, model.predict_proba, model.score):
        with pytest.raises(ValueError, match="column city holds text"):
            method(TEXT)


class Custom(GEMINI):
    def __init__(self, affinity=None):
        self.affinity = affinity

    def compute_affinity(self, X, y=None):
        return self.affinity

    def evaluate(self, y_pred, affinity, return_grad=False):
        gradient = np.zeros_like(y_pred)
        return (0.0, gradient) if return_grad else 0.0


@pytest.mark.parametrize(
    ("affinity", "came"),
    [
        (np.eye(19), r"\(19, 19\)"),
        (np.ones((20, 3)), r"\(20, 3\)"),
        (np.ones(20), r"\(20,\)"),
        (np.ones((20, 20, 1)), r"\(20, 20, 1\)"),
        (3.0, r"\(\)"),
        (np.full((20, 20), "a"), "dtype <U1"),
        ("rbf", "dtype <U3"),
    ],
)
@pytest.mark.parametrize("batch_size", [None, 7])
def test_affinities_of_wrong_shape_are_those_of_compute_affinity(
    affinity, came, batch_size
):
    model = LinearModel(
        gemini=Custom(affinity), batch_size=batch_size, max_iter=2, **PUBLISHED
    )
    with pytest.raises(ValueError, match=rf"compute_affinity of Custom must.*{came}"):
        model.fit(X)
    LinearModel(
        gemini=Custom(np.eye(20)), batch_size=batch_size, max_iter=2, **PUBLISHED
    ).fit(X)


def test_sparse_affinities_of_users_are_refused_with_the_remedy():
    from scipy.sparse import eye_array

    with pytest.raises(ValueError, match=r"compute_affinity.*sparse.*toarray\(\)"):
        LinearModel(gemini=Custom(eye_array(20)), max_iter=2, **PUBLISHED).fit(X)


def test_labels_become_names_and_codes():
    for labels in (["b", "a", "b"], [7, -1, 7], np.array([[2.5], [0.5], [2.5]])):
        names, codes = check_labels("labels", labels)
        assert codes.tolist() == [1, 0, 1] and len(names) == 2
        assert names[codes].tolist() == np.ravel(labels).tolist()
    frame = pd.DataFrame({"label": pd.Categorical(["x", "y", "x"])})
    assert check_labels("labels", frame, 3)[1].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, None, 1], ValueError, "y must have a label .*None at position 1"),
        ([0.0, 1.0, np.nan], ValueError, "y must have a label .*nan.* at position 2"),
        (pd.array([1, pd.NA, 2]), ValueError, "y must have a label .*position 1"),
        (
            np.array(["a", 1, 2], object),
            TypeError,
            "y must be labels of one kind, got int and str",
        ),
        ([[0, 1], [1, 0], [0, 1]], ValueError, r"y must .*\(3,\), got shape \(3, 2\)"),
        ([0, 1], ValueError, r"y must be labels of shape \(3,\), got shape \(2,\)"),
        ([[0], [1, 2], [3]], ValueError, "y must be labels"),
        (3, ValueError, r"got shape \(\)"),
    ],
)
def test_bad_labels_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        check_labels("y", labels, 3)


@pytest.mark.parametrize(
    "missing", [[None, "a"] * 10, [np.nan, 1.0] * 10, np.array([None, 1] * 10)]
)
def test_missing_labels_are_refused_where_trees_take_labels(missing):
    with pytest.raises(ValueError, match="y must have a label .* at position 0"):
        Kauri(kernel="labels").fit(X, missing)
    tree = Kauri(2).fit(X)
    with pytest.raises(ValueError, match="labels must have a label .* at position 0"):
        fidelity(tree, X, missing)
    with pytest.raises(TypeError, match="init must be"):
        RIM(init=missing, solver="adam").fit(X)


@pytest.mark.parametrize("seed", [-1, 2**32, 10**400, "1", 0.5, [1, 2], object()])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_seeds_are_refused_by_name(cls, seed):
    X = np.random.RandomState(0).normal(size=(12, 3))
    model = cls(random_state=seed)
    with pytest.raises(ValueError, match="random_state must be an int from 0 to 2"):
        model.fit(X)


def test_seeds_of_samples_are_refused_by_name():
    with pytest.raises(ValueError, match="random_state must be .*, got -1"):
        celeux_one(random_state=-1)


@pytest.mark.parametrize("number", [2**31, 10**400])
@pytest.mark.parametrize("name", ["n_init", "n_hidden_dim"])
def test_numbers_of_things_that_no_array_holds_are_refused(name, number):
    X = np.random.RandomState(0).normal(size=(12, 3))
    with pytest.raises(ValueError, match=f"{name} must be at most 2147483647, got"):
        MLPModel(**{name: number}).fit(X)


def test_epochs_may_be_many():
    assert check_int("max_iter", 10**12, 1) == 10**12
    with pytest.raises(ValueError, match="max_iter must be at most .* 1329 bits"):
        check_int("max_iter", 10**400, 1)
