"""Sample weights through whole trainings of every model with a gradient."""

import copy

import estimators
import numpy as np
import pytest
import sklearn
from estimators import PUBLISHED
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
)

from gemclus import DiscriminativeModel, add_mlcl_constraint
from gemclus.affinity import DenseKernel
from gemclus.gemini import GEMINI, KLGEMINI
from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearModel
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearMI, SparseLinearMMD, SparseMLPMMD
from gemclus.tree import Douglas

# Trainings are cut short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, _ = make_blobs(90, 4, centers=3, cluster_std=1.5, random_state=0)
X = StandardScaler().fit_transform(X)
TIMES = np.random.RandomState(1).randint(0, 4, size=len(X))
ROWS = np.repeat(np.arange(len(X)), TIMES)

CASES = list(estimators.gradient_cases())
# Per-sample parameters, of which repeated rows have more.
WITHOUT_PARAMETERS_OF_SAMPLES = [
    (cls, gemini)
    for cls, gemini in CASES
    if not issubclass(cls, (CategoricalModel, KernelRIM))
]


def same_start(model, other, solver):
    """Fit `model` and `other` on their data from the same parameters."""
    (model, data, weights), (other, rows, _) = model, other
    params = {"random_state": 0, "max_iter": 1, "init": "random"}
    model.set_params(**params).fit(data, sample_weight=weights)
    other.set_params(**params).fit(rows)
    for weight, start in zip(other._get_weights(), model._get_weights(), strict=True):
        weight[...] = start
    iterations = {"warm_start": True, "max_iter": 15, "solver": solver}
    model.set_params(**iterations).fit(data, sample_weight=weights)
    other.set_params(**iterations).fit(rows)


@pytest.mark.parametrize(("cls", "gemini"), WITHOUT_PARAMETERS_OF_SAMPLES)
def test_integer_weights_repeat_samples(cls, gemini):
    model = estimators.make_gradient_model(cls, gemini, learning_rate=0.01)
    solver = "adam"
    smooth = not any(part in str(gemini) for part in ("tv", "wasserstein"))
    if smooth and "Sparse" not in cls.__name__ and "Wasserstein" not in cls.__name__:
        solver = "lbfgs"
    other = clone(model)
    same_start((model, X, TIMES), (other, X[ROWS], None), solver)
    tolerance = {"rtol": 1e-6, "atol": 1e-6}
    if "Wasserstein" in cls.__name__ or "wasserstein" in str(gemini):
        # Potentials are not unique: steps may go other ways to the same height.
        tolerance = {"rtol": 0.1, "atol": 0.05}
    np.testing.assert_allclose(
        model.objective_curve_, other.objective_curve_, **tolerance
    )
    np.testing.assert_allclose(
        model.predict_proba(X), other.predict_proba(X), **tolerance
    )
    assert model.score(X, sample_weight=TIMES) == pytest.approx(
        model.score(X[ROWS]), rel=1e-12
    )


@pytest.mark.parametrize("init", ["random", "k-means++"])
@pytest.mark.parametrize(("cls", "gemini"), WITHOUT_PARAMETERS_OF_SAMPLES)
def test_weight_zero_removes_a_sample(cls, gemini, init):
    model = estimators.make_gradient_model(
        cls, gemini, max_iter=4, init=init, random_state=0
    )
    weights = np.random.RandomState(2).uniform(0.5, 2.0, size=len(X))
    weights[::4] = 0.0
    kept = weights > 0
    removed = clone(model).fit(X[kept], sample_weight=weights[kept])
    model.fit(X, sample_weight=weights)
    assert model.labels_.shape == (len(X),)
    np.testing.assert_allclose(
        model.predict_proba(X), removed.predict_proba(X), rtol=1e-10, atol=1e-12
    )


# Trees of the 30 features of scikit-learn's check would have too many leaves.
@pytest.mark.parametrize(
    "cls", sorted({c for c, _ in WITHOUT_PARAMETERS_OF_SAMPLES} - {Douglas}, key=str)
)
def test_scikit_learn_finds_weights_equal_to_repetitions(cls):
    model = estimators.make_gradient_model(cls, max_iter=5, init="random")
    check_sample_weight_equivalence_on_dense_data(cls.__name__, model)


def test_kernel_rim_has_parameters_of_samples_with_weight():
    weights = (TIMES > 0).astype(float)
    params = {"reg": 0.01, "base_kernel": "rbf", "random_state": 0, "max_iter": 20}
    model = KernelRIM(3, **params).fit(X, sample_weight=weights)
    removed = KernelRIM(3, **params).fit(X[weights > 0], sample_weight=None)
    np.testing.assert_allclose(
        model.predict_proba(X), removed.predict_proba(X), rtol=1e-9, atol=1e-12
    )


def test_categorical_models_keep_samples_without_weight():
    weights = (TIMES > 0).astype(float)
    model = CategoricalModel(3, random_state=0, max_iter=50, learning_rate=0.1)
    start = copy.deepcopy(model).set_params(max_iter=1).fit(X, sample_weight=weights)
    model.fit(X, sample_weight=weights)
    # Nothing moves what has no weight, beside the first step's rounding.
    np.testing.assert_array_equal(
        model.logits_[weights == 0], start.logits_[weights == 0]
    )
    assert np.abs(model.logits_ - start.logits_)[weights > 0].max() > 0.5


@pytest.mark.parametrize(("cls", "gemini"), CASES)
def test_a_common_factor_changes_no_label(cls, gemini):
    model = estimators.make_gradient_model(
        cls, gemini, max_iter=10, learning_rate=0.05, random_state=0
    )
    weights = TIMES + 0.25
    labels = clone(model).fit_predict(X, sample_weight=weights)
    for factor in (1024.0, 1e-9):
        other = clone(model).fit(X, sample_weight=factor * weights)
        np.testing.assert_array_equal(other.labels_, labels)


@pytest.mark.parametrize("cls", [SparseLinearMI, SparseLinearMMD, SparseMLPMMD])
def test_paths_take_weights(cls):
    model = estimators.make_gradient_model(
        cls, max_iter=20, learning_rate=0.05, random_state=0, init="random"
    )
    other = clone(model)
    settings = {"alpha_multiplier": 1.5, "min_features": 2}
    path = model.path(X, sample_weight=TIMES, **settings)
    expected = other.path(X[ROWS], **settings)
    assert path.n_features == expected.n_features
    np.testing.assert_allclose(path.geminis, expected.geminis, rtol=1e-6)
    np.testing.assert_allclose(
        path.best_weights[0], expected.best_weights[0], rtol=1e-6, atol=1e-8
    )


def test_batches_are_unbiased_and_epochs_weighted_means():
    weights, seen, evaluate = TIMES + 0.0, [], KLGEMINI().evaluate
    positions = {row.tobytes(): i for i, row in enumerate(X)}

    class Watched(RIM):
        def _compute_grads(self, samples, y_pred, gradient):
            seen.append((samples, y_pred.copy(), gradient.copy()))
            return super()._compute_grads(samples, y_pred, gradient)

    # With a step of next to nothing every batch sees the same weights.
    watched = Watched(
        3, reg=0.1, batch_size=13, random_state=0, max_iter=1, learning_rate=1e-300
    )
    watched.set_params(**PUBLISHED)
    watched.fit(X, sample_weight=weights)
    total = kept = 0.0
    kept_weights = weights[weights > 0]
    for samples, y_pred, gradient in seen:
        w = weights[[positions[row.tobytes()] for row in samples]]
        value, slope = evaluate(y_pred, None, True, sample_weight=w)
        share = w.mean() / kept_weights.mean()
        np.testing.assert_allclose(gradient, share * slope, rtol=1e-12, atol=1e-18)
        total += w.sum() * value
        kept += w.sum()
    assert kept == weights.sum()
    penalty = watched._smooth_penalty(X)
    assert watched.objective_curve_[0] == pytest.approx(
        total / kept - penalty, rel=1e-12
    )


class Batches(DiscriminativeModel):
    """A model in the published form, with batches of its own."""

    def _init_params(self, random_state, X=None):
        self.W_ = random_state.normal(size=(X.shape[1], self.n_clusters))

    def _get_weights(self):
        return [self.W_]

    def _infer(self, X, retain=True):
        P = np.exp(X @ self.W_)
        return P / P.sum(axis=1, keepdims=True)

    def _compute_grads(self, X, y_pred, gradient):
        T = y_pred * (gradient - (gradient * y_pred).sum(axis=1, keepdims=True))
        return [-X.T @ T]

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        assert affinity_matrix is not None
        for part in np.array_split(np.arange(len(X)), 3):
            yield X[part], affinity_matrix[part][:, part]


class PlainBatches(Batches):
    def _batchify(self, X, affinity_matrix=None, random_state=None):
        for part in np.array_split(np.arange(len(X)), 3):
            yield X[part], None


def test_batches_of_a_users_model():
    weights = np.ones(len(X))
    weights[30:60] = 0.0  # the whole second batch
    n_seen = []

    class Counting(Batches):
        def _infer(self, X, retain=True):
            n_seen.append((len(X), retain))
            return super()._infer(X, retain)

    params = {"gemini": "kl_ova", "max_iter": 1, "random_state": 0}
    Counting(3, **params).fit(X, sample_weight=weights)
    assert n_seen.count((30, True)) == 2
    for gemini in ("kl_ova", "mmd_ova"):
        params["gemini"] = gemini
        with pytest.raises(ValueError, match=r"_batchify must yield.*weights"):
            PlainBatches(3, **params).fit(X, sample_weight=weights)


class Unweighted(GEMINI):
    def compute_affinity(self, X, y=None):
        return None

    def evaluate(self, y_pred, affinity, return_grad=False):
        return KLGEMINI().evaluate(y_pred, None, return_grad)


class Swallowing(Unweighted):
    def evaluate(self, y_pred, affinity, return_grad=False, **kwargs):
        return KLGEMINI().evaluate(y_pred, None, return_grad)


@pytest.mark.parametrize("gemini", [Unweighted(), Swallowing()])
def test_objectives_without_weights_are_refused(gemini):
    model = LinearModel(3, gemini=gemini, max_iter=2, random_state=0).fit(X)
    name = type(gemini).__name__
    with pytest.raises(ValueError, match=f"{name}.evaluate.*sample_weight"):
        model.fit(X, sample_weight=TIMES)
    with pytest.raises(ValueError, match=f"{name}.evaluate.*sample_weight"):
        model.score(X, sample_weight=TIMES)
    model.predict(X)  # as it was before


def test_constraints_on_samples_without_weight_are_dropped():
    pairs = [(0, 1), (2, 3), (40, 60)]
    weights = np.ones(len(X))
    weights[3] = 0.0
    base = LinearMMD(3, max_iter=5, random_state=0, learning_rate=0.1)
    model = add_mlcl_constraint(base, must_link=pairs, factor=2.0)
    fewer = add_mlcl_constraint(base, must_link=[(0, 1), (40, 60)], factor=2.0)
    none = clone(base)
    for estimator in (model, fewer, none):
        estimator.fit(X, sample_weight=weights)
    np.testing.assert_array_equal(model.W_, fewer.W_)
    assert np.abs(model.W_ - none.W_).max() > 1e-6


def test_precomputed_affinities_and_given_labels():
    kernel = X @ X.T
    weights = np.where(TIMES > 0, 1.5, 0.0)
    params = {"max_iter": 5, "random_state": 0, "learning_rate": 0.1}
    expected = LinearMMD(3, **params).fit(X, sample_weight=weights)
    for y in (kernel, DenseKernel(kernel)):
        model = LinearMMD(3, kernel="precomputed", **params)
        model.fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(model.W_, expected.W_, rtol=1e-9, atol=1e-12)
        assert model.score(X, y, sample_weight=weights) == pytest.approx(
            expected.score(X, sample_weight=weights), rel=1e-9
        )
    labels = np.arange(len(X)) % 3
    led = LinearMMD(3, init=labels, **params).fit(X, sample_weight=weights)
    assert led.labels_.shape == (len(X),)


def test_streams_take_weights():
    model = MLPMMD(3, n_hidden_dim=5, random_state=0)
    twin = clone(model)
    for part in np.array_split(np.arange(len(X)), 3):
        model.partial_fit(X[part], sample_weight=TIMES[part])
        twin.partial_fit(X[np.repeat(part, TIMES[part])])
    np.testing.assert_allclose(model.W1_, twin.W1_, rtol=1e-6)


@pytest.mark.parametrize("method", ["fit", "fit_predict", "partial_fit", "score"])
def test_bad_weights_are_refused_by_name(method):
    model = LinearModel(3, max_iter=2, random_state=0).fit(X)
    for bad in (TIMES[1:], -TIMES, 0 * TIMES, TIMES[:, None], TIMES + np.nan):
        with pytest.raises(ValueError, match="sample_weight must"):
            getattr(model, method)(X, sample_weight=bad)
    with pytest.raises(TypeError, match="sample_weight must"):
        getattr(model, method)(X, sample_weight=["a"] * len(X))
    few = np.zeros(len(X))
    few[:2] = 1.0
    with pytest.raises(ValueError, match="n_samples=2 must be at least n_clusters=3"):
        model.fit(X, sample_weight=few)


def test_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        model = RIM(3, max_iter=3, random_state=0)
        model.set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, clone(model))
        pipeline.fit(X, sample_weight=TIMES)
        scaled = StandardScaler().fit_transform(X)
        expected = clone(model).fit(scaled, sample_weight=TIMES)
        np.testing.assert_array_equal(pipeline[-1].W_, expected.W_)
        search = GridSearchCV(clone(model), {"reg": [0.1, 0.2]}, cv=2)
        search.fit(X, sample_weight=TIMES + 1)
        assert search.best_estimator_.labels_.shape == (len(X),)
