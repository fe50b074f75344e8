"""The hook protocol: derived models, broken hooks, bad input."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from user_models import EveryHook, Margin, Sigmoid, Unrelated, X, y

import gemclus
from gemclus import DiscriminativeModel
from gemclus.gemini import MMDGEMINI
from gemclus.linear import LinearMMD, LinearModel


def test_a_derived_model_clusters():
    model = Sigmoid(random_state=0, max_iter=200, learning_rate=1e-2)
    labels = model.fit_predict(X)
    assert max(np.mean(labels == y), np.mean(labels != y)) > 0.95
    np.testing.assert_array_equal(model.predict(X), labels)
    assert model.predict_proba(X).shape == (60, 2)
    assert isinstance(model.score(X), float)


def test_all_hooks_can_be_overridden():
    model = EveryHook(random_state=0, max_iter=30, learning_rate=1e-2).fit(X)
    hooks = {
        "_init_params",
        "_get_weights",
        "_infer",
        "_compute_grads",
        "get_gemini",
        "_batchify",
        "_update_weights",
    }
    assert hooks <= set(model.calls)
    assert model.calls.count("_update_weights") == 90
    assert np.isfinite(model.theta_).all()


@pytest.mark.parametrize("gemini", [Margin(), Unrelated()])
@pytest.mark.parametrize("batch_size", [None, 16])
def test_a_users_objective_gets_plain_arrays(gemini, batch_size):
    model = LinearModel(
        2, gemini=gemini, max_iter=5, batch_size=batch_size, **PUBLISHED
    ).fit(X)
    P, affinity = model.predict_proba(X), Margin().compute_affinity(X)
    expected = np.einsum("ik,ij,jk->", P, affinity, P) / len(X)
    assert model.score(X) == pytest.approx(expected, rel=1e-12)


def test_an_overridden_affinity_is_obeyed():
    class Halved(MMDGEMINI):
        def compute_affinity(self, X, y=None):
            return super().compute_affinity(X, y) / 4

    P = np.random.RandomState(0).dirichlet([1, 1], size=60)
    model = LinearModel(
        2, gemini=Halved(), max_iter=1, random_state=0, **PUBLISHED
    ).fit(X)
    plain = LinearModel(
        2, gemini=MMDGEMINI(), max_iter=1, random_state=0, **PUBLISHED
    ).fit(X)
    ratio = plain.objective_curve_[0] / model.objective_curve_[0]
    assert ratio == pytest.approx(2)
    assert Halved().evaluate(P, np.eye(60)) == MMDGEMINI().evaluate(P, np.eye(60))


def broken(hook, result):
    return type("Broken", (Sigmoid,), {hook: result})


@pytest.mark.parametrize(
    ("hook", "result", "message"),
    [
        (
            "_infer",
            lambda s, X, retain=True: np.full((len(X), 3), 1 / 3),
            "_infer.*shape",
        ),
        ("_infer", lambda s, X, retain=True: [[0.5, 0.5]] * len(X), "_infer.*shape"),
        ("_infer", lambda s, X, retain=True: np.full((len(X), 2), 0.6), "_infer.*sum"),
        (
            "_infer",
            lambda s, X, retain=True: np.full((len(X), 2), np.nan),
            "_infer.*finite.*nan",
        ),
        (
            "_infer",
            lambda s, X, retain=True: np.tile([1.5, -0.5], (len(X), 1)),
            "_infer.*probabilities",
        ),
        (
            "_infer",
            lambda s, X, retain=True: np.tile(np.array([1, 0]), (len(X), 1)),
            "_infer.*float",
        ),
        ("_get_weights", lambda s: s.theta_, "_get_weights.*list"),
        ("_get_weights", lambda s: [], "_get_weights.*non-empty"),
        ("_get_weights", lambda s: [1.0], "_get_weights.*entry 0"),
        ("_get_weights", lambda s: [np.ones(2, int)], "_get_weights.*entry 0"),
        ("_compute_grads", lambda s, X, P, G: [], "_compute_grads.*1 gradients"),
        ("_compute_grads", lambda s, X, P, G: np.ones(2), "_compute_grads"),
        ("_compute_grads", lambda s, X, P, G: [np.ones(2)], "_compute_grads.*shape"),
        (
            "_compute_grads",
            lambda s, X, P, G: [np.full((2, 1), np.nan)],
            "_compute_grads is not finite",
        ),
        ("_batchify", lambda s, X, A=None, r=None: iter([X]), "_batchify.*pairs"),
        ("_batchify", lambda s, X, A=None, r=None: iter([]), "_batchify.*at least one"),
        (
            "_batchify",
            lambda s, X, A=None, r=None: iter([(X[:0], A)]),
            "_batchify.*empty",
        ),
        (
            "_batchify",
            lambda s, X, A=None, r=None: iter([(X[:5], A)]),
            "_batchify.*affinity.*shape",
        ),
        ("get_gemini", lambda s: "mmd_ova", "get_gemini"),
    ],
)
def test_broken_hooks_are_named(hook, result, message):
    with pytest.raises(ValueError, match=message):
        broken(hook, result)(random_state=0, max_iter=3).fit(X)


@pytest.mark.parametrize(
    "hook", ["_init_params", "_get_weights", "_infer", "_compute_grads"]
)
def test_missing_hooks_are_named(hook):
    missing = type("Missing", (Sigmoid,), {hook: getattr(DiscriminativeModel, hook)})
    with pytest.raises(NotImplementedError, match=f"Missing must define {hook}"):
        missing().fit(X)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (dict(n_clusters=0), ValueError, "n_clusters must be at least 1"),
        (dict(n_clusters=2.0), TypeError, "n_clusters must be an int"),
        (dict(n_clusters=61), ValueError, "n_samples=60.*n_clusters=61"),
        (dict(max_iter=0), ValueError, "max_iter"),
        (dict(max_iter="many"), TypeError, "max_iter"),
        (dict(learning_rate=0.0), ValueError, "learning_rate"),
        (dict(learning_rate=np.nan), ValueError, "learning_rate"),
        (dict(solver="newton"), ValueError, "solver must be one of"),
        (dict(solver=None), TypeError, "solver"),
        (dict(batch_size=0), ValueError, "batch_size"),
        (dict(batch_size=True), TypeError, "batch_size"),
        (dict(random_state="seed"), ValueError, "seed"),
        (dict(tol=-1.0), ValueError, "tol"),
        (dict(n_iter_no_change=0), ValueError, "n_iter_no_change"),
        (dict(n_init=0), ValueError, "n_init"),
        (dict(init="kmeans"), ValueError, "init must be one of"),
        (dict(init=[0.5] * 60), TypeError, "init"),
        (dict(init=[0, 1]), ValueError, "init must give one label"),
        (dict(init=[5] * 60), ValueError, "init must hold labels"),
        (dict(warm_start=1), TypeError, "warm_start"),
        (dict(kernel="gaussian"), ValueError, "kernel must be"),
        (dict(kernel=3), TypeError, "kernel must be"),
        (dict(kernel="precomputed"), ValueError, "precomputed"),
        (dict(ovo="yes"), TypeError, "ovo"),
    ],
)
def test_bad_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        LinearMMD(**PUBLISHED | parameters).fit(X)


@pytest.mark.parametrize(
    "samples",
    [
        X[0],
        np.full((10, 2), np.nan),
        np.full((10, 2), np.inf),
        np.empty((0, 2)),
        "data",
    ],
)
def test_bad_samples_are_refused(samples):
    with pytest.raises((ValueError, TypeError)):
        LinearMMD(**PUBLISHED).fit(samples)
    model = LinearMMD(max_iter=1, **PUBLISHED).fit(X)
    with pytest.raises((ValueError, TypeError)):
        model.predict(samples)


def test_unfitted_models_say_so():
    for method in ("predict", "predict_proba", "score"):
        with pytest.raises(NotFittedError):
            getattr(LinearMMD(**PUBLISHED), method)(X)


@pytest.mark.parametrize("scale", [1e160, 1e300])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_huge_values_never_give_silent_nan(scale, solver):
    model = LinearMMD(random_state=0, max_iter=20, solver=solver, init="random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(X * scale)
        except ValueError as error:
            assert "tandardise" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(model.predict_proba(X * scale)).all()


def test_huge_steps_keep_the_last_usable_weights():
    model = Sigmoid(random_state=0, solver="sgd", learning_rate=1e308, max_iter=50)
    with np.errstate(all="ignore"):
        with pytest.warns(
            ConvergenceWarning, match="diverged.*learning_rate"
        ) as caught:
            model.fit(X)
        assert caught[0].filename == __file__
        assert np.isfinite(model.theta_).all()
        assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("state", [0, np.random.RandomState(0), None])
def test_random_states(state):
    model = LinearMMD(random_state=state, max_iter=3, **PUBLISHED).fit(X)
    assert model.get_params()["random_state"] is state
    if state is not None:
        again = LinearMMD(
            random_state=np.random.RandomState(0), max_iter=3, **PUBLISHED
        ).fit(X)
        np.testing.assert_array_equal(model.W_, again.W_)


def test_fitted_models_pickle_clone_and_predict_from_threads():
    model = LinearMMD(random_state=0, max_iter=20, **PUBLISHED).fit(X)
    expected = model.predict_proba(X)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    fresh = clone(model)
    assert not hasattr(fresh, "W_") and fresh.get_params() == model.get_params()
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: model.predict_proba(X), range(16)):
            np.testing.assert_array_equal(result, expected)


def test_objectives_are_searched_over_like_estimators():
    model = LinearModel(gemini=MMDGEMINI(), **PUBLISHED)
    model.set_params(gemini__kernel="rbf", gemini__ovo=True)
    assert model.gemini.kernel == "rbf"
    assert clone(model).gemini.get_params() == model.gemini.get_params()


def test_float32_stays_float32():
    seen = []

    class Watching(LinearMMD):
        def _compute_grads(self, X, y_pred, gradient):
            grads = super()._compute_grads(X, y_pred, gradient)
            seen.append({a.dtype for a in (X, y_pred, gradient, *grads)})
            return grads

    model = Watching(random_state=0, max_iter=3, **PUBLISHED).fit(X.astype(np.float32))
    assert seen == [{np.dtype(np.float32)}] * 3
    assert (
        model.W_.dtype == model.predict_proba(X.astype(np.float32)).dtype == np.float32
    )


def test_the_version_is_a_release_number():
    assert [part.isdigit() for part in gemclus.__version__.split(".")[:3]] == [True] * 3


def test_derived_models_are_asked_for_all_predictions_at_once():
    class Stored(Sigmoid):
        """As a user may write a model with parameters for each sample."""

        def _init_params(self, random_state, X=None):
            self.theta_ = random_state.uniform(-1, 1, size=(len(X), 1))

        def _infer(self, X, retain=True):
            p = 1 / (1 + np.exp(-self.theta_))
            self._p = p
            return np.concatenate([p, 1 - p], axis=1)

        def _compute_grads(self, X, y_pred, gradient):
            return [
                -y_pred[:, :1] * y_pred[:, 1:] * (gradient[:, :1] - gradient[:, 1:])
            ]

    many = np.random.RandomState(0).normal(size=(40_000, 2))
    assert Stored(gemini="mi", max_iter=1).fit(many).labels_.shape == (40_000,)
    model = LinearMMD(max_iter=1, random_state=0, **PUBLISHED).fit(many)
    expected = model.predict_proba(many).argmax(axis=1)
    np.testing.assert_array_equal(model.labels_, expected)
    np.testing.assert_array_equal(model.predict(many), expected)


def test_models_of_users_take_no_sparse_matrices_unless_they_say_so():
    with pytest.raises(TypeError, match="[Ss]parse data was passed"):
        Sigmoid(2, max_iter=2).fit(csr_array(X))
