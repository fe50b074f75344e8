"""Trainings of large data on samples of the rows."""

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus._training import blocks, samples, start
from gemclus._training.samples import nested_positions, sample_sizes
from gemclus._training.trainer import Trainer
from gemclus.linear import RIM, KernelRIM, LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*did not converge:sklearn.exceptions.ConvergenceWarning"
)

X, TRUE = make_blobs(12_000, 5, centers=4, cluster_std=3.0, random_state=0)
X = np.ascontiguousarray(StandardScaler().fit_transform(X))
WEIGHTS = np.random.RandomState(0).randint(0, 4, size=len(X)).astype(float)
MODELS = [
    RIM(4, reg=0.01),
    LinearMMD(4, ovo=True),
    LinearMMD(4, kernel="cosine"),
    MLPMMD(4),
]


@pytest.fixture
def few_rows(monkeypatch):
    """Blocks and samples of few rows: those here make samples of 200 and 2000."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", 1)
    monkeypatch.setattr(samples, "_LEAST_ROWS", 200)
    monkeypatch.setattr(samples, "_ROWS_OF_FEATURE", 1)


@pytest.fixture
def runs(monkeypatch):
    """Numbers of rows of each run of a trainer."""
    runs = []
    run = Trainer.run

    def watched(self, *arguments):
        runs.append(self.task.X.shape[0])
        run(self, *arguments)

    monkeypatch.setattr(Trainer, "run", watched)
    return runs


def test_samples_grow_up_to_a_share_of_the_rows():
    assert sample_sizes(10_000, 20) == sample_sizes(39_999, 20) == []
    assert sample_sizes(40_000, 20) == [10_000]
    assert sample_sizes(1_000_000, 20) == [10_000, 100_000]
    assert sample_sizes(10_000_000, 2) == [10_000, 100_000, 1_000_000]
    assert sample_sizes(10_000_000, 1000) == []
    parts = nested_positions([20, 200], 1000, np.random.RandomState(0))
    assert [len(set(part)) for part in parts] == [20, 200]
    assert set(parts[0]) < set(parts[1])
    assert parts[1].max() > 900 and (np.diff(parts[1]) > 0).all()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_large_data_train_on_samples_first(model, weights, few_rows, runs):
    model = clone(model).set_params(random_state=0)
    model.fit(X, sample_weight=weights)
    n_rows = len(X) if weights is None else np.count_nonzero(weights)
    assert runs == [*[200] * samples.STARTS, 2000, n_rows]
    assert model.converged_ and len(model.objective_curve_) == model.n_iter_ < 40
    # As good as without samples, to what the stopping rule leaves.
    runs.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "trains_on_samples", lambda model, source: False)
        whole = clone(model).set_params(tol=1e-7).fit(X, sample_weight=weights)
    assert runs == [n_rows]
    assert adjusted_rand_score(model.labels_, whole.labels_) > 0.97
    assert model.objective_curve_[-1] == pytest.approx(
        whole.objective_curve_[-1], rel=2e-3
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_best_start_on_the_smallest_sample_goes_on(few_rows, monkeypatch, seed):
    ends, taken = [], []
    run = Trainer.run

    def watched(self, max_iter, monitor):
        if self.task.X.shape[0] == 2000:
            taken.append(self.model.W_.copy())
        run(self, max_iter, monitor)
        if self.task.X.shape[0] == 200:
            ends.append((monitor.curve[-1], self.model.W_.copy()))

    monkeypatch.setattr(Trainer, "run", watched)
    RIM(4, reg=0.01, random_state=seed).fit(X)
    values = [value for value, _ in ends]
    assert len(set(values)) == samples.STARTS
    np.testing.assert_array_equal(taken[0], ends[np.argmax(values)][1])


def test_samples_do_not_depend_on_the_threads(few_rows):
    model = RIM(4, reg=0.01, random_state=0).fit(X)
    other = clone(model).set_params(n_jobs=2).fit(X)
    np.testing.assert_array_equal(model.W_, other.W_)
    several = clone(model).set_params(n_init=2).fit(X)
    assert several.objective_curve_[-1] >= model.objective_curve_[-1]


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (RIM(4, solver="adam"), 12_000),  # an epoch is many steps
        (RIM(4, solver="adam", batch_size=500), 12_000),
        (RIM(4, init=TRUE), 12_000),  # labels are given for all
        (SparseLinearMMD(4), 12_000),
        (LinearMMD(4, kernel="rbf"), 400),  # not cut
        (KernelRIM(4), 400),
    ],
    ids=repr,
)
def test_what_sees_all_rows_from_the_start(model, rows, few_rows, runs):
    model = clone(model).set_params(max_iter=2, random_state=0)
    model.fit(np.ascontiguousarray(X[:rows]))
    assert runs == [rows]


def test_a_sample_leads_other_solvers(few_rows, monkeypatch):
    led = []
    lead = Trainer.lead_towards
    monkeypatch.setattr(
        Trainer,
        "lead_towards",
        lambda self, *arguments: led.append(len(self.task.X)) or lead(self, *arguments),
    )
    for model in (RIM(4, solver="adam", max_iter=2), SparseLinearMMD(4, max_iter=2)):
        led.clear()
        model.set_params(random_state=0, init="k-means++").fit(X)
        assert set(led) == {200}


def test_a_training_that_goes_on_takes_no_samples(few_rows, runs):
    model = RIM(4, reg=0.01, random_state=0, warm_start=True).fit(X)
    runs.clear()
    model.fit(X)
    assert runs == [12_000]


def test_the_scale_is_warned_of_once(few_rows):
    with pytest.warns(UserWarning, match="The first predictions are saturated") as seen:
        RIM(4, random_state=0, max_iter=3, init="random").fit(1e4 * X)
    assert sum("first predictions" in str(w.message) for w in seen) == 1


def test_a_training_interrupted_on_a_sample_keeps_its_weights(few_rows, monkeypatch):
    run = Trainer.run

    def interrupted(self, *arguments):
        run(self, *arguments)
        if self.task.X.shape[0] == 2000:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "run", interrupted)
    model = RIM(4, reg=0.01, random_state=0)
    with pytest.raises(KeyboardInterrupt, match="kept"):
        model.fit(X)
    assert model.n_iter_ == 0 and len(model.labels_) == len(X)
    assert adjusted_rand_score(model.labels_, TRUE) > 0.5


def test_published_runs_see_all_rows(few_rows, runs):
    RIM(4, random_state=0, max_iter=2, **PUBLISHED).fit(X)
    assert runs == [12_000]
