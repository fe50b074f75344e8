"""Multinomial logistic regression as a clustering."""

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
from gemclus._core import layers
from gemclus.gemini._model_mixins import MMDObjectiveMixin, WassersteinObjectiveMixin
from gemclus.optim._registry import Solver


@fill_docstring
class LinearModel(DiscriminativeModel):
    """Logistic regression trained by maximising a GEMINI.

    ``p(y | x) = softmax(x W + b)``.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    coef_ : ndarray of shape (K, D)
        `W_` by rows, as scikit-learn has it.
    intercept_ : ndarray of shape (K,)
        `b_` likewise.
    %(fitted)s

    See Also
    --------
    LinearMMD, LinearWasserstein : The same with parameters of the objective.
    RIM : The same with a penalty on the weights.
    gemclus.mlp.MLPModel : A network with a hidden layer.
    gemclus.sparse.SparseLinearModel : The same with a selection of features.

    Notes
    -----
    A training step costs O(N D K) beside its objective. CSR matrices are taken
    as they are, and never made dense.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.linear import LinearModel
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = LinearModel(n_clusters=2, gemini="mi", random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    W_: Floats
    b_: Floats

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
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        n_features = X.shape[1]
        shape = (n_features, self.n_clusters)
        self.W_ = layers.uniform_init(random_state, n_features, shape, X.dtype)
        shape = (1, self.n_clusters)
        self.b_ = layers.uniform_init(random_state, n_features, shape, X.dtype)

    def _get_weights(self) -> list[Any]:
        return [self.W_, self.b_]

    @property
    def coef_(self) -> Floats:
        """Weights of the features in the logit of each cluster, (K, D)."""
        return self.W_.T

    @property
    def intercept_(self) -> Floats:
        """Logit of each cluster where all features are 0, (K,)."""
        return self.b_[0]

    def _infer(self, X: Any, retain: bool = True) -> Any:
        return layers.softmax_affine(X, self.W_, self.b_)

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        return layers.softmax_affine_backward(X, y_pred, gradient)


@fill_docstring
class LinearMMD(MMDObjectiveMixin, LinearModel):
    """Logistic regression trained by maximising the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    %(fitted)s

    See Also
    --------
    LinearWasserstein : Distances in place of a kernel.
    gemclus.gemini.MMDGEMINI : The objective.
    gemclus.sparse.SparseLinearMMD : The same with a selection of features.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.linear import LinearMMD
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = LinearMMD(n_clusters=2, kernel="rbf", random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    kernel: Kernel
    ovo: bool
    kernel_params: Parameters

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
class LinearWasserstein(WassersteinObjectiveMixin, LinearModel):
    """Logistic regression trained by maximising the Wasserstein GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(wasserstein)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    %(fitted)s

    See Also
    --------
    LinearMMD : A kernel in place of distances.
    gemclus.gemini.WassersteinGEMINI : The objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.linear import LinearWasserstein
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = LinearWasserstein(n_clusters=2, metric="cityblock", random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    metric: Pairwise
    ovo: bool
    metric_params: Parameters

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
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())
