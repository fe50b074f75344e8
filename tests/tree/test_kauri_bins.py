"""Kauri trees over bins: equal to the exact ones where bins lose nothing."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import scale

from gemclus.tree import Kauri
from gemclus.tree._kauri.columns import Columns

ARRAYS = (
    "children_left",
    "children_right",
    "features",
    "thresholds",
    "target",
    "sizes",
    "kinds",
    "missing_go_to_left",
)


def assert_same_tree(a, b):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a.tree_, name), getattr(b.tree_, name))
    scale = a.tree_.gains.max(initial=0.0)
    np.testing.assert_allclose(
        a.tree_.gains, b.tree_.gains, rtol=1e-7, atol=1e-12 * scale
    )
    np.testing.assert_array_equal(a.labels_, b.labels_)
    np.testing.assert_array_equal(a.leaves_, b.leaves_)


def rounded(n_samples, n_features, levels, seed=0):
    X = make_blobs(n_samples, n_features, centers=5, random_state=seed)[0]
    return np.round(scale(X) * levels) / levels


@pytest.mark.parametrize("max_clusters", [2, 5, 12])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"max_leaves": 20},
        {"min_samples_leaf": 9},
        {"min_weight_fraction_leaf": 0.02},
        {"max_features": 2, "random_state": 3},
    ],
)
def test_a_bin_for_each_value_gives_the_exact_tree(max_clusters, params):
    X = rounded(1500, 4, levels=8)
    assert max(len(np.unique(column)) for column in X.T) <= 255
    exact = Kauri(max_clusters, max_bins=None, **params).fit(X)
    for max_bins in (255, 256, 65_535):
        assert_same_tree(Kauri(max_clusters, max_bins=max_bins, **params).fit(X), exact)


def test_two_bytes_hold_many_bins():
    X = np.random.RandomState(0).randn(1000, 3)
    exact = Kauri(6, max_bins=None).fit(X)
    assert_same_tree(Kauri(6, max_bins=1000).fit(X), exact)
    assert not np.array_equal(
        Kauri(6, max_bins=300).fit(X).tree_.thresholds, exact.tree_.thresholds
    )


@pytest.mark.parametrize("kernel", ["linear", "cosine", "poly", "rbf", "labels"])
def test_every_kernel_takes_bins(kernel):
    """Those without a factor walk over sorted samples, with cuts between bins."""
    X = rounded(600, 3, levels=6)
    y = np.arange(600) % 3 if kernel == "labels" else None
    exact = Kauri(4, max_leaves=12, kernel=kernel, max_bins=None).fit(X, y)
    assert_same_tree(
        Kauri(4, max_leaves=12, kernel=kernel, max_bins=64).fit(X, y), exact
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_few_bins_agree_whatever_the_walk(seed):
    """The linear kernel by its factor, and as a matrix: other code for the same."""
    X = np.random.RandomState(seed).randn(400, 4)
    binned = Kauri(5, max_leaves=30, max_bins=16).fit(X)
    given = Kauri(5, max_leaves=30, max_bins=16, kernel="precomputed").fit(X, X @ X.T)
    assert_same_tree(binned, given)


def test_sums_survive_many_subtractions():
    """One sample or a few at a time leave a large leaf, whose sums are subtracted."""
    rng = np.random.RandomState(0)
    X = np.round(rng.standard_t(1.2, size=(4000, 3)), 1).clip(-12, 12)
    exact = Kauri(40, max_leaves=200, max_bins=None).fit(X)
    assert_same_tree(Kauri(40, max_leaves=200, max_bins=255).fit(X), exact)


def test_a_far_outlier_leaves_the_sums_of_the_rest_intact():
    X = rounded(3000, 3, levels=4)
    X[0] = 2.0**30
    exact = Kauri(5, max_leaves=30, max_bins=None).fit(X)
    assert_same_tree(Kauri(5, max_leaves=30, max_bins=255).fit(X), exact)


def test_training_samples_are_predicted_as_labelled():
    X = np.random.RandomState(0).randn(20_000, 5)
    model = Kauri(7, max_leaves=40, max_bins=255).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_array_equal(
        model.tree_.sizes[np.unique(model.apply(X))],
        np.unique(model.apply(X), return_counts=True)[1],
    )


def test_order_of_rows_does_not_matter():
    X = np.random.RandomState(0).randn(15_000, 4)
    a = Kauri(5, max_leaves=20, max_bins=255).fit(X)
    order = np.random.RandomState(1).permutation(len(X))
    b = Kauri(5, max_leaves=20, max_bins=255).fit(X[order])
    np.testing.assert_array_equal(a.tree_.thresholds, b.tree_.thresholds)
    np.testing.assert_array_equal(a.labels_[order], b.labels_)


def test_auto_is_exact_for_few_samples_and_binned_for_many():
    X = np.random.RandomState(0).randn(20_001, 2)
    few, many = X[:-1], X
    assert_same_tree(
        Kauri(4, max_leaves=9).fit(few), Kauri(4, max_leaves=9, max_bins=None).fit(few)
    )
    assert_same_tree(
        Kauri(4, max_leaves=9).fit(many), Kauri(4, max_leaves=9, max_bins=255).fit(many)
    )


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_wine])
def test_255_bins_raise_the_objective_as_far(load):
    X = scale(load().data)
    exact = Kauri(5, max_leaves=20, max_bins=None).fit(X)
    binned = Kauri(5, max_leaves=20, max_bins=255).fit(X)
    assert binned.score(X) == pytest.approx(exact.score(X), rel=0.01)


def test_255_bins_find_the_same_clusters():
    X = make_blobs(20_000, 6, centers=5, random_state=0)[0]
    exact = Kauri(5, max_leaves=12, max_bins=None).fit(X)
    binned = Kauri(5, max_leaves=12, max_bins=255).fit(X)
    assert binned.score(X) == pytest.approx(exact.score(X), rel=0.003)
    assert adjusted_rand_score(binned.labels_, exact.labels_) > 0.97


# Bins


def bins_of(column, max_bins, weights=None):
    columns = Columns(np.asarray(column, float)[:, None], max_bins, False, weights)
    codes, first, low, high = columns.bins
    assert first.tolist() == [0, len(low)]
    return codes[:, 0], low, high


def test_bins_hold_like_numbers_of_samples():
    values = np.random.RandomState(0).randn(10_000)
    codes, low, high = bins_of(values, 64)
    counts = np.bincount(codes)
    assert len(counts) == len(low) == 64 and np.abs(counts - 10_000 / 64).max() <= 2
    for b in range(64):
        inside = values[codes == b]
        assert (inside.min(), inside.max()) == (low[b], high[b])
    assert (high[:-1] < low[1:]).all()


def test_a_common_value_has_a_bin_of_its_own_and_costs_no_other():
    values = np.random.RandomState(0).randn(10_000)
    values[:9000] = 0.0
    codes, low, high = bins_of(values, 50)
    zero = codes[0]
    assert low[zero] == high[zero] == 0.0 and len(low) >= 45
    rest = np.delete(np.bincount(codes), zero)
    assert rest.max() <= 1.3 * 1000 / 49


def test_weights_move_the_bins_as_repetitions_do():
    rng = np.random.RandomState(0)
    values, weights = rng.randn(500), rng.randint(1, 6, 500)
    _, low, high = bins_of(values, 20, weights.astype(float))
    _, low_again, high_again = bins_of(np.repeat(values, weights), 20)
    np.testing.assert_array_equal(low, low_again)
    np.testing.assert_array_equal(high, high_again)


def test_missing_values_have_the_last_bin():
    codes, low, high = bins_of([3.0, np.nan, 1.0, 2.0, np.nan], 2)
    assert codes.tolist() == [1, 2, 0, 0, 2] or codes.tolist() == [1, 2, 0, 1, 2]
    assert low[-1] == high[-1] == np.inf and np.isfinite(low[:-1]).all()


@pytest.mark.parametrize(
    ("max_bins", "error", "match"),
    [
        (1, ValueError, "max_bins must be at least 2"),
        (65_536, ValueError, "max_bins must be at most 65535, got 65536"),
        ("many", ValueError, "max_bins must be one of"),
        (2.5, TypeError, "max_bins must be an int"),
        (True, TypeError, "max_bins must be an int"),
    ],
)
def test_bad_numbers_of_bins_are_refused(max_bins, error, match):
    with pytest.raises(error, match=match):
        Kauri(max_bins=max_bins).fit(np.eye(4))
