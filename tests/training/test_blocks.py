"""Steps over blocks of rows: on threads, through mapped files, with weights."""

import threading
from typing import ClassVar

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from gemclus import DiscriminativeModel
from gemclus._training import blocks
from gemclus._training.source import ArraySource
from gemclus._training.task import make_task
from gemclus._training.training import create
from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD, MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearMI, SparseLinearMMD, SparseMLPMMD

# Trainings are cut short on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*did not converge:sklearn.exceptions.ConvergenceWarning"
)

X, _ = make_blobs(20_000, 6, centers=4, cluster_std=3.0, random_state=0)
X = np.ascontiguousarray(StandardScaler().fit_transform(X))
WEIGHTS = np.random.RandomState(0).uniform(0.2, 3.0, size=len(X))

MODELS = [
    LinearMMD(4, random_state=0),
    LinearMMD(4, ovo=True, random_state=0),
    LinearMMD(4, kernel="cosine", random_state=0),
    MLPMMD(4, random_state=0),
    RIM(4, reg=0.01, random_state=0),
    SparseLinearMMD(4, random_state=0),
    SparseLinearMI(4, random_state=0),
    SparseMLPMMD(4, random_state=0),
    *(
        LinearModel(4, gemini=f"{name}_{mode}", random_state=0)
        for name in ("kl", "tv", "hellinger", "chi2")
        for mode in ("ova", "ovo")
    ),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=repr)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 2048 rows, so that the samples here make ten."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", 1)


def sources(model, X, sample_weight=None, n_threads=1):
    """The same step over one array, and over blocks."""
    model = clone(model)
    model._begin_fit(X)
    task = make_task(model, X, None, sample_weight)
    create(model, X, np.random.RandomState(0))
    arguments = (model, X, task.affinity, task.evaluator(), False, sample_weight)
    cut = blocks.decomposition(task.objective, task.affinity)
    threads = blocks.ThreadSource(*arguments, cut=cut, n_threads=n_threads)
    return model._get_weights(), ArraySource(*arguments), threads


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@each_model
def test_a_step_over_blocks_is_that_over_one_array(model, weights, small_blocks):
    params, array, threads = sources(model, X, weights)
    value, gradients = array.evaluate(params)
    other, slopes = threads.evaluate(params)
    assert other == pytest.approx(value, rel=3e-14)
    for gradient, slope in zip(gradients, slopes, strict=True):
        assert slope.dtype == gradient.dtype
        # Gradients are sums of terms that cancel.
        assert np.abs(slope - gradient).max() <= 1e-12 * np.abs(gradient).max()
    batch = (X, array.affinity)
    assert threads.value(batch) == value or threads.value(batch) == other


@each_model
def test_any_number_of_threads_gives_the_same_bits(model, small_blocks):
    params, _, threads = sources(model, X)
    value, gradients = threads.evaluate(params)
    for n_threads in (2, 3, 16):
        _, _, others = sources(model, X, n_threads=n_threads)
        with others.running():
            for _ in range(3):
                other, slopes = others.evaluate(params)
                assert other == value
                for gradient, slope in zip(gradients, slopes, strict=True):
                    np.testing.assert_array_equal(slope, gradient)


@each_model
def test_fits_are_the_same_for_any_n_jobs(model, small_blocks):
    params = {"max_iter": 5, "learning_rate": 0.05, "init": "random"}
    if not hasattr(model, "alpha"):
        params["solver"] = "lbfgs"
    model = clone(model).set_params(**params, n_jobs=1)
    with pytest.MonkeyPatch.context() as patch:
        used = []
        evaluate = blocks.BlockSource.evaluate
        patch.setattr(
            blocks.BlockSource,
            "evaluate",
            lambda *arguments: used.append(1) or evaluate(*arguments),
        )
        model.fit(X)
        assert used
    for n_jobs in (2, -1, None):
        other = clone(model).set_params(n_jobs=n_jobs).fit(X)
        np.testing.assert_array_equal(other.labels_, model.labels_)
        np.testing.assert_array_equal(other.objective_curve_, model.objective_curve_)
        for weight, twin in zip(
            model._get_weights(), other._get_weights(), strict=True
        ):
            np.testing.assert_array_equal(weight, twin)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_mapped_file_trains_like_an_array(tmp_path, dtype, small_blocks):
    path = tmp_path / "samples.npy"
    np.save(path, X.astype(dtype))
    mapped = np.load(path, mmap_mode="r")
    for model in (LinearMMD(4, ovo=True), RIM(4, reg=0.01), MLPMMD(4)):
        model.set_params(max_iter=5, random_state=0, learning_rate=0.05)
        expected = clone(model).fit(X.astype(dtype))
        model.fit(mapped)
        np.testing.assert_array_equal(model.labels_, expected.labels_)
        for weight, twin in zip(
            model._get_weights(), expected._get_weights(), strict=True
        ):
            np.testing.assert_array_equal(weight, twin)


@pytest.mark.parametrize("n_kept", [0, 3000, 20_000])
def test_a_mapped_file_keeps_few_predictions(
    tmp_path, small_blocks, monkeypatch, n_kept
):
    monkeypatch.setattr(blocks, "_BYTES_OF_MAPPED", n_kept * 8 * X.itemsize)
    np.save(tmp_path / "samples.npy", X)
    mapped = np.load(tmp_path / "samples.npy", mmap_mode="r")
    assert blocks.is_mapped(mapped[10:20].view(np.ndarray))
    assert not blocks.is_mapped(X)
    params, _, threads = sources(RIM(4), mapped)
    value, gradients = threads.evaluate(params)
    end, kept = 0, []
    for block in threads._blocks:
        assert np.shares_memory(block.X, mapped)
        assert block._kept is None and not block._memory
        end += len(block.X)
        kept.append(block._keeps)
        assert block._keeps is (end <= n_kept)
    assert len(set(kept)) == (2 if n_kept == 3000 else 1)
    same_value, same = sources(RIM(4), X)[2].evaluate(params)
    assert value == same_value
    for gradient, other in zip(gradients, same, strict=True):
        np.testing.assert_array_equal(gradient, other)


def test_what_is_cut():
    large = np.broadcast_to(np.zeros(1), (400_000, 6))
    assert not blocks.is_cut(LinearMMD(4), large)  # not contiguous
    large = np.zeros((300_000, 6))
    for model in (LinearMMD(4), MLPModel(4), SparseMLPMMD(4), RIM(4)):
        assert blocks.is_cut(model, large)
        assert not blocks.is_cut(model, large[:30_000])
    for model in (KernelRIM(4), CategoricalModel(4)):
        assert not blocks.is_cut(model, large)

    class Penalised(LinearMMD):
        """In the published style: a penalty among the gradients."""

        def _compute_grads(self, X, y_pred, gradient):
            W, b = super()._compute_grads(X, y_pred, gradient)
            return [W + 2.0 * self.W_, b]

    class Promised(Penalised):
        rows_are_independent = True

    class Renamed(LinearMMD):
        pass

    assert not blocks.rows_are_independent(Penalised())
    assert blocks.rows_are_independent(Promised())
    assert blocks.rows_are_independent(Renamed())
    assert not blocks.rows_are_independent(DiscriminativeModel())


@pytest.mark.parametrize(
    "model",
    [
        LinearMMD(4, kernel="rbf"),
        LinearWasserstein(4),
        MLPMMD(4, n_hidden_dim=3000),
        LinearMMD(4, batch_size=500),
    ],
    ids=repr,
)
def test_what_is_not_cut_trains_as_before(model, monkeypatch):
    few = np.ascontiguousarray(X[:600])
    model = clone(model).set_params(max_iter=2, random_state=0)
    expected = clone(model).fit(few)
    monkeypatch.setattr(blocks, "is_cut", lambda model, X: True)
    model.fit(few)
    for weight, twin in zip(model._get_weights(), expected._get_weights(), strict=True):
        np.testing.assert_array_equal(weight, twin)


class Linear(DiscriminativeModel):
    """A user's model, with hooks in NumPy."""

    rows_are_independent = True
    threads: ClassVar = set()

    def _init_params(self, random_state, X=None):
        self.W_ = random_state.normal(size=(X.shape[1], self.n_clusters))

    def _get_weights(self):
        return [self.W_]

    def _infer(self, X, retain=True):
        self.threads.add(threading.get_ident())
        P = np.exp(X @ self.W_)
        P /= P.sum(axis=1, keepdims=True)
        if retain:
            self._retained = X
        return P

    def _compute_grads(self, X, y_pred, gradient):
        assert self._retained is X
        T = y_pred * (gradient - (gradient * y_pred).sum(axis=1, keepdims=True))
        return [-X.T @ T]


def test_a_users_model_gains_threads_by_a_word(small_blocks):
    class Whole(Linear):
        rows_are_independent = False

    params = {"max_iter": 20, "learning_rate": 0.05, "random_state": 0, "n_jobs": 2}
    Linear.threads.clear()
    model = Linear(4, **params).fit(X)
    assert len(Linear.threads) == 2
    whole = Whole(4, **params).fit(X)
    np.testing.assert_allclose(model.W_, whole.W_, rtol=1e-9)
    assert "_retained" not in vars(model)


def test_hooks_that_break_their_contract_are_named(small_blocks):
    class Wrong(Linear):
        rows_are_independent = True
        kind = "rows"

        def _infer(self, X, retain=True):
            P = super()._infer(X, retain)
            if self.kind == "nan":
                P[-1, 0] = np.nan
            return P[:-1] if self.kind == "rows" else P

        def _compute_grads(self, X, y_pred, gradient):
            if self.kind == "gradients":
                return [np.zeros(3)]
            return super()._compute_grads(X, y_pred, gradient)

    for kind, hook in [("rows", "_infer"), ("nan", "_infer")]:
        Wrong.kind = kind
        with pytest.raises(ValueError, match=hook):
            Wrong(4, max_iter=2, n_jobs=2).fit(X)
    Wrong.kind = "gradients"
    with pytest.raises(ValueError, match="_compute_grads"):
        Wrong(4, max_iter=2, n_jobs=2).fit(X)


def test_errors_of_any_thread_end_the_step(small_blocks):
    class Failing(Linear):
        rows_are_independent = True

        def _infer(self, X, retain=True):
            if X[0, 0] == marked:
                raise RuntimeError("this block fails")
            return super()._infer(X, retain)

    for block in range(10):
        marked = X[2048 * block, 0]
        with pytest.raises(RuntimeError, match="this block fails"):
            Failing(4, max_iter=2, n_jobs=2).fit(X)
    assert threading.active_count() < 20


def test_divergence_ends_at_the_last_usable_weights(small_blocks):
    model = LinearMMD(4, learning_rate=1e308, max_iter=50, random_state=0, n_jobs=2)
    model.set_params(solver="sgd")
    with pytest.warns(ConvergenceWarning, match="Training diverged after"):
        model.fit(X)
    assert np.isfinite(model.W_).all()


@pytest.mark.parametrize(("scale", "word"), [(1e4, "saturated"), (1e-6, "nearly")])
def test_the_scale_of_data_in_blocks_is_warned_of(scale, word, small_blocks):
    with pytest.warns(UserWarning, match=f"The first predictions are {word}"):
        LinearMMD(4, max_iter=1, random_state=0, **PUBLISHED).fit(scale * X)


def test_sparse_paths_go_by_blocks(small_blocks):
    model = SparseLinearMI(4, max_iter=3, random_state=0, learning_rate=0.1)
    settings = {"alpha_multiplier": 3.0, "min_features": 3}
    path = clone(model).path(X, **settings)
    twin = clone(model).set_params(n_jobs=2)
    other = twin.path(X, **settings)
    assert path.geminis == other.geminis
    assert path.n_features == other.n_features
