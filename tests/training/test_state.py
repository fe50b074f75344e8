"""A training leaves all of its state on a model, or nothing."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings

import estimators
import joblib
import numpy as np
import pytest
from estimators import PUBLISHED
from joblib import parallel_backend
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from gemclus import TrainingInterrupted
from gemclus.gemini import MI
from gemclus.linear import KernelRIM, LinearMMD, LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearModel
from gemclus.tree import Douglas

X = np.random.RandomState(0).normal(size=(30, 3))
X[:10] += 4.0
X[20:] -= 4.0

every_model = pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
# Sparse models warn where the few epochs of these tests select everything.
pytestmark = pytest.mark.filterwarnings("ignore:All .* features are selected")


class Broken(Exception):
    """An error that no model knows."""


def failing(cls, hook, at=0):
    """A model whose `hook` fails, at the call of that number."""
    own = getattr(cls, hook)

    class Failing(cls):
        armed = False

        def fail(self, *arguments, **keywords):
            if type(self).armed:
                type(self).calls += 1
                if type(self).calls > at:
                    raise Broken
            return own(self, *arguments, **keywords)

    Failing.__init__ = cls.__init__
    Failing.calls = 0
    setattr(Failing, hook, Failing.fail)
    model = estimators.make_gradient_model(cls)
    return Failing(**model.get_params()).set_params(max_iter=4, random_state=0)


def state_of(model):
    """All attributes, as bytes."""
    return {name: pickle.dumps(value) for name, value in vars(model).items()}


FAILURES = [
    ("get_gemini", 0),
    ("_init_params", 0),
    ("_infer", 2),
    ("_compute_grads", 2),
    ("_update_weights", 1),
    ("_finish_fit", 0),
]


@every_model
@pytest.mark.parametrize("hook, at", FAILURES)
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_failed_refit_leaves_the_model_as_it_was(cls, hook, at, warm_start):
    if warm_start and hook == "_init_params":
        pytest.skip("a warm start makes no parameters")
    model = failing(cls, hook, at)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X).set_params(warm_start=warm_start)
    before, labels = state_of(model), model.labels_
    type(model).armed = True
    with pytest.raises(Broken):
        model.fit(X)
    type(model).armed = False
    assert state_of(model) == before
    np.testing.assert_array_equal(model.predict(X), labels)


@every_model
@pytest.mark.parametrize("hook, at", FAILURES)
def test_a_failed_first_fit_leaves_none(cls, hook, at):
    model = failing(cls, hook, at)
    type(model).armed = True
    with pytest.raises(Broken):
        model.fit(X)
    type(model).armed = False
    assert vars(model) == model.get_params()
    for method in (model.predict, model.predict_proba, model.score):
        with pytest.raises(NotFittedError):
            method(X)


@every_model
@pytest.mark.parametrize("hook", ["_compute_grads", "_finish_fit"])
def test_a_failed_partial_fit_leaves_the_model_as_it_was(cls, hook):
    model = failing(cls, hook)
    model.partial_fit(X)
    twin = pickle.loads(pickle.dumps(_plain(model, cls)))
    before = state_of(model)
    type(model).armed = True
    with pytest.raises(Broken):
        model.partial_fit(X)
    type(model).armed = False
    assert state_of(model) == before
    # And it goes on as if nothing had happened.
    model.partial_fit(X), twin.partial_fit(X)
    for weight, expected in zip(model._get_weights(), twin._get_weights()):
        np.testing.assert_array_equal(weight, expected)


def _plain(model, cls):
    plain = object.__new__(cls)
    vars(plain).update(vars(model))
    return plain


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failed_restart_leaves_the_model_as_it_was(n_jobs):
    model = failing(LinearModel, "_compute_grads", at=6).fit(X)
    model.set_params(n_init=3)
    before = state_of(model)
    type(model).armed = True
    with parallel_backend("threading", n_jobs=n_jobs):
        with pytest.raises(Broken):
            model.fit(X)
    assert state_of(model) == before


def test_a_failed_path_leaves_the_model_as_it_was():
    class Late(MI):
        calls = 0

        def evaluate(self, y_pred, affinity=None, return_grad=False):
            self.calls += 1
            if self.calls > 40:
                raise Broken
            return super().evaluate(y_pred, affinity, return_grad)

    model = SparseLinearModel(
        gemini="mi", max_iter=10, random_state=0, **PUBLISHED
    ).fit(X)
    labels, W = model.labels_, model.W_
    with pytest.raises(Broken):
        model.set_params(gemini=Late()).path(X)
    assert model.labels_ is labels and model.W_ is W and not hasattr(model, "path_")


@every_model
def test_ctrl_c_in_any_step_keeps_weights_that_agree_with_the_labels(cls):
    for at in (0, 1, 3):
        model = failing(cls, "_compute_grads", at)
        type(model).fail.__globals__["Broken"] = KeyboardInterrupt
        type(model).armed = True
        try:
            with pytest.raises(TrainingInterrupted) as caught:
                model.fit(X)
        finally:
            type(model).fail.__globals__["Broken"] = Broken
        type(model).armed = False
        assert caught.value.model is model
        assert model.n_iter_ == len(model.objective_curve_) == at
        np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_ctrl_c_in_partial_fit_keeps_the_stream():
    class Interrupted(LinearMMD):
        armed = False

        def _compute_grads(self, X, y_pred, gradient):
            if self.armed and len(X) < 10:
                raise KeyboardInterrupt
            return super()._compute_grads(X, y_pred, gradient)

    model = Interrupted(batch_size=12, random_state=0, **PUBLISHED).partial_fit(X)
    W = model.W_.copy()
    Interrupted.armed = True
    with pytest.raises(TrainingInterrupted):
        model.partial_fit(X)
    assert model.n_iter_ == 1 and not np.array_equal(model.W_, W)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


PROGRAM = """
PUBLISHED = {{"solver": "adam", "init": "random"}}
import os, signal, threading, time
import numpy as np
from gemclus import TrainingInterrupted
from gemclus.linear import LinearModel
from gemclus.selection import KSelector
from gemclus.sparse import SparseLinearModel
from gemclus.tree import Kauri

# A job of the background is started to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
X = np.random.RandomState(0).normal(size=(200, 5))

class Noticed(LinearModel):  # leaves a file for each process that it is trained in
    def _infer(self, X, retain=True):
        open(f"{folder}/{{os.getpid()}}", "w").close()
        return super()._infer(X, retain)

def interrupt():
    # In the middle of some work: here, or of both workers.
    while time.process_time() - begun < 1.5 and len(os.listdir(folder)) < 2:
        time.sleep(0.1)
    global work_done
    work_done = time.process_time()
    os.killpg(0, signal.SIGINT)  # as a terminal does

folder = {folder!r}
large = np.random.RandomState(0).normal(size=(60_000, 50))
print("ready", flush=True)
begun = time.process_time()
if {interrupts}:
    threading.Thread(target=interrupt).start()
try:
    {statement}
except TrainingInterrupted as error:
    print(hasattr(error.model, "labels_"), flush=True)
    print(time.process_time() - work_done, flush=True)
    raise
"""
RESTARTS = "Noticed(n_init=2, n_jobs=2, **PUBLISHED, max_iter=10**9).fit(X)"
on_posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def started(statement, folder, interrupts):
    program = PROGRAM.format(
        statement=statement, folder=str(folder), interrupts=interrupts
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@on_posix
@pytest.mark.parametrize(
    "statement, fitted",
    [
        ("LinearModel(**PUBLISHED, max_iter=10**9).fit(X)", "True"),
        (
            "LinearModel(gemini='wasserstein_ovo', **PUBLISHED, max_iter=10**9).fit(X)",
            "True",
        ),
        (
            "SparseLinearModel(**PUBLISHED, max_iter=500)"
            ".path(X, alpha_multiplier=1 + 1e-9)",
            "True",
        ),
        ("Kauri(500).fit(large)", "True"),
        (RESTARTS, "False"),
    ],
)
def test_a_real_ctrl_c_ends_a_program(statement, fitted, tmp_path):
    with started(statement, tmp_path, interrupts=True) as program:
        try:
            # Workers that went on would keep the other ends open.
            output, errors = program.communicate(timeout=100)
        finally:
            _kill_all(program)
    assert "TrainingInterrupted: " in errors and "was interrupted" in errors
    ready, kept, work_after = output.splitlines()
    assert (ready, kept) == ("ready", fitted)
    assert program.returncode in (1, 130, -signal.SIGINT)
    # Seconds of work, and not by the clock: those of a busy machine are longer.
    assert float(work_after) < 2.0


@on_posix
@pytest.mark.parametrize(
    "statement",
    [
        RESTARTS,
        "KSelector(Noticed(**PUBLISHED, max_iter=10**9), [2, 3], n_jobs=2).fit(X)",
    ],
)
def test_workers_end_with_a_program_that_is_killed(statement, tmp_path):
    with started(statement, tmp_path, interrupts=False) as program:
        try:
            assert program.stdout.readline() == "ready\n"
            while len(list(tmp_path.iterdir())) < 2:
                assert program.poll() is None
                time.sleep(0.1)
            program.kill()
            # There is an end of it as soon as nobody holds the other ends.
            program.communicate(timeout=60)
        finally:
            _kill_all(program)


def _kill_all(program):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)


@every_model
def test_predictions_come_from_what_was_fitted(cls):
    model = estimators.make_gradient_model(cls).set_params(max_iter=3, random_state=0)
    expected = model.fit(X).predict_proba(X)
    score = model.score(X)
    for n_clusters in (2, 7):
        model.set_params(n_clusters=n_clusters)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        assert model.score(X) == score
    with pytest.raises(ValueError, match="cannot go on with n_clusters=7"):
        model.set_params(warm_start=True).fit(X)
    with pytest.raises(ValueError, match="cannot go on with n_clusters=7"):
        model.set_params(warm_start=False).partial_fit(X)
    assert model.fit(X).predict_proba(X).shape == (30, 7)


@every_model
def test_read_only_weights_are_copied_when_training_begins(cls, tmp_path):
    model = estimators.make_gradient_model(cls).set_params(max_iter=2, random_state=0)
    joblib.dump(model.fit(X), tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert not any(weight.flags.writeable for weight in loaded._get_weights())
    before = [np.array(weight) for weight in loaded._get_weights()]
    held = loaded._get_weights()
    loaded.partial_fit(X), model.partial_fit(X)
    for weight, expected in zip(loaded._get_weights(), model._get_weights()):
        np.testing.assert_allclose(weight, expected, rtol=1e-12)
    for weight, kept in zip(held, before):
        np.testing.assert_array_equal(weight, kept)
    again = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    again.set_params(warm_start=True).fit(X)


@every_model
def test_precisions_may_change_between_calls(cls):
    narrow = X.astype(np.float32)
    model = estimators.make_gradient_model(cls).set_params(max_iter=2, random_state=0)
    for first, second in ((X, narrow), (narrow, X)):
        if issubclass(cls, CategoricalModel):
            # They know their training samples, to the bit.
            first = second = narrow if first is narrow else narrow.astype(np.float64)
            second = second.astype(np.float64 if first is narrow else np.float32)
        model.fit(first)
        dtypes = [weight.dtype for weight in model._get_weights()]
        P = model.predict_proba(second)
        np.testing.assert_allclose(P, model.predict_proba(first), atol=1e-4)
        if issubclass(cls, KernelRIM):
            with pytest.raises(ValueError, match="those samples"):
                model.partial_fit(second)
        else:
            model.partial_fit(second)
            assert [weight.dtype for weight in model._get_weights()] == dtypes


OVERLAP = """
import threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from gemclus.gemini import MI
from gemclus.linear import LinearModel

def n_threads():
    pools = threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}

class Meeting(MI):
    def __init__(self, there=None, until=None, epsilon=1e-12):
        super().__init__(epsilon)
        self.there, self.until = there, until

    def evaluate(self, y_pred, affinity=None, return_grad=False):
        self.there.set()
        assert self.until.wait(30)
        return super().evaluate(y_pred, affinity, return_grad)

# No thread that is alive holds a limit, in the eyes of threadpoolctl.
setter = threading.Thread(target=threadpool_limits, args=(3, "blas"))
setter.start()
setter.join()
found = [n_threads()]
X = np.random.RandomState(0).normal(size=(30, 3))
first_in, second_in, first_out = (threading.Event() for _ in range(3))
first = LinearModel(gemini=Meeting(first_in, second_in), max_iter=1)
second = LinearModel(gemini=Meeting(second_in, first_out), max_iter=1)
with ThreadPoolExecutor(2) as pool:
    ends_first = pool.submit(first.fit, X)
    assert first_in.wait(30)
    found.append(n_threads())
    ends_last = pool.submit(second.fit, X)
    ends_first.result(30)
    first_out.set()
    ends_last.result(30)
    # While both threads are alive, each of which might hold the limit.
    found.append(n_threads())
print(found)
"""


def test_overlapping_fits_leave_the_threads_of_blas_alone():
    """The first to begin ends first: what the second found is not what to restore."""
    program = [sys.executable, "-c", OVERLAP]
    output = subprocess.check_output(program, text=True, timeout=120)
    assert output == "[{3}, {1}, {3}]\n"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_model
def test_underflows_are_no_errors(cls, dtype):
    """Memberships, kernels, weights that are too small are 0, whatever seterr says."""
    samples = (check_random_state(0).normal(size=(60, 3)) * 40).astype(dtype)
    model = estimators.make_gradient_model(cls).set_params(max_iter=5, random_state=0)
    if isinstance(model, Douglas):
        model.set_params(temperature=0.01)
    if "kernel" in model.get_params():
        model.set_params(kernel="rbf")
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.filterwarnings("ignore", "The first predictions are")
        model.fit(samples)
        model.predict_proba(samples)
        model.score(samples)
        model.partial_fit(samples)


def test_models_that_hold_weights_in_a_list_are_left_as_they_were():
    class Listed(MLPModel):
        """A user's model may keep its arrays wherever it likes."""

        def _init_params(self, random_state, X=None):
            super()._init_params(random_state, X)
            self.layers_ = {"all": [self.W1_, self.W2_, self.b1_, self.b2_]}

        def _get_weights(self):
            return self.layers_["all"]

        def _finish_fit(self, X, sample_weight=None):
            if getattr(self, "armed", False):
                raise Broken
            super()._finish_fit(X, sample_weight)

    model = Listed(max_iter=3, random_state=0, **PUBLISHED).partial_fit(X)
    kept = [weight.copy() for weight in model._get_weights()]
    model.armed = True
    with pytest.raises(Broken):
        model.partial_fit(X)
    for weight, before in zip(model._get_weights(), kept):
        np.testing.assert_array_equal(weight, before)
    del model.armed
    model.partial_fit(X)
    assert not np.array_equal(model._get_weights()[0], kept[0])
