"""The f-divergence objectives: they need no affinity between samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gemclus._common.typing import ArrayLike
from gemclus._common.validation import (
    check_bool,
    check_float,
    check_predictions,
)
from gemclus._common.weights import check_sample_weight
from gemclus.gemini import _fdivergence_passes as passes
from gemclus.gemini._base import GEMINI, as_scalar
from gemclus.gemini._blocks import FDivergenceBlocks


class _FDivergence(GEMINI):
    """Base of the f-divergences; the formulas are in ``fdivergence_formulas.h``."""

    ovo: bool
    epsilon: float

    # The first part of a name of `passes.KINDS`.
    _family: str

    def __init__(self, ovo: bool = False, epsilon: float = 1e-12) -> None:
        self.ovo = ovo
        self.epsilon = epsilon

    def compute_affinity(self, X: Any, y: Any = None) -> None:
        """Return None: predictions are all that the objective looks at."""
        return None

    def evaluate(
        self,
        y_pred: Any,
        affinity: Any = None,
        return_grad: bool = False,
        sample_weight: ArrayLike | None = None,
    ) -> Any:
        """Evaluate the objective, whatever `affinity` is: see `GEMINI.evaluate`."""
        evaluate = self._training_evaluator()
        return as_scalar(evaluate(y_pred, affinity, return_grad, sample_weight))

    def _decomposition(self, affinity: Any) -> Any:
        return FDivergenceBlocks(*self._check_parameters())

    def _check_parameters(self) -> Any:
        # The cube of 1 / epsilon is a finite number.
        epsilon = check_float("epsilon", self.epsilon, 1e-100, 0.5)
        variant = "_ovo" if check_bool("ovo", self.ovo) else "_ova"
        return passes.KINDS[self._family + variant], epsilon

    def _training_evaluator(self) -> Callable[..., Any]:
        kind, epsilon = self._check_parameters()

        def evaluate(y_pred, affinity=None, return_grad=False, sample_weight=None):
            P = check_predictions(y_pred)
            if sample_weight is None:
                return passes.evaluate(kind, P, epsilon, return_grad)
            weights = check_sample_weight(sample_weight, len(P))
            return passes.evaluate(kind, P, epsilon, return_grad, weights)

        return evaluate


class KLGEMINI(_FDivergence):
    """Kullback-Leibler divergence: OvA is the mutual information.

    With ``pi`` the mean of the rows of ``P = y_pred`` and ``R = P / pi``:

    - OvA: ``mean_i sum_k P_ik log R_ik``;
    - OvO: ``mean_i sum_k (P_ik - pi_k) log R_ik``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``; from 1e-100 to
        0.5.

    See Also
    --------
    MI : The same, OvA.
    HellingerGEMINI, TVGEMINI, ChiSquareGEMINI : Other f-divergences.
    gemclus.linear.RIM : A linear model trained by it.

    Notes
    -----
    Cost O(N K), with O(K) memory beside the gradient.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import KLGEMINI
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(KLGEMINI()(y_pred, None).round(6))  # log 2
    0.693147
    """

    _family = "kl"


class TVGEMINI(_FDivergence):
    """Total variation distance.

    With ``pi`` the mean of the rows of ``P = y_pred``:

    - OvA: ``1/2 mean_i sum_k |P_ik - pi_k|``;
    - OvO: ``1/2 mean_i sum_{k,l} |P_ik pi_l - P_il pi_k|``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``; from 1e-100 to
        0.5.

    See Also
    --------
    KLGEMINI, HellingerGEMINI, ChiSquareGEMINI : Other f-divergences.

    Notes
    -----
    Cost O(N K), OvO O(N K log K) by sorting each row, with O(K) memory beside
    the gradient. Where an absolute value is 0, so is its contribution to the
    gradient: one of the subgradients there.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import TVGEMINI
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(TVGEMINI()(y_pred, None).round(6))
    0.5
    """

    _family = "tv"


class HellingerGEMINI(_FDivergence):
    """Squared Hellinger distance.

    With ``pi`` the mean of the rows of ``P = y_pred`` and
    ``S_i = sum_k sqrt(P_ik pi_k)``:

    - OvA: ``1 - mean_i S_i``;
    - OvO: ``1 - mean_i S_i^2``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``; from 1e-100 to
        0.5.

    See Also
    --------
    KLGEMINI, TVGEMINI, ChiSquareGEMINI : Other f-divergences.

    Notes
    -----
    Cost O(N K), with O(K) memory beside the gradient.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import HellingerGEMINI
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(HellingerGEMINI(ovo=True)(y_pred, None).round(5))
    0.5
    """

    _family = "hellinger"


class ChiSquareGEMINI(_FDivergence):
    """Chi-square divergence, 0 for independent clusters.

    With ``pi`` the mean of the rows of ``P = y_pred``,
    ``a_i = sum_k P_ik^2 / pi_k`` and ``b_i = sum_k pi_k^2 / P_ik``:

    - OvA: ``1/2 (mean_i a_i - 1)``;
    - OvO: ``1/2 (mean_i a_i b_i - 1)``.

    Parameters
    ----------
    ovo : bool, default=False
        One-vs-one instead of one-vs-all.
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``; from 1e-100 to
        0.5.

    See Also
    --------
    KLGEMINI, HellingerGEMINI, TVGEMINI : Other f-divergences.

    Notes
    -----
    Cost O(N K), with O(K) memory beside the gradient. The OvO divergence has
    no upper bound: it grows like ``1 / epsilon`` as predictions become
    one-hot.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import ChiSquareGEMINI
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(ChiSquareGEMINI()(y_pred, None).round(6))
    0.5
    """

    _family = "chi2"


class MI(KLGEMINI):
    """Mutual information between samples and clusters: `KLGEMINI`, OvA.

    Parameters
    ----------
    epsilon : float, default=1e-12
        Predictions are clipped to ``[epsilon, 1 - epsilon]``; from 1e-100 to
        0.5.

    See Also
    --------
    KLGEMINI : The same, and OvO.
    gemclus.linear.RIM : A linear model trained by it.

    Notes
    -----
    Cost O(N K), with O(K) memory beside the gradient.

    References
    ----------
    Bridle et al., "Unsupervised classifiers, mutual information and 'phantom
    targets'", NeurIPS 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.gemini import MI
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> float(MI()(y_pred, None).round(6))  # log 2
    0.693147
    """

    ovo = False

    def __init__(self, epsilon: float = 1e-12) -> None:
        self.epsilon = epsilon
