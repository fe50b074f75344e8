"""A Kauri model after errors, Ctrl-C and damage, and its warnings."""

import pickle
import signal
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from gemclus import TrainingInterrupted
from gemclus.tree import Kauri


def samples(n_samples=200, n_features=3, seed=0):
    return np.random.RandomState(seed).randn(n_samples, n_features)


def test_a_failed_first_fit_leaves_nothing():
    model = Kauri(kernel="rbf", kernel_params={"no": 1})
    before = vars(model).copy()
    with pytest.raises(ValueError, match="kernel_params"):
        model.fit(samples())
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        model.predict(samples())


def test_a_failed_refit_leaves_the_model_as_it_was():
    X = samples()
    model = Kauri().fit(X)
    before = vars(model).copy()
    with pytest.raises(ValueError, match="max_clusters"):
        model.set_params(max_clusters=0).fit(samples(50, 5))
    after = vars(model).copy()
    assert after.pop("max_clusters") == 0 and before.pop("max_clusters") == 3
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
@pytest.mark.parametrize(
    "params", [{"max_bins": None}, {"max_bins": 255}, {"n_jobs": 2}]
)
def test_an_interrupted_growth_keeps_the_tree_so_far(params):
    def handler(signum, frame):
        raise KeyboardInterrupt

    X = samples(30_000, 20)
    model = Kauri(max_clusters=100, min_gain=1e-9, **params)
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 2.5)
        with pytest.raises(TrainingInterrupted, match="interrupted") as interruption:
            model.fit(X)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
    assert interruption.value.model is model
    if hasattr(model, "tree_"):  # else it had not begun to grow
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        assert model.tree_.sizes[0] == len(X)
        assert model.n_clusters_ == len(np.unique(model.labels_))


def test_an_interruption_before_the_growth_leaves_the_model_as_it_was():
    def interrupted(X):
        raise KeyboardInterrupt

    for model in (Kauri(), Kauri().fit(samples())):
        model.set_params(kernel=interrupted)
        before = vars(model).copy()
        with pytest.raises(TrainingInterrupted, match="before it began") as caught:
            model.fit(samples(50, 2))
        assert caught.value.model is model and vars(model) == before


@pytest.mark.parametrize("max_bins", [None, 255])
def test_any_number_of_threads_gives_the_same_bits(max_bins):
    X = samples(60_000, 6)
    trees = [
        Kauri(6, max_leaves=30, max_bins=max_bins, n_jobs=n_jobs).fit(X).tree_
        for n_jobs in (None, 1, 2, 5)
    ]
    for other in trees[1:]:
        for name, value in vars(trees[0]).items():
            np.testing.assert_array_equal(getattr(other, name), value)


@pytest.mark.parametrize(
    ("n_jobs", "error"), [(0, ValueError), ("2", TypeError), (1.5, TypeError)]
)
def test_bad_numbers_of_threads_are_refused(n_jobs, error):
    with pytest.raises(error, match="n_jobs"):
        Kauri(n_jobs=n_jobs).fit(samples())


def damage(name, index, value):
    def spoil(state):
        state[name] = state[name].copy()
        state[name][index] = value

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        damage("children_left", 0, 10**6),
        damage("children_left", 0, 0),
        damage("children_right", 0, 1),
        damage("children_right", 0, -1),
        damage("features", 0, 77),
        damage("features", 0, -3),
        damage("target", slice(None), -1),
        damage("thresholds", 0, np.nan),
        lambda state: state.update(thresholds=state["thresholds"][:-1]),
        lambda state: state.update(features=state["features"].astype(np.int64)),
        lambda state: state.pop("gains"),
    ],
)
def test_damaged_trees_are_refused_where_they_are_loaded(spoil):
    model = Kauri().fit(samples())
    spoil(vars(model.tree_))
    with pytest.raises(ValueError, match="the tree is damaged"):
        pickle.loads(pickle.dumps(model))


def test_a_tree_of_other_features_is_refused():
    model = Kauri().fit(samples())
    model.n_features_in_ = 1
    with pytest.raises(ValueError, match="features"):
        pickle.loads(pickle.dumps(model))


# Labels, names, warnings


def test_labels_may_be_a_column():
    X, y = samples(), np.arange(200) % 3
    flat = Kauri(kernel="labels", max_leaves=5).fit(X, y)
    column = Kauri(kernel="labels", max_leaves=5).fit(X, y[:, None])
    np.testing.assert_array_equal(flat.tree_.thresholds, column.tree_.thresholds)
    assert flat.score(X, y) == column.score(X, y[:, None])


def test_unknown_kernels_are_told_of_labels():
    for kernel, error in (("nonsense", ValueError), (np.eye(3), TypeError)):
        with pytest.raises(
            error, match=r"kernel must be a callable or one of .*'labels'"
        ):
            Kauri(kernel=kernel).fit(samples())


def test_one_feature_that_holds_all_of_the_scatter_is_reported():
    X = load_wine().data
    with pytest.warns(UserWarning, match="feature 12 holds 99.8% of the scatter"):
        Kauri(max_leaves=5).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Kauri(max_leaves=5).fit(scale(X))
        Kauri(max_leaves=5).fit(X[:, -1:])
        Kauri(max_leaves=5, kernel="cosine").fit(X)


def test_thousands_of_leaves_are_reported():
    X = samples(4000, 10)
    with pytest.warns(
        UserWarning, match="leaves for 30 clusters.*max_leaves.*min_gain"
    ):
        Kauri(30).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Kauri(30, min_gain=0.001).fit(X)


def test_sums_beyond_memory_are_refused_with_a_remedy():
    X = samples(30_000, 30)
    with pytest.raises(ValueError, match="max_bins=65535 with 30 features.*fewer bins"):
        Kauri(
            max_bins=65_535, kernel="poly", kernel_params={"degree": 2}, max_leaves=3
        ).fit(X)
