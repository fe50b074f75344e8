"""A neural network with one hidden layer as a clustering."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._base import DiscriminativeModel
from gemclus._common.docstrings import fill_docstring
from gemclus._common.parameters import KMEANS_START, store
from gemclus._common.typing import (
    ArrayLike,
    Floats,
    Kernel,
    Objective,
    Pairwise,
    Parameters,
    Seed,
)
from gemclus._common.validation import (
    MOST,
    check_int,
)
from gemclus._core import layers
from gemclus.gemini._model_mixins import MMDObjectiveMixin, WassersteinObjectiveMixin
from gemclus.optim._registry import Solver


@fill_docstring
class MLPModel(DiscriminativeModel):
    """Neural network with one hidden layer trained by maximising a GEMINI.

    ``p(y | x) = softmax(relu(x W1 + b1) W2 + b2)``.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(hidden)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    %(fitted)s

    See Also
    --------
    MLPMMD, MLPWasserstein : The same with parameters of the objective.
    gemclus.linear.LinearModel : The same without hidden layer.
    gemclus.sparse.SparseMLPModel : The same with a selection of features.

    Notes
    -----
    A training step costs O(N H (D + K)) for H hidden units, beside its
    objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.mlp import MLPModel
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = MLPModel(n_clusters=2, max_iter=200, random_state=0).fit(X)
    >>> labels = model.labels_
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    n_hidden_dim: int

    W1_: Floats
    W2_: Floats
    b1_: Floats
    b2_: Floats
    H_: Floats

    _accepts_sparse = True
    _infers_by_rows = True
    rows_are_independent = True

    def __init__(
        self,
        n_clusters: int = 3,
        gemini: str | Objective | None = "mmd_ova",
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        n_hidden_dim: int = 20,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_int("n_hidden_dim", self.n_hidden_dim, 1, MOST)

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        n_features, n_hidden = X.shape[1], self.n_hidden_dim

        def draw(fan_in, shape):
            return layers.uniform_init(random_state, fan_in, shape, X.dtype)

        self.W1_ = draw(n_features, (n_features, n_hidden))
        self.b1_ = draw(n_features, (1, n_hidden))
        self.W2_ = draw(n_hidden, (n_hidden, self.n_clusters))
        self.b2_ = draw(n_hidden, (1, self.n_clusters))

    def _get_weights(self) -> list[Any]:
        return [self.W1_, self.W2_, self.b1_, self.b2_]

    def _hidden(self, X: Any) -> Any:
        """Activations of the hidden units."""
        return layers.affine_relu(X, self.W1_, self.b1_)

    def _infer(self, X: Any, retain: bool = True) -> Any:
        H = self._hidden(X)
        if retain:
            self._retained = H
        return self._output(X, H)

    def _output(self, X: Any, H: Any) -> Any:
        """Probabilities, given the hidden activations."""
        return layers.softmax_affine(H, self.W2_, self.b2_)

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        return self._backward(X, layers.softmax_backward(y_pred, gradient))

    def _backward(self, X: Any, T: Any) -> list[Any]:
        """Gradients of the weights from those of the logits, `T`."""
        H = self._retained
        W2, b2 = layers.affine_backward(H, T)
        W1, b1 = layers.affine_relu_backward(X, H, T, self.W2_)
        return [W1, W2, b1, b2]

    def _finish_fit(self, X: Any, sample_weight: Any = None) -> None:
        super()._finish_fit(X, sample_weight)
        self.H_ = self._hidden(X)

    def __getstate__(self) -> dict[str, Any]:
        # As many numbers as the training data may have: they stay here.
        state = super().__getstate__()
        state.pop("H_", None)
        return state


@fill_docstring
class MLPMMD(MMDObjectiveMixin, MLPModel):
    """Neural network with one hidden layer trained by maximising the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(hidden)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    %(fitted)s

    See Also
    --------
    MLPWasserstein : Distances in place of a kernel.
    gemclus.gemini.MMDGEMINI : The objective.
    gemclus.sparse.SparseMLPMMD : The same with a selection of features.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.mlp import MLPMMD
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = MLPMMD(n_clusters=2, kernel="rbf", random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    kernel: Kernel
    ovo: bool
    kernel_params: Parameters
    n_hidden_dim: int

    def __init__(
        self,
        n_clusters: int = 3,
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        kernel: Kernel = "linear",
        ovo: bool = False,
        kernel_params: Parameters = None,
        n_hidden_dim: int = 20,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())


@fill_docstring
class MLPWasserstein(WassersteinObjectiveMixin, MLPModel):
    """Neural network with one hidden layer trained to maximise the Wasserstein GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(wasserstein)s
    %(hidden)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    %(fitted)s

    See Also
    --------
    MLPMMD : A kernel in place of distances.
    gemclus.gemini.WassersteinGEMINI : The objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.mlp import MLPWasserstein
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = MLPWasserstein(n_clusters=2, n_hidden_dim=10, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    metric: Pairwise
    ovo: bool
    metric_params: Parameters
    n_hidden_dim: int

    def __init__(
        self,
        n_clusters: int = 3,
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        metric: Pairwise = "euclidean",
        ovo: bool = False,
        metric_params: Parameters = None,
        n_hidden_dim: int = 20,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())
