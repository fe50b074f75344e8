"""Trainings on dask collections: on a cluster, without one, with what they refuse."""

import os
import pickle
import signal
import subprocess
import sys
import threading

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed import Client
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import StandardScaler

from gemclus import TrainingInterrupted, add_mlcl_constraint
from gemclus._training import blocks, samples
from gemclus._training.trainer import Trainer
from gemclus.dask import _blocks, _cluster, _fit
from gemclus.gemini import GEMINI
from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearMI
from gemclus.tree import Kauri

# Trainings are cut short on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*did not converge:sklearn.exceptions.ConvergenceWarning"
)

X, TRUE = make_blobs(6000, 5, centers=4, cluster_std=1.5, random_state=0)
X = np.ascontiguousarray(StandardScaler().fit_transform(X))
A = da.from_array(X, chunks=((1000, 1700, 1300, 2000), 5))
WEIGHTS = np.random.RandomState(0).uniform(0.5, 2.0, size=len(X))

LBFGS = {"solver": "lbfgs", "max_iter": 25, "random_state": 0}
MODELS = [
    LinearMMD(4, ovo=True, init="k-means++", **LBFGS),
    LinearMMD(4, kernel=Nystroem(gamma=0.1, n_components=20, random_state=0), **LBFGS),
    LinearMMD(4, kernel="cosine", **LBFGS),
    RIM(4, reg=0.01, init="k-means++", **LBFGS),
    MLPMMD(4, random_state=0, max_iter=10, learning_rate=0.05),
    SparseLinearMI(4, random_state=0, max_iter=10, learning_rate=0.05),
    *(
        LinearModel(4, gemini=f"{name}_{mode}", **LBFGS)
        for name in ("kl", "tv", "hellinger", "chi2")
        for mode in ("ova", "ovo")
    ),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=repr)


def same_bits(model, other):
    for weight, twin in zip(model._get_weights(), other._get_weights(), strict=True):
        np.testing.assert_array_equal(weight, twin)
    np.testing.assert_array_equal(model.objective_curve_, other.objective_curve_)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@each_model
def test_a_cluster_gives_the_bits_of_a_local_run(model, weights, cluster):
    if weights is not None:
        weights = da.from_array(weights, chunks=(A.chunks[0],))
    with Client(cluster) as client:
        client.wait_for_workers(2)
        model = clone(model).fit(A, sample_weight=weights)
        assert _cluster.active_client() is client
        score = model.score(A, sample_weight=weights)
    assert _cluster.active_client() is None
    local = clone(model).fit(A, sample_weight=weights)
    same_bits(model, local)
    assert local.score(A, sample_weight=weights) == score


@each_model
def test_a_step_is_that_of_one_array(model, monkeypatch):
    """Value and gradients at equal weights, against the unsharded training."""
    steps = []
    for source in (blocks.BlockSource, blocks.ArraySource):
        evaluate = source.evaluate

        def watched(self, weights, batch=None, evaluate=evaluate):
            result = evaluate(self, weights, batch)
            steps.append(([w.copy() for w in weights], *result))
            return result

        monkeypatch.setattr(source, "evaluate", watched)
    model = clone(model).set_params(max_iter=1, init="random")
    if isinstance(getattr(model, "kernel", None), Nystroem):
        pytest.skip("the map is fitted to rows drawn, in another order")
    model.fit(A)
    (start, value, gradients), *_ = steps
    steps.clear()
    clone(model).fit(X)
    # The same draws, but for those of the rows of the start.
    (other, expected, exact), *_ = steps
    for weight, twin in zip(start, other, strict=True):
        np.testing.assert_array_equal(weight, twin)
    assert value == pytest.approx(expected, rel=1e-12)
    for gradient, slope in zip(gradients, exact, strict=True):
        assert np.abs(gradient - slope).max() <= 1e-12 * np.abs(slope).max()


def test_labels_and_predictions_are_lazy():
    model = LinearMMD(4, ovo=True, **LBFGS).fit(A)
    P = model.predict_proba(X)
    centres = (P.T @ X) / P.sum(axis=0)[:, None]
    np.testing.assert_allclose(model.cluster_centers_, centres, rtol=1e-10, atol=1e-12)
    assert model.n_clusters_ == len(np.unique(model.predict(X)))
    weighted = clone(model).fit(A, sample_weight=WEIGHTS)
    Q = weighted.predict_proba(X) * WEIGHTS[:, None]
    centres = (Q.T @ X) / Q.sum(axis=0)[:, None]
    np.testing.assert_allclose(
        weighted.cluster_centers_, centres, rtol=1e-10, atol=1e-12
    )
    for lazy, expected in [
        (model.labels_, model.predict(X)),
        (model.predict(A), model.predict(X)),
        (model.predict_proba(A), model.predict_proba(X)),
        (model.transform(A), model.transform(X)),
    ]:
        assert isinstance(lazy, da.Array)
        assert lazy.shape == expected.shape and lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)
    before = model.predict(A)
    expected = model.predict(X)
    model.W_ += 1.0 - 2.0 * (np.arange(4) == 2)  # which a lazy answer does not see
    np.testing.assert_array_equal(before.compute(), expected)
    with pytest.raises(ValueError, match="4 features.*5 features"):
        model.predict(A[:, :4])


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of dask
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_frames(tmp_path, dtype):
    frame = pd.DataFrame(X.astype(dtype), columns=list("abcde"))
    frame["weight"] = WEIGHTS
    dd.from_pandas(frame, npartitions=3).to_parquet(tmp_path)
    stored = dd.read_parquet(tmp_path)
    samples, weights = stored[list("abcde")], stored["weight"]
    model = RIM(4, reg=0.01, **LBFGS).fit(samples, sample_weight=weights)
    assert list(model.feature_names_in_) == list("abcde")
    assert model.W_.dtype == dtype
    array = da.from_array(X.astype(dtype), chunks=(2000, 5))
    other = RIM(4, reg=0.01, **LBFGS).fit(array, sample_weight=WEIGHTS)
    same_bits(model, other)
    labels = model.predict(samples)
    assert isinstance(labels, dd.Series)
    local = frame[list("abcde")]
    np.testing.assert_array_equal(labels.compute(), model.predict(local))
    P = model.predict_proba(samples)
    assert isinstance(P, dd.DataFrame)
    np.testing.assert_array_equal(P.compute(), model.predict_proba(local))
    assert model.score(samples) == pytest.approx(model.score(local), rel=1e-6)


def test_integers_and_given_weights():
    whole = np.rint(10 * X).astype(np.int64)
    model = LinearModel(4, gemini="kl_ova", **LBFGS)
    lazy = clone(model).fit(da.from_array(whole, chunks=(1500, 5)), None, WEIGHTS)
    floats = da.from_array(whole.astype(float), chunks=(1500, 5))
    same_bits(lazy, clone(model).fit(floats, sample_weight=WEIGHTS))
    scaled = clone(model).fit(floats, sample_weight=da.from_array(WEIGHTS * 64, 1500))
    same_bits(lazy, scaled)


def test_restarts_keep_the_best():
    params = {"max_iter": 10, "random_state": 0, "learning_rate": 0.1}
    one = MLPMMD(4, **params).fit(A)
    several = MLPMMD(4, n_init=4, **params).fit(A)
    assert several.objective_curve_[-1] >= one.objective_curve_[-1]
    assert several.n_jobs is None and several.n_init == 4


@pytest.mark.parametrize("gemini", ["kl_ova", "wasserstein_ova", "mmd_ova"])
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_come_from_blocks(gemini, weighted, cluster):
    weights = da.from_array(WEIGHTS, chunks=(A.chunks[0],)) if weighted else None
    model = LinearModel(
        4, gemini=gemini, batch_size=300, max_iter=3, random_state=0, learning_rate=0.01
    )
    with Client(cluster):
        model.fit(A, sample_weight=weights)
    local = clone(model).fit(A, sample_weight=weights)
    same_bits(model, local)
    assert model.objective_curve_[-1] > model.objective_curve_[0]


def test_a_fitted_model_pickles_without_dask(tmp_path):
    model = MLPMMD(4, random_state=0, max_iter=3).fit(A)
    twin = pickle.loads(pickle.dumps(model))
    assert not hasattr(twin, "labels_")
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    code = (
        "import pickle, sys; sys.modules['dask'] = None; "
        f"model = pickle.load(open({str(tmp_path / 'model.pkl')!r}, 'rb')); "
        "print(model.predict([[0.0] * 5]).shape)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "(1,)"


def test_nothing_of_dask_is_imported_before_a_collection_comes():
    code = (
        "import sys, numpy as np, gemclus; from gemclus.linear import LinearMMD; "
        "LinearMMD(2, max_iter=2).fit(np.random.normal(size=(20, 2))); "
        "import gemclus.dask; "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('dask', 'distributed')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_a_killed_worker_changes_nothing(cluster, client, monkeypatch):
    model = RIM(4, reg=0.01, init="k-means++", **LBFGS)
    expected = clone(model).fit(A)
    n_calls = 0
    call = _cluster.Cluster.call

    def killing(self, *arguments):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 20:
            pid = next(iter(client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
        return call(self, *arguments)

    monkeypatch.setattr(_cluster.Cluster, "call", killing)
    model.fit(A)
    assert n_calls > 25
    same_bits(model, expected)
    client.wait_for_workers(2)


def test_workers_that_are_always_lost_are_named(client, monkeypatch):
    def lost(self, *arguments):
        raise _cluster.LostWorker("tcp://somewhere")

    monkeypatch.setattr(_cluster.Cluster, "call", lost)
    model = RIM(4, **LBFGS)
    with pytest.raises(RuntimeError, match="tcp://somewhere was lost.*3 retries"):
        model.fit(A)
    assert not hasattr(model, "labels_")


def test_the_memory_of_workers_is_freed(client):
    RIM(4, **LBFGS).fit(A)
    broken = RIM(4, **LBFGS)
    with pytest.raises(ValueError, match="NaN"):
        broken.fit(da.where(A == A[1, 1], np.nan, A))
    assert is_free(client), client.has_what()


def is_free(client):
    """Whether the workers hold nothing, once they had time to let go."""
    for _ in range(50):
        if not sum(map(len, client.has_what().values())):
            return True
        threading.Event().wait(0.1)
    return False


@pytest.mark.parametrize("first", [1, 12])
def test_ctrl_c_keeps_the_weights_and_frees_the_workers(client, monkeypatch, first):
    n_calls = 0
    call = _cluster.Cluster.call

    def interrupted(self, *arguments):
        nonlocal n_calls
        n_calls += 1
        results = call(self, *arguments)
        if n_calls == first:
            raise KeyboardInterrupt
        return results

    monkeypatch.setattr(_cluster.Cluster, "call", interrupted)
    model = RIM(4, reg=0.01, **LBFGS)
    with pytest.raises(TrainingInterrupted, match="kept") as caught:
        model.fit(A)
    assert caught.value.model is model
    assert model.n_iter_ < 25 and model.cluster_centers_.shape == (4, 5)
    assert model.labels_.compute().shape == (len(X),)
    assert is_free(client), client.has_what()


def test_an_evaluation_takes_as_few_rounds_as_it_can(monkeypatch):
    rounds = []
    run = blocks.BlockSource.evaluate

    def evaluate(self, weights, batch=None):
        calls = []
        self._run = lambda name, *rest: (
            calls.append(name) or type(self)._run(self, name, *rest)
        )
        result = run(self, weights, batch)
        rounds.append([name for name in calls if name != "extent"])
        return result

    monkeypatch.setattr(blocks.BlockSource, "evaluate", evaluate)
    for model, expected in [
        (RIM(4, **LBFGS), ["sums", "gradients"]),
        (LinearMMD(4, **LBFGS), ["sums", "gradients"]),
        (LinearModel(4, gemini="tv_ova", **LBFGS), ["sums", "sums", "gradients"]),
    ]:
        rounds.clear()
        model.set_params(max_iter=2).fit(A)
        assert rounds and all(calls == expected for calls in rounds)


@pytest.mark.parametrize(
    "model",
    [
        RIM(4, reg=0.01),
        LinearMMD(4, ovo=True),
        LinearMMD(4, kernel=Nystroem(gamma=0.1, n_components=20, random_state=0)),
    ],
    ids=repr,
)
def test_large_collections_train_on_samples_first(model, cluster, monkeypatch):
    monkeypatch.setattr(samples, "_LEAST_ROWS", 100)
    monkeypatch.setattr(samples, "_ROWS_OF_FEATURE", 1)
    monkeypatch.setattr(_fit, "_DRAWN", 500)
    runs, sources = [], []
    run = Trainer.run

    def watched(self, *arguments):
        runs.append(self.task.X.shape[0])
        sources.append(self.source)
        run(self, *arguments)

    monkeypatch.setattr(Trainer, "run", watched)
    model = clone(model).set_params(random_state=0, init="k-means++")
    model.fit(A, sample_weight=WEIGHTS)
    assert runs == [*[100] * samples.STARTS, 1000, 500]
    assert isinstance(sources[-1], _blocks.LocalSource)
    assert not any(isinstance(source, _blocks.LocalSource) for source in sources[:-1])
    with Client(cluster) as client:
        client.wait_for_workers(2)
        same_bits(model, clone(model).fit(A, sample_weight=WEIGHTS))


def test_inside_a_task_a_training_is_local(cluster):
    def train():
        assert _cluster.active_client() is None
        return RIM(4, reg=0.01, **LBFGS).fit(A)

    with Client(cluster) as client:
        model = client.submit(train, pure=False).result()
    same_bits(model, RIM(4, reg=0.01, **LBFGS).fit(A))


BAD = [
    (A[A[:, 0] > 0], "compute_chunk_sizes"),
    (da.from_array(X, chunks=(1000, 3)), r"all columns.*rechunk\(\{1: -1\}\)"),
    (da.from_array(X[:, 0], chunks=1000), "shape"),
    (da.concatenate([A, A[:0]]).rechunk(((6000, 0), 5)), "block 1 of X is empty"),
    (da.from_array(X.astype(object), chunks=(1000, 5)), "must hold numbers"),
    (da.from_array(np.where(X == X[2800, 2], np.nan, X), chunks=A.chunks), "block 2"),
    (A[:3].rechunk((2, 5)), "n_samples=3"),
]


@pytest.mark.parametrize(("samples", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_collections(samples, message, cluster):
    model = RIM(4, **LBFGS)
    with Client(cluster), pytest.raises(ValueError, match=message):
        model.fit(samples)
    with pytest.raises(ValueError, match=message):
        model.fit(samples)
    assert not hasattr(model, "W_")


def test_bad_weights():
    for weights, message in [
        (da.from_array(WEIGHTS, chunks=2000), r"cut as X.*rechunk\(\(\(1000, 1700"),
        (da.from_array(-WEIGHTS, chunks=(A.chunks[0],)), "must not be negative"),
        (da.zeros(len(X), chunks=(A.chunks[0],)), "must not be zero"),
        (WEIGHTS[1:], "sample_weight must have shape"),
        (da.from_array(WEIGHTS * np.nan, chunks=(A.chunks[0],)), "must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            RIM(4, **LBFGS).fit(A, sample_weight=weights)


class Own(GEMINI):
    def compute_affinity(self, X, y=None):
        return None

    def evaluate(self, y_pred, affinity, return_grad=False):
        raise AssertionError


REFUSED = [
    (LinearMMD(4, kernel="rbf"), "feature map.*batch_size"),
    (LinearWasserstein(4), "feature map.*batch_size"),
    (LinearModel(4, gemini=Own()), "Own cannot be cut.*batch_size"),
    (LinearMMD(4, kernel="precomputed"), "feature map.*batch_size"),
    (KernelRIM(4), "rows are not independent"),
    (CategoricalModel(4), "rows are not independent"),
    (RIM(4, init=TRUE), "init must be"),
    (add_mlcl_constraint(RIM(4), [(0, 1)]), "constraints"),
    (SparseLinearMI(4).path, "X.compute"),
    (RIM(4).partial_fit, "X.compute"),
    (Kauri(4), "X.compute"),
]


@pytest.mark.parametrize(
    ("model", "message"), REFUSED, ids=[repr(m) for m, _ in REFUSED]
)
def test_what_cannot_be_cut_says_what_to_do(model, message):
    with pytest.raises(TypeError, match=message):
        getattr(model, "fit", model)(A)
    if hasattr(model, "fit"):
        with pytest.raises(TypeError):
            model.fit(A, X @ X.T)


@pytest.mark.parametrize(("scale", "word"), [(1e4, "saturated"), (1e-6, "nearly")])
def test_the_scale_is_warned_of(scale, word):
    with pytest.warns(UserWarning, match=f"The first predictions are {word}"):
        LinearMMD(4, init="random", max_iter=1, random_state=0).fit(scale * A)


def test_a_store_is_read_block_by_block(tmp_path):
    """No more than a block of a file is in memory at once."""
    np.save(tmp_path / "samples.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "samples.npy", mmap_mode="r")
    held = [0, 0]
    lock = threading.Lock()

    class Counted(np.ndarray):
        def __del__(self):
            held[0] -= 1

    def read(block):
        with lock:
            held[0] += 1
            held[1] = max(held)
        return np.array(block).view(Counted)

    lazy = da.from_array(mapped, chunks=(1000, 5)).map_blocks(read, dtype=np.float32)
    model = RIM(4, reg=0.01, **LBFGS)
    held[:] = [0, 0]
    model.fit(lazy)
    assert 1 <= held[1] <= 4
