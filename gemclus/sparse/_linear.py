"""Linear models that select features."""

from __future__ import annotations

from typing import Any

import numpy as np

from gemclus._common.docstrings import fill_docstring
from gemclus._common.parameters import KMEANS_START, store
from gemclus._common.typing import (
    ArrayLike,
    Groups,
    Kernel,
    Objective,
    Parameters,
    Seed,
)
from gemclus.gemini._model_mixins import MMDObjectiveMixin
from gemclus.linear import LinearModel
from gemclus.optim._registry import Solver
from gemclus.sparse._mixin import SparseMixin


@fill_docstring
class SparseLinearModel(SparseMixin, LinearModel):
    """Logistic regression that selects features while it clusters.

    Maximises a GEMINI of ``p(y | x) = softmax(x W + b)`` minus the group lasso
    ``alpha sum_g ||W_g||`` of the rows of W.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
    %(fitted)s

    See Also
    --------
    SparseLinearMMD, SparseLinearMI : The same for one objective.
    SparseMLPModel : A network with a hidden layer.
    gemclus.penalties.GroupLasso : The penalty.
    gemclus.selection.StabilitySelection : Selection over many halves of the data.

    Notes
    -----
    The proximal step costs O(D K), beside the O(N D K) of a training step.

    References
    ----------
    Ohl et al., "Sparse and geometry-aware generalisation of the mutual
    information for joint discriminative clustering and feature selection",
    Statistics and Computing 34, 2024.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseLinearModel
    >>> X, _ = celeux_one(n=200, p=5, random_state=0)
    >>> model = SparseLinearModel(alpha=1, random_state=0)
    >>> path = model.path(X, min_features=5)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
    """

    groups: Groups
    alpha: float
    dynamic: bool

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

    def _first_layers(self) -> list[tuple[Any, Any]]:
        return [(self.W_, self.b_)]


@fill_docstring
class SparseLinearMMD(MMDObjectiveMixin, SparseLinearModel):
    """Feature-selecting logistic regression trained by the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
    %(fitted)s

    See Also
    --------
    SparseLinearMI : The mutual information in place of a kernel.
    SparseMLPMMD : A network with a hidden layer.
    SparsePath : The result of `path`.
    gemclus.linear.LinearMMD : The same on all features.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseLinearMMD
    >>> X, _ = celeux_one(n=300, p=20, mu=1.7, random_state=0)
    >>> model = SparseLinearMMD(alpha=1, ovo=True, random_state=0)
    >>> path = model.path(X)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
    """

    kernel: Kernel
    ovo: bool
    kernel_params: Parameters
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


@fill_docstring
class SparseLinearMI(SparseLinearModel):
    """Feature-selecting logistic regression trained by the mutual information.

    With a full-batch solver, as ``solver="auto"`` is, it maximises the mutual
    information minus ``.01 ||W||^2`` and the penalty: that of as many features as
    samples knows no bound otherwise.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(sparse)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
    %(fitted)s

    See Also
    --------
    SparseLinearMMD : A kernel in place of the mutual information.
    gemclus.gemini.MI : The objective.
    gemclus.linear.RIM : A penalty that selects no features.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseLinearMI
    >>> X, _ = celeux_one(n=300, p=5, random_state=0)
    >>> model = SparseLinearMI(random_state=0)
    >>> path = model.path(X)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
    """

    groups: Groups
    alpha: float

    gemini: str | Objective | None = "mi"
    dynamic = False

    def __init__(
        self,
        n_clusters: int = 3,
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        groups: Groups = None,
        alpha: float = 1e-2,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    # Weight of the squares, with full-batch solvers. Chosen among 0, .001,
    # .003 and .01 on `celeux_one` of 300 samples, 50 and 195 noise features and eight
    # seeds: only with .01 did paths keep the five features in all of them.
    _RIDGE = 0.01

    def _prox(self, step: float, alpha: float) -> None:
        super()._prox(step, alpha)
        self.W_ /= 1.0 + 2.0 * step * self._ridge()

    def _penalties(self, alpha: float) -> float:
        return super()._penalties(alpha) + self._ridge() * float(
            np.vdot(self.W_, self.W_)
        )

    def _ridge(self) -> float:
        # One cluster is worth nothing for it to be weighed against.
        return self._RIDGE if self.n_clusters > 1 else 0.0

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older pickles hold a `gemini` that was not used: the class has its own.
        fixed = ("gemini", "dynamic")
        super().__setstate__({k: v for k, v in state.items() if k not in fixed})
