"""Features kept on most halves of the data."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gemclus.data import celeux_one
from gemclus.linear import LinearMMD
from gemclus.selection import StabilitySelection
from gemclus.selection._stability import _kept_features, complementary_halves
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD

X, CLASSES = celeux_one(n=200, p=15, random_state=0)
QUICK = SparseLinearMMD(3, learning_rate=0.01, max_iter=100, **PUBLISHED)


@parametrize_with_checks(
    [
        StabilitySelection(
            SparseLinearMMD(3, max_iter=5, init="k-means++", solver="adam"),
            n_resamples=2,
            path_params={"alpha_multiplier": 2.0},
            random_state=0,
        )
    ],
    expected_failed_checks=lambda estimator: dict.fromkeys(
        map("check_sample_weight_equivalence_on_{}_data".format, ("dense", "sparse")),
        "other halves are drawn among repeated rows",
    ),
)
@pytest.mark.filterwarnings("ignore:The first predictions are:UserWarning")
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("seed", [0, 1])
def test_finds_the_five_features_among_195_of_noise(seed):
    data, _ = celeux_one(n=300, p=195, random_state=seed)
    selector = StabilitySelection(
        SparseLinearMMD(3), n_resamples=20, random_state=seed
    ).fit(data)
    assert selector.min_features_ == 13
    assert selector.get_support(indices=True).tolist() == [0, 1, 2, 3, 4]
    assert selector.frequencies_[:5].min() > 0.9
    assert selector.frequencies_[5:].max() < 0.5


@pytest.mark.parametrize("n_samples, n_halves", [(20, 6), (21, 4), (21, 5), (4, 1)])
def test_halves_come_in_pairs_that_share_nothing(n_samples, n_halves):
    halves = complementary_halves(n_samples, n_halves, np.random.RandomState(0))
    assert len(halves) == n_halves
    for half in halves:
        assert len(half) == n_samples // 2 == len(np.unique(half))
    for one, other in zip(halves[::2], halves[1::2], strict=False):
        assert not np.intersect1d(one, other).size
    if n_halves > 2:
        assert not np.array_equal(halves[0], halves[2])


@pytest.mark.parametrize("multiplier", [1.05, 1.5])
@pytest.mark.parametrize("min_features", [2, 6, 11, 20])
def test_paths_count_at_their_last_step_with_enough_features(multiplier, min_features):
    model = clone(QUICK).set_params(random_state=0)
    rows = np.arange(100)
    kept = _kept_features(
        clone(model), X, None, rows, min_features, {"alpha_multiplier": multiplier}
    )
    # Every step of the path, one run for each.
    whole = clone(model)
    counts = whole.path(X[rows], alpha_multiplier=multiplier, min_features=0).n_features
    enough = [count for count in counts if count >= min_features]
    if enough:
        assert kept.sum() == enough[-1]
    else:
        assert kept.all()


def test_frequencies_are_those_of_the_halves():
    selector = StabilitySelection(QUICK, n_resamples=4, min_features=6, random_state=5)
    selector.fit(X)
    seeds = np.random.RandomState(5).randint(np.iinfo(np.int32).max, size=5)
    halves = complementary_halves(200, 4, np.random.RandomState(seeds[-1]))
    kept = [
        _kept_features(clone(QUICK).set_params(random_state=s), X, None, rows, 6, {})
        for s, rows in zip(seeds, halves, strict=False)
    ]
    np.testing.assert_array_equal(selector.frequencies_, np.mean(kept, axis=0))
    support = selector.frequencies_ >= 0.6
    np.testing.assert_array_equal(selector.get_support(), support)
    # The threshold may change after the paths.
    selector.set_params(threshold=1.0)
    np.testing.assert_array_equal(selector.get_support(), selector.frequencies_ == 1.0)


def test_halves_are_drawn_among_rows_of_some_weight():
    weights = np.random.RandomState(1).randint(0, 3, size=200)
    selector = StabilitySelection(QUICK, n_resamples=4, min_features=6, random_state=5)
    found = clone(selector).fit(X, sample_weight=weights)
    # Rows of weight 0 might as well not be there, and a factor changes nothing.
    kept = weights > 0
    removed = clone(selector).fit(X[kept], sample_weight=weights[kept])
    scaled = clone(selector).fit(X, sample_weight=4.0 * weights)
    for other in (removed, scaled):
        np.testing.assert_array_equal(found.frequencies_, other.frequencies_)
    plain = clone(selector).fit(X[kept])
    assert not np.array_equal(found.frequencies_, plain.frequencies_)
    ones = clone(selector).fit(X, sample_weight=np.ones(200))
    np.testing.assert_array_equal(
        ones.frequencies_, clone(selector).fit(X).frequencies_
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.arange(200) < 3, "sample_weight must be more than 0 for at least 4.*got 3"),
        (-np.ones(200), "sample_weight"),
        (np.ones(199), "sample_weight"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        StabilitySelection(QUICK).fit(X, sample_weight=weights.astype(float))


def test_jobs_change_nothing_and_the_seed_is_all():
    found = [
        StabilitySelection(QUICK, n_resamples=4, n_jobs=n_jobs, random_state=1)
        .fit(X)
        .frequencies_
        for n_jobs in (None, 2)
    ]
    np.testing.assert_array_equal(*found)
    assert QUICK.get_params()["random_state"] is None
    assert not hasattr(QUICK, "W_")


def test_in_a_pipeline_with_names():
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(20)])
    selector = StabilitySelection(
        QUICK, n_resamples=6, min_features=5, random_state=0
    ).set_output(transform="pandas")
    pipeline = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        selector,
        LinearMMD(3, solver="lbfgs", init="k-means++", random_state=0),
    ).fit(frame)
    names = pipeline[:-1].get_feature_names_out().tolist()
    assert names == ["f0", "f1", "f2", "f3", "f4"]
    assert pipeline[-1].n_features_in_ == 5
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict(frame), pipeline.predict(frame))
    scaled = pipeline[0].transform(frame)
    kept = selector.transform(scaled)
    assert kept.columns.tolist() == names
    assert selector.inverse_transform(kept.to_numpy()).shape == (200, 20)


def test_mlps_and_precomputed_kernels():
    given = SparseLinearMMD(
        3,
        kernel="precomputed",
        learning_rate=0.01,
        max_iter=100,
        random_state=0,
        **PUBLISHED,
    )
    found = [
        StabilitySelection(model, n_resamples=4, min_features=5, random_state=0)
        .fit(X, X @ X.T)
        .frequencies_
        for model in (given, clone(given).set_params(kernel="linear"))
    ]
    np.testing.assert_allclose(*found, atol=0.26)
    assert found[0][:5].min() == 1.0
    mlp = SparseMLPMMD(3, learning_rate=0.01, max_iter=50, n_hidden_dim=5, **PUBLISHED)
    selector = StabilitySelection(mlp, n_resamples=2, random_state=0).fit(X)
    assert selector.frequencies_.shape == (20,)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"n_resamples": 0}, ValueError, "n_resamples must be at least 1, got 0"),
        ({"threshold": 0.0}, ValueError, "threshold must be greater than 0"),
        ({"threshold": 1.5}, ValueError, "threshold must be at most 1"),
        ({"threshold": "a"}, TypeError, "threshold must be a number"),
        ({"min_features": 0}, ValueError, "min_features must be at least 1, got 0"),
        (
            {"min_features": 21},
            ValueError,
            "min_features=21 must be at most",
        ),
        ({"estimator": LinearMMD(**PUBLISHED)}, TypeError, "LinearMMD has no path"),
        ({"path_params": [1]}, TypeError, "path_params must be a dict"),
        (
            {"path_params": {"min_features": 3}},
            ValueError,
            r"path_params must not hold \['min_features'\]",
        ),
        (
            {"path_params": {"alpha_multiplier": 0.5}},
            ValueError,
            "alpha_multiplier must be greater than 1",
        ),
    ],
)
def test_bad_arguments_are_named_and_change_nothing(arguments, error, message):
    selector = StabilitySelection(QUICK, n_resamples=2, random_state=0).fit(X)
    before = selector.frequencies_.copy()
    selector.set_params(**arguments)
    with pytest.raises(error, match=message):
        selector.fit(X)
    np.testing.assert_array_equal(selector.frequencies_, before)
    assert selector.n_features_in_ == 20


def test_an_unfitted_selector_says_so():
    with pytest.raises(NotFittedError):
        StabilitySelection(QUICK).get_support()
    with pytest.raises(ValueError, match="minimum of 4"):
        StabilitySelection(QUICK).fit(X[:3])
