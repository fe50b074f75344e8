"""Trainings: their start, their end, and watching them."""

import logging
import signal
import threading
import warnings

import numpy as np
import pytest
from estimators import PUBLISHED
from joblib import parallel_backend
from scipy.sparse import csr_array
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from user_models import Sigmoid

from gemclus import TrainingInterrupted
from gemclus._common.reports import logger
from gemclus._training import restarts
from gemclus._training.training import Outcome
from gemclus.gemini import MMDGEMINI
from gemclus.linear import LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPWasserstein
from gemclus.nonparametric import CategoricalWasserstein

wine = StandardScaler().fit_transform(load_wine().data)
blobs, blob_labels = make_blobs(n_samples=50, random_state=1)
blobs = StandardScaler().fit_transform(blobs)


def test_lbfgs_beats_ten_thousand_small_steps():
    slow = LinearMMD(random_state=0, max_iter=10_000, **PUBLISHED).fit(wine)
    fast = LinearMMD(random_state=0, solver="lbfgs", init="random").fit(wine)
    assert fast.n_iter_ < 200
    assert fast.score(wine) >= slow.score(wine) - 1e-9
    assert fast.objective_curve_.shape == (fast.n_iter_,)
    assert (np.diff(fast.objective_curve_) > -1e-12).all()


def test_lbfgs_trains_derived_models():
    model = Sigmoid(random_state=0, solver="lbfgs").fit(blobs)
    slow = Sigmoid(random_state=0, max_iter=5000, learning_rate=1e-2).fit(blobs)
    assert model.score(blobs) >= slow.score(blobs) - 1e-6


def test_lbfgs_is_refused_where_it_cannot_apply():
    with pytest.raises(ValueError, match="batch_size must be None"):
        LinearMMD(solver="lbfgs", batch_size=10, init="random").fit(wine)
    own = type("Own", (LinearMMD,), {"_update_weights": lambda self, w, g: None})
    with pytest.raises(ValueError, match="_update_weights"):
        own(solver="lbfgs").fit(wine)
    with pytest.raises(AttributeError, match="partial_fit"):
        LinearMMD(solver="lbfgs", init="random").partial_fit(wine)


def test_tol_ends_a_training_and_the_limit_is_warned_of():
    model = LinearMMD(random_state=0, learning_rate=0.05, tol=1e-4, **PUBLISHED).fit(
        wine
    )
    assert model.n_iter_ < 1000
    best = model.objective_curve_.max()
    assert (model.objective_curve_[-10:] <= best * (1 + 1e-4)).all()
    with pytest.warns(ConvergenceWarning, match="max_iter=5.*learning_rate.*lbfgs"):
        LinearMMD(random_state=0, tol=1e-4, max_iter=5, **PUBLISHED).fit(wine)
    with pytest.warns(ConvergenceWarning, match="max_iter=3.*max_iter or tol.$"):
        LinearMMD(random_state=0, solver="lbfgs", max_iter=3, init="random").fit(wine)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_restarts_warn_once_and_here(n_jobs):
    model = LinearMMD(
        solver="lbfgs", max_iter=3, n_init=3, random_state=0, init="random"
    )
    model.set_params(n_jobs=n_jobs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(wine)
    assert [warning.category for warning in caught] == [ConvergenceWarning]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_restarts_keep_the_best_and_are_reproducible(n_jobs):
    largest = np.iinfo(np.int32).max
    others = np.random.RandomState(np.random.RandomState(0).randint(largest))
    seeds = [0, *others.randint(largest, size=5)]
    singles = [
        LinearMMD(solver="lbfgs", random_state=s, init="random").fit(blobs)
        for s in seeds
    ]
    best = max(single.objective_curve_[-1] for single in singles)
    model = LinearMMD(
        solver="lbfgs", n_init=6, random_state=0, n_jobs=n_jobs, init="random"
    )
    model.fit(blobs)
    assert model.objective_curve_[-1] == pytest.approx(best, rel=1e-12)
    assert model.random_state == 0 and model.n_init == 6
    assert len({round(single.score(blobs), 3) for single in singles}) > 1


def test_every_start_of_the_one_vs_one_mmd_finds_the_blobs():
    reference = KMeans(3, n_init=10, random_state=0).fit(blobs).labels_
    for seed in range(10):
        model = LinearMMD(
            solver="lbfgs", ovo=True, random_state=seed, init="random"
        ).fit(blobs)
        assert len(set(model.labels_)) == 3
        assert adjusted_rand_score(model.labels_, reference) > 0.9


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_starts_from_labels_lead_there_softly(solver):
    start = LinearMMD(
        init=blob_labels,
        random_state=0,
        max_iter=1,
        learning_rate=1e-300,
        solver="adam",
    ).fit(blobs)
    assert adjusted_rand_score(start.labels_, blob_labels) > 0.85
    assert start.predict_proba(blobs).max() < 0.99
    model = LinearMMD(init="k-means++", random_state=0, solver=solver).fit(blobs)
    assert adjusted_rand_score(model.labels_, blob_labels) > 0.85


def test_starts_work_for_derived_models():
    labels = (blobs[:, 0] > 0).astype(int)
    model = Sigmoid(random_state=0, max_iter=1, learning_rate=1e-300)
    model.init = labels
    model.fit(blobs)
    assert np.mean(model.labels_ == labels) > 0.9


def test_warm_start_goes_on():
    once = LinearMMD(random_state=0, max_iter=5, warm_start=True, **PUBLISHED).fit(wine)
    first, score = once.objective_curve_, once.score(wine)
    once.fit(wine)
    assert once.objective_curve_[0] == pytest.approx(score, rel=1e-12)
    assert score > first[-1]
    with pytest.raises(ValueError, match="features"):
        once.fit(wine[:, :3])
    with pytest.raises(ValueError, match="n_clusters=3 cannot go on with n_clusters=4"):
        once.set_params(n_clusters=4).fit(wine)


def test_partial_fit_is_one_epoch():
    stream = LinearMMD(random_state=0, batch_size=32, **PUBLISHED)
    for _ in range(4):
        stream.partial_fit(wine)
    whole = LinearMMD(random_state=0, batch_size=32, max_iter=4, **PUBLISHED).fit(wine)
    np.testing.assert_array_equal(stream.W_, whole.W_)
    assert stream.n_iter_ == 4 and len(stream.objective_curve_) == 4
    np.testing.assert_array_equal(stream.labels_, whole.labels_)


def test_full_batches_are_not_copied_or_shuffled():
    seen = []

    class Watching(LinearMMD):
        def _infer(self, X, retain=True):
            seen.append(X)
            return super()._infer(X, retain)

    Watching(max_iter=3, **PUBLISHED).fit(wine)
    assert all(batch is seen[0] for batch in seen)
    np.testing.assert_array_equal(seen[0], wine)


@pytest.fixture
def sigint():
    """The handler of SIGINT that Python installs unless started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_the_model_so_far(sigint):
    model = LinearMMD(random_state=0, max_iter=10**9, **PUBLISHED)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt, match="interrupted after") as caught:
        model.fit(wine)
    assert type(caught.value) is TrainingInterrupted
    assert caught.value.model is model
    assert model.n_iter_ == len(model.objective_curve_) > 0
    assert not model.converged_
    np.testing.assert_array_equal(model.predict(wine), model.labels_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("n_init", [1, 3])
def test_ctrl_c_in_the_first_step_leaves_a_usable_model(solver, n_init):
    class Interrupted(LinearMMD):
        def _compute_grads(self, X, y_pred, gradient):
            raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted, match="interrupted after 0 epochs") as c:
        Interrupted(random_state=0, solver=solver, n_init=n_init, init="random").fit(
            wine
        )
    assert np.isfinite(c.value.model.predict_proba(wine)).all()
    assert len(c.value.model.labels_) == len(wine)


class InterruptedAffinity(MMDGEMINI):
    def compute_affinity(self, X, y=None):
        raise KeyboardInterrupt


def test_ctrl_c_before_the_training_leaves_the_model_as_it_was():
    model = LinearModel(gemini=InterruptedAffinity(), random_state=0, **PUBLISHED)
    with pytest.raises(TrainingInterrupted, match="before it began") as caught:
        model.fit(wine)
    assert caught.value.model is model
    with pytest.raises(NotFittedError):
        model.predict(wine)
    trained = LinearModel(random_state=0, max_iter=3, warm_start=True, **PUBLISHED).fit(
        wine
    )
    before = dict(vars(trained))
    for warm_start in (True, False):
        trained.set_params(gemini=InterruptedAffinity(), warm_start=warm_start)
        with pytest.raises(TrainingInterrupted, match="before it began"):
            trained.fit(wine)
        assert trained.W_ is before["W_"] and trained.labels_ is before["labels_"]


def test_ctrl_c_in_a_soft_start_keeps_the_model_so_far():
    class Interrupted(LinearMMD):
        calls = 0

        def _compute_grads(self, X, y_pred, gradient):
            self.calls += 1
            if self.calls == 4:
                raise KeyboardInterrupt
            return super()._compute_grads(X, y_pred, gradient)

    model = Interrupted(random_state=0, solver="lbfgs", init=load_wine().target)
    with pytest.raises(TrainingInterrupted, match="interrupted after 0 epochs"):
        model.fit(wine)
    assert model.n_iter_ == len(model.objective_curve_) == 0
    assert np.isfinite(model.predict_proba(wine)).all()
    assert len(model.labels_) == len(wine)


def test_ctrl_c_keeps_the_best_complete_restart():
    class Interrupted(LinearMMD):
        calls = 0

        def _compute_grads(self, X, y_pred, gradient):
            type(self).calls += 1
            if self.calls == 70:
                raise KeyboardInterrupt
            return super()._compute_grads(X, y_pred, gradient)

    model = Interrupted(random_state=1, n_init=5, max_iter=20, **PUBLISHED)
    with pytest.raises(TrainingInterrupted, match="when 3 of 5 trainings"):
        model.fit(wine)
    expected = LinearMMD(random_state=1, n_init=3, max_iter=20, **PUBLISHED)
    assert model.n_iter_ == 20
    # The seeds of the others do not depend on their number.
    np.testing.assert_array_equal(model.W_, expected.fit(wine).W_)


@pytest.mark.parametrize("complete", [[3, 30], []])
def test_ctrl_c_keeps_the_best_of_the_parallel_trainings_that_are_complete(
    complete, monkeypatch
):
    def trainings(self, calls):
        for max_iter in complete:
            yield (
                LinearMMD(random_state=0, max_iter=max_iter, **PUBLISHED).fit(wine),
                Outcome(),
            )
        raise KeyboardInterrupt

    monkeypatch.setattr(restarts.Parallel, "__call__", trainings)
    model = LinearMMD(random_state=0, n_init=4, n_jobs=2, **PUBLISHED)
    with pytest.raises(TrainingInterrupted, match=f"when {len(complete)} of 4"):
        model.fit(wine)
    if complete:
        assert model.n_iter_ == max(complete)
        assert np.isfinite(model.predict_proba(wine)).all()
    else:
        assert not hasattr(model, "labels_")


@pytest.mark.parametrize(
    "make", [LinearWasserstein, MLPWasserstein, CategoricalWasserstein]
)
def test_a_single_training_leaves_the_jobs_to_its_transport(make):
    assert make(n_jobs=2, **PUBLISHED).get_gemini().n_jobs == 2
    assert make(n_jobs=2, n_init=3, **PUBLISHED).get_gemini().n_jobs is None


def test_verbose_reports_through_logging(caplog):
    with caplog.at_level(logging.INFO, logger=logger.name):
        LinearMMD(random_state=0, max_iter=40, verbose=True, **PUBLISHED).fit(wine)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 22
    assert "epoch 40" in lines[-2] and "objective" in lines[-2]
    assert "reached max_iter after 40 epochs" in lines[-1]


class Recorder:
    """A callback in scikit-learn's form."""

    def __init__(self, stop_after=None):
        self.events = []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    def teardown(self, estimator, context):
        self.events.append("teardown")


def test_callbacks_follow_a_fit_and_can_stop_it():
    recorder = Recorder(stop_after=2)
    model = LinearMMD(max_iter=10, **PUBLISHED).set_callbacks(recorder).fit(wine)
    assert model.n_iter_ == 2
    assert recorder.events == [
        "setup",
        "begin fit",
        "begin training",
        *["begin epoch", "end epoch"] * 2,
        "end training",
        "end fit",
        "teardown",
    ]
    recorder = Recorder()
    LinearMMD(max_iter=2, n_init=3, **PUBLISHED).set_callbacks(recorder).fit(wine)
    assert recorder.events.count("begin training") == 3
    assert recorder.events.count("end epoch") == 6
    with pytest.raises(TypeError):
        LinearMMD(**PUBLISHED).set_callbacks(print)


def test_restarts_in_threads_are_those_in_turn():
    model = LinearMMD(n_init=4, max_iter=50, random_state=0, **PUBLISHED)
    in_turn = model.fit(wine).W_
    with parallel_backend("threading", n_jobs=2):
        np.testing.assert_array_equal(model.fit(wine).W_, in_turn)


def test_parallel_restarts_leave_what_the_user_gave():
    recorder = Recorder()
    recorder.lock = threading.Lock()  # cannot be pickled
    gemini = MMDGEMINI()
    model = LinearModel(gemini=gemini, max_iter=2, n_init=2, n_jobs=2, **PUBLISHED)
    model.set_callbacks(recorder).fit(wine)
    assert recorder.events == ["setup", "begin fit", "end fit", "teardown"]
    assert model.gemini is gemini and model._skl_callbacks == [recorder]


@pytest.mark.filterwarnings("ignore:The first predictions are")
def test_a_converging_model_passes_the_check_that_the_default_steps_do_not():
    model = LinearMMD(solver="lbfgs", ovo=True, init="random")
    results = check_estimator(model, on_fail=None, on_skip=None)
    status = {result["check_name"]: result["status"] for result in results}
    assert status["check_clustering"] == "passed"


def test_the_gradient_of_minibatches_is_that_of_their_samples():
    batches = []

    class Watching(LinearModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            for batch in super()._batchify(X, affinity_matrix, random_state):
                batches.append(batch)
                yield batch

    kernel = wine @ wine.T
    Watching(gemini="mmd_ovo", batch_size=50, max_iter=1, **PUBLISHED).fit(wine)
    assert [len(X) for X, _ in batches] == [50, 50, 50, 28]
    for X, affinity in batches:
        idx = affinity.indices
        np.testing.assert_array_equal(X, wine[idx])
        np.testing.assert_allclose(affinity, kernel[np.ix_(idx, idx)], atol=1e-12)
    assert sorted(np.concatenate([a.indices for _, a in batches])) == list(range(178))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_unsuitable_scales_are_warned_of(scale):
    model = LinearMMD(random_state=0, max_iter=1, **PUBLISHED)
    if scale == 1.0:
        model.fit(wine)
    else:
        with pytest.warns(UserWarning, match="Standardise the features"):
            model.fit(wine * scale)
    with pytest.warns(UserWarning, match="saturated"):
        model.fit(wine + 1e4)


@pytest.mark.parametrize("gemini", ["mmd_ova", "mmd_ovo"])
@pytest.mark.parametrize("batch_size", [None, 50])
def test_sparse_matrices_are_never_made_dense(gemini, batch_size, monkeypatch):
    dense = np.where(np.random.RandomState(0).uniform(size=wine.shape) < 0.3, wine, 0.0)
    matrix = csr_array(dense)
    parameters = dict(random_state=0, max_iter=5, batch_size=batch_size)
    expected = LinearModel(gemini=gemini, **PUBLISHED | parameters).fit(dense)
    for method in ("toarray", "todense", "__array__"):
        monkeypatch.setattr(csr_array, method, None, raising=False)
    model = LinearModel(gemini=gemini, **PUBLISHED | parameters).fit(matrix)
    np.testing.assert_allclose(model.W_, expected.W_, rtol=1e-9)
    np.testing.assert_allclose(
        model.predict_proba(matrix), expected.predict_proba(dense), rtol=1e-9
    )
    assert model.score(matrix) == pytest.approx(expected.score(dense), rel=1e-9)
