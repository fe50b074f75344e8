"""The reports of ``verbose=True``: their lines and their place."""

import io
import logging
import sys
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

from gemclus._common import reports
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


# Where a handler sits, its level, the level of that logger, whether what is said goes
# on to the root, and whether the handler shows it.
HANDLERS = [
    ("", logging.INFO, logging.INFO, True, True),
    ("", logging.INFO + 1, logging.INFO, True, False),
    ("", logging.NOTSET, logging.INFO + 1, True, False),
    ("", logging.INFO, logging.INFO, False, False),
    ("gemclus", logging.NOTSET, logging.INFO, True, True),
    ("gemclus", logging.NOTSET, logging.INFO, False, True),
    ("gemclus", logging.WARNING, logging.INFO, True, False),
    ("gemclus.other", logging.NOTSET, logging.INFO, True, False),
]


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("place, level, floor, goes_on, shows", HANDLERS)
def test_a_line_is_seen_once(place, level, floor, goes_on, shows, monkeypatch, capsys):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setLevel(level)
    target = logging.getLogger(place)
    # Between the set-up of a test and the test, pytest adds handlers of its own.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(target, "handlers", [*target.handlers, handler])
    monkeypatch.setattr(target, "level", floor)
    monkeypatch.setattr(reports.logger, "propagate", goes_on)
    logging.Logger.manager._clear_cache()
    reports.say("%s and %d", "one", 2)
    assert (stream.getvalue(), capsys.readouterr().err) == (
        ("one and 2\n", "") if shows else ("", "one and 2\n")
    )


@pytest.mark.usefixtures("bare")
def test_a_null_handler_of_the_program_hides_nothing(monkeypatch, capsys):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(root, "level", logging.INFO)
    logging.Logger.manager._clear_cache()
    reports.say("seen")
    assert capsys.readouterr().err == "seen\n"


@pytest.mark.usefixtures("bare")
def test_a_full_disk_ends_no_training(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    assert fit(max_iter=3).n_iter_ == 3


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
    assert steps == [
        f"SparseLinearMMD: alpha {alpha:.4g}, {n} features, objective {value:.8g}"
        for alpha, n, value in zip(
            path.alphas, path.n_features, path.geminis, strict=True
        )
    ]


class Bar:
    """The part of tqdm that is used."""

    drawn: ClassVar = []

    def __init__(self, **settings):
        self.n, self.settings, self.postfix = 0, settings, []
        self.drawn.append(self)

    def update(self, n):
        self.n += n

    def set_postfix(self, refresh, **shown):
        assert not refresh
        self.postfix.append(shown)

    def close(self):
        self.closed = True


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def tqdm(monkeypatch):
    """A tqdm that is installed; the bars that are drawn."""
    monkeypatch.setattr(Bar, "drawn", [])
    monkeypatch.setitem(sys.modules, "tqdm", ModuleType("tqdm"))
    module = ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return Bar.drawn


@pytest.fixture
def on_terminal(monkeypatch):
    """A function that makes the error stream one, and returns it."""

    def start():
        # In a test: pytest sets the streams anew after the fixtures.
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return start


@pytest.mark.usefixtures("bare")
def test_a_bar_takes_the_place_of_the_lines_but_the_last(tqdm, on_terminal):
    stream = on_terminal()
    model = fit(max_iter=7, n_init=2)
    assert [bar.n for bar in tqdm] == [7, 7] and all(bar.closed for bar in tqdm)
    names = [f"LinearMMD, training {i} of 2" for i in (1, 2)]
    assert [bar.settings for bar in tqdm] == [
        {"total": 7, "desc": name, "unit": "epoch"} for name in names
    ]
    for bar, curve in zip(tqdm, model.objective_curves_, strict=True):
        shown = [{"objective": f"{value:.6g}"} for value in curve]
        assert bar.postfix == shown
    printed = stream.getvalue().splitlines()
    assert [line.split(": ")[0] for line in printed] == names
    assert all("reached max_iter after 7 epochs" in line for line in printed)


@pytest.mark.usefixtures("bare")
def test_lines_are_printed_where_no_bar_can_be_drawn(tqdm, on_terminal, monkeypatch):
    stream = on_terminal()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)  # not installed
    fit(max_iter=7)
    assert tqdm == [] and len(stream.getvalue().splitlines()) == 8


@pytest.mark.usefixtures("bare", "tqdm")
def test_bars_need_a_terminal_or_a_notebook(on_terminal, monkeypatch):
    on_terminal()
    assert reports.progress_bar("A", 3) is not None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert reports.progress_bar("A", 3) is None
    monkeypatch.setattr(reports, "_in_notebook", lambda: True)
    assert reports.progress_bar("A", 3) is not None


@pytest.mark.usefixtures("bare")
def test_nothing_is_said_that_was_not_asked_for(tqdm, on_terminal):
    stream = on_terminal()
    LinearMMD(max_iter=3, **PUBLISHED).fit(X)
    assert tqdm == [] and stream.getvalue() == ""


def test_notebooks_are_recognised(monkeypatch):
    class Shell:
        kernel = object()

    class IPython:
        @staticmethod
        def get_ipython():
            return Shell()

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    assert reports._in_notebook()
    monkeypatch.delattr(Shell, "kernel")  # IPython in a terminal
    assert not reports._in_notebook()
    monkeypatch.setattr(IPython, "get_ipython", staticmethod(lambda: None))
    assert not reports._in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not reports._in_notebook()


def test_verbose_changes_no_result(capsys):
    loud = LinearModel(
        gemini="mi", max_iter=9, verbose=True, random_state=0, **PUBLISHED
    ).fit(X)
    mute = LinearModel(gemini="mi", max_iter=9, random_state=0, **PUBLISHED).fit(X)
    np.testing.assert_array_equal(loud.W_, mute.W_)
