"""Kauri as a tree of scikit-learn, and the tools that read such trees."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier, export_text

from gemclus.tree import Kauri

# Raw columns of very different scales are as good as any here.
pytestmark = pytest.mark.filterwarnings("ignore:feature .* of the scatter of X")

X = load_wine().data
NAMES = load_wine().feature_names


@pytest.fixture
def tree():
    return Kauri(max_clusters=4, max_leaves=12).fit(X)


@pytest.mark.parametrize("max_leaves", [1, 2, 12, None])
def test_labels_are_those_of_the_tree(max_leaves):
    rng = np.random.RandomState(0)
    samples = rng.normal(size=(1000, 5))
    tree = Kauri(max_clusters=100, max_leaves=max_leaves).fit(samples)
    converted = tree.to_sklearn()
    new = rng.normal(size=(10_000, 5)).astype(np.float32)
    inner = np.flatnonzero(tree.tree_.children_left >= 0)
    at = tree.tree_.thresholds[inner].astype(np.float32)
    rows = np.arange(len(inner))
    new[rows, tree.tree_.features[inner]] = at
    above = np.nextafter(at, np.float32(np.inf))
    new[rows + 5000, tree.tree_.features[inner]] = above
    np.testing.assert_array_equal(converted.predict(new), tree.predict(new))
    np.testing.assert_array_equal(converted.apply(new), tree.apply(new))


def test_missing_values_go_the_same_way():
    rng = np.random.RandomState(0)
    samples, new = rng.normal(size=(2, 500, 5)).astype(np.float32)
    samples[rng.uniform(size=samples.shape) < 0.2] = np.nan
    new[rng.uniform(size=new.shape) < 0.3] = np.nan
    tree = Kauri(max_clusters=60).fit(samples)
    np.testing.assert_array_equal(tree.to_sklearn().predict(new), tree.predict(new))


def test_it_is_what_a_fit_would_give():
    """On labels that a tree of scikit-learn finds with the same splits."""
    samples = np.arange(12.0)[:, None]
    labels = np.repeat([0, 1, 2], [7, 3, 2])
    fitted = DecisionTreeClassifier().fit(samples, labels)
    ours = Kauri(max_clusters=3, kernel="labels").fit(samples, labels).to_sklearn()
    assert export_text(fitted) == export_text(ours)
    for name in ("value", "impurity", "n_node_samples", "weighted_n_node_samples"):
        np.testing.assert_allclose(
            np.sort(getattr(ours.tree_, name), axis=0),
            np.sort(getattr(fitted.tree_, name), axis=0),
        )
    assert set(vars(fitted)) == set(vars(ours))
    assert ours.tree_.max_depth == fitted.tree_.max_depth == ours.get_depth()


def test_it_is_an_estimator(tree):
    converted = tree.to_sklearn()
    twin = pickle.loads(pickle.dumps(converted))
    np.testing.assert_array_equal(twin.predict(X), converted.predict(X))
    assert clone(converted).fit(X, tree.labels_).get_n_leaves() > 1
    np.testing.assert_allclose(converted.predict_proba(X).sum(axis=1), 1.0)
    assert converted.feature_importances_.shape == (X.shape[1],)
    with pytest.raises(NotFittedError):
        Kauri().to_sklearn()


def test_names_are_kept(tree):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=NAMES)
    converted = Kauri().fit(frame).to_sklearn()
    assert converted.feature_names_in_.tolist() == NAMES
    converted.predict(frame)


# Tools


@pytest.mark.filterwarnings("ignore")
def test_shap(tree):
    shap = pytest.importorskip("shap")
    converted = tree.to_sklearn()
    explanation = shap.TreeExplainer(converted)(X[:20])
    assert explanation.values.shape == (20, X.shape[1], 4)
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, converted.predict_proba(X[:20]), atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_treelite(tree):
    treelite = pytest.importorskip("treelite")
    converted = tree.to_sklearn()
    # It reads forests, not trees by themselves.
    forest = RandomForestClassifier(n_estimators=1, max_depth=2).fit(X, tree.labels_)
    forest.estimators_ = [converted]
    model = treelite.sklearn.import_model(forest)
    told = treelite.gtil.predict(model, X.astype(np.float32))
    labels = told.reshape(len(X), -1).argmax(axis=1)
    np.testing.assert_array_equal(labels, tree.predict(X.astype(np.float32)))


@pytest.mark.filterwarnings("ignore")
def test_dtreeviz(tree):
    dtreeviz = pytest.importorskip("dtreeviz")
    view = dtreeviz.model(
        tree.to_sklearn(),
        X_train=X,
        y_train=tree.labels_,
        feature_names=NAMES,
        target_name="cluster",
    )
    path = view.explain_prediction_path(X[0])
    leaf = tree.apply(X[:1])[0]
    assert view.shadow_tree.predict_path(X[0])[-1].id == leaf
    assert path


@pytest.mark.filterwarnings("ignore")
def test_supertree(tree, tmp_path):
    supertree = pytest.importorskip("supertree")
    names = [f"cluster {k}" for k in range(4)]
    view = supertree.SuperTree(tree.to_sklearn(), X, tree.labels_, NAMES, names)
    view.save_json_tree(str(tmp_path / "tree"))
    (written,) = tmp_path.iterdir()
    text = written.read_text()
    for threshold in np.unique(tree.tree_.thresholds[tree.tree_.children_left >= 0]):
        assert str(threshold)[:6] in text


def test_drawing_by_scikit_learn(tree):
    matplotlib = pytest.importorskip("matplotlib.pyplot")
    from sklearn.tree import plot_tree

    axes = matplotlib.figure().add_subplot()
    assert len(plot_tree(tree.to_sklearn(), ax=axes)) >= tree.tree_.n_nodes
    matplotlib.close("all")
