"""Solvers of one's own, by class and by instance."""

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, LinearMMD
from gemclus.optim import LBFGS, OPTIMISERS, SGD, Adam, Optimiser
from gemclus.sparse import SparseLinearMMD

X = StandardScaler().fit_transform(load_iris().data)


class Descent(Optimiser):
    """Plain gradient descent, written by a user."""

    def update_params(self, params, grads):
        for param, grad in zip(params, grads):
            param -= self.learning_rate * grad


class Newton(Optimiser):
    """A full-batch method, written by a user."""

    def minimise(self, evaluate, params, max_iter, after_iteration):
        shapes = [param.shape for param in params]
        splits = np.cumsum([param.size for param in params])[:-1]

        def scattered(x):
            for param, part, shape in zip(params, np.split(x, splits), shapes):
                param[...] = part.reshape(shape)
            value, grads = evaluate()
            return value, np.concatenate([grad.ravel() for grad in grads])

        x = np.concatenate([param.ravel() for param in params])
        result = minimize(scattered, x, jac=True, method="BFGS")
        after_iteration(scattered(result.x)[0])
        return result.success


@pytest.mark.parametrize("solver", [Descent, Descent(0.01)])
def test_a_solver_of_ones_own(solver):
    model = LinearMMD(
        solver=solver, learning_rate=0.01, max_iter=5, random_state=0, init="random"
    )
    model.fit(X)
    W = LinearMMD(max_iter=1, learning_rate=1e-300, random_state=0, **PUBLISHED).fit(X)
    assert type(model.optimiser_) is Descent
    assert model.optimiser_ is not solver
    assert model.n_iter_ == 5 and model.score(X) > W.score(X)
    twin = LinearMMD(
        solver=Descent(0.01), max_iter=5, random_state=0, init="random"
    ).fit(X)
    np.testing.assert_array_equal(model.W_, twin.W_)


def test_an_instance_keeps_its_own_learning_rate_and_state():
    solver = Adam(0.05)
    settings = dict(max_iter=6, random_state=0, learning_rate=1e-3, init="random")
    model = LinearMMD(solver=solver, **settings).fit(X)
    expected = LinearMMD(
        max_iter=6, random_state=0, learning_rate=0.05, **PUBLISHED
    ).fit(X)
    np.testing.assert_array_equal(model.W_, expected.W_)
    assert model.optimiser_.learning_rate == 0.05
    assert vars(solver) == {"learning_rate": 0.05}
    # What another training has used starts from nothing.
    again = LinearMMD(solver=model.optimiser_, **settings).fit(X)
    np.testing.assert_array_equal(again.W_, expected.W_)


def test_instances_are_parameters():
    model = LinearMMD(solver=SGD(0.1), init="random")
    assert model.get_params()["solver__learning_rate"] == 0.1
    twin = clone(model).set_params(solver__learning_rate=0.2)
    assert twin.solver.learning_rate == 0.2
    assert model.solver.learning_rate == 0.1
    assert "SGD(learning_rate=0.1)" in repr(model)


def test_a_full_batch_solver_of_ones_own():
    model = RIM(solver=Newton, random_state=0, init="random").fit(X)
    lbfgs = RIM(solver=LBFGS(), random_state=0, init="random").fit(X)
    assert model.score(X) == pytest.approx(lbfgs.score(X), rel=1e-4)
    assert model.n_iter_ == 1 and isinstance(model.converged_, bool)
    with pytest.raises(ValueError, match="batch_size must be None"):
        LinearMMD(solver=Newton(), batch_size=10, init="random").fit(X)
    with pytest.raises(ValueError, match="proximal steps"):
        SparseLinearMMD(solver=LBFGS, init="random").fit(X)
    assert not hasattr(LinearMMD(solver=Newton(), init="random"), "partial_fit")


def test_proximal_steps_follow_a_solver_of_ones_own():
    settings = dict(
        alpha=3.0, max_iter=2, learning_rate=0.05, random_state=1, init="random"
    )
    by_hand = SparseLinearMMD(solver=Descent, **settings).fit(X)
    plain = LinearMMD(
        solver=Descent, max_iter=1, learning_rate=0.05, random_state=1, init="random"
    )
    W = plain.fit(X).W_
    norms = np.linalg.norm(W, axis=1, keepdims=True)
    one = SparseLinearMMD(solver=Descent, **settings | {"max_iter": 1}).fit(X)
    np.testing.assert_allclose(
        one.W_, W * np.maximum(1 - 3.0 * 0.05 / norms, 0), rtol=1e-12
    )
    assert not np.array_equal(by_hand.W_, one.W_)


def test_names_can_be_registered(monkeypatch):
    monkeypatch.setitem(OPTIMISERS, "descent", Descent)
    model = LinearMMD(solver="descent", max_iter=2, init="random").fit(X)
    assert type(model.optimiser_) is Descent


@pytest.mark.parametrize("solver", [None, 3, dict, object(), LinearMMD])
def test_other_solvers_are_refused(solver):
    with pytest.raises(TypeError, match="solver must be one of.*optim.Optimiser"):
        LinearMMD(solver=solver, init="random").fit(X)


def test_missing_methods_are_named():
    with pytest.raises(NotImplementedError, match="Optimiser .*update_params"):
        LinearMMD(solver=Optimiser, init="random").fit(X)
    with pytest.raises(NotImplementedError, match="LBFGS .*update_params"):
        LBFGS().update_params([], [])
    with pytest.raises(NotImplementedError, match="Adam .*minimise"):
        Adam().minimise(None, [], 1, None)


def test_converged_says_how_a_training_ended():
    limited = LinearMMD(max_iter=3, random_state=0, **PUBLISHED).fit(X)
    assert limited.converged_ is False
    by_rule = LinearMMD(tol=1e-3, learning_rate=0.05, random_state=0, **PUBLISHED).fit(
        X
    )
    assert by_rule.converged_ is True and by_rule.n_iter_ < 1000
    assert (
        LinearMMD(solver="lbfgs", random_state=0, init="random").fit(X).converged_
        is True
    )


def test_a_failed_line_search_is_not_converged():
    w = np.array([1.0])

    def wrong():
        """A gradient of the wrong sign: no step along it gains anything."""
        return float(w[0] ** 2), [-2.0 * w]

    assert LBFGS().minimise(wrong, [w], 50, lambda value: False) is False
    assert w[0] == 1.0
