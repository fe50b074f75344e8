"""The interface of every optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gemclus._common.estimators import BaseEstimator

Arrays = Sequence[np.ndarray[Any, Any]]


class Optimiser(BaseEstimator):
    """Base class of the optimisers: they move arrays of parameters, to minimise.

    To make one's own, define `update_params`, for steps against given gradients,
    or `minimise`, for methods that ask for values and gradients themselves and
    need all samples at once. Every model then accepts the class, or an instance,
    as its `solver`: a class is made with the `learning_rate` of the model, an
    instance is cloned for each training and keeps its own.

    Parameters
    ----------
    learning_rate : float, default=1e-3
        The step, as each optimiser defines it.

    Attributes
    ----------
    step_size : float
        What the last update multiplied its direction by: proximal steps that
        follow it are of this length. An optimiser whose step changes sets it.

    See Also
    --------
    Adam : Steps scaled by moments of the gradients.
    SGD : Gradient descent with momentum.
    FISTA : Proximal gradient method on all samples.
    LBFGS : Quasi-Newton method on all samples.

    Notes
    -----
    Constructors keep scikit-learn's conventions: they store their arguments
    under their names and do nothing else.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.linear import LinearMMD
    >>> from gemclus.optim import Optimiser
    >>> class SignDescent(Optimiser):
    ...     def update_params(self, params, grads):
    ...         for param, grad in zip(params, grads):
    ...             param -= self.learning_rate * np.sign(grad)
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = LinearMMD(2, solver=SignDescent(0.01), random_state=0).fit(X)
    >>> model.optimiser_
    SignDescent(learning_rate=0.01)
    """

    takes_penalties = False

    def __init__(self, learning_rate: float = 1e-3) -> None:
        self.learning_rate = learning_rate

    @property
    def step_size(self) -> float:
        return float(vars(self).get("_step_size", self.learning_rate))

    @step_size.setter
    def step_size(self, value: float) -> None:
        self._step_size = value

    @classmethod
    def is_full_batch(cls) -> bool:
        """Whether the optimiser defines `minimise`, and so needs all samples."""
        return cls.minimise is not Optimiser.minimise

    @classmethod
    def is_proximal(cls) -> bool:
        """Whether `minimise` takes a penalty that is not smooth.

        It says so by ``takes_penalties = True``, and gets two more arguments, as
        `FISTA.minimise` has them.
        """
        return cls.takes_penalties

    def update_params(self, params: Arrays, grads: Arrays) -> None:
        """Take one step against the gradients.

        Parameters
        ----------
        params : list of ndarray
            The parameters, updated in place.
        grads : list of ndarray
            Their gradients, with the same shapes.
        """
        raise NotImplementedError(
            f"{type(self).__name__} takes no single steps: it defines no update_params"
        )

    def minimise(
        self,
        evaluate: Callable[[], tuple[float, Arrays]],
        params: Arrays,
        max_iter: int,
        after_iteration: Callable[[float], bool],
    ) -> bool:
        """Minimise over the parameters, in place.

        Parameters
        ----------
        evaluate : callable
            Returns the value to minimise and its gradients at the current
            parameters.
        params : list of ndarray
            The parameters; they end at the last accepted iterate.
        max_iter : int
            Largest number of iterations.
        after_iteration : callable
            Called with each accepted value; a true result ends the run.

        Returns
        -------
        converged : bool
            Whether the method's own rule says that it is at a minimum.
        """
        raise NotImplementedError(
            f"{type(self).__name__} takes steps: it defines no minimise"
        )
