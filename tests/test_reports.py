"""What a training says of itself: bars, lines, tasks, and refusals of starts."""

import io
import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gemclus._training.monitor import logger
from gemclus.linear import LinearMMD

X = np.random.RandomState(0).normal(size=(12, 2))


class Bar:
    """Stands in for the progress bar of tqdm."""

    made = ()

    def __init__(self, **arguments):
        self.arguments, self.position, self.shown = arguments, 0, []
        self.closed = False
        Bar.made = (*Bar.made, self)

    def update(self, steps):
        assert not self.closed
        self.position += steps

    def set_postfix(self, objective, refresh):
        assert refresh is False
        self.shown.append(objective)

    def close(self):
        self.closed = True


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_for_each_training(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(Bar, "made", ())
    with caplog.at_level(logging.INFO, logger=logger.name):
        model = LinearMMD(verbose=True, max_iter=7, n_init=2, random_state=0).fit(X)
    assert len(Bar.made) == 2 and not caplog.records
    for bar in Bar.made:
        assert bar.arguments == {"total": 7, "desc": "LinearMMD", "unit": "epoch"}
        assert bar.position == len(bar.shown) == 7 and bar.closed
    kept = [f"{value:.6g}" for value in model.objective_curve_]
    assert kept in [bar.shown for bar in Bar.made]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(("max_iter", "step"), [(60, 3), (39, 1), (40, 2), (7, 1)])
def test_without_a_terminal_or_a_bar_there_are_lines(
    max_iter, step, terminal, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "tqdm", None)  # not to be imported
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    with caplog.at_level(logging.INFO, logger=logger.name):
        model = LinearMMD(verbose=True, max_iter=max_iter, random_state=0).fit(X)
    epochs = sorted({1, *range(step, max_iter + 1, step)})
    expected = [
        f"LinearMMD: epoch {n}, objective {model.objective_curve_[n - 1]:.8g}"
        for n in epochs
    ]
    assert [record.getMessage() for record in caplog.records] == expected


def test_quiet_trainings_say_nothing(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(Bar, "made", ())
    with caplog.at_level(logging.INFO, logger=logger.name):
        LinearMMD(max_iter=5).fit(X)
    assert not Bar.made and not caplog.records


def test_lines_are_shown_to_who_has_no_logging(monkeypatch, capsys):
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    LinearMMD(verbose=True, max_iter=2, random_state=0).fit(X)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "LinearMMD: epoch 1",
        "LinearMMD: epoch 2",
    ]


class Tasks:
    """Notes every task with its number, and the objective that it leaves."""

    def __init__(self, stop_after=None):
        self.begun, self.ended = [], []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        self.ended.append((context.task_name, context.task_id))
        return context.task_name == "epoch" and context.task_id == self.stop_after


@pytest.mark.parametrize(
    ("stop_after", "n_epochs"), [(None, 4), (0, 1), (2, 3), (3, 4)]
)
def test_each_task_that_begins_ends(stop_after, n_epochs):
    tasks = Tasks(stop_after)
    model = LinearMMD(max_iter=4, random_state=0).set_callbacks(tasks).fit(X)
    assert model.n_iter_ == n_epochs
    assert sorted(tasks.begun) == sorted(tasks.ended)
    epochs = [number for name, number in tasks.ended if name == "epoch"]
    assert epochs == list(range(n_epochs))
    assert [name for name, _ in tasks.ended[-2:]] == ["training", "fit"]


@pytest.mark.parametrize("call", [1, 3])
def test_tasks_of_a_training_that_fails_end_as_well(call):
    class Failing(LinearMMD):
        def _compute_grads(self, X, y_pred, gradient):
            calls.append(1)
            if len(calls) == call:
                raise RuntimeError("a failure of the user's")
            return super()._compute_grads(X, y_pred, gradient)

    calls, tasks = [], Tasks()
    with pytest.raises(RuntimeError, match="a failure"):
        Failing(max_iter=5).set_callbacks(tasks).fit(X)
    named = [name for name, _ in tasks.ended]
    assert named.count("epoch") == [name for name, _ in tasks.begun].count("epoch")
    assert named.count("training") == 1


@pytest.mark.parametrize(
    ("init", "error", "message"),
    [
        ([[0, 1], [2]], TypeError, "init must be a name or an array of labels"),
        (
            np.zeros((12, 1), int),
            TypeError,
            r"an array of shape \(12, 1\) and type int",
        ),
        (np.zeros(12), TypeError, r"an array of shape \(12,\) and type float64"),
        (3, TypeError, "integer labels, got 3"),
        ([0] * 11, ValueError, "one label for each of the 12 samples, got 11"),
        ([0] * 11 + [3], ValueError, "labels from 0 to 2, got 0 to 3"),
        ([0] * 11 + [-1], ValueError, "labels from 0 to 2, got -1 to 0"),
        ("kmeans", ValueError, "init must be one of"),
    ],
)
def test_starts_that_are_refused(init, error, message):
    with pytest.raises(error, match=message):
        LinearMMD(3, init=init, max_iter=1).fit(X)


def test_the_largest_label_allowed_is_a_start():
    labels = np.arange(12) % 3
    model = LinearMMD(3, init=labels, max_iter=1, learning_rate=1e-300, random_state=0)
    assert set(model.fit(X).labels_) <= {0, 1, 2}
