"""Adam and stochastic gradient descent with Nesterov momentum."""

from abc import ABC, abstractmethod
from math import sqrt

import numpy as np

from gemclus.optim import _steps


class Optimiser(ABC):
    """Updates a list of parameter arrays in place, to minimise.

    Parameters
    ----------
    learning_rate : float
        The step, as each optimiser defines it.

    Attributes
    ----------
    step_size : float
        What the last update multiplied its direction by: proximal steps that
        follow it are of this length.

    Notes
    -----
    The state of an array is found by its position in the list, so the list
    must keep its order and shapes from one call to the next. An update costs
    one pass over the parameters and their state.
    """

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate
        self.step_size = learning_rate
        self._states = None

    def update_params(self, params, grads):
        """Take one step against the gradients.

        Parameters
        ----------
        params : list of ndarray
            The parameters, updated in place.
        grads : list of ndarray
            Their gradients, with the same shapes.
        """
        if self._states is None:
            self._states = [self._initial_state(param) for param in params]
        self._begin_step()
        if not self._step(params, grads):
            # The compiled step wants contiguous arrays of one dtype.
            copies = [np.array(param, order="C") for param in params]
            grads = [
                np.array(grad, dtype=param.dtype, order="C")
                for param, grad in zip(params, grads, strict=True)
            ]
            self._step(copies, grads)
            for param, copy in zip(params, copies, strict=True):
                param[...] = copy

    @abstractmethod
    def _initial_state(self, param):
        """What is kept between the steps of one parameter: flat arrays."""

    def _begin_step(self):  # noqa: B027  nothing to set is fine
        """Set `step_size` for the coming update."""

    @abstractmethod
    def _step(self, params, grads):
        """Update the parameters and their states, or return False."""


class Adam(Optimiser):
    """Adam, with the bias correction folded into the step.

    ``w -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + 1e-8)`` with
    b1 = 0.9, b2 = 0.999 (Kingma and Ba, ICLR 2015, end of section 2).

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Bound on the length of a step in each coordinate, roughly.
    """

    def __init__(self, learning_rate=1e-3):
        super().__init__(learning_rate)
        self._t = 0

    def _initial_state(self, param):
        return np.zeros(param.size, param.dtype), np.zeros(param.size, param.dtype)

    def _begin_step(self):
        self._t += 1
        corrections = sqrt(1.0 - 0.999**self._t) / (1.0 - 0.9**self._t)
        self.step_size = self.learning_rate * corrections

    def _step(self, params, grads):
        return _steps.adam(
            params, grads, self._states, self.step_size, 0.9, 0.999, 1e-8
        )


class SGD(Optimiser):
    """Gradient descent with Nesterov momentum 0.9.

    ``u = 0.9 u - lr g``, then ``w += 0.9 u - lr g`` (Sutskever et al., ICML
    2013, in the look-ahead form).

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Factor of the gradient.
    """

    def __init__(self, learning_rate=1e-3):
        super().__init__(learning_rate)

    def _initial_state(self, param):
        return np.zeros(param.size, param.dtype)

    def _begin_step(self):
        self.step_size = self.learning_rate

    def _step(self, params, grads):
        return _steps.nesterov(params, grads, self._states, self.step_size, 0.9)
