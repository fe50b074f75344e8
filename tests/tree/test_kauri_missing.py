"""Missing values in Kauri trees: they go to the side that gains more."""

import numpy as np
import pytest

from gemclus.tree import Kauri

WALKS = [{"max_bins": None}, {"max_bins": 255}, {"max_bins": 16}]


def holes(n_samples=400, n_features=4, share=0.15, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.randn(n_samples, n_features).round(1)
    X[rng.uniform(size=X.shape) < share] = np.nan
    X[:, 1] = rng.randn(n_samples).round(1)
    return X


def objective(kernel, labels):
    value = 0.0
    for k in set(labels.tolist()):
        here = labels == k
        value += kernel[np.ix_(here, here)].sum() / here.sum()
    return value


@pytest.mark.parametrize("params", WALKS[:2])
@pytest.mark.parametrize("kernel", ["labels", "precomputed"])
def test_the_first_split_is_the_best_of_both_sides(params, kernel):
    X = holes(60)
    y = (np.nan_to_num(X[:, 0], nan=3.0) > 0.5).astype(int)
    K = (y[:, None] == y).astype(float)
    given = y if kernel == "labels" else K
    model = Kauri(2, max_leaves=2, kernel=kernel, **params).fit(X, given)
    best = -np.inf
    for f in range(X.shape[1]):
        missing = np.isnan(X[:, f])
        cuts = [missing]
        for value in np.unique(X[~missing, f]):
            cuts += [X[:, f] <= value, (X[:, f] <= value) | missing]
        for left in cuts:
            if 0 < left.sum() < len(X):
                best = max(best, objective(K, left.astype(int)))
    assert model.score(X, given) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("params", WALKS[:2])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_missing_values_go_where_they_belong(params, side):
    """Samples that miss the telling feature are like those of one side of it."""
    rng = np.random.RandomState(0)
    X = rng.randn(300, 2)
    X[:, 0] = np.where(rng.uniform(size=300) < 0.5, -2.0, 2.0) + 0.1 * rng.randn(300)
    y = (X[:, 0] > 0).astype(int)
    gone = (y == (side > 0)) & (rng.uniform(size=300) < 0.5)
    X[gone, 0] = np.nan
    model = Kauri(2, max_leaves=2, kernel="labels", **params).fit(X, y)
    tree = model.tree_
    assert tree.features[0] == 0 and abs(tree.thresholds[0]) < 1
    assert tree.missing_go_to_left[0] == (side < 0)
    np.testing.assert_array_equal(model.labels_ == model.labels_[y == 1][0], y == 1)
    new = np.array([[np.nan, 0.0], [side, 0.0]])
    assert len(set(model.predict(new))) == 1


@pytest.mark.parametrize("params", WALKS)
def test_missingness_itself_may_be_the_split(params):
    X = np.random.RandomState(0).randn(200, 2)
    y = np.arange(200) % 2
    X[y == 1, 1] = np.nan
    model = Kauri(2, max_leaves=2, kernel="labels", **params).fit(X, y)
    assert model.tree_.features[0] == 1 and model.tree_.thresholds[0] == np.inf
    assert model.predict([[0.0, 1e300], [0.0, np.nan]]).tolist() == (
        model.labels_[[0, 1]].tolist()
    )


@pytest.mark.parametrize("params", WALKS)
def test_training_samples_are_predicted_as_labelled(params):
    X = holes()
    model = Kauri(5, **params).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.tree_.n_leaves > 5


def test_exact_and_binned_trees_agree():
    X = holes()
    exact, binned = (Kauri(5, max_bins=bins).fit(X) for bins in (None, 255))
    for name in ("features", "thresholds", "target", "missing_go_to_left"):
        np.testing.assert_array_equal(
            getattr(exact.tree_, name), getattr(binned.tree_, name)
        )


def test_weights_are_repetitions():
    X, weights = holes(150), np.random.RandomState(1).randint(1, 4, 150)
    a = Kauri(4).fit(X, sample_weight=weights)
    b = Kauri(4).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_array_equal(a.tree_.thresholds, b.tree_.thresholds)
    np.testing.assert_array_equal(
        a.tree_.missing_go_to_left, b.tree_.missing_go_to_left
    )


def test_unheard_of_missing_values_go_with_most_samples():
    X = np.concatenate([np.zeros((30, 1)), np.ones((70, 1))])
    tree = Kauri(2).fit(X)
    assert tree.predict([[np.nan]]) == tree.predict([[1.0]])


def test_the_linear_kernel_takes_the_mean_for_a_missing_value():
    X = holes()
    filled = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    given = Kauri(4, kernel="precomputed").fit(X, filled @ filled.T)
    model = Kauri(4).fit(X)
    np.testing.assert_array_equal(model.labels_, given.labels_)
    np.testing.assert_allclose(model.fill_values_, np.nanmean(X, axis=0))
    assert model.score(X) == pytest.approx(given.score(X, filled @ filled.T))


@pytest.mark.parametrize("kernel", ["rbf", "cosine", "poly"])
def test_kernels_that_need_all_values_say_so(kernel):
    with pytest.raises(ValueError, match=f"X contains NaN, and the kernel '{kernel}'"):
        Kauri(kernel=kernel).fit(holes())


def test_a_feature_without_values_is_no_feature():
    X = holes()
    X[:, 2] = np.nan
    for params in WALKS:
        model = Kauri(3, max_leaves=20, **params).fit(X)
        assert 2 not in model.tree_.features
