"""Differentiable unsupervised trees."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._base import DiscriminativeModel
from gemclus._common.docstrings import fill_docstring
from gemclus._common.parameters import KMEANS_START, store
from gemclus._common.typing import ArrayLike, Floats, Objective, Seed
from gemclus._common.validation import check_float, check_int
from gemclus._core import layers
from gemclus.optim._registry import Solver
from gemclus.tree._douglas.soft_bins import SoftTree, logits_of_row

# Largest number of leaf scores: with the state of the optimiser, their
# gradient and a backup they then take about 1.3 GB.
_MAX_SCORES = 2**25
# Scale of the first leaf scores, of ±_SPREAD / sqrt(features) for each feature.
# Measured on five data sets with MMD and Wasserstein, 1 and 2 cuts, 10 to 20
# seeds: against independent scores in ±1 and random cuts, the objective after
# the default 100 epochs is 6 to 20 % higher in each of 17 cells, and the
# adjusted Rand index 0.04 higher on average (from 0.04 lower to 0.18 higher). A
# scale of 1 gives half of the former; scores of a wider spread that are
# independent give less of the former and none of the latter. On four data sets
# that took no part in the choice: 9 to 21 %, and 0.01 (-0.04 to 0.06).
_SPREAD = 2.0
# Entries of the temporaries of a step; more samples are taken in blocks, whose
# forward pass is run again for the gradients.
_BLOCK_ENTRIES = 2**23
# Leaf scores up to which one sample is labelled in less time by `logits_of_row`.
_SCORES_OF_ROW = 2**15


@fill_docstring(max_iter=100, learning_rate=1e-2, gemini="wasserstein_ova")
class Douglas(DiscriminativeModel):
    """Differentiable tree trained by maximising a GEMINI.

    Each feature is cut softly into ``n_cuts + 1`` bins. The leaves are the
    combinations of bins, a sample is in each to the product of the degrees of
    its bins, and its logits are the scores of the leaves weighted by these
    memberships.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    n_cuts : int, default=1
        Number of cut points of each feature.
    feature_mask : array-like of bool of shape (D,), default=None
        The features to cut; None cuts all of them.
    temperature : float, default=0.1
        Width of the transition between two bins, in the unit of the features.
    %(batch_size)s
    %(end)s
    %(training)s

    Attributes
    ----------
    cut_points_list_ : list of ndarray of shape (n_cuts,)
        Cut points of each feature used, increasing.
    leaf_scores_ : ndarray of shape ((n_cuts + 1) ** F, K)
        Logits of the leaves, for F features used; the bin of the last feature
        varies fastest.
    temperature_ : float
        The `temperature` of the last training, which predictions have.
    %(fitted)s

    Raises
    ------
    ValueError
        If the leaves are too many: more than 2 ** 25 scores. `feature_mask`
        makes them fewer.

    See Also
    --------
    Kauri : A tree of hard splits.
    gemclus.gemini.GEMINI : The objectives.

    Notes
    -----
    The temperature is the same for all features, so they should be
    standardised. Cut points start at evenly spaced quantiles of their features,
    the median for one, and leaf scores at a random linear function of the bins.

    The memberships of the leaves are never made: with L leaves, a training
    step costs O(N L K) time in matrix products and O(N K sqrt(L)) memory.

    References
    ----------
    Yang, Garcia Morillo and Hospedales, "Deep neural decision trees", ICML
    Workshop on Human Interpretability 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.tree import Douglas
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    >>> model = Douglas(n_clusters=2, gemini="mmd_ova", random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    n_cuts: int
    feature_mask: ArrayLike | None
    temperature: float

    _infers_by_rows = True
    _predicts_with = ("temperature",)

    temperature_: float
    leaf_scores_: Floats

    def __init__(
        self,
        n_clusters: int = 3,
        gemini: str | Objective | None = "wasserstein_ova",
        n_cuts: int = 1,
        feature_mask: ArrayLike | None = None,
        temperature: float = 0.1,
        max_iter: int = 100,
        learning_rate: float = 1e-2,
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

    @property
    def cut_points_list_(self) -> list[Floats]:
        """Cut points of each feature used, increasing."""
        return list(np.sort(self._cut_points, axis=1))

    def find_active_points(self, X: Any) -> dict[int, Floats]:
        """Cut points that separate some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            The samples.

        Returns
        -------
        active : dict of int to ndarray
            For each feature used, its cut points that lie strictly between the
            smallest and the largest value of the feature in `X`, increasing.
            The others leave all samples on the same side.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        X = self._check_samples(X, reset=False)
        active = {}
        for feature, cuts in zip(self._features, self.cut_points_list_, strict=True):
            values = X[:, feature]
            inside = (values.min() < cuts) & (cuts < values.max())
            active[int(feature)] = cuts[inside]
        return active

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_int("n_cuts", self.n_cuts, 1)
        check_float("temperature", self.temperature, 0.0, strict=True)

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        self._features = _selected_features(self.feature_mask, X.shape[1])
        n_features = len(self._features)
        _check_leaves(n_features, self.n_cuts, self.n_clusters)
        levels = np.arange(1, self.n_cuts + 1) / (self.n_cuts + 1)
        cuts = [np.quantile(X[:, feature], levels) for feature in self._features]
        self._cut_points = np.array(cuts, dtype=X.dtype)
        # Scores that rise or fall from bin to bin, to an extent of each feature
        # and cluster: a random linear model of the bins. Independent scores would
        # send neighbouring leaves to different clusters.
        slopes = random_state.uniform(-1.0, 1.0, size=(n_features, self.n_clusters))
        slopes *= _SPREAD / np.sqrt(n_features)
        positions = np.linspace(-1.0, 1.0, self.n_cuts + 1)[:, None]
        scores = np.zeros((1, self.n_clusters), dtype=X.dtype)
        for slope in slopes.astype(X.dtype, copy=False):
            steps = positions.astype(X.dtype, copy=False) * slope
            scores = (scores[:, None] + steps).reshape(-1, self.n_clusters)
        self.leaf_scores_ = scores

    def _get_weights(self) -> list[Any]:
        return [self._cut_points, self.leaf_scores_]

    def _logits_of_row(self, X: Any) -> Any:
        """The logits of one sample."""
        cuts = np.sort(self._cut_points, axis=1)
        x = X[0, self._features].astype(cuts.dtype, copy=False)
        return logits_of_row(x, cuts, self.leaf_scores_, self._of_fit("temperature"))

    def _soft_trees(self, X: Any) -> Iterator[Any]:
        """Forward passes of blocks of samples, each with its rows of `X`."""
        cuts = np.sort(self._cut_points, axis=1)
        entries = SoftTree.entries_per_sample(cuts, self.leaf_scores_.shape[1])
        step = max(1, _BLOCK_ENTRIES // entries)
        temperature = self._of_fit("temperature")
        for start in range(0, X.shape[0], step):
            rows = slice(start, start + step)
            block = X[rows, self._features].astype(cuts.dtype, copy=False)
            yield rows, SoftTree(block, cuts, self.leaf_scores_, temperature)

    def _infer(self, X: Any, retain: bool = True) -> Any:
        if len(X) == 1 and not retain and self.leaf_scores_.size <= _SCORES_OF_ROW:
            return layers.softmax(self._logits_of_row(X))
        shape = (X.shape[0], self.leaf_scores_.shape[1])
        logits = np.empty(shape, dtype=self.leaf_scores_.dtype)
        for rows, tree in self._soft_trees(X):
            logits[rows] = tree.logits
        if retain:
            self._retained = [(rows, tree)] if len(tree.logits) == len(X) else None
        return layers.softmax(logits)

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        T = layers.softmax_backward(y_pred, gradient)
        increasing = scores = 0.0
        for rows, tree in self._retained or self._soft_trees(X):
            of_cuts, of_scores = tree.backward(T[rows])
            increasing = increasing + of_cuts
            scores = scores + of_scores
        cuts = np.empty_like(self._cut_points)
        order = np.argsort(self._cut_points, axis=1)
        np.put_along_axis(cuts, order, increasing, axis=1)
        return [cuts, scores]


def _selected_features(feature_mask, n_features):
    """Indices of the features of a mask, or of all of them for None."""
    if feature_mask is None:
        return np.arange(n_features)
    mask = np.asarray(feature_mask)
    if mask.dtype != bool:
        raise TypeError(
            "feature_mask must hold True for the features to cut and False for the "
            f"others, got {feature_mask!r}"
        )
    if mask.shape != (n_features,):
        raise ValueError(
            f"feature_mask must have shape ({n_features},), one entry for each "
            f"feature, got {mask.shape}"
        )
    if not mask.any():
        raise ValueError("feature_mask must select at least one feature, got none")
    return np.flatnonzero(mask)


def _check_leaves(n_features, n_cuts, n_clusters):
    """Refuse leaves whose scores would not fit into memory."""
    n_leaves = (n_cuts + 1) ** n_features
    if n_leaves * n_clusters > _MAX_SCORES:
        # Beyond what a float holds, the power of ten tells enough.
        exponent = n_features * log10(n_cuts + 1)
        shown = f"{n_leaves:.6g}" if exponent < 300 else f"10 ** {exponent:.0f}"
        raise ValueError(
            f"the tree would have (n_cuts + 1) ** n_features = ({n_cuts} + 1) ** "
            f"{n_features} = {shown} leaves, with n_clusters={n_clusters} more "
            f"than the {_MAX_SCORES} leaf scores that fit into memory: select fewer "
            "features with feature_mask, or lower n_cuts"
        )
