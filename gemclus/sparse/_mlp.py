"""Neural networks with one hidden layer that select features."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.docstrings import fill_docstring
from gemclus._common.parameters import KMEANS_START, store
from gemclus._common.typing import (
    ArrayLike,
    Floats,
    Groups,
    Kernel,
    Objective,
    Parameters,
    Seed,
)
from gemclus._common.validation import check_float
from gemclus._core import layers
from gemclus.gemini._model_mixins import MMDObjectiveMixin
from gemclus.mlp import MLPModel
from gemclus.optim._registry import Solver
from gemclus.penalties import GroupPenalty, HierarchicalLasso
from gemclus.sparse._mixin import SparseMixin


@fill_docstring
class SparseMLPModel(SparseMixin, MLPModel):
    """LassoNet that selects features while it clusters.

    Maximises a GEMINI of
    ``p(y | x) = softmax(relu(x W1 + b1) W2 + b2 + x W_skip)`` minus the group
    lasso ``alpha sum_g ||W_skip_g||``, subject to
    ``max |W1_g| <= M ||W_skip_g||``: a feature without skip weights is out of
    the hidden layer too.

    With a full-batch solver, as ``solver="auto"`` is, the price of the layers is
    ``alpha (sum_g ||W_skip_g|| + ||W2||^2 / 2)``. Without its second part small weights
    before the hidden layer and large ones behind it evade the first, and there is no
    optimum.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(hidden)s
    %(hierarchy)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    W_skip_ : ndarray of shape (D, K)
        Weights from the features to the clusters; the rows of features that
        are not selected are 0.
    feature_importances_ : ndarray of shape (D,)
        Norm of the skip weights of each feature, divided by their sum.
    %(sparse_fitted)s
    %(fitted)s

    See Also
    --------
    SparseMLPMMD : The same for the MMD.
    SparseLinearModel : The same without hidden layer.
    gemclus.penalties.HierarchicalLasso : The penalty.

    Notes
    -----
    The proximal step costs O(D (K + H)), and O(log H) for each hidden weight
    that its bound changes, beside the O(N H (D + K)) of a training step.

    References
    ----------
    Lemhadri, Ruan, Abraham and Tibshirani, "LassoNet: a neural network with
    feature sparsity", Journal of Machine Learning Research 22, 2021.

    Ohl et al., "Sparse and geometry-aware generalisation of the mutual
    information for joint discriminative clustering and feature selection",
    Statistics and Computing 34, 2024.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseMLPModel
    >>> X, _ = celeux_one(n=100, p=5, random_state=0)
    >>> model = SparseMLPModel(alpha=1, random_state=0)
    >>> path = model.path(X, min_features=5)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
    """

    n_hidden_dim: int
    M: float
    groups: Groups
    alpha: float
    dynamic: bool

    rows_are_independent = True
    # The layers trade scales for hundreds of iterations that change no label.
    _full_batch_tol = 1e-4
    W_skip_: Floats

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
        M: float = 10,
        groups: Groups = None,
        alpha: float = 1e-2,
        dynamic: bool = False,
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
        check_float("M", self.M, 0.0)

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        super()._init_params(random_state, X)
        n_features = X.shape[1]
        shape = (n_features, self.n_clusters)
        self.W_skip_ = layers.uniform_init(random_state, n_features, shape, X.dtype)

    def _get_weights(self) -> list[Any]:
        return [self.W1_, self.W2_, self.W_skip_, self.b1_, self.b2_]

    def _output(self, X: Any, H: Any) -> Any:
        logits = layers.affine(H, self.W2_, self.b2_)
        logits += X @ self.W_skip_
        return layers.softmax(logits)

    def _backward(self, X: Any, T: Any) -> list[Any]:
        W1, W2, b1, b2 = super()._backward(X, T)
        return [W1, W2, X.T @ T, b1, b2]

    def _first_layers(self) -> list[tuple[Any, Any]]:
        return [(self.W1_, self.b1_), (self.W_skip_, self.b2_)]

    def _feature_weights(self) -> Any:
        return self.W_skip_

    @property
    def feature_importances_(self) -> Floats:
        """Norms of the skip weights of each feature, (D,), divided by their sum.

        They bound what a feature can do in the hidden layer too.
        """
        check_is_fitted(self)
        norms = np.linalg.norm(self.W_skip_, axis=1)
        total = norms.sum()
        return norms / total if total > 0.0 else norms

    def _make_penalty(self, n_features: int) -> GroupPenalty:
        return HierarchicalLasso(n_features, self.groups, self.M)

    def _shrink(self, step: float) -> None:
        self.penalty_.prox(self.W_skip_, step, self.W1_)

    # With small weights before the hidden layer and large ones behind it the penalty
    # would come to nothing, and there would be no optimum: both have their price.
    def _prox(self, step: float, alpha: float) -> None:
        super()._prox(step, alpha)
        self.W2_ /= 1.0 + step * alpha

    def _penalties(self, alpha: float) -> float:
        squares = float(np.vdot(self.W2_, self.W2_))
        return super()._penalties(alpha) + 0.5 * alpha * squares


@fill_docstring
class SparseMLPMMD(MMDObjectiveMixin, SparseMLPModel):
    """Feature-selecting LassoNet trained by maximising the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(hidden)s
    %(hierarchy)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    W_skip_ : ndarray of shape (D, K)
        Weights from the features to the clusters; the rows of features that
        are not selected are 0.
    %(sparse_fitted)s
    %(fitted)s

    See Also
    --------
    SparseMLPModel : The same for any objective.
    SparseLinearMMD : The same without hidden layer.
    gemclus.mlp.MLPMMD : The same on all features.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseMLPMMD
    >>> X, _ = celeux_one(n=100, p=5, random_state=0)
    >>> model = SparseMLPMMD(alpha=1, random_state=0)
    >>> path = model.path(X, min_features=5)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
    """

    kernel: Kernel
    ovo: bool
    kernel_params: Parameters
    n_hidden_dim: int
    M: float
    groups: Groups
    alpha: float
    dynamic: bool

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
        M: float = 10,
        groups: Groups = None,
        alpha: float = 1e-2,
        dynamic: bool = False,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())
