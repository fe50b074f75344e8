"""Hooks that break their contract without any error of their own."""

import numpy as np
import pytest
from estimators import PUBLISHED
from joblib import parallel_backend
from user_models import Sigmoid, X, y

from gemclus import add_mlcl_constraint
from gemclus.linear import LinearMMD, LinearModel
from gemclus.mlp import MLPModel
from gemclus.optim import LBFGS, SGD


class Copies(Sigmoid):
    """A user's mistake: what the optimiser moves is not what `_infer` reads."""

    def _get_weights(self):
        return [self.theta_.copy()]


class Half(MLPModel):
    def _get_weights(self):
        W1, W2, b1, b2 = super()._get_weights()
        return [W1, W2, np.array(b1), b2]


@pytest.mark.parametrize("settings", [{}, {"batch_size": 16}, {"init": "k-means++"}])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", SGD(0.1), LBFGS])
@pytest.mark.parametrize("cls, entry", [(Copies, 0), (Half, 2)])
def test_weights_that_are_copies_are_refused(cls, entry, solver, settings):
    model = cls(2, solver=solver, random_state=0)
    if settings and solver in ("lbfgs", LBFGS):
        settings = {}
    for name, value in settings.items():
        setattr(model, name, value)
    message = f"_get_weights must return the arrays.*entry {entry} is a copy"
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    if not isinstance(solver, type) and solver != "lbfgs":
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X)


class Views(Sigmoid):
    """Other arrays each time, of the same memory: allowed."""

    def _init_params(self, random_state, X=None):
        self.flat_ = random_state.uniform(-1, 1, size=X.shape[1])

    @property
    def theta_(self):
        return self.flat_[:, None]


class Replaced(Sigmoid):
    """Its steps make new arrays, which the hook then returns: allowed."""

    def _update_weights(self, weights, gradients):
        self.theta_ = self.theta_ - 0.01 * gradients[0]


@pytest.mark.parametrize("cls", [Views, Replaced])
def test_weights_that_follow_are_accepted(cls):
    model = cls(random_state=0, max_iter=300, learning_rate=1e-2).fit(X)
    assert max(np.mean(model.labels_ == y), np.mean(model.labels_ != y)) > 0.9


def test_a_first_step_that_moves_nothing_decides_nothing():
    class Still(Copies):
        def _compute_grads(self, X, y_pred, gradient):
            return [0.0 * g for g in super()._compute_grads(X, y_pred, gradient)]

    assert Still(max_iter=5, solver="sgd").fit(X).n_iter_ == 5


def test_partial_fit_takes_the_solver_of_the_time():
    model = LinearMMD(2, solver="lbfgs", random_state=0, init="random").fit(X)
    W = model.W_.copy()
    model.set_params(solver="sgd", batch_size=20, learning_rate=1e-3).partial_fit(X)
    assert type(model.optimiser_) is SGD
    steps = []

    class Watching(LinearMMD):
        def _update_weights(self, weights, gradients):
            steps.append(1)
            super()._update_weights(weights, gradients)

    watched = object.__new__(Watching)
    vars(watched).update(vars(model))
    watched.partial_fit(X)
    assert len(steps) == 3
    assert 0 < np.abs(model.W_ - W).max() < 0.1
    optimiser = watched.optimiser_
    watched.partial_fit(X)
    assert type(watched.optimiser_) is type(optimiser) is SGD


def test_partial_fit_begins_as_init_says():
    labels = (X[:, 0] > X[:, 1]).astype(int)
    for init in ("k-means++", labels):
        settings = dict(solver="adam", init=init, learning_rate=1e-300, random_state=0)
        model = LinearModel(2, gemini="mi", **PUBLISHED | settings).partial_fit(X)
        whole = LinearModel(2, gemini="mi", max_iter=1, **PUBLISHED | settings).fit(X)
        np.testing.assert_array_equal(model.W_, whole.W_)
    for init, message in (
        ([0, 1], "init must give one label"),
        (np.full(len(X), 5), "init must hold labels"),
    ):
        model = LinearModel(2, init=init, solver="adam")
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X)
        assert vars(model) == model.get_params()
    with pytest.raises(ValueError, match="n_samples=1 must be at least n_clusters=2"):
        LinearModel(2, init="k-means++", solver="adam").partial_fit(X[:1])
    # Later samples are another part of the stream.
    LinearModel(2, init=labels, solver="adam").partial_fit(X).partial_fit(X[:7])


def test_random_starts_take_streams_of_single_samples():
    model = LinearModel(2, gemini="mi", random_state=0, **PUBLISHED)
    for row in X[:5]:
        model.partial_fit(row[None])
    assert model.n_iter_ == 5


@pytest.mark.parametrize("backend", ["multiprocessing", "threading", "loky"])
def test_restarts_under_any_backend_of_joblib(backend):
    expected = LinearMMD(2, n_init=3, max_iter=20, random_state=0, **PUBLISHED).fit(X)
    model = LinearMMD(2, n_init=3, max_iter=20, random_state=0, **PUBLISHED)
    with parallel_backend(backend, n_jobs=2):
        model.fit(X)
    np.testing.assert_allclose(model.W_, expected.W_, rtol=1e-9)
    assert len(model.objective_curves_) == 3


def test_all_curves_are_kept():
    model = LinearMMD(2, n_init=4, max_iter=6, random_state=0, **PUBLISHED).fit(X)
    assert [curve.shape for curve in model.objective_curves_] == [(6,)] * 4
    ends = [curve[-1] for curve in model.objective_curves_]
    kept = model.objective_curves_[int(np.argmax(ends))]
    np.testing.assert_array_equal(model.objective_curve_, kept)
    single = LinearMMD(2, max_iter=6, random_state=0, **PUBLISHED).fit(X)
    np.testing.assert_array_equal(single.objective_curve_, model.objective_curves_[0])
    (only,) = single.objective_curves_
    np.testing.assert_array_equal(only, single.objective_curve_)
    single.partial_fit(X)
    assert len(single.objective_curves_[0]) == 7


@pytest.mark.parametrize("gemini", ["mi", "mmd_ova"])
def test_a_stationary_start_has_a_curve(gemini):
    """All predictions equal: the gradient is 0, and L-BFGS accepts no step."""

    class Stationary(LinearModel):
        def _init_params(self, random_state, X=None):
            self.W_ = np.zeros((X.shape[1], self.n_clusters))
            self.b_ = np.zeros((1, self.n_clusters))

    with pytest.warns(UserWarning, match="nearly the same"):
        model = Stationary(2, gemini=gemini, solver="lbfgs", init="random").fit(X)
    assert model.objective_curve_.shape == (1,) and model.n_iter_ == 1
    assert model.objective_curve_[0] == pytest.approx(model.score(X), abs=1e-12)


def test_constraints_of_a_batch_do_not_hide_copies():
    model = add_mlcl_constraint(Copies(2, random_state=0), [[0, 1]])
    with pytest.raises(ValueError, match="entry 0 is a copy"):
        model.fit(X)
