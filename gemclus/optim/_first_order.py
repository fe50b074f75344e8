"""Adam and stochastic gradient descent with Nesterov momentum."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from gemclus._common.pickling import stored_as_state
from gemclus.optim import _steps
from gemclus.optim._base import Arrays, Optimiser

Array = np.ndarray[Any, Any]


class _CompiledSteps(Optimiser):
    """Optimisers whose step is one compiled pass over each parameter and its state.

    Notes
    -----
    The state of an array is found by its position in the list, so the list
    must keep its order and shapes from one call to the next.
    """

    # Set by the first step.
    _states: Sequence[Any] = ()

    def update_params(self, params: Arrays, grads: Arrays) -> None:
        if not self._states:
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
    def _initial_state(self, param: Array) -> Any:
        """The state of one parameter between steps: flat arrays."""

    @abstractmethod
    def _begin_step(self) -> None:
        """Set `step_size` for the coming update."""

    @abstractmethod
    def _step(self, params: Arrays, grads: Arrays) -> bool:
        """Update the parameters and their states, or return False."""


@stored_as_state
class Adam(_CompiledSteps):
    """Adam, with the bias correction folded into the step.

    ``w -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + 1e-8)`` with
    b1 = 0.9, b2 = 0.999 (Kingma and Ba, ICLR 2015, end of section 2).

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Bound on the length of a step in each coordinate, roughly.

    See Also
    --------
    SGD : Steps that are not scaled.

    Notes
    -----
    An update costs one pass over the parameters and their two moments.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.optim import Adam
    >>> w = np.array([1.0, -1.0])
    >>> Adam(learning_rate=0.1).update_params([w], [np.array([3.0, 0.5])])
    >>> w.round(6)
    array([ 0.9, -1.1])
    """

    _t = 0

    def _initial_state(self, param: Array) -> tuple[Array, Array]:
        return np.zeros(param.size, param.dtype), np.zeros(param.size, param.dtype)

    def _begin_step(self) -> None:
        self._t += 1
        corrections = sqrt(1.0 - 0.999**self._t) / (1.0 - 0.9**self._t)
        self._step_size = self.learning_rate * corrections

    def _step(self, params: Arrays, grads: Arrays) -> bool:
        return _steps.adam(
            params, grads, self._states, self._step_size, 0.9, 0.999, 1e-8
        )


@stored_as_state
class SGD(_CompiledSteps):
    """Gradient descent with Nesterov momentum 0.9.

    ``u = 0.9 u - lr g``, then ``w += 0.9 u - lr g`` (Sutskever et al., ICML
    2013, in the look-ahead form).

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Factor of the gradient.

    See Also
    --------
    Adam : Steps scaled by moments of the gradients.

    Notes
    -----
    An update costs one pass over the parameters and their velocities.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.optim import SGD
    >>> w = np.array([1.0, -1.0])
    >>> SGD(learning_rate=0.1).update_params([w], [np.array([3.0, 0.5])])
    >>> w.round(6)
    array([ 0.43 , -1.095])
    """

    def _initial_state(self, param: Array) -> Array:
        return np.zeros(param.size, param.dtype)

    def _begin_step(self) -> None:
        self._step_size = self.learning_rate

    def _step(self, params: Arrays, grads: Arrays) -> bool:
        return _steps.nesterov(params, grads, self._states, self._step_size, 0.9)
