"""When a training stops, to the epoch, and which of several is kept."""

import numpy as np
import pytest
from estimators import PUBLISHED
from joblib import parallel_backend
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from gemclus import TrainingInterrupted
from gemclus.gemini import GEMINI
from gemclus.linear import LinearMMD, LinearModel

# A power of two: means over the samples do not round.
X = np.random.RandomState(0).normal(size=(8, 2))


class Scripted(GEMINI):
    """An objective that is what a list says, evaluation by evaluation."""

    def __init__(self, values):
        self.values = values

    def compute_affinity(self, X, y=None):
        return None

    def evaluate(self, y_pred, affinity, return_grad=False):
        # One list for all, also where an objective is copied.
        value = self.values.pop(0)
        if isinstance(value, type):
            raise value
        return (value, np.zeros_like(y_pred)) if return_grad else value


def scripted(values, **arguments):
    """A model whose objective goes through `values`, and stays at the last."""
    return LinearModel(
        gemini=Scripted([*values, *[values[-1]] * 1000]),
        random_state=0,
        **PUBLISHED | arguments,
    )


@pytest.mark.parametrize(
    ("values", "tol", "patience", "n_epochs"),
    [
        # Nothing ever improves: the first epoch, and then the patience.
        ([1.0], 0.1, 3, 4),
        ([1.0], 0.1, 1, 2),
        ([-1.0], 0.1, 3, 4),
        ([0.0], 0.1, 3, 4),
        ([1.0], 0.0, 3, 4),
        # Improvements are relative to the magnitude, whatever the sign.
        ([-1.0, -0.95, -0.91], 0.1, 3, 4),
        ([-1.0, -0.85], 0.1, 3, 5),
        ([-1.0, -0.85, -0.8, -0.77], 0.1, 3, 5),
        ([-2.0, -1.85], 0.1, 3, 4),
        ([-2.0, -1.75], 0.1, 3, 5),
        ([1.0, 1.05, 1.09], 0.1, 3, 4),
        ([100.0, 105.0, 109.0], 0.1, 3, 4),
        ([0.01, 0.012], 0.1, 3, 5),
        # In the last epoch of the patience, and one too late.
        ([1.0, 1.05, 1.09, 1.11], 0.1, 3, 7),
        ([1.0, 1.05, 1.09, 1.09, 5.0], 0.1, 3, 4),
        # Small steps add up, since they are measured against the best.
        ([1.0, 1.06, 1.12, 1.18, 1.24], 0.1, 3, 8),
        # Losses are no improvements, and the best stays what it was.
        ([1.0, 2.0, 0.5, 0.6, 0.7], 0.1, 3, 5),
        # Each improvement starts a new count.
        ([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], 0.1, 2, 7),
        # Equal to the threshold is not beyond it.
        ([1.0, 1.5], 0.5, 2, 3),
        ([-1.0, -0.5], 0.5, 2, 3),
    ],
)
def test_a_training_stops_at_the_epoch_that_tol_says(values, tol, patience, n_epochs):
    model = scripted(values, tol=tol, n_iter_no_change=patience, max_iter=50).fit(X)
    assert model.n_iter_ == n_epochs
    expected = [*values, *[values[-1]] * 50][:n_epochs]
    assert model.objective_curve_.tolist() == expected


def test_without_tol_all_epochs_are_run():
    assert scripted([1.0], max_iter=23).fit(X).n_iter_ == 23


@pytest.mark.parametrize("max_iter", [3, 4, 5])
def test_only_a_training_that_did_not_stop_by_itself_is_warned_of(max_iter):
    model = scripted([1.0], tol=0.1, n_iter_no_change=3, max_iter=max_iter)
    if max_iter == 3:
        with pytest.warns(ConvergenceWarning, match="max_iter=3"):
            model.fit(X)
    else:  # warnings are errors
        assert model.fit(X).n_iter_ == 4


@pytest.mark.parametrize(
    ("curves", "kept"),
    [
        # Neither the first, the last, the highest start nor the highest value.
        ([[5, 1, 2], [1, 1, 3], [9, 2, 1], [0, 0, 2.5]], 1),
        ([[-5, -1, -4], [-1, -9, -3], [-2, -2, -3.5]], 1),
        ([[0, 0, 7], [0, 0, 3]], 0),
        ([[0, 0, -7], [0, 0, -3]], 1),
        # The first of equals.
        ([[0, 1, 2], [0, 3, 2], [0, 4, 1]], 0),
    ],
)
def test_the_training_that_ends_highest_is_kept(curves, kept):
    values = [float(value) for curve in curves for value in curve]
    model = scripted(values, max_iter=3, n_init=len(curves)).fit(X)
    assert model.objective_curve_.tolist() == curves[kept]
    # And not only its curve: the weights are those of that start.
    with pytest.raises(AssertionError):
        other = scripted(values, max_iter=3, n_init=len(curves))
        other.gemini.values[2 + 3 * kept] = -100.0
        np.testing.assert_array_equal(other.fit(X).W_, model.W_)


@pytest.mark.parametrize("last", [1.0, 4.0])
def test_a_start_that_is_interrupted_does_not_compete_with_complete_ones(last):
    values = [1.0, 2.0, 3.0, 0.0, last, KeyboardInterrupt]
    model = scripted(values, max_iter=3, n_init=4)
    with pytest.raises(TrainingInterrupted, match="when 1 of 4 trainings"):
        model.fit(X)
    assert model.objective_curve_.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_restarts_in_threads_that_are_interrupted_leave_a_model_or_none(n_jobs):
    class Interrupted(LinearMMD):
        def _compute_grads(self, X, y_pred, gradient):
            raise KeyboardInterrupt

    model = Interrupted(n_init=3, max_iter=5, random_state=0, **PUBLISHED)
    with parallel_backend("threading", n_jobs=n_jobs):
        with pytest.raises(TrainingInterrupted):
            model.fit(X)
    if n_jobs == 2:  # no training is complete, and none is the first
        assert vars(model) == model.get_params()
        return
    assert model.n_iter_ == 0
    P = model.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.labels_, P.argmax(axis=1))


def test_large_data_sorted_by_cluster_are_seeded_from_all_of_them():
    """A seeding among the first rows would never see the last clusters."""
    generator = np.random.RandomState(0)
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]])
    y = np.repeat(np.arange(4), 8000)
    samples = centres[y] + 0.3 * generator.normal(size=(32_000, 2))
    samples -= samples.mean(axis=0)
    model = LinearModel(
        4,
        gemini="mi",
        init="k-means++",
        max_iter=1,
        learning_rate=1e-300,
        random_state=0,
        solver="adam",
    ).fit(samples)
    assert adjusted_rand_score(model.labels_, y) > 0.99
