"""The accelerated proximal gradient method on problems whose answers are known."""

import numpy as np
import pytest
from sklearn.base import clone

from gemclus.optim import FISTA


class Lasso:
    """``||A w - b||^2 / 2 + alpha |w|_1``, which counts its evaluations."""

    def __init__(self, alpha=0.5, dtype=np.float64, offset=0.0):
        generator = np.random.RandomState(0)
        self.A = generator.normal(size=(30, 8)) + offset
        self.b = self.A[:, :3] @ [2.0, -3.0, 1.0] + 0.1 * generator.normal(size=30)
        self.alpha = alpha
        self.w = np.zeros(8, dtype)
        self.n_evaluations = 0

    def evaluate(self):
        self.n_evaluations += 1
        residual = self.A @ self.w - self.b
        return float(residual @ residual) / 2, [self.A.T @ residual]

    def shrink(self, step):
        size = np.maximum(np.abs(self.w) - step * self.alpha, 0.0)
        self.w[:] = np.sign(self.w) * size

    def penalty(self):
        return self.alpha * float(np.abs(self.w).sum())

    def total(self):
        return self.evaluate()[0] + self.penalty()

    def run(self, solver, max_iter=1000, after_iteration=lambda value: False):
        return solver.minimise(
            self.evaluate,
            [self.w],
            max_iter,
            after_iteration,
            self.shrink,
            self.penalty,
        )


@pytest.mark.parametrize("alpha", [0.5, 20.0])
def test_the_optimum_of_a_lasso_meets_its_conditions(alpha):
    problem = Lasso(alpha)
    assert problem.run(FISTA(tol=1e-9)) is True
    slope = problem.evaluate()[1][0]
    out = problem.w == 0.0
    assert 0 < out.sum() < 8
    assert (np.abs(slope[out]) <= alpha).all()
    np.testing.assert_allclose(slope[~out], -alpha * np.sign(problem.w[~out]), 1e-6)


def test_values_never_rise_and_are_those_of_the_iterates():
    problem, values = Lasso(offset=1.0), []

    def note(value):
        values.append(value)
        assert value == pytest.approx(problem.total(), rel=1e-12)

    problem.run(FISTA(tol=1e-9), after_iteration=note)
    assert len(values) > 10 and (np.diff(values) <= 1e-12 * values[0]).all()
    assert values[-1] == pytest.approx(problem.total(), rel=1e-12)


def test_momentum_gains_on_plain_steps_at_one_evaluation_an_iteration():
    problem, n_iterations = Lasso(offset=3.0), [0]

    def count(value):
        n_iterations[0] += 1

    assert problem.run(FISTA(tol=1e-8), after_iteration=count)
    n_evaluations = problem.n_evaluations
    plain, best = Lasso(offset=3.0), problem.total()
    step = 1.0 / np.linalg.norm(plain.A, 2) ** 2
    for _ in range(n_evaluations):
        plain.w -= step * plain.evaluate()[1][0]
        plain.shrink(step)
    assert plain.total() - best > 100 * (1e-12 + abs(problem.total() - best))
    assert n_evaluations < 1.5 * n_iterations[0] + 40


def test_parameters_end_at_the_last_accepted_iterate():
    problem, values = Lasso(), []

    def stop(value):
        values.append(value)
        return len(values) == 3

    assert problem.run(FISTA(), after_iteration=stop) is False
    assert problem.total() == pytest.approx(values[-1], rel=1e-12)

    def interrupt(value):
        values.append(value)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        problem.run(FISTA(), after_iteration=interrupt)
    assert problem.total() == pytest.approx(values[-1], rel=1e-12)


def test_a_limit_of_iterations_is_no_convergence():
    problem, values = Lasso(), []
    assert problem.run(FISTA(), 2, lambda value: values.append(value)) is False
    assert len(values) == 2


def test_single_precision_converges():
    problem, exact = Lasso(dtype=np.float32), Lasso()
    assert problem.run(FISTA()) and exact.run(FISTA(tol=1e-9))
    np.testing.assert_allclose(problem.w, exact.w, atol=1e-2)
    assert problem.w.dtype == np.float32


def test_without_penalty_it_is_a_gradient_method_for_several_arrays():
    w, b = np.zeros((2, 2), order="F"), np.zeros(())

    def evaluate():
        gradients = [2 * (w - 1.0), 8 * (b - 2.0)]
        return float(((w - 1.0) ** 2).sum() + 4 * (b - 2.0) ** 2), gradients

    # The slope of an optimum is 0, of which there is no share.
    FISTA().minimise(evaluate, [w, b], 100, lambda value: value < 1e-12)
    np.testing.assert_allclose(w, 1.0, atol=1e-5)
    assert b == pytest.approx(2.0, abs=1e-5)


def test_a_failed_line_search_is_not_converged():
    w, values = np.array([1.0]), []

    def wrong():
        """A gradient of the wrong sign: no step along it gains anything."""
        return float(w[0] ** 2), [-2.0 * w]

    assert FISTA().minimise(wrong, [w], 50, lambda v: values.append(v)) is False
    assert w[0] == 1.0 and values == [1.0]


def test_its_step_is_kept_for_the_next_run_and_not_by_clones():
    problem, solver = Lasso(), FISTA(tol=1e-6)
    problem.run(solver)
    step = solver.step_size
    assert 0.0 < step < 1.0
    assert vars(clone(solver)) == {"learning_rate": 1.0, "tol": 1e-6}
    before = problem.n_evaluations
    assert problem.run(solver)
    assert problem.n_evaluations - before < 5
