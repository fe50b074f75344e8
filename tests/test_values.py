"""Whole numbers of trainings where finite ones would not tell: what hooks, folds,
interruptions and selections lead to, against the same done by hand."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from clusterers import ESTIMATORS
from estimators import PUBLISHED
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances, pairwise_kernels
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from user_models import EveryHook, Margin, Sigmoid, Unrelated

from gemclus import TrainingInterrupted, add_mlcl_constraint
from gemclus.affinity import DenseKernel, SampleIndices
from gemclus.data import celeux_one
from gemclus.gemini import MI, MMDGEMINI, WassersteinGEMINI
from gemclus.linear import RIM, LinearMMD, LinearModel
from gemclus.mlp import MLPMMD, MLPModel
from gemclus.sparse import SparseLinearMMD, SparseLinearModel, SparseMLPMMD
from gemclus.tree import Douglas

X = np.random.RandomState(0).normal(size=(32, 3))
X[::3] += 2.0


@pytest.mark.parametrize("gemini", [Margin(), Unrelated()])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_users_objective_is_what_is_maximised(gemini, batch_size):
    model = LinearModel(
        2, gemini=gemini, learning_rate=1e-300, random_state=0, **PUBLISHED
    )
    model.set_params(max_iter=1, batch_size=batch_size).fit(X)
    P, A = model.predict_proba(X), gemini.compute_affinity(X)
    np.testing.assert_allclose(P, softmax(X @ model.W_ + model.b_, axis=1), rtol=1e-12)
    assert model.score(X) == pytest.approx(np.sum(P * (A @ P)) / 32, rel=1e-12)
    if batch_size is None:
        assert model.objective_curve_[0] == pytest.approx(model.score(X), rel=1e-12)
    model.set_params(max_iter=200, learning_rate=0.05).fit(X)
    # Its largest value: all samples in one cluster.
    assert model.score(X) > 0.95 * A.sum() / 32


def test_hooks_of_ones_own_train_as_the_inherited_ones():
    class Twin(Sigmoid):
        """The hooks of `EveryHook` that change what is computed."""

        def get_gemini(self):
            return MMDGEMINI(kernel="rbf")

    arguments = {"random_state": 0, "max_iter": 3, "learning_rate": 1e-2}
    samples = X[:20, :2]  # one batch of each
    own, twin = EveryHook(**arguments).fit(samples), Twin(**arguments).fit(samples)
    np.testing.assert_allclose(own.theta_, twin.theta_, rtol=1e-9)
    np.testing.assert_allclose(own.objective_curve_, twin.objective_curve_, rtol=1e-9)


FOLDS = KFold(4)


def test_scores_of_folds_are_those_of_fits_by_hand():
    must, cannot = [[0, 31], [3, 4]], [[1, 30], [9, 20]]
    plain = RIM(2, max_iter=8, learning_rate=0.1, random_state=0, **PUBLISHED)
    model = add_mlcl_constraint(plain, must, cannot, factor=0.5)
    scores = cross_val_score(model, X, SampleIndices(32), cv=FOLDS)
    for score, (train, test) in zip(scores, FOLDS.split(X), strict=True):
        place = {sample: row for row, sample in enumerate(train)}
        inside = [
            [[place[i], place[j]] for i, j in pairs if i in place and j in place]
            for pairs in (must, cannot)
        ]
        by_hand = add_mlcl_constraint(plain, *inside, factor=0.5).fit(X[train])
        P = by_hand.predict_proba(X[test])
        assert score == pytest.approx(MI().evaluate(P, None), rel=1e-9)


@pytest.mark.parametrize("batch_size", [None, 9])
def test_a_search_over_a_precomputed_kernel_is_one_by_hand(batch_size):
    kernel = pairwise_kernels(X, metric="rbf")
    model = LinearMMD(kernel="precomputed", max_iter=6, random_state=0, **PUBLISHED)
    model.set_params(batch_size=batch_size, learning_rate=0.1)
    grid = {"n_clusters": [2, 3, 4]}
    search = GridSearchCV(model, grid, cv=FOLDS).fit(X, DenseKernel(kernel))
    for k, mean in zip(grid["n_clusters"], search.cv_results_["mean_test_score"]):
        scores = []
        for train, test in FOLDS.split(X):
            one = clone(model).set_params(n_clusters=k, kernel="rbf").fit(X[train])
            P = one.predict_proba(X[test])
            scores.append(MMDGEMINI().evaluate(P, kernel[np.ix_(test, test)]))
        assert mean == pytest.approx(np.mean(scores), rel=1e-7)
    best = np.argmax(search.cv_results_["mean_test_score"])
    assert search.best_params_["n_clusters"] == grid["n_clusters"][best]


MODELS = [LinearModel, MLPModel, SparseLinearModel, Douglas]


def failing_at(cls, call, error):
    """`cls`, whose gradient fails at its `call`-th computation of a fit."""

    class Failing(cls):
        def fit(self, X, y=None):
            self.calls = 0
            return super().fit(X, y)

        def _compute_grads(self, X, y_pred, gradient):
            self.calls += 1
            gradients = super()._compute_grads(X, y_pred, gradient)
            if self.calls == call:
                if error is KeyboardInterrupt:
                    raise KeyboardInterrupt
                gradients[0][:] = np.nan
            return gradients

    return Failing


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("call", [2, 5])
def test_an_interruption_leaves_the_model_of_the_epochs_before(cls, call):
    arguments = PUBLISHED | {"gemini": "mi", "learning_rate": 0.05, "random_state": 0}
    model = failing_at(cls, call, KeyboardInterrupt)(max_iter=20, **arguments)
    with pytest.raises(TrainingInterrupted, match=f"after {call - 1} epochs"):
        model.fit(X)
    expected = cls(max_iter=call - 1, **arguments).fit(X)
    for ours, theirs in zip(model._get_weights(), expected._get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(model.objective_curve_, expected.objective_curve_)
    np.testing.assert_array_equal(model.labels_, expected.labels_)
    assert model.n_iter_ == call - 1


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("call", [2, 5])
def test_a_divergence_leaves_the_last_weights_that_were_used(cls, call):
    """Those of the step before, whose objective is the last of the curve."""
    arguments = PUBLISHED | {"gemini": "mi", "learning_rate": 0.05, "random_state": 0}
    model = failing_at(cls, call, ArithmeticError)(max_iter=20, **arguments)
    with pytest.warns(ConvergenceWarning, match=f"diverged after {call - 1} epochs"):
        model.fit(X)
    curve = cls(max_iter=call - 1, **arguments).fit(X).objective_curve_
    np.testing.assert_array_equal(model.objective_curve_, curve)
    before = {"max_iter": max(call - 2, 1)}
    if call == 2:
        before["learning_rate"] = 1e-300
    expected = cls(**(arguments | before)).fit(X)
    if cls is not SparseLinearModel or call != 2:
        for ours, theirs in zip(model._get_weights(), expected._get_weights()):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


selected, _ = celeux_one(n=60, p=4, mu=1.7, random_state=0)


@pytest.mark.parametrize("cls", [SparseLinearMMD, SparseMLPMMD])
@pytest.mark.parametrize("batch_size", [None, 25])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian"])
def test_a_dynamic_score_is_that_of_the_features_selected(cls, kernel, batch_size):
    model = cls(kernel=kernel, dynamic=True, batch_size=batch_size, random_state=0)
    model.set_params(
        alpha=0.5, learning_rate=1e-2, max_iter=60, solver="sgd", init="random"
    )
    if cls is SparseMLPMMD:
        model.set_params(M=1.0, n_hidden_dim=8, alpha=2.0, max_iter=120)
    model.fit(selected)
    support = model.get_support()
    gemini = MMDGEMINI(kernel=kernel)
    affinity = gemini.compute_affinity(selected[:, support])
    expected = gemini.evaluate(model.predict_proba(selected), affinity)
    assert model.score(selected) == pytest.approx(expected, rel=1e-9)
    assert 0 < support.sum() < 9


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_a_stored_model_trains_as_a_new_one(cls):
    path = Path(__file__).parent / "pickles" / f"{cls.__name__}.pkl"
    stored = pickle.loads(path.read_bytes())
    again, fresh = stored["model"].fit(stored["X"]), clone(stored["model"])
    fresh.fit(stored["X"])
    np.testing.assert_array_equal(again.labels_, fresh.labels_)
    if hasattr(fresh, "_get_weights"):
        for ours, theirs in zip(again._get_weights(), fresh._get_weights()):
            np.testing.assert_array_equal(ours, theirs)
    assert 1 < len(set(again.labels_.tolist())) <= 3


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("ovo", [False, True])
def test_a_wasserstein_score_is_its_definition(ovo, metric):
    gemini = WassersteinGEMINI(ovo, metric=metric)
    model = LinearModel(3, gemini=gemini, max_iter=5, random_state=0, **PUBLISHED).fit(
        X
    )
    D = pairwise_distances(X, metric=metric)
    expected = gemini.evaluate(model.predict_proba(X), np.maximum(D, 0))
    assert model.score(X) == pytest.approx(expected, rel=1e-6)


def test_the_hidden_layer_and_the_objective_of_a_network():
    model = MLPMMD(
        3, kernel="rbf", ovo=True, max_iter=4, random_state=0, **PUBLISHED
    ).fit(X)
    hidden = np.maximum(X @ model.W1_ + model.b1_, 0)
    P = softmax(hidden @ model.W2_ + model.b2_, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), P, rtol=1e-10)
    kernel = pairwise_kernels(X, metric="rbf")
    expected = MMDGEMINI(ovo=True).evaluate(P, kernel)
    assert model.score(X) == pytest.approx(expected, rel=1e-9)
