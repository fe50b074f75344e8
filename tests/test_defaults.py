"""The default solver and start, and which models have them."""

import inspect

import estimators
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from user_models import Sigmoid

from gemclus import DiscriminativeModel
from gemclus.linear import LinearMMD, LinearModel
from gemclus.optim import LBFGS, SGD, Adam

IRIS = StandardScaler().fit_transform(load_iris().data)
BLOBS, CLASSES = make_blobs(90, centers=3, cluster_std=0.5, random_state=1)

every_model = pytest.mark.parametrize("cls", estimators.GRADIENT_MODELS)


@every_model
def test_models_of_the_package_have_the_new_defaults(cls):
    parameters = inspect.signature(cls).parameters
    assert parameters["solver"].default == "auto"
    assert parameters["init"].default == "k-means++"
    assert parameters["tol"].default is None
    model = clone(cls())
    assert (model.solver, model.init) == ("auto", "k-means++")


class Published(LinearModel):
    """As a user may derive from a model of the package: the published signature."""

    def __init__(
        self,
        n_clusters=3,
        gemini="mi",
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
    ):
        super().__init__(
            n_clusters=n_clusters,
            gemini=gemini,
            max_iter=max_iter,
            learning_rate=learning_rate,
            solver=solver,
            batch_size=batch_size,
            verbose=verbose,
            random_state=random_state,
        )


@pytest.mark.parametrize("cls", [Sigmoid, Published])
def test_derived_models_of_the_published_signature_run_as_ever(cls):
    model = cls(2, gemini="mi", max_iter=20, random_state=0)
    assert (model.solver, model.init, model.tol) == ("adam", "random", None)
    # Without a rule there is nothing to warn of.
    model.fit(IRIS)
    assert type(model.optimiser_) is Adam
    assert model.n_iter_ == 20 and not model.converged_
    expected = LinearModel(
        2, gemini="mi", max_iter=20, random_state=0, **estimators.PUBLISHED
    ).fit(IRIS)
    if cls is Published:
        np.testing.assert_array_equal(model.W_, expected.W_)


def test_what_a_derived_constructor_passes_on_is_obeyed():
    class Seeded(LinearModel):
        def __init__(self, n_clusters=3):
            super().__init__(n_clusters, solver="lbfgs", init="k-means++")

    assert (Seeded().init, Seeded().solver) == ("k-means++", "lbfgs")


def test_auto_is_what_applies():
    class Batched(LinearMMD):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            yield X, affinity_matrix

    settings = dict(max_iter=3, random_state=0)
    for model, optimiser in [
        (LinearMMD(**settings), LBFGS),
        (LinearMMD(batch_size=50, **settings), Adam),
        (Batched(**settings), Adam),
    ]:
        if isinstance(model, Batched):
            model.fit(IRIS)  # steps on hooks of its own, for which there is no rule
        else:
            with pytest.warns(ConvergenceWarning, match="max_iter=3"):
                model.fit(IRIS)
        assert type(model.optimiser_) is optimiser
    model = LinearMMD(random_state=0).partial_fit(IRIS)
    assert type(model.optimiser_) is Adam
    model = LinearMMD(random_state=0).fit(IRIS).partial_fit(IRIS)
    assert type(model.optimiser_) is Adam
    model.set_params(solver="sgd").partial_fit(IRIS)
    assert type(model.optimiser_) is SGD


def test_auto_in_steps_ends_when_batches_gain_no_more():
    model = LinearMMD(
        batch_size=30, learning_rate=0.05, max_iter=3000, random_state=0
    ).fit(IRIS)
    assert model.converged_ and 100 < model.n_iter_ < 3000
    curve = model.objective_curve_
    best = curve[:-100].max()
    assert curve[-100:].max() <= best * (1 + 1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_model
def test_defaults_find_what_is_plain(cls):
    arguments = {**estimators.GRADIENT_MODELS[cls], "random_state": 0}
    labels = cls(3, **arguments).fit_predict(StandardScaler().fit_transform(BLOBS))
    assert adjusted_rand_score(CLASSES, labels) > 0.9


def test_a_line_search_that_fails_is_warned_of():
    class Wrong(DiscriminativeModel):
        """Gradients of the wrong sign: no step gains anything."""

        def _init_params(self, random_state, X=None):
            self.W_ = random_state.normal(size=(X.shape[1], self.n_clusters))

        def _get_weights(self):
            return [self.W_]

        def _infer(self, X, retain=True):
            P = np.exp(X @ self.W_)
            return P / P.sum(axis=1, keepdims=True)

        def _compute_grads(self, X, y_pred, gradient):
            T = y_pred * (gradient - (y_pred * gradient).sum(axis=1, keepdims=True))
            return [X.T @ T]

    with pytest.warns(ConvergenceWarning, match="LBFGS found no better point"):
        model = Wrong(solver="lbfgs", random_state=0).fit(IRIS)
    assert model.converged_ is False
