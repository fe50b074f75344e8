"""Sparse models as scikit-learn estimators and as feature selectors."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from gemclus.data import celeux_one
from gemclus.gemini import MMDGEMINI
from gemclus.linear import LinearModel
from gemclus.mlp import MLPModel
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearMMD,
    SparseLinearModel,
    SparseMLPMMD,
    SparseMLPModel,
)

# Model -> alpha that keeps the informative features of `X` and no other.
MODELS = {
    SparseLinearModel: 1.0,
    SparseLinearMMD: 1.0,
    SparseLinearMI: 0.5,
    SparseMLPModel: 1.0,
    SparseMLPMMD: 1.0,
}
every_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
X, y = celeux_one(n=120, p=5, mu=1.7, random_state=0)


def selecting(cls, **arguments):
    """A model that keeps some of the features of `X`, but not all."""
    defaults = {"solver": "sgd", "learning_rate": 1e-2, "max_iter": 300}
    defaults["alpha"] = MODELS[cls]
    if issubclass(cls, SparseMLPModel):
        # With a loose bound the hidden layer holds on to all features for long.
        defaults |= {"n_hidden_dim": 8, "M": 1.0}
    return cls(random_state=0, **PUBLISHED | defaults | arguments)


@every_model
def test_rows_of_features_left_out_are_zero(cls):
    model = selecting(cls).fit(X)
    rows = np.abs(model._feature_weights()).sum(axis=1)
    kept = model.get_selection()
    assert kept.tolist() == np.flatnonzero(rows).tolist() == [0, 1, 2, 3, 4]


@every_model
def test_no_penalty_selects_everything(cls):
    model = selecting(cls, alpha=0).fit(X)
    assert model.get_support().all()


@pytest.mark.parametrize("cls", [SparseMLPModel, SparseMLPMMD])
def test_hidden_weights_obey_the_skip_weights(cls):
    model = selecting(cls, M=0.5, groups=[[0, 1]]).fit(X)
    for group in model.groups_:
        bound = 0.5 * np.linalg.norm(model.W_skip_[group])
        assert np.abs(model.W1_[group]).max() <= bound * (1 + 1e-9)
    assert not model.W1_[~model.get_support()].any()
    # So the predictions do not depend on the features left out.
    noise = np.where(
        model.get_support(), X, np.random.RandomState(0).normal(size=X.shape)
    )
    np.testing.assert_array_equal(model.predict_proba(noise), model.predict_proba(X))


def test_initial_draws_of_the_network():
    model = SparseMLPModel(
        alpha=0, max_iter=1, learning_rate=1e-300, random_state=3, **PUBLISHED
    )
    plain = MLPModel(max_iter=1, learning_rate=1e-300, random_state=3, **PUBLISHED).fit(
        X
    )
    state = np.random.RandomState(3)
    for _fan_in, shape in [(10, (10, 20)), (10, 20), (20, (20, 3)), (20, 3)]:
        state.uniform(size=shape)
    model.fit(X)
    np.testing.assert_array_equal(model.W1_, plain.W1_)
    np.testing.assert_array_equal(model.b2_, plain.b2_)
    bound = np.sqrt(0.1)
    np.testing.assert_array_equal(
        model.W_skip_, state.uniform(-bound, bound, size=(10, 3))
    )


@pytest.mark.parametrize("M", [-1, np.inf, "10"])
def test_network_refuses_bad_hierarchy_coefficients(M):
    with pytest.raises((ValueError, TypeError), match="M must be"):
        SparseMLPModel(M=M, **PUBLISHED).fit(X)


def test_zero_skip_weights_never_give_nan():
    """As after a warm start from weights that someone has set by hand."""
    model = SparseMLPMMD(max_iter=5, warm_start=True, random_state=0, **PUBLISHED).fit(
        X
    )
    model.W_skip_[:] = 0.0
    model.fit(X)
    assert all(np.isfinite(weight).all() for weight in model._get_weights())
    assert model.get_support().all()
    assert np.isfinite(model.score(X))


def test_without_penalty_it_is_the_linear_model():
    sparse = SparseLinearModel(alpha=0, max_iter=50, random_state=1, **PUBLISHED).fit(X)
    plain = LinearModel(max_iter=50, random_state=1, **PUBLISHED).fit(X)
    np.testing.assert_array_equal(sparse.W_, plain.W_)
    np.testing.assert_array_equal(sparse.b_, plain.b_)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_proximal_steps_are_those_of_the_optimiser(solver):
    """One epoch is one step of the optimiser, then the prox of its length."""
    rate, alpha = 0.05, 3.0
    sparse = SparseLinearModel(
        alpha=alpha,
        max_iter=1,
        learning_rate=rate,
        solver=solver,
        random_state=1,
        init="random",
    )
    plain = LinearModel(
        max_iter=1, learning_rate=rate, solver=solver, random_state=1, init="random"
    )
    W = plain.fit(X).W_
    step = alpha * rate * (np.sqrt(1 - 0.999) / (1 - 0.9) if solver == "adam" else 1)
    norms = np.linalg.norm(W, axis=1, keepdims=True)
    expected = W * np.maximum(1 - step / norms, 0)
    np.testing.assert_allclose(sparse.fit(X).W_, expected, rtol=1e-12)


@every_model
@pytest.mark.parametrize(
    "groups", [[[0, 9], (1, 8)], (np.array([0, 9]), [8, 1]), np.array([[9, 0], [1, 8]])]
)
def test_groups_are_selected_together(cls, groups):
    model = selecting(cls, groups=groups).fit(X)
    assert [sorted(group) for group in model.groups_[:2]] == [[0, 9], [1, 8]]
    assert sorted(np.concatenate(model.groups_)) == list(range(10))
    support = model.get_support()
    assert support[0] == support[9] and support[1] == support[8]
    assert support.any() and not support.all()


@every_model
@pytest.mark.parametrize(
    "arguments, error, match",
    [
        ({"alpha": -1}, ValueError, "alpha must be at least 0"),
        ({"alpha": "1"}, TypeError, "alpha"),
        ({"alpha": np.nan}, ValueError, "alpha must be finite"),
        ({"groups": [[0], [0]]}, ValueError, "groups must not overlap"),
        ({"groups": [[0, 10]]}, ValueError, r"groups\[0\] must hold indices of the 10"),
        ({"solver": "lbfgs"}, ValueError, "proximal steps: use 'fista', 'adam'"),
    ],
)
def test_refusals(cls, arguments, error, match):
    with pytest.raises(error, match=match):
        cls(**PUBLISHED | arguments).fit(X)


def test_dynamic_is_a_flag():
    with pytest.raises(TypeError, match="dynamic must be True or False"):
        SparseLinearModel(dynamic=1, **PUBLISHED).fit(X)


@every_model
def test_a_selector_of_frames(cls):
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(10)])
    model = selecting(cls).fit(frame)
    names = ["x0", "x1", "x2", "x3", "x4"]
    assert model.get_feature_names_out().tolist() == names
    np.testing.assert_array_equal(model.transform(frame), X[:, :5])
    assert (
        model.set_output(transform="pandas").transform(frame).columns.tolist() == names
    )
    pipeline = make_pipeline(clone(model), LinearModel(max_iter=3, **PUBLISHED))
    assert pipeline.fit(frame)[-1].n_features_in_ == 5


@every_model
def test_partial_fit_takes_proximal_steps(cls):
    model = selecting(cls, max_iter=1, batch_size=60)
    for _ in range(150):
        model.partial_fit(X)
    assert model.get_selection().tolist() == [0, 1, 2, 3, 4]


@every_model
def test_warm_start_obeys_new_groups(cls):
    model = selecting(cls, warm_start=True, max_iter=10).fit(X)
    model.set_params(groups=[[0, 1]]).fit(X)
    assert model.groups_[0].tolist() == [0, 1]


@every_model
def test_restarts_keep_the_selection_of_the_best(cls):
    model = selecting(cls, n_init=3).fit(X)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.get_selection(), model.get_selection())
    np.testing.assert_array_equal(twin.predict(X), model.labels_)


def test_dynamic_affinity_is_that_of_the_features_selected():
    kept = []

    class Recording(MMDGEMINI):
        def compute_affinity(self, X, y=None):
            kept.append(X.shape[1])
            return super().compute_affinity(X, y)

    model = selecting(SparseLinearModel, gemini=Recording(kernel="rbf"), dynamic=True)
    model.set_params(alpha=0.2).fit(X)
    # Once for all features, then whenever the selection has changed.
    assert kept[0] == 10 and len(kept) == len(set(kept)) > 1
    n_selected = model.get_selection().size
    assert kept[-1] == n_selected < 10
    # The score is that of the features selected as well.
    gemini = MMDGEMINI(kernel="rbf")
    affinity = gemini.compute_affinity(X[:, model.get_support()])
    expected = gemini.evaluate(model.predict_proba(X), affinity)
    assert model.score(X) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cls", [SparseLinearMMD, SparseMLPMMD])
@pytest.mark.parametrize("batch_size", [None, 50])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian"])
def test_dynamic_works_with_every_kernel_and_in_batches(cls, kernel, batch_size):
    model = selecting(
        cls, kernel=kernel, dynamic=True, batch_size=batch_size, alpha=0.3, max_iter=40
    )
    model.set_params(learning_rate=0.2).fit(X)
    gemini = MMDGEMINI(kernel=kernel)
    affinity = gemini.compute_affinity(X[:, model.get_support()])
    expected = gemini.evaluate(model.predict_proba(X), affinity)
    assert 0 < model.get_selection().size < 10 and expected > 0
    assert model.score(X) == pytest.approx(expected, rel=1e-10)


def test_dynamic_restarts_in_other_processes():
    model = selecting(SparseLinearMMD, dynamic=True, n_init=2, max_iter=50)
    alone = clone(model).fit(X)
    model.set_params(n_jobs=2).fit(X)
    # Arrays that joblib has shared are aligned otherwise.
    np.testing.assert_allclose(model.W_, alone.W_, rtol=1e-12)
    np.testing.assert_array_equal(model.get_support(), alone.get_support())


@pytest.mark.parametrize("cls", [SparseLinearModel, SparseMLPModel])
def test_dynamic_has_nothing_to_do_without_an_affinity(cls):
    model = selecting(cls, gemini="mi", alpha=0.3, max_iter=50)
    expected = model.fit(X).predict_proba(X)
    model.set_params(dynamic=True).fit(X)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert np.isfinite(model.score(X))


def test_dynamic_survives_an_empty_selection():
    model = selecting(SparseLinearMMD, alpha=1e3, dynamic=True)
    with pytest.warns(UserWarning, match="No feature is selected with alpha=1000.0"):
        model.fit(X)
    assert model.get_selection().size == 0
    assert np.isfinite(model.score(X))
    with pytest.warns(UserWarning, match="No features were selected"):
        assert model.transform(X).shape == (120, 0)


def test_dynamic_refuses_precomputed_affinities():
    model = selecting(SparseLinearMMD, kernel="precomputed", dynamic=True)
    with pytest.raises(ValueError, match="dynamic=True.*kernel='precomputed'"):
        model.fit(X, X @ X.T)


@every_model
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_have_the_dtype_of_the_data(cls, dtype):
    model = selecting(cls).fit(X.astype(dtype))
    assert {weight.dtype for weight in model._get_weights()} == {np.dtype(dtype)}
    assert model.get_selection().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dynamic", [False, True])
def test_csr_matrices_give_what_dense_ones_do(dynamic):
    model = selecting(SparseLinearMMD, dynamic=dynamic).fit(csr_matrix(X))
    np.testing.assert_allclose(
        model.W_, selecting(SparseLinearMMD, dynamic=dynamic).fit(X).W_, rtol=1e-6
    )
    assert model.get_selection().tolist() == [0, 1, 2, 3, 4]
