"""Networks with one hidden layer."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph

from gemclus.gemini import MMDGEMINI
from gemclus.mlp import MLPMMD, MLPModel, MLPWasserstein

_CENTRES = [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]]


@pytest.fixture(scope="module")
def X():
    return make_blobs(n_samples=90, centers=_CENTRES, random_state=0)[0]


def test_initial_weights_are_drawn_in_the_documented_order():
    X = np.ones((5, 4))
    model = MLPModel(n_hidden_dim=6, n_clusters=2, **PUBLISHED)
    model._init_params(np.random.RandomState(0), X)
    random_state = np.random.RandomState(0)
    for array, fan_in in [
        (model.W1_, 4),
        (model.b1_, 4),
        (model.W2_, 6),
        (model.b2_, 6),
    ]:
        bound = 1 / np.sqrt(fan_in)
        expected = random_state.uniform(-bound, bound, size=array.shape)
        np.testing.assert_allclose(array, expected, rtol=1e-14)
    shapes = [array.shape for array in model._get_weights()]
    assert shapes == [(4, 6), (6, 2), (1, 6), (1, 2)]


def test_predictions_follow_their_formula(X):
    model = MLPModel(max_iter=3, random_state=0, **PUBLISHED).fit(X)
    hidden = np.maximum(X @ model.W1_ + model.b1_, 0)
    logits = np.exp(hidden @ model.W2_ + model.b2_)
    expected = logits / logits.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 20])
def test_hidden_representation_is_that_of_the_trained_model(X, batch_size):
    model = MLPMMD(max_iter=3, batch_size=batch_size, random_state=0, **PUBLISHED).fit(
        X
    )
    expected = np.maximum(X @ model.W1_ + model.b1_, 0)
    np.testing.assert_allclose(model.H_, expected, rtol=1e-12)
    kept = model.H_
    model.predict(X[:5])
    assert model.H_ is kept


def test_separates_blobs(X):
    labels = MLPModel(random_state=0, init="k-means++", solver="adam").fit_predict(X)
    y = make_blobs(n_samples=90, centers=_CENTRES, random_state=0)[1]
    assert adjusted_rand_score(y, labels) == 1.0


def test_hidden_representations_do_not_travel(X):
    model = MLPModel(max_iter=2, random_state=0, **PUBLISHED).fit(np.tile(X, (50, 1)))
    assert len(pickle.dumps(model)) < 60 * len(model.labels_)
    loaded = pickle.loads(pickle.dumps(model))
    assert hasattr(model, "H_") and not hasattr(loaded, "H_")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.partial_fit(X).H_.shape == (90, 20)


def test_no_activations_stay(X):
    model = MLPModel(max_iter=2, **PUBLISHED).fit(X)
    assert "_retained" not in vars(model)
    model._infer(X, retain=True)
    assert "_retained" not in vars(pickle.loads(pickle.dumps(model)))


def test_prediction_touches_no_state(X):
    model = MLPModel(max_iter=2, random_state=0, **PUBLISHED).fit(X)
    before = dict(vars(model))
    model.predict_proba(X)
    after = vars(model)
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)


def test_concurrent_predictions_are_equal(X):
    model = MLPModel(max_iter=2, random_state=0, **PUBLISHED).fit(X)
    parts = [X[start : start + 7] for start in range(0, len(X), 7)] * 8
    expected = [model.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(model.predict_proba, parts))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_mlp_mmd_has_its_objective(X):
    model = MLPMMD(
        kernel="rbf", ovo=True, kernel_params={"gamma": 0.1}, max_iter=3, **PUBLISHED
    )
    expected = MMDGEMINI(ovo=True, kernel="rbf", kernel_params={"gamma": 0.1})
    assert repr(model.get_gemini()) == repr(expected)
    model.fit(X)
    value = expected(model.predict_proba(X), expected.compute_affinity(X))
    assert model.score(X) == pytest.approx(value)


@pytest.mark.parametrize(("n_hidden_dim", "error"), [(0, ValueError), (2.0, TypeError)])
def test_hidden_size_is_checked(X, n_hidden_dim, error):
    with pytest.raises(error, match="n_hidden_dim"):
        MLPModel(n_hidden_dim=n_hidden_dim, **PUBLISHED).fit(X)


def test_one_hidden_unit_one_cluster_one_feature(X):
    model = MLPModel(n_clusters=1, n_hidden_dim=1, max_iter=2, **PUBLISHED).fit(
        X[:, :1]
    )
    assert model.score(X[:, :1]) == pytest.approx(0.0, abs=1e-12)
    assert (model.labels_ == 0).all()


def test_hop_distances_separate_moons():
    X, y = make_moons(n_samples=100, noise=0.05, random_state=0)
    neighbours = kneighbors_graph(X, 5)
    hops = shortest_path(neighbours, directed=False, unweighted=True)
    hops[np.isinf(hops)] = 2 * hops[np.isfinite(hops)].max()
    model = MLPWasserstein(
        n_clusters=2,
        metric="precomputed",
        learning_rate=1e-2,
        max_iter=500,
        random_state=0,
        **PUBLISHED,
    ).fit(X, hops)
    assert adjusted_rand_score(y, model.labels_) == 1.0


def test_csr_matrices_give_the_same_model():
    X = np.maximum(np.random.RandomState(0).normal(size=(40, 6)), 0)
    dense = MLPMMD(max_iter=5, batch_size=16, random_state=0, **PUBLISHED).fit(X)
    model = MLPMMD(max_iter=5, batch_size=16, random_state=0, **PUBLISHED).fit(
        csr_array(X)
    )
    np.testing.assert_allclose(model.H_, dense.H_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        model.predict_proba(csr_array(X)), dense.predict_proba(X), rtol=1e-6
    )


def test_precisions_may_differ_between_fit_and_predict(X):
    model = MLPModel(max_iter=5, random_state=0, **PUBLISHED).fit(X.astype(np.float32))
    expected = model.predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
