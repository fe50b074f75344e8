"""Differentiable trees, against memberships of all leaves written out."""

import pickle

import numpy as np
import pytest
from estimators import PUBLISHED, make_gradient_model
from scipy.special import softmax
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.gemini import WassersteinGEMINI
from gemclus.tree import Douglas
from gemclus.tree._douglas import estimator
from gemclus.tree._douglas.soft_bins import SoftTree, bin_memberships, logits_of_row


def naive_logits(X, cuts, scores, temperature):
    """Kronecker products of the bins, sample by sample, by the published formula."""
    logits = []
    for x in X:
        leaves = np.ones(1)
        for value, points in zip(x, cuts, strict=True):
            w = np.arange(1, len(points) + 2)
            b = -np.cumsum(np.concatenate([[0.0], np.sort(points)]))
            leaves = np.kron(leaves, softmax((value * w + b) / temperature))
        logits.append(leaves @ scores)
    return np.array(logits)


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(30, 4))


@pytest.mark.parametrize(("n_features", "n_cuts"), [(1, 1), (1, 4), (2, 2), (5, 2)])
def test_logits_are_those_of_all_leaves(n_features, n_cuts):
    random = np.random.RandomState(1)
    X = random.normal(size=(7, n_features))
    cuts = random.normal(size=(n_features, n_cuts))
    scores = random.normal(size=((n_cuts + 1) ** n_features, 3))
    tree = SoftTree(X, np.sort(cuts, axis=1), scores, 0.3)
    expected = naive_logits(X, cuts, scores, 0.3)
    np.testing.assert_allclose(tree.logits, expected, rtol=1e-10, atol=1e-12)
    rows = [logits_of_row(x, np.sort(cuts, axis=1), scores, 0.3) for x in X]
    np.testing.assert_allclose(np.concatenate(rows), expected, rtol=1e-10, atol=1e-12)


def test_predictions_follow_the_attributes(X):
    mask = [True, False, True, True]
    model = Douglas(
        n_cuts=2, feature_mask=mask, max_iter=5, random_state=0, **PUBLISHED
    ).fit(X)
    logits = naive_logits(X[:, mask], model.cut_points_list_, model.leaf_scores_, 0.1)
    np.testing.assert_allclose(
        model.predict_proba(X), softmax(logits, axis=1), rtol=1e-9, atol=1e-12
    )
    assert model.leaf_scores_.shape == (27, 3)
    assert [points.shape for points in model.cut_points_list_] == [(2,)] * 3


@pytest.mark.parametrize("most", [None, 0])
def test_one_row_is_labelled_like_many(X, most, monkeypatch):
    if most is not None:
        monkeypatch.setattr(estimator, "_SCORES_OF_ROW", most)
    mask = [True, False, True, True]
    model = Douglas(
        n_cuts=2, feature_mask=mask, max_iter=5, random_state=0, **PUBLISHED
    ).fit(X)
    alone = [model.predict_proba(x[None]) for x in X]
    np.testing.assert_allclose(
        np.concatenate(alone), model.predict_proba(X), rtol=1e-12, atol=1e-15
    )


def test_one_row_keeps_the_type_of_the_model(X):
    model = Douglas(max_iter=2, random_state=0, **PUBLISHED).fit(X.astype(np.float32))
    for n in (1, 2):
        assert model.predict_proba(X[:n]).dtype == np.float32
        assert model.predict_proba(X[:n].astype(np.float32)).dtype == np.float32


def test_blocks_of_samples_give_the_same_gradients(X, monkeypatch):
    def step():
        model = make_gradient_model(Douglas)
        model._init_params(np.random.RandomState(0), X)
        y_pred = model._infer(X)
        gradient = np.random.RandomState(1).normal(size=y_pred.shape)
        return y_pred, *model._compute_grads(X, y_pred, gradient)

    whole = step()
    monkeypatch.setattr(estimator, "_BLOCK_ENTRIES", 200)
    for ours, theirs in zip(step(), whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_bins_that_underflow_are_exact():
    x = np.array([[-1e6], [0.0], [1e6]])
    bins = bin_memberships(x, np.array([[-1.0, 1.0]]), 0.1)[0]
    np.testing.assert_array_equal(bins[:, 0], [1, 0, 0])
    np.testing.assert_array_equal(bins[:, 2], [0, 0, 1])
    assert bins[1, 1] > 0.999


@pytest.mark.parametrize("gemini", ["mmd_ova", "wasserstein_ova"])
@pytest.mark.parametrize("n_cuts", [1, 2])
def test_raw_data_give_no_nan(gemini, n_cuts):
    X = load_wine().data[:, [0, 3, 4, 12]] * 1e3
    model = Douglas(
        gemini=gemini, n_cuts=n_cuts, max_iter=20, random_state=0, **PUBLISHED
    ).fit(X)
    assert np.isfinite(model.objective_curve_).all()
    assert all(np.isfinite(weight).all() for weight in model._get_weights())
    assert np.isfinite(model.predict_proba(X)).all()


def test_learns_iris():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = Douglas(n_cuts=2, random_state=0, **PUBLISHED).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.5
    # Trained to its end, it passes the objective of the classes themselves.
    model.set_params(max_iter=1000).fit(X)
    gemini = WassersteinGEMINI()
    assert model.score(X) > gemini(np.eye(3)[y], gemini.compute_affinity(X))


@pytest.mark.parametrize("n_cuts", [1, 2, 3])
def test_training_starts_from_a_linear_model_of_the_bins(X, n_cuts):
    model = Douglas(n_cuts=n_cuts, n_clusters=4, **PUBLISHED)
    model._init_params(np.random.RandomState(0), X)
    quantiles = np.quantile(X, np.arange(1, n_cuts + 1) / (n_cuts + 1), axis=0).T
    np.testing.assert_allclose(model.cut_points_list_, quantiles)
    scores = model.leaf_scores_.reshape(*[n_cuts + 1] * X.shape[1], 4)
    for feature in range(X.shape[1]):
        steps = np.diff(scores, axis=feature).reshape(-1, 4)
        np.testing.assert_allclose(steps, np.tile(steps[0], (len(steps), 1)))
        # From the first bin to the last, two slopes of at most 2 / sqrt(4).
        assert 0 < np.abs(n_cuts * steps[0]).max() <= 2


def test_cut_points_start_within_their_features(X):
    X = X * [1.0, 1e4, 1e-4, 1.0] + [0.0, 1e5, 0.0, -1e3]
    X[:, 3] = 7.0
    model = Douglas(n_cuts=5, **PUBLISHED)
    for seed in range(5):
        model._init_params(np.random.RandomState(seed), X)
        for column, cuts in zip(X.T, model.cut_points_list_, strict=True):
            assert (column.min() <= cuts).all()
            assert (cuts <= column.max()).all()


def test_too_many_leaves_are_refused_with_their_number():
    X = np.random.RandomState(0).normal(size=(10, 30))
    with pytest.raises(ValueError, match=r"1\.07374e\+09 leaves.*feature_mask"):
        Douglas(**PUBLISHED).fit(X)
    with pytest.raises(ValueError, match=r"leaves.*feature_mask"):
        Douglas(n_cuts=10**9, **PUBLISHED).fit(X)
    mask = np.arange(30) < 3
    assert Douglas(feature_mask=mask, max_iter=1, **PUBLISHED).fit(
        X
    ).leaf_scores_.shape == (8, 3)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        ([True, False], ValueError, r"feature_mask must have shape \(4,\).*\(2,\)"),
        ([False] * 4, ValueError, "feature_mask must select at least one"),
        ([0, 1, 1, 0], TypeError, "feature_mask must hold True"),
        ("abcd", TypeError, "feature_mask must hold True"),
    ],
)
def test_feature_mask_is_checked(X, mask, error, message):
    with pytest.raises(error, match=message):
        Douglas(feature_mask=mask, **PUBLISHED).fit(X)


def test_feature_mask_as_list_or_array_is_the_same(X):
    mask = [True, False, False, True]
    first = Douglas(feature_mask=mask, max_iter=3, random_state=0, **PUBLISHED).fit(X)
    second = Douglas(
        feature_mask=np.array(mask), max_iter=3, random_state=0, **PUBLISHED
    ).fit(X)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    X[:, 1:3] = 0.0
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_a_mask_leaves_the_other_features_out(X):
    model = Douglas(
        feature_mask=[True, False, False, True], max_iter=3, **PUBLISHED
    ).fit(X)
    before = model.predict_proba(X)
    X[:, 1:3] = 99.0
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"n_cuts": 0}, ValueError),
        ({"n_cuts": 1.5}, TypeError),
        ({"temperature": 0.0}, ValueError),
        ({"temperature": "hot"}, TypeError),
    ],
)
def test_arguments_are_checked(X, arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        Douglas(**PUBLISHED | arguments).fit(X)


def test_active_points_separate_samples(X):
    model = Douglas(
        n_cuts=3, feature_mask=[True, False, True, False], max_iter=1, **PUBLISHED
    )
    model.fit(X)
    model._cut_points[...] = [[5.0, 0.1, -0.2], [9.0, X[:, 2].min(), X[:, 2].max()]]
    active = model.find_active_points(X)
    assert list(active) == [0, 2]
    np.testing.assert_array_equal(active[0], [-0.2, 0.1])
    assert active[2].size == 0
    with pytest.raises(ValueError, match="features"):
        model.find_active_points(X[:, :2])
    with pytest.raises(NotFittedError):
        Douglas(**PUBLISHED).find_active_points(X)


def test_nothing_of_the_size_of_the_data_is_kept(X):
    model = Douglas(max_iter=2, random_state=0, **PUBLISHED).fit(X)
    sized = [
        name
        for name, value in vars(model).items()
        if isinstance(value, np.ndarray) and len(X) in value.shape
    ]
    assert sized == ["labels_"]
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.cut_points_list_, model.cut_points_list_)
    assert not hasattr(Douglas(), "cut_points_list_")


def test_more_leaves_than_a_float_counts_are_refused_with_the_remedy():
    wide = np.random.RandomState(0).normal(size=(30, 2000))
    with pytest.raises(ValueError, match=r"10 \*\* 602 leaves.*feature_mask"):
        Douglas().fit(wide)
