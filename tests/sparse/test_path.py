"""The path from all features to few."""

import copy

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from gemclus import TrainingInterrupted
from gemclus.data import celeux_one
from gemclus.gemini import MMDGEMINI
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearMMD,
    SparseLinearModel,
    SparseMLPMMD,
)

MODELS = [SparseLinearMI, SparseLinearMMD, SparseMLPMMD]
every_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
X, y = celeux_one(n=120, p=5, mu=1.7, random_state=0)


def small(cls=SparseLinearMMD, **arguments):
    """A model whose path is short."""
    arguments = {"alpha": 0.3, "learning_rate": 1e-2, "max_iter": 100} | arguments
    return cls(random_state=0, **PUBLISHED | arguments)


def test_published_path():
    X, y = celeux_one(n=300, p=20, mu=1.7, random_state=0)
    model = SparseLinearMMD(random_state=0, alpha=1, ovo=True, **PUBLISHED)
    _, geminis, _, alphas, n_features = model.path(X)
    assert model.get_selection().tolist() == [0, 1, 2, 3, 4]
    assert adjusted_rand_score(y, model.labels_) == pytest.approx(0.833, abs=5e-4)
    assert model.score(X) == pytest.approx(2.826, abs=5e-4)
    assert max(geminis) == pytest.approx(3.025, abs=5e-4)
    assert len(alphas) == 71 and n_features[0] == 10


def naive_path(model, X, multiplier, min_features, threshold, factor, patience):
    """The algorithm in plain words, on the hooks of a model, full batch."""
    gemini = model.get_gemini()
    affinity = gemini.compute_affinity(X)
    start = clone(model).set_params(alpha=0).fit(X)
    weights, rate = start._get_weights(), model.learning_rate
    velocities = [np.zeros_like(weight) for weight in weights]

    def objective():
        return gemini.evaluate(start._infer(X), affinity)

    def penalty():
        return alpha * sum(np.linalg.norm(start.W_[group]) for group in start.groups_)

    alpha = model.alpha
    best, kept, steps = objective(), None, []
    while True:
        noted, noted_penalty, count = objective(), penalty(), 0
        for _ in range(model.max_iter):
            y_pred = start._infer(X)
            gradient = gemini.evaluate(y_pred, affinity, return_grad=True)[1]
            gradients = start._compute_grads(X, y_pred, gradient)
            for weight, grad, u in zip(weights, gradients, velocities):
                u *= 0.9
                u -= rate * grad
                weight += 0.9 * u - rate * grad
            for group in start.groups_:
                norm = np.linalg.norm(start.W_[group])
                start.W_[group] *= max(0, 1 - alpha * rate / norm) if norm else 0
            if objective() > (2 - factor) * noted or penalty() < factor * noted_penalty:
                noted, noted_penalty, count = objective(), penalty(), 0
            else:
                count += 1
            if count == patience:
                break
        n_selected = int((np.abs(start.W_).sum(axis=1) > 0).sum())
        steps.append((objective(), penalty() / alpha, alpha, n_selected))
        if n_selected == X.shape[1]:
            best = max(best, objective())
        if objective() >= threshold * best:
            kept = [weight.copy() for weight in weights]
        if n_selected <= min_features:
            return kept, steps
        alpha *= multiplier


@pytest.mark.parametrize(
    "arguments", [{}, {"groups": [[0, 9], [3, 4]]}, {"kernel": "rbf"}, {"ovo": True}]
)
@pytest.mark.parametrize("settings", [(1.2, 2, 0.9, 0.99, 10), (1.5, 4, 0.6, 0.9, 3)])
def test_path_is_the_algorithm(arguments, settings):
    model = small(**arguments)
    names = (
        "alpha_multiplier",
        "min_features",
        "keep_threshold",
        "early_stopping_factor",
        "max_patience",
    )
    path = model.path(X, **dict(zip(names, settings)))
    weights, steps = naive_path(small(**arguments), X, *settings)
    np.testing.assert_allclose(np.transpose(path[1:]), steps, rtol=1e-7)
    for ours, expected, fitted in zip(
        path[0], weights, model._get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-7, atol=1e-12)
        np.testing.assert_array_equal(fitted, ours)


@every_model
def test_result_is_kept_and_the_model_agrees_with_it(cls):
    model = small(cls)
    path = model.path(X, alpha_multiplier=1.3)
    assert model.path_ is path and isinstance(path, tuple) and len(path) == 5
    assert all(len(entries) == len(path.alphas) for entries in path[1:])
    assert path.n_features[-1] <= 2 < min(path.n_features[:-1])
    np.testing.assert_allclose(np.divide(path.alphas[1:], path.alphas[:-1]), 1.3)
    assert path.alphas[0] == 0.3
    for weight, kept in zip(model._get_weights(), path.best_weights, strict=True):
        np.testing.assert_array_equal(weight, kept)
        assert not np.shares_memory(weight, kept)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    assert model.score(X) == pytest.approx(
        next(v for v in path.geminis if v == pytest.approx(model.score(X)))
    )


@every_model
def test_no_parameter_changes(cls):
    model = small(cls)
    before = copy.deepcopy(model.get_params())
    model.path(X, alpha_multiplier=1.5)
    assert model.get_params() == before
    assert not any("path" in name for name in set(vars(model)) - {"path_"})
    assert model.optimiser_.learning_rate == 1e-2
    # A fit after a path is a fit like any other.
    for weight, fitted in zip(
        model.fit(X)._get_weights(), small(cls).fit(X)._get_weights()
    ):
        np.testing.assert_array_equal(weight, fitted)
    assert not hasattr(model, "path_")


def test_last_weights_on_demand():
    model = small()
    path = model.path(X, alpha_multiplier=1.3, restore_best_weights=False)
    assert model.get_selection().size == path.n_features[-1] <= 2
    assert model.score(X) == pytest.approx(path.geminis[-1], rel=1e-12)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


def test_a_strict_threshold_keeps_all_features():
    model = small()
    path = model.path(X, alpha_multiplier=1.3, keep_threshold=1.0)
    assert model.score(X) >= max(
        g
        for g, n in zip(path.geminis, path.n_features)
        if n == 10 or g == path.geminis[0]
    ) * (1 - 1e-12)


@pytest.mark.parametrize(
    "arguments, settings",
    [
        ({"alpha": 0}, {}),
        ({"alpha": 5e-324}, {"alpha_multiplier": 10.0}),
        ({"alpha": 1e300}, {"alpha_multiplier": 1e300}),
        ({}, {"min_features": 0}),
        ({}, {"min_features": 10}),
        ({}, {"min_features": 1000}),
        ({}, {"keep_threshold": 0.0}),
        ({}, {"early_stopping_factor": 0.0, "max_patience": 1}),
        ({}, {"early_stopping_factor": 1.0, "max_patience": 1000}),
        ({"max_iter": 1}, {}),
        ({"learning_rate": 1e-8}, {"alpha_multiplier": 3.0}),
        ({"batch_size": 40}, {}),
        ({"batch_size": 40, "kernel": "rbf"}, {}),
        ({"dynamic": True}, {}),
        ({"dynamic": True, "kernel": "rbf", "batch_size": 40}, {}),
        ({"n_init": 2}, {}),
        ({"n_clusters": 1}, {}),
        ({"solver": "sgd", "tol": 0.5}, {}),
        ({"groups": [list(range(10))]}, {}),
    ],
    ids=str,
)
def test_every_path_ends(arguments, settings):
    check_path_ends(small(**({"max_iter": 30} | arguments)), settings)


@pytest.mark.parametrize(
    "arguments, settings",
    [
        ({}, {}),
        ({"alpha": 0, "batch_size": 40}, {}),
        ({"M": 0}, {"min_features": 0}),
        ({"M": 1e6}, {"min_features": 0}),
        ({"dynamic": True, "ovo": True}, {}),
        ({"groups": [[0, 9], [3, 4]]}, {}),
    ],
    ids=str,
)
def test_every_path_of_networks_ends(arguments, settings):
    arguments = {"max_iter": 30, "n_hidden_dim": 5} | arguments
    check_path_ends(small(SparseMLPMMD, **arguments), settings)


def check_path_ends(model, settings):
    if settings.get("min_features", 2) >= 10:
        with pytest.warns(UserWarning, match="nothing to do"):
            path = model.path(X, **({"alpha_multiplier": 1.5} | settings))
    else:
        path = model.path(X, **({"alpha_multiplier": 1.5} | settings))
    assert path.n_features[-1] <= settings.get("min_features", 2)
    assert np.isfinite(path.geminis).all() and np.isfinite(path.group_penalties).all()
    assert (np.diff(path.alphas) > 0).all()
    np.testing.assert_array_equal(model.labels_, model.predict(X))


@pytest.mark.parametrize(
    "settings, error",
    [
        ({"alpha_multiplier": 1.0}, ValueError),
        ({"alpha_multiplier": np.inf}, ValueError),
        ({"alpha_multiplier": "2"}, TypeError),
        ({"min_features": -1}, ValueError),
        ({"min_features": 2.5}, TypeError),
        ({"keep_threshold": 1.1}, ValueError),
        ({"keep_threshold": -0.1}, ValueError),
        ({"keep_threshold": np.nan}, ValueError),
        ({"restore_best_weights": 1}, TypeError),
        ({"early_stopping_factor": 1.01}, ValueError),
        ({"early_stopping_factor": None}, TypeError),
        ({"max_patience": 0}, ValueError),
    ],
    ids=str,
)
def test_refusals(settings, error):
    model = small()
    with pytest.raises(error, match=next(iter(settings))):
        model.path(X, **settings)
    assert not hasattr(model, "W_")


def test_fit_time_refusals_leave_no_trace():
    model = small(groups=[[0], [0]])
    with pytest.raises(ValueError, match="groups must not overlap"):
        model.path(X)
    assert vars(model) == model.get_params()


def test_frames():
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(10)])
    model = small()
    path = model.path(frame, alpha_multiplier=1.3)
    assert model.get_feature_names_out().tolist() == [f"x{j}" for j in range(5)]
    assert path.geminis == small().path(X, alpha_multiplier=1.3).geminis


def test_precomputed_kernel():
    expected = small().path(X, alpha_multiplier=1.3)
    path = small(kernel="precomputed").path(X, X @ X.T, alpha_multiplier=1.3)
    np.testing.assert_allclose(path.geminis, expected.geminis, rtol=1e-9)


def test_nothing_is_computed_twice():
    calls = {"affinity": 0, "evaluate": 0}

    class Counting(MMDGEMINI):
        def compute_affinity(self, X, y=None):
            calls["affinity"] += 1
            return super().compute_affinity(X, y)

        def evaluate(self, y_pred, affinity, return_grad=False):
            calls["evaluate"] += 1
            return super().evaluate(y_pred, affinity, return_grad)

    epochs = []

    class Model(SparseLinearModel):
        def _update_weights(self, weights, gradients):
            epochs.append(1)
            super()._update_weights(weights, gradients)

    small(Model, gemini=Counting()).path(X, alpha_multiplier=1.3)
    # One evaluation for each update, and one for the weights after the last.
    assert calls == {"affinity": 1, "evaluate": len(epochs) + 1}


class Interrupting(MMDGEMINI):
    """Ctrl-C at some evaluation."""

    def __init__(self, at=0):
        super().__init__()
        self.at = at

    def evaluate(self, y_pred, affinity, return_grad=False):
        self.count_ = getattr(self, "count_", 0) + 1
        if self.count_ == self.at:
            raise KeyboardInterrupt
        return super().evaluate(y_pred, affinity, return_grad)


@pytest.mark.parametrize("at", [50, 200])
def test_an_interrupted_path_keeps_what_it_has(at):
    model = small(SparseLinearModel, gemini=Interrupting(at))
    with pytest.raises(TrainingInterrupted, match="interrupted after"):
        model.path(X, alpha_multiplier=1.1)
    if at == 50:
        assert not hasattr(model, "path_")
    else:
        assert 0 < len(model.path_.alphas) < 20
        assert len({len(entries) for entries in model.path_[1:]}) == 1
        for weight, kept in zip(model._get_weights(), model.path_.best_weights):
            np.testing.assert_array_equal(weight, kept)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


def test_a_diverging_path_keeps_usable_weights():
    class Diverging(Interrupting):
        def evaluate(self, y_pred, affinity, return_grad=False):
            try:
                return super().evaluate(y_pred, affinity, return_grad)
            except KeyboardInterrupt:
                return np.nan, np.full_like(y_pred, np.nan)

    model = small(SparseLinearModel, gemini=Diverging(200))
    with pytest.warns(ConvergenceWarning, match="diverged"):
        path = model.path(X, alpha_multiplier=1.1)
    assert len(path.alphas) < 20 and np.isfinite(model.score(X))
