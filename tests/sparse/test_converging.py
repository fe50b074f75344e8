"""Sparse models at the optimum of their penalised objective, the default."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from gemclus.data import celeux_one
from gemclus.gemini import MMDGEMINI
from gemclus.linear import LinearMMD
from gemclus.optim import FISTA, SGD, Adam
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearMMD,
    SparseLinearModel,
    SparseMLPMMD,
    SparseMLPModel,
)

MODELS = [
    SparseLinearModel,
    SparseLinearMMD,
    SparseLinearMI,
    SparseMLPModel,
    SparseMLPMMD,
]
every_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
X, CLASSES = celeux_one(n=120, p=5, mu=1.7, random_state=0)


def slopes(model):
    """Gradients of minus the objective at the weights of a linear model."""
    gemini = model.get_gemini()
    y_pred = model.predict_proba(X)
    affinity = gemini.compute_affinity(X)
    gradient = gemini.evaluate(y_pred, affinity, return_grad=True)[1]
    return model._compute_grads(X, y_pred, gradient)


@pytest.mark.parametrize("groups", [None, [[0, 9], [3, 4]]])
@pytest.mark.parametrize(
    ("cls", "alpha"), [(SparseLinearMMD, 0.3), (SparseLinearMI, 0.05)]
)
def test_a_fit_ends_at_an_optimum(cls, alpha, groups):
    model = cls(
        alpha=alpha, groups=groups, solver=FISTA(tol=1e-5), tol=0.0, random_state=0
    )
    model.set_params(max_iter=5000).fit(X)
    assert model.converged_ and 0 < model.get_selection().size < 10
    slope, of_biases = slopes(model)
    if cls is SparseLinearMI:
        slope += 2 * 0.01 * model.W_
    for group in model.groups_:
        W, g = model.W_[group], slope[group]
        if not W.any():
            assert np.linalg.norm(g) <= alpha
        else:
            np.testing.assert_allclose(g, -alpha * W / np.linalg.norm(W), atol=1e-3)
    np.testing.assert_allclose(of_biases, 0.0, atol=1e-4)


@every_model
def test_defaults_converge_and_select(cls):
    alpha = 0.1 if "Linear" in cls.__name__ else 2.0
    model = cls(alpha=alpha, random_state=0).fit(X)
    assert type(model.optimiser_) is FISTA and model.converged_
    assert 0 < model.get_selection().size < 10
    assert (np.diff(model.objective_curve_) >= 0).all()
    # No worse than the published steps, by what both maximise.
    if "MLP" not in cls.__name__ and cls is not SparseLinearMI:
        steps = clone(model).set_params(solver="adam", learning_rate=0.01).fit(X)
        assert model.objective_curve_[-1] >= steps.objective_curve_[-1] - 1e-3


def test_auto_is_what_applies():
    short = {"max_iter": 3, "random_state": 0}
    for arguments, optimiser in [
        ({"dynamic": True}, Adam),
        ({"batch_size": 30}, Adam),
        ({"solver": "sgd"}, SGD),
    ]:
        model = SparseLinearMMD(**short, **arguments)
        if "batch_size" in arguments:
            with pytest.warns(ConvergenceWarning, match="max_iter=3"):
                model.fit(X)
        else:
            model.fit(X)
        assert type(model.optimiser_) is optimiser
    assert type(SparseLinearMMD(random_state=0).partial_fit(X).optimiser_) is Adam
    with pytest.raises(ValueError, match="dynamic=True changes"):
        SparseLinearMMD(dynamic=True, solver="fista").fit(X)
    with pytest.raises(ValueError, match="batch_size must be None"):
        SparseLinearMMD(batch_size=30, solver="fista").fit(X)

    class Stepping(SparseLinearModel):
        def _update_weights(self, weights, gradients):
            super()._update_weights(weights, gradients)

    assert type(Stepping(**short).fit(X).optimiser_) is Adam


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        (SparseLinearMMD(solver="adam", max_iter=3, tol=1e-9), "or use solver='fista'"),
        (LinearMMD(solver="adam", max_iter=3, tol=1e-9), "or use solver='lbfgs'"),
        (SparseLinearMMD(dynamic=True, max_iter=3, tol=1e-9), "rate or tol."),
    ],
)
def test_the_warning_advises_what_applies(model, remedy):
    with pytest.warns(ConvergenceWarning) as caught:
        model.set_params(random_state=0).fit(X)
    assert str(caught[0].message).endswith(remedy + "." * (remedy[-1] != "."))


@every_model
def test_an_alpha_that_leaves_nothing_says_so(cls):
    with pytest.warns(UserWarning, match="No feature is selected with alpha=1000.0"):
        model = cls(alpha=1000.0, random_state=0).fit(X)
    assert model.get_selection().size == 0 and model.n_clusters_ == 1
    assert np.isfinite(model.score(X))


@every_model
def test_one_cluster_selects_nothing_and_keeps_everything(cls):
    model = cls(1, random_state=0).fit(X)
    assert model.get_support().all() and model.converged_


@every_model
@pytest.mark.parametrize("alpha", [0.0, 1e-2, 1.0, 100.0])
def test_a_path_passes_through_the_counts(cls, alpha):
    """Features leave by and by, for any alpha that it is given."""
    model = cls(alpha=alpha, random_state=0)
    path = model.path(X, alpha_multiplier=1.2)
    assert path.alphas[0] <= (alpha or 1e-2)
    assert path.n_features[0] >= 5 and path.n_features[-1] <= 2
    assert {4, 5, 6} & set(path.n_features)
    np.testing.assert_allclose(np.divide(path.alphas[1:], path.alphas[:-1]), 1.2)
    kept = model.get_selection()
    assert (kept < 5).sum() >= 4 and (kept >= 5).sum() <= 2
    assert model.score(X) == pytest.approx(path.geminis[path.kept_step], rel=1e-9)
    assert model.alpha == alpha


@pytest.mark.parametrize(
    "model",
    [SparseLinearMMD(), SparseLinearMMD(ovo=True), SparseLinearMI()],
    ids=["ova", "ovo", "mi"],
)
def test_default_paths_find_five_features_among_195_of_noise(model):
    data, _ = celeux_one(n=300, p=195, random_state=0)
    clone(model).set_params(random_state=0)
    model.set_params(random_state=0).path(data)
    assert model.get_selection().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "model", [SparseLinearMMD(), SparseLinearMI(), SparseMLPMMD(n_hidden_dim=5)]
)
def test_paths_take_weights_for_repetitions(model):
    times = np.random.RandomState(0).randint(0, 4, size=len(X))
    rows = np.repeat(np.arange(len(X)), times)
    # Of random weights, which the draws of a seeding would change.
    model.set_params(random_state=0, init="random")
    found = clone(model)
    path = found.path(X, sample_weight=times, alpha_multiplier=1.3)
    other = clone(model)
    repeated = other.path(X[rows], alpha_multiplier=1.3)
    twice = clone(model).path(np.r_[X[rows], X[rows]], alpha_multiplier=1.3)
    for expected in (repeated, twice):
        assert path.n_features == expected.n_features
        np.testing.assert_allclose(path.alphas, expected.alphas, rtol=1e-5)
        np.testing.assert_allclose(path.geminis, expected.geminis, rtol=1e-4)
    np.testing.assert_array_equal(found.get_selection(), other.get_selection())


@pytest.mark.parametrize("cls", [SparseLinearMMD, SparseLinearMI, SparseMLPMMD])
def test_an_offset_of_the_features_changes_nothing(cls):
    centred = StandardScaler().fit_transform(X)
    model = cls(alpha=0.05, random_state=0)
    expected = clone(model).fit(centred)
    shifted = centred + np.linspace(-300.0, 300.0, 10)
    model.fit(shifted)
    assert model.n_iter_ == pytest.approx(expected.n_iter_, abs=5)
    np.testing.assert_allclose(
        model._feature_weights(), expected._feature_weights(), atol=1e-3
    )
    np.testing.assert_array_equal(model.labels_, expected.labels_)


def test_a_solver_of_ones_own_may_take_the_penalty():
    calls = []

    class Plain(FISTA):
        def minimise(self, evaluate, params, max_iter, after_iteration, **penalty):
            calls.append(sorted(penalty))
            return super().minimise(
                evaluate, params, max_iter, after_iteration, **penalty
            )

    model = SparseLinearMMD(alpha=0.3, solver=Plain, random_state=0).fit(X)
    expected = SparseLinearMMD(alpha=0.3, random_state=0).fit(X)
    np.testing.assert_array_equal(model.W_, expected.W_)
    path = SparseLinearMMD(solver=Plain, random_state=0).path(X, alpha_multiplier=2.0)
    assert calls == [["penalty", "shrink"]] * (2 + len(path.alphas))
    # Without a penalty there is nothing to pass on.
    LinearMMD(solver=Plain, random_state=0).fit(X)
    assert calls[-1] == []


def test_smooth_penalties_are_known_before_a_fit():
    for cls in MODELS:
        assert cls()._smooth_penalty(X) == 0.0


def test_an_objective_that_is_negative_has_a_path():
    class Shifted(MMDGEMINI):
        def evaluate(self, y_pred, affinity, return_grad=False):
            value = super().evaluate(y_pred, affinity, return_grad)
            return (value[0] - 10.0, value[1]) if return_grad else value - 10.0

    plain = SparseLinearModel(gemini=MMDGEMINI(), random_state=0)
    path = plain.path(X, alpha_multiplier=1.3)
    shifted = SparseLinearModel(gemini=Shifted(), random_state=0)
    found = shifted.path(X, alpha_multiplier=1.3)
    assert found.alphas[0] == pytest.approx(path.alphas[0], rel=1e-3)
    assert found.n_features[-1] <= 2 and max(found.geminis) < -6.0
