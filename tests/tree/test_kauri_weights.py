"""Weights of samples in Kauri trees, against repeated samples."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import pairwise_kernels

from gemclus.tree import Kauri

WALKS = [
    {"max_bins": None},
    {"max_bins": 255},
    {"max_bins": 12},
    {"max_bins": None, "kernel": "rbf"},
    {"max_bins": 12, "kernel": "rbf"},
    {"max_bins": None, "kernel": "cosine"},
    {"max_bins": 255, "kernel": "poly", "kernel_params": {"degree": 2}},
]
IDS = ["exact", "binned", "few bins", "rbf", "rbf in bins", "cosine", "poly in bins"]


def samples(seed=0, n_samples=120, n_features=3):
    return np.random.RandomState(seed).randn(n_samples, n_features).round(2)


def same_rules(a, b):
    np.testing.assert_array_equal(a.tree_.features, b.tree_.features)
    np.testing.assert_array_equal(a.tree_.thresholds, b.tree_.thresholds)
    np.testing.assert_array_equal(a.tree_.target, b.tree_.target)


def weighted_objective(kernel, labels, weights):
    """J, by its definition."""
    value = 0.0
    for k in set(labels.tolist()):
        w = weights[labels == k]
        if w.sum() > 0:
            value += w @ kernel[np.ix_(labels == k, labels == k)] @ w / w.sum()
    return value


@pytest.mark.parametrize("params", WALKS, ids=IDS)
@pytest.mark.parametrize("max_clusters", [3, 8])
def test_integer_weights_are_repetitions(params, max_clusters):
    X, rng = samples(), np.random.RandomState(1)
    weights = rng.randint(0, 4, len(X))
    weighted = Kauri(max_clusters, **params).fit(X, sample_weight=weights)
    repeated = Kauri(max_clusters, **params).fit(np.repeat(X, weights, axis=0))
    same_rules(weighted, repeated)
    np.testing.assert_allclose(
        weighted.tree_.gains, repeated.tree_.gains, rtol=1e-8, atol=1e-9
    )
    np.testing.assert_array_equal(
        np.repeat(weighted.labels_, weights), repeated.labels_
    )
    np.testing.assert_array_equal(
        np.repeat(weighted.leaves_, weights), repeated.leaves_
    )
    assert weighted.score(X, sample_weight=weights) == pytest.approx(
        repeated.score(np.repeat(X, weights, axis=0)), rel=1e-12
    )


@pytest.mark.parametrize("params", WALKS, ids=IDS)
def test_gains_are_the_changes_of_the_weighted_objective(params):
    X, rng = samples(), np.random.RandomState(1)
    weights = rng.exponential(size=len(X))
    model = Kauri(4, **params).fit(X, sample_weight=weights)
    kernel = pairwise_kernels(X, metric=model.kernel, **(model.kernel_params or {}))
    tree, node = model.tree_, np.zeros(len(X), int)
    labels = np.zeros(len(X), int)
    inner = np.flatnonzero(tree.children_left >= 0)
    assert len(inner) > 3
    for parent in inner[np.argsort(tree.children_left[inner])]:
        before = weighted_objective(kernel, labels, weights)
        here = node == parent
        left = X[:, tree.features[parent]] <= tree.thresholds[parent]
        node[here & left] = tree.children_left[parent]
        node[here & ~left] = tree.children_right[parent]
        labels[here] = tree.target[node[here]]
        gain = weighted_objective(kernel, labels, weights) - before
        assert tree.gains[parent] == pytest.approx(gain, rel=1e-7, abs=1e-9)
    assert model.score(X, sample_weight=weights) == pytest.approx(
        weighted_objective(kernel, model.labels_, weights), rel=1e-10
    )


@pytest.mark.parametrize("params", WALKS, ids=IDS)
def test_weight_zero_is_a_sample_removed(params):
    X, rng = samples(), np.random.RandomState(2)
    weights = rng.uniform(0.5, 2.0, len(X)) * (rng.uniform(size=len(X)) > 0.3)
    kept = weights > 0
    X[~kept] += 50.0
    model = Kauri(4, **params).fit(X, sample_weight=weights)
    without = Kauri(4, **params).fit(X[kept], sample_weight=weights[kept])
    same_rules(model, without)
    np.testing.assert_array_equal(model.labels_[kept], without.labels_)
    np.testing.assert_array_equal(model.leaves_[kept], without.leaves_)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    assert model.score(X, sample_weight=weights) == pytest.approx(
        without.score(X[kept], sample_weight=weights[kept]), rel=1e-12
    )


@pytest.mark.parametrize("kernel", ["precomputed", "labels"])
def test_weight_zero_removes_rows_of_y(kernel):
    X, weights = samples(), np.ones(120)
    weights[::3] = 0.0
    kept = weights > 0
    y = X @ X.T if kernel == "precomputed" else np.arange(120) % 4
    model = Kauri(3, kernel=kernel, max_leaves=9).fit(X, y, sample_weight=weights)
    y = y[np.ix_(kept, kept)] if kernel == "precomputed" else y[kept]
    same_rules(model, Kauri(3, kernel=kernel, max_leaves=9).fit(X[kept], y))


@pytest.mark.parametrize("params", WALKS, ids=IDS)
@pytest.mark.parametrize("factor", [2.0**-60, 3.0, 1e200])
def test_a_common_factor_changes_no_node(params, factor):
    X, rng = samples(), np.random.RandomState(1)
    weights = rng.uniform(0.5, 2.0, len(X))
    a = Kauri(4, max_leaves=12, **params).fit(X, sample_weight=weights)
    b = Kauri(4, max_leaves=12, **params).fit(X, sample_weight=factor * weights)
    same_rules(a, b)
    np.testing.assert_allclose(b.tree_.gains, factor * a.tree_.gains, rtol=1e-9)


@pytest.mark.parametrize("params", WALKS, ids=IDS)
def test_equal_weights_change_nothing(params):
    X = samples()
    same_rules(
        Kauri(4, **params).fit(X),
        Kauri(4, **params).fit(X, sample_weight=np.ones(len(X))),
    )


@pytest.mark.parametrize("max_bins", [None, 255])
def test_min_weight_fraction_leaf_counts_weights(max_bins):
    X, rng = samples(), np.random.RandomState(1)
    weights = rng.exponential(size=len(X)) ** 2
    model = Kauri(
        5, min_weight_fraction_leaf=0.1, min_samples_leaf=2, max_bins=max_bins
    ).fit(X, sample_weight=weights)
    in_leaves = np.bincount(model.leaves_, weights)
    assert in_leaves.min() >= 0.1 * weights.sum() * (1 - 1e-9)
    assert np.bincount(model.leaves_).min() >= 2
    assert model.tree_.n_leaves > 2


def test_weights_of_very_different_sizes_do_no_harm():
    X, rng = samples(), np.random.RandomState(1)
    weights = 10.0 ** rng.uniform(-18, 3, len(X))
    for max_bins in (None, 255):
        model = Kauri(5, max_bins=max_bins).fit(X, sample_weight=weights)
        assert np.isfinite(model.tree_.gains).all() and (model.tree_.gains >= 0).all()
        assert model.n_clusters_ == 5


def test_fit_predict_takes_weights():
    X, weights = samples(), np.arange(120.0)
    labels = Kauri().fit_predict(X, sample_weight=weights)
    np.testing.assert_array_equal(labels, Kauri().fit(X, sample_weight=weights).labels_)


@pytest.mark.parametrize(
    ("weights", "error", "match"),
    [
        (np.ones(3), ValueError, r"sample_weight must have shape \(120,\)"),
        (np.ones((120, 1)), ValueError, "sample_weight must have shape"),
        (-np.ones(120), ValueError, "sample_weight must not be negative"),
        (np.zeros(120), ValueError, "sample_weight must not be zero for all"),
        (np.full(120, np.nan), ValueError, "sample_weight must be finite"),
        (["a"] * 120, TypeError, "sample_weight must hold real numbers"),
    ],
)
def test_bad_weights_are_refused(weights, error, match):
    with pytest.raises(error, match=match):
        Kauri().fit(samples(), sample_weight=weights)
    with pytest.raises(error, match=match):
        Kauri().fit(samples()).score(samples(), sample_weight=weights)


@pytest.mark.parametrize("fraction", [-0.1, 0.6])
def test_bad_fractions_are_refused(fraction):
    with pytest.raises(ValueError, match="min_weight_fraction_leaf"):
        Kauri(min_weight_fraction_leaf=fraction).fit(samples())
