"""What ``verbose=True`` prints, and where."""

import io
import logging
import sys

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

from gemclus._common import reports
from gemclus._training import monitor
from gemclus.linear import LinearMMD, LinearModel
from gemclus.sparse import SparseLinearMMD

X = StandardScaler().fit_transform(make_blobs(60, 4, random_state=0)[0])


@pytest.fixture
def bare(monkeypatch):
    """Logging as a program that has not set it up finds it."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    monkeypatch.setattr(reports.logger, "level", logging.NOTSET)
    logging.Logger.manager._clear_cache()
    yield
    logging.Logger.manager._clear_cache()


def lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "LinearM" in line]


def fit(**arguments):
    settings = {"max_iter": 40, "verbose": True, "random_state": 0} | arguments
    return LinearMMD(**PUBLISHED | settings).fit(X)


@pytest.mark.usefixtures("bare")
def test_lines_go_to_the_error_stream_of_the_time(capsys):
    fit()
    printed = lines(capsys)
    assert len(printed) == 22
    assert printed[0].startswith("LinearMMD: epoch 1, objective ")
    assert printed[-1].startswith("LinearMMD: reached max_iter after 40 epochs, obj")
    assert printed[-1].endswith(" s")


@pytest.mark.usefixtures("bare")
def test_a_root_handler_that_hides_them_does_not(capsys):
    logging.getLogger().addHandler(logging.StreamHandler(io.StringIO()))
    fit()
    assert len(lines(capsys)) == 22


@pytest.mark.usefixtures("bare")
def test_a_handler_that_shows_them_is_enough(capsys):
    stream = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(stream))
    logging.getLogger().setLevel(logging.INFO)
    logging.Logger.manager._clear_cache()
    fit()
    fit()
    assert lines(capsys) == []
    assert len(stream.getvalue().splitlines()) == 44


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_stream_is_no_error(closed, monkeypatch):
    stream = io.StringIO() if closed else None
    if closed:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert fit().n_iter_ == 40


def test_the_package_logs_nothing_by_itself():
    kinds = {type(handler) for handler in reports.logger.handlers}
    assert kinds == {logging.NullHandler}
    assert reports.logger.level == logging.NOTSET


@pytest.mark.usefixtures("bare")
def test_the_last_line_says_how_a_training_ended(capsys):
    def last(**arguments):
        fit(**arguments)
        return lines(capsys)[-1]

    assert "converged after" in last(tol=1e-2, learning_rate=0.05, max_iter=1000)
    assert "converged after" in last(solver="lbfgs", max_iter=1000)
    assert ", training 3 of 3: reached max_iter" in last(n_init=3)
    printed = last(n_init=3, n_jobs=None, max_iter=1)
    assert "after 1 epochs" in printed

    class Stop:
        def setup(self, estimator, context):
            pass

        on_fit_task_begin = teardown = setup

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch" and context.task_id == 6

    model = LinearMMD(verbose=True, random_state=0, **PUBLISHED).set_callbacks(Stop())
    assert model.fit(X).n_iter_ == 7
    assert "stopped by a callback after 7 epochs" in lines(capsys)[-1]


@pytest.mark.usefixtures("bare")
def test_the_last_line_of_trainings_that_fail(capsys):
    class Interrupted(LinearMMD):
        error = KeyboardInterrupt

        def _compute_grads(self, X, y_pred, gradient):
            raise self.error

    for error, reason in ((KeyboardInterrupt, "interrupted"), (OSError, "interrupted")):
        Interrupted.error = error
        with pytest.raises(error):
            Interrupted(verbose=True, **PUBLISHED).fit(X)
        printed = capsys.readouterr().err.splitlines()[-1]
        assert printed.startswith(f"Interrupted: {reason} before its first epoch, ")


@pytest.mark.usefixtures("bare")
def test_a_solver_of_few_iterations_prints_some_of_them(capsys):
    model = fit(solver="lbfgs", max_iter=1000)
    epochs = [int(line.split()[2][:-1]) for line in lines(capsys)[:-1]]
    doubled = [2**i for i in range(10) if 2**i <= min(model.n_iter_, 49)]
    assert epochs == sorted({*doubled, *range(50, model.n_iter_ + 1, 50)})


@pytest.mark.usefixtures("bare")
def test_paths_print_their_steps(capsys):
    model = SparseLinearMMD(
        alpha=3.0, max_iter=20, verbose=True, random_state=0, **PUBLISHED
    )
    path = model.path(X, alpha_multiplier=2.0)
    steps = [x for x in capsys.readouterr().err.splitlines() if "features" in x]
    assert len(steps) == len(path.alphas)


def test_bars_are_drawn_where_they_can_be_seen(monkeypatch):
    drawn = []

    class Bar:
        def __init__(self, name, total):
            self.n = 0
            drawn.append(self)

        def update(self, n):
            self.n += n

        def set_postfix(self, **_):
            pass

        def close(self):
            self.closed = True

    monkeypatch.setattr(monitor, "progress_bar", Bar)
    fit(max_iter=7)
    assert [bar.n for bar in drawn] == [7] and drawn[0].closed


def test_notebooks_are_recognised(monkeypatch):
    class Shell:
        kernel = object()

    class IPython:
        @staticmethod
        def get_ipython():
            return Shell()

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert reports._in_notebook()
    monkeypatch.setattr(IPython, "get_ipython", staticmethod(lambda: None))
    assert not reports._in_notebook()


def test_verbose_changes_no_result(capsys):
    loud = LinearModel(
        gemini="mi", max_iter=9, verbose=True, random_state=0, **PUBLISHED
    ).fit(X)
    mute = LinearModel(gemini="mi", max_iter=9, random_state=0, **PUBLISHED).fit(X)
    np.testing.assert_array_equal(loud.W_, mute.W_)
