"""Penalties on groups of rows of the weights, with their proximal operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gemclus._common.pickling import stored_as_state
from gemclus._common.typing import Floats, Groups, Integers
from gemclus._common.validation import check_float
from gemclus.penalties import _prox
from gemclus.penalties._groups import check_groups


class GroupPenalty(ABC):
    """Sum of the Euclidean norms of groups of rows, ``sum_g ||W_g||``.

    Row j of the weights `W` (D, K) holds what feature j has to say: features
    whose rows are 0 are not selected.

    Parameters
    ----------
    n_features : int
        Number of features D.
    groups : sequence of sequences of int, default=None
        Features that are selected together; those not named stand alone.

    Attributes
    ----------
    groups : list of ndarray
        All groups, those of one feature included: a partition.

    Raises
    ------
    ValueError, TypeError
        If groups overlap or hold anything else than indices of features.

    See Also
    --------
    GroupLasso : The penalty of linear models.
    HierarchicalLasso : The penalty of networks.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.penalties import GroupLasso
    >>> penalty = GroupLasso(n_features=3, groups=[[0, 1]])
    >>> W = np.array([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    >>> penalty.group_norms(W), penalty.value(W)
    (array([5., 0.]), 5.0)
    >>> penalty.support(W)
    array([ True,  True, False])
    """

    groups: list[Integers]

    def __init__(self, n_features: int, groups: Groups = None) -> None:
        self.groups = check_groups(groups, n_features)
        sizes = [len(group) for group in self.groups]
        self._members = np.concatenate([*self.groups, []]).astype(np.intp)
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self._group_of = np.empty(n_features, dtype=np.intp)
        self._group_of[self._members] = np.repeat(np.arange(len(sizes)), sizes)

    def group_norms(self, W: Any) -> Floats:
        """Norm of each group of rows, in the order of `groups`.

        Parameters
        ----------
        W : ndarray of shape (D, K)
            Weights, float32 or float64.

        Returns
        -------
        norms : ndarray of shape (n_groups,)
            In float64. Cost O(D K).
        """
        W = np.ascontiguousarray(self._check_rows("W", W))
        return _prox.group_norms(W, self._members, self._starts)

    def value(self, W: Any) -> float:
        """The penalty ``sum_g ||W_g||``.

        Parameters
        ----------
        W : ndarray of shape (D, K)
            Weights.

        Returns
        -------
        value : float
            Cost O(D K).
        """
        W = np.ascontiguousarray(self._check_rows("W", W))
        return _prox.total_norm(W, self._members, self._starts)

    def support(self, W: Any) -> NDArray[np.bool_]:
        """Mask of the selected features: those of a group that is not 0.

        Parameters
        ----------
        W : ndarray of shape (D, K)
            Weights.

        Returns
        -------
        support : ndarray of bool of shape (D,)
            Cost O(D K).
        """
        return (self.group_norms(W) != 0.0)[self._group_of]

    @abstractmethod
    def prox(self, W: Any, step: float, *bounded: Any) -> None:
        """Apply the proximal operator of ``step`` times the penalty, in place."""

    def _check_rows(self, name: str, W: Any) -> Any:
        if not isinstance(W, np.ndarray) or W.dtype not in (np.float64, np.float32):
            kind = getattr(W, "dtype", type(W).__name__)
            raise TypeError(f"{name} must be an array of floats, got {kind}")
        n_features = len(self._members)
        if W.ndim != 2 or W.shape[0] != n_features:
            raise ValueError(
                f"{name} must have a row for each of the {n_features} features, got "
                f"shape {W.shape}"
            )
        return W


@stored_as_state
class GroupLasso(GroupPenalty):
    """Group lasso: the sum of the norms of groups of rows.

    Parameters
    ----------
    n_features : int
        Number of features D.
    groups : sequence of sequences of int, default=None
        Features that are selected together; those not named stand alone.

    Attributes
    ----------
    groups : list of ndarray
        All groups, those of one feature included: a partition.

    See Also
    --------
    HierarchicalLasso : The same with a bound on hidden weights.
    gemclus.sparse.SparseLinearModel : Models trained with it.

    References
    ----------
    Yuan and Lin, "Model selection and estimation in regression with grouped
    variables", Journal of the Royal Statistical Society B 68, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.penalties import GroupLasso
    >>> W = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> GroupLasso(n_features=2).prox(W, 1.0)
    >>> W
    array([[2.4, 3.2],
           [0. , 0. ]])
    """

    def prox(self, W: Any, step: float) -> None:
        """Shorten each group of rows by `step`, in place.

        ``argmin_B ||B - W||^2 / 2 + step sum_g ||B_g||``, the block
        soft-threshold ``max(1 - step / ||W_g||, 0) W_g``.

        Parameters
        ----------
        W : ndarray of shape (D, K)
            Weights, updated in place.
        step : float
            Weight of the penalty, at least 0.

        Raises
        ------
        ValueError
            If `step` is negative or NaN, or `W` has not D rows. NaN among the
            weights of a group makes all of the group NaN.

        Notes
        -----
        Cost O(D K).
        """
        _check_step(step)
        # The compiled pass wants C order; a copy is written back.
        rows = np.ascontiguousarray(self._check_rows("W", W))
        _prox.group_lasso(rows, self._members, self._starts, step)
        if rows is not W:
            W[...] = rows


@stored_as_state
class HierarchicalLasso(GroupPenalty):
    """Group lasso on skip weights that bound the weights of a hidden layer.

    The penalty of LassoNet: ``sum_g ||W_g||``, subject to
    ``max |U_g| <= M ||W_g||``, where row j of `W` (D, K) leads from feature j
    straight to the outputs and row j of `U` (D, h) to the hidden layer. A
    feature without skip weights is out of the hidden layer too.

    Parameters
    ----------
    n_features : int
        Number of features D.
    groups : sequence of sequences of int, default=None
        Features that are selected together; those not named stand alone.
    M : float, default=10
        The hierarchy coefficient: 0 leaves a linear model, a large one hardly
        bounds the hidden layer.

    Attributes
    ----------
    groups : list of ndarray
        All groups, those of one feature included: a partition.

    See Also
    --------
    GroupLasso : The same without hidden weights.
    gemclus.sparse.SparseMLPModel : Models trained with it.

    References
    ----------
    Lemhadri, Ruan, Abraham and Tibshirani, "LassoNet: a neural network with
    feature sparsity", Journal of Machine Learning Research 22, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.penalties import HierarchicalLasso
    >>> W, U = np.array([[3.0, 4.0]]), np.array([[1.0, -9.0]])
    >>> HierarchicalLasso(n_features=1, M=1).prox(W, 1.0, U)
    >>> W, U
    (array([[3.9, 5.2]]), array([[ 1. , -6.5]]))
    """

    def __init__(self, n_features: int, groups: Groups = None, M: float = 10) -> None:
        super().__init__(n_features, groups)
        self.M = check_float("M", M, 0.0)

    def prox(self, W: Any, step: float, U: Any) -> None:
        """Apply the hierarchical operator, in place.

        ``argmin ||B - W||^2 / 2 + ||T - U||^2 / 2 + step sum_g ||B_g||`` over B
        and T with ``max |T_g| <= M ||B_g||``. The best B_g keeps the direction
        of W_g. Where W_g is 0, directions tie: the constant one is taken, which
        adds the same to all outputs and so favours no cluster.

        Parameters
        ----------
        W : ndarray of shape (D, K)
            Skip weights, updated in place.
        step : float
            Weight of the penalty, at least 0; 0 only imposes the bound.
        U : ndarray of shape (D, h)
            Weights of the hidden layer, updated in place.

        Raises
        ------
        ValueError
            If `step` is negative or NaN, or the weights have not D rows. NaN
            among them gives NaN in their group.

        Notes
        -----
        Cost O(D K + D h), and O(log h) for each hidden weight that the bound
        changes.
        """
        _check_step(step)
        W, U = self._check_rows("W", W), self._check_rows("U", U)
        if W.dtype != U.dtype:
            raise TypeError(f"W and U must have one dtype, got {W.dtype} and {U.dtype}")
        skip, hidden = np.ascontiguousarray(W), np.ascontiguousarray(U)
        _prox.hierarchical(skip, hidden, self._members, self._starts, step, self.M)
        if skip is not W:
            W[...] = skip
        if hidden is not U:
            U[...] = hidden


def _check_step(step):
    if not step >= 0.0:
        raise ValueError(f"step must be at least 0, got {step}")
