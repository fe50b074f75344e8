"""Results and warnings of a path and a sparse fit; objectives of any sign."""

import builtins
import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED

from gemclus.data import celeux_one
from gemclus.gemini import MI
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearMMD,
    SparseLinearModel,
    SparsePath,
)

X, y = celeux_one(n=120, p=5, mu=1.7, random_state=0)


def small(cls=SparseLinearMMD, **arguments):
    arguments = {"alpha": 0.3, "learning_rate": 1e-2, "max_iter": 100} | arguments
    return cls(random_state=0, **PUBLISHED | arguments)


class Shifted(MI):
    """The mutual information and a constant, which changes nothing but signs."""

    def __init__(self, shift=0.0, epsilon=1e-12):
        super().__init__(epsilon)
        self.shift = shift

    def evaluate(self, y_pred, affinity=None, return_grad=False):
        value = super().evaluate(y_pred, None, return_grad)
        if return_grad:
            return value[0] + self.shift, value[1]
        return value + self.shift


def test_a_path_of_negative_objectives_selects():
    model = small(SparseLinearModel, gemini=Shifted(-10.0), alpha=0.1)
    path = model.path(X, alpha_multiplier=1.3)
    assert max(path.geminis) < -8.0
    assert path.n_features[-1] <= 2
    # Within a tenth of the best magnitude, which all steps are: the last is kept.
    assert model.get_selection().size == path.n_features[-1]
    strict = small(SparseLinearModel, gemini=Shifted(-10.0), alpha=0.1)
    with pytest.warns(UserWarning, match="lower keep_threshold"):
        strict.path(X, alpha_multiplier=1.3, keep_threshold=1.0)
    assert strict.get_selection().size > 5


def test_patience_is_relative_to_the_magnitude():
    """Thresholds of objectives v and of -v mirror each other."""
    from gemclus.sparse._path import _less, _more

    for value in (3.0, 0.2, 1e-300):
        assert _more(value, 0.99) == pytest.approx(1.01 * value)
        assert _more(-value, 0.99) == pytest.approx(-0.99 * value)
        assert _less(value, 0.9) == pytest.approx(0.9 * value)
        assert _less(-value, 0.9) == pytest.approx(-1.1 * value)
        assert _less(-value, 0.9) < -value < _more(-value, 0.9)
    assert _more(0.0, 0.9) == _less(0.0, 0.9) == 0.0


def test_a_path_with_nothing_to_do_says_so():
    for min_features in (10, 11, 1000):
        with pytest.warns(UserWarning, match=f"nothing to do.*={min_features} .* 10"):
            path = small().path(X, min_features=min_features)
        assert len(path.alphas) == 1


def test_a_path_that_keeps_most_features_says_so():
    with pytest.warns(UserWarning, match="use 10 of 10 features: lower keep_threshold"):
        small().path(X, alpha_multiplier=1.5, keep_threshold=1.0)
    # What was asked for is no surprise.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().path(X, min_features=8, restore_best_weights=False)


@pytest.mark.parametrize(
    ("n_features", "n_kept", "min_features", "warned"),
    [
        (10, 5, 0, False),
        (10, 6, 0, True),
        (11, 5, 0, False),
        (11, 6, 0, True),
        (10, 7, 7, False),
        (10, 8, 7, True),
        (10, 6, 4, True),
        (10, 10, 9, True),
    ],
)
def test_more_than_half_is_most(n_features, n_kept, min_features, warned, recwarn):
    model = small()
    model.n_features_in_ = n_features
    model.get_selection = lambda: np.arange(n_kept)
    model._warn_of_features_left(min_features)
    messages = [str(caught.message) for caught in recwarn]
    assert len(messages) == warned
    assert all(f"use {n_kept} of {n_features} features" in m for m in messages)


@pytest.mark.parametrize("cls", [SparseLinearMI, SparseLinearMMD])
def test_a_fit_that_selects_everything_says_so(cls):
    message = "All 10 features are selected with alpha=0.001: raise alpha"
    with pytest.warns(UserWarning, match=message) as caught:
        small(cls, alpha=0.001, max_iter=5).fit(X)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(cls, alpha=0.0, max_iter=5).fit(X)  # as asked
        small(cls, alpha=0.001, max_iter=5).partial_fit(X)  # only begun
        small(cls, alpha=0.001, max_iter=5).fit(X[:, :1])


def test_the_steps_of_a_path_have_norms():
    model = small()
    path = model.path(X, alpha_multiplier=1.3, restore_best_weights=False)
    norms = path.feature_norms
    assert norms.shape == (len(path.alphas), 10)
    np.testing.assert_array_equal((norms > 0).sum(axis=1), path.n_features)
    np.testing.assert_allclose(norms.sum(axis=1), path.group_penalties, rtol=1e-12)
    np.testing.assert_allclose(norms[-1], np.linalg.norm(model.W_, axis=1))


def test_paths_are_tuples_of_five_and_travel():
    path = small().path(X, alpha_multiplier=1.5)
    best_weights, *lists = path
    assert isinstance(path, tuple) and len(path) == 5
    assert best_weights is path.best_weights
    assert [len(entries) for entries in lists] == [len(path.alphas)] * 4
    for twin in (pickle.loads(pickle.dumps(path)), copy.deepcopy(path)):
        assert type(twin) is SparsePath and twin[1:] == path[1:]
        np.testing.assert_array_equal(twin.feature_norms, path.feature_norms)


def test_reprs_are_short():
    path = small().path(X, alpha_multiplier=1.5)
    expected = (
        f"SparsePath({len(path.alphas)} steps, alpha from 0.3 to "
        f"{path.alphas[-1]:.4g}, from {path.n_features[0]} to "
        f"{path.n_features[-1]} features)"
    )
    assert repr(path) == str(path) == expected
    assert repr(SparsePath([], [], [], [], [])) == "SparsePath(no steps)"
    model = small().fit(X)
    assert repr(model.optimiser_) == "Adam(learning_rate=0.01)"


def test_paths_as_frames():
    path = small().path(X, alpha_multiplier=1.5)
    frame = path.to_frame()
    assert frame.columns.tolist() == ["alpha", "gemini", "group_penalty", "n_features"]
    assert frame.index.name == "step" and len(frame) == len(path.alphas)
    pd.testing.assert_series_equal(
        frame["gemini"], pd.Series(path.geminis), **{"check_names": False}
    )


def test_frames_without_pandas(monkeypatch):
    path = small().path(X, alpha_multiplier=1.5)
    own = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "pandas":
            raise ImportError(name)
        return own(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install pandas"):
        path.to_frame()
