"""Free probabilities of the training samples."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from sklearn.utils import Tags

from gemclus._base import DiscriminativeModel
from gemclus._common.docstrings import fill_docstring
from gemclus._common.fingerprints import match_rows, row_fingerprints
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


@dataclass(slots=True)
class TransductiveTags(Tags):
    """Tags of an estimator that may know nothing beyond its training samples.

    Parameters
    ----------
    transductive : bool, default=True
        Whether predictions exist for the training samples alone.
    """

    transductive: bool = True


@fill_docstring
class CategoricalModel(DiscriminativeModel):
    """Free logits of the training samples, trained by maximising a GEMINI.

    ``p(y | x_i) = softmax(logits_i)``: no map from the data to the clusters is
    assumed, and none is learnt. Predictions exist for the training samples
    alone.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(end)s
    %(training)s

    Attributes
    ----------
    %(logits)s
    %(fitted)s

    See Also
    --------
    CategoricalMMD, CategoricalWasserstein : The same with parameters of the objective.
    gemclus.linear.LinearModel : A model that predicts new samples.

    Notes
    -----
    `predict`, `predict_proba` and `score` accept the training samples: all or
    some of them, in any order. They are recognised by a fingerprint of each
    row (8 bytes a sample; the data themselves are not kept). Anything else is
    a ValueError, as is a training sample that occurs several times in the
    training data, unless all of them are given in their order. The tags of the
    model have ``transductive=True``.

    A training step costs O(N K) beside its objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.nonparametric import CategoricalModel
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> model = CategoricalModel(n_clusters=2, learning_rate=0.1, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    >>> bool(model.predict([[6.0]])[0] == labels[3])
    True
    """

    logits_: Floats

    _accepts_sparse = True

    def __init__(
        self,
        n_clusters: int = 3,
        gemini: str | Objective | None = "mmd_ova",
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        known = {field.name: getattr(tags, field.name) for field in fields(tags)}
        return TransductiveTags(**known)

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        shape = (X.shape[0], self.n_clusters)
        self.logits_ = random_state.uniform(-1.0, 1.0, size=shape)
        self.logits_ = self.logits_.astype(X.dtype, copy=False)
        self._fingerprints = row_fingerprints(X)

    def _get_weights(self) -> list[Any]:
        return [self.logits_]

    def _infer(self, X: Any, retain: bool = True) -> Any:
        rows = self._retained_rows(X) if retain else self._training_rows(X)
        return layers.softmax(np.array(self.logits_[rows]))

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        T = layers.softmax_backward(y_pred, gradient)
        rows = self._retained_rows(X)
        if isinstance(rows, slice):
            return [T]
        gradient = np.zeros_like(self.logits_)
        np.add.at(gradient, rows, T)
        return [gradient]

    def _retained_rows(self, X: Any) -> Any:
        """`_training_rows`, found once for the same array."""
        retained = getattr(self, "_retained", None)
        if retained is None or retained[0] is not X:
            self._retained = retained = X, self._training_rows(X)
        return retained[1]

    def _training_rows(self, X: Any) -> Any:
        """Index of the training samples that the rows of `X` are.

        Raises
        ------
        ValueError
            If some row is no training sample, or several of them.
        """
        fingerprints = row_fingerprints(X)
        if np.array_equal(fingerprints, self._fingerprints):
            return slice(None)
        rows, counts = match_rows(fingerprints, self._fingerprints)
        unknown = np.flatnonzero(counts == 0)
        if unknown.size:
            raise ValueError(
                f"{type(self).__name__} has probabilities of its training samples "
                f"alone: {unknown.size} of the {len(rows)} rows of X, the first at "
                f"position {unknown[0]}, are none of them"
            )
        if (counts > 1).any():
            repeated = int(np.flatnonzero(counts > 1)[0])
            raise ValueError(
                f"X must be the training samples in their order: row {repeated} is "
                f"equal to {counts[repeated]} of them, which {type(self).__name__} "
                "cannot tell apart in another order"
            )
        return rows


@fill_docstring
class CategoricalMMD(MMDObjectiveMixin, CategoricalModel):
    """Free logits of the training samples, trained by maximising the
    MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(end)s
    %(mmd)s
    %(training)s

    Attributes
    ----------
    %(logits)s
    %(fitted)s

    See Also
    --------
    CategoricalWasserstein : Distances in place of a kernel.
    gemclus.gemini.MMDGEMINI : The objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.nonparametric import CategoricalMMD
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = CategoricalMMD(n_clusters=2, kernel="precomputed", random_state=0)
    >>> labels = model.fit_predict(X, X @ X.T)
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
class CategoricalWasserstein(WassersteinObjectiveMixin, CategoricalModel):
    """Free logits of the training samples, trained by maximising the
    Wasserstein GEMINI.

    Parameters
    ----------
    %(base)s
    %(end)s
    %(wasserstein)s
    %(training)s

    Attributes
    ----------
    %(logits)s
    %(fitted)s

    See Also
    --------
    CategoricalMMD : A kernel in place of distances.
    gemclus.gemini.WassersteinGEMINI : The objective.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.nonparametric import CategoricalWasserstein
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = CategoricalWasserstein(n_clusters=2, metric="cityblock", random_state=0)
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
