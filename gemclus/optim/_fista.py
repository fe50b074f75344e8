"""An accelerated proximal gradient method on a list of parameter arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

from gemclus._common.pickling import stored_as_state
from gemclus.optim._base import Arrays, Optimiser
from gemclus.optim._lbfgs import Flattened, joined

Vector = np.ndarray[Any, Any]


@dataclass
class _Point:
    """Parameters, and what is known, or guessed, of the smooth part there."""

    x: Vector
    value: float
    gradient: Vector
    # With the penalty; not known of guesses.
    total: float = inf


@stored_as_state
class FISTA(Optimiser):
    """Monotone accelerated proximal gradient method with a line search.

    It minimises a smooth function plus a penalty of which the proximal operator is
    known, such as the norms of groups of weights: groups that it leaves out end at
    exactly 0. It needs the whole objective at each evaluation, so there is no
    `update_params`: `minimise` runs to the end.

    Parameters
    ----------
    learning_rate : float, default=1.0
        Not used: the line search finds the step.
    tol : float, default=1e-3
        It ends where the norm of the prox-gradient map, which is 0 at an optimum, is
        at most `tol` times that of the gradient of the smooth function.

    See Also
    --------
    LBFGS : For smooth functions alone.
    Adam : Steps on parts of the samples.

    Notes
    -----
    From a point y, which is the last one x or lies beyond it, the next is
    ``z = prox(y - t grad f(y))``; the prox-gradient map is ``(y - z) / t``. The
    gradient beyond x is not computed but extrapolated from the last two, exactly so
    where f is quadratic, so that an iteration is one evaluation. If z is not below x,
    the iteration starts again at x, with t halved until z is below.

    An iteration costs about one evaluation, and O(P) for P parameters.

    References
    ----------
    Beck and Teboulle, "Fast gradient-based algorithms for constrained total variation
    image denoising and deblurring problems", IEEE Transactions on Image Processing 18,
    2009.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.optim import FISTA
    >>> w = np.zeros(2)
    >>> def evaluate():
    ...     return float(((w - [3.0, 0.1]) ** 2).sum()), [2.0 * (w - [3.0, 0.1])]
    >>> def shrink(step):
    ...     w[:] = np.sign(w) * np.maximum(np.abs(w) - step, 0.0)
    >>> FISTA(tol=1e-9).minimise(
    ...     evaluate, [w], 100, lambda value: False, shrink, lambda: np.abs(w).sum()
    ... )
    True
    >>> w.round(6)
    array([2.5, 0. ])
    """

    takes_penalties = True

    # Growth of the step after an iteration for which it was short enough, and what is
    # left of it after one from a guessed gradient for which it was not.
    _GROWTH = 1.1
    _CUT = 0.7
    # Halvings of the step in one iteration after which there is no better point.
    _MAX_HALVINGS = 40

    def __init__(self, learning_rate: float = 1.0, tol: float = 1e-3) -> None:
        self.learning_rate = learning_rate
        self.tol = tol

    def minimise(
        self,
        evaluate: Callable[[], tuple[float, Arrays]],
        params: Arrays,
        max_iter: int,
        after_iteration: Callable[[float], bool],
        shrink: Callable[[float], None] = lambda step: None,
        penalty: Callable[[], float] = lambda: 0.0,
    ) -> bool:
        """Minimise a smooth function plus a penalty, in place.

        Parameters
        ----------
        evaluate : callable
            Returns the value of the smooth function and its gradients at the current
            parameters.
        params : list of ndarray
            The parameters; they end at the last accepted iterate.
        max_iter : int
            Largest number of iterations.
        after_iteration : callable
            Called with each accepted value of the sum; a true result ends the run.
        shrink : callable
            ``shrink(t)`` applies the proximal operator of t times the penalty to the
            parameters, in place. The default stands for no penalty.
        penalty : callable
            Returns the penalty at the current parameters.

        Returns
        -------
        converged : bool
            Whether the rule of `tol` ended the run.
        """
        run = _Run(params, evaluate, shrink, penalty)
        # The step of the last run, or one that the line search corrects.
        run.step = float(vars(self).get("_step_size", 1.0))
        theta = 1.0
        shrink(0.0)
        last = start = run.here()
        try:
            for _ in range(max_iter):
                new = run.from_point(start)
                if start is not last and not new.total <= last.total:
                    theta, start = 1.0, last
                    new = run.from_point(start)
                fits, halvings = run.fits(start, new), 0
                while start is last and not fits:
                    halvings += 1
                    if halvings > self._MAX_HALVINGS:
                        # Where the iteration starts is where it ends.
                        run.flat.scatter(last.x)
                        after_iteration(last.total)
                        return False
                    run.step *= 0.5
                    new = run.from_point(start)
                    fits = run.fits(start, new)
                before, last = last, new
                if after_iteration(last.total):
                    return False
                small = self.tol * float(np.linalg.norm(last.gradient))
                moved = float(np.linalg.norm(new.x - start.x))
                if moved <= small * run.step and run.map_norm(last) <= small:
                    return True
                run.step *= self._GROWTH if fits else self._CUT
                theta, weight = _momentum(theta)
                start = _beyond(before, last, weight) if weight else last
            return False
        finally:
            # Not at a trial point, whatever ended it.
            run.flat.scatter(last.x)
            self.step_size = run.step


class _Run:
    """Points of one minimisation, by the step of the time."""

    step: float

    def __init__(
        self,
        params: Arrays,
        evaluate: Callable[[], tuple[float, Arrays]],
        shrink: Callable[[float], None],
        penalty: Callable[[], float],
    ) -> None:
        self.flat = Flattened(params, evaluate)
        self._evaluate = evaluate
        self._shrink = shrink
        self._penalty = penalty
        single = any(param.dtype == np.float32 for param in params)
        self._rounding = 1e-6 if single else 1e-12

    def here(self) -> _Point:
        """The current parameters as a point. Cost: an evaluation."""
        value, grads = self._evaluate()
        x = self.flat.gather()
        return _Point(x, value, joined(grads), value + self._penalty())

    def from_point(self, start: _Point) -> _Point:
        """The end of a proximal step from a point. Cost: an evaluation."""
        self._move(start)
        return self.here()

    def map_norm(self, point: _Point) -> float:
        """Norm of the prox-gradient map at a point; leaves the parameters elsewhere."""
        self._move(point)
        return float(np.linalg.norm(self.flat.gather() - point.x)) / self.step

    def fits(self, start: _Point, end: _Point) -> bool:
        """Whether the smooth function is below its model to which the step belongs."""
        move = end.x - start.x
        model = start.value + start.gradient @ move + (move @ move) / (2.0 * self.step)
        return bool(end.value <= model + self._rounding * abs(start.value))

    def _move(self, start: _Point) -> None:
        self.flat.scatter(start.x - self.step * start.gradient)
        self._shrink(self.step)


def _momentum(theta: float) -> tuple[float, float]:
    """The next number of the method's sequence, and the weight of the last move."""
    following = (1.0 + sqrt(1.0 + 4.0 * theta * theta)) / 2.0
    return following, (theta - 1.0) / following


def _beyond(before: _Point, last: _Point, weight: float) -> _Point:
    """A point beyond the last one, with value and gradient extrapolated."""
    move, change = last.x - before.x, last.gradient - before.gradient
    value = last.value + weight * float(last.gradient @ move)
    value += 0.5 * weight**2 * float(move @ change)
    return _Point(last.x + weight * move, value, last.gradient + weight * change)
