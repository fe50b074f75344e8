"""Kauri: unsupervised trees grown on a kernel-k-means objective."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from gemclus._common.estimators import BaseEstimator, ClusterMixin
from gemclus._common.interruption import TrainingInterrupted
from gemclus._common.pickling import VersionedStateMixin
from gemclus._common.reports import say
from gemclus._common.typing import (
    ArrayLike,
    Booleans,
    Floats,
    Parameters,
    Seed,
)
from gemclus._common.validation import (
    check_fitted,
    check_int,
    check_samples,
    check_verbose,
)
from gemclus._common.weights import read_weights
from gemclus._training.centres import means_of_labels
from gemclus.affinity import FittedFeatureMap, fit_feature_map, is_feature_map
from gemclus.tree._kauri.columns import Columns
from gemclus.tree._kauri.growth import grow
from gemclus.tree._kauri.kernel import (
    GrowthKernel,
    column_means,
    fill_missing,
    is_definite,
    objective,
    tree_affinity,
)
from gemclus.tree._kauri.rules import (
    bin_limit,
    bins_to_use,
    growth_rules,
    warn_of_leaves,
    warn_of_scale,
)
from gemclus.tree._kauri.structure import SPLIT_KINDS, KauriTree

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.tree import DecisionTreeClassifier


class Kauri(VersionedStateMixin, ClusterMixin, BaseEstimator):
    """Decision tree that clusters by itself, split by split.

    The tree raises the kernel-k-means objective

    .. math:: J = \\sum_k \\frac{1}{|C_k|} \\sum_{x, x' \\in C_k} \\kappa(x, x')

    greedily: each round splits the leaf, at the feature and threshold, that
    raise it most, while it can be raised. The sides of a leaf of cluster `k`
    are filed in one of four ways: one founds a new cluster (*star*), both do
    (*double star*), one joins another cluster (*switch*), or each joins
    another one (*refurbish*). Several leaves may thus belong to a cluster.

    Parameters
    ----------
    max_clusters : int, default=3
        Largest number of clusters.
    max_depth : int, default=None
        Largest number of splits between the root and a leaf.
    min_samples_split : int or float, default=2
        Smallest size of a node that is split, the root included; a float is a
        fraction of the number of samples.
    min_samples_leaf : int or float, default=1
        Smallest size of a leaf; a float is a fraction.
    max_features : int, float or {"sqrt", "log2"}, default=None
        Number of features drawn for each leaf, among which it is split; those
        that are constant in the leaf do not count. A float is a fraction. None
        takes all.
    max_leaves : int, default=None
        Largest number of leaves.
    kernel : str, callable or transformer, default="linear"
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``
        (the matrix is the ``y`` of `fit`), ``"labels"`` (see Notes), a callable
        ``k(X)`` that returns an (N, N) array, or a feature map: a scikit-learn
        transformer ``phi``, for the kernel ``phi(X) phi(X)'``.
    verbose : bool, default=False
        Whether to report the splits, in the order in which they were made: to the
        logger ``gemclus`` where it is set up, else to the standard error stream.
    random_state : int, RandomState or None, default=None
        Source of the features drawn, if `max_features` is less than all.
    kernel_params : dict, default=None
        Arguments of the named kernel or the callable.
    min_gain : float, default=0.0
        Growth stops when the best split gains less than this fraction of the
        scatter of all samples: of what would be gained by giving each sample a
        cluster of its own. With 0.01, each split explains at least one percent
        of the variation of the data (for the linear kernel).
    min_weight_fraction_leaf : float, default=0.0
        Smallest share of a leaf in the weights of all samples, at most 0.5.
        Integer `min_samples_leaf` and `min_samples_split` count samples, whatever
        they weigh, but for those of weight 0.
    max_bins : int, "auto" or None, default="auto"
        Most bins in which the values of a feature are put before the growth (at
        most 65535, missing values apart): splits then lie between bins. None
        looks at every gap between values. ``"auto"`` does so up to 20 000 samples,
        and where the kernel has no factor (see Notes), and makes 255 bins beyond.
        With no more distinct values than bins the tree is the same.
    n_jobs : int, default=None
        Number of threads. The tree has the same bits for any number. None means
        one, unless `joblib.parallel_config` says otherwise; -1 all processors.

    Attributes
    ----------
    labels_ : ndarray of int64 of shape (N,)
        Cluster of each training sample.
    leaves_ : ndarray of int64 of shape (N,)
        Leaf of each training sample, numbered from 0: the left side of a split
        keeps the number of its leaf, the right side takes the next one.
    tree_ : KauriTree
        The nodes, as parallel arrays.
    n_clusters_ : int
        Number of clusters found.
    cluster_centers_ : ndarray of shape (K, D)
        Means of the training samples of each cluster, of the values not missing.
    variation_ : float
        What would be gained if each sample had a cluster of its own: the sum of
        all gains is a share of it.
    missing_features_ : ndarray of bool of shape (D,)
        Features with missing values in the training samples.
    feature_importances_ : ndarray of shape (D,)
        Share of each feature in the sum of all gains.
    fill_values_ : ndarray of shape (D,) or None
        Means of the features, which the linear kernel takes for missing values.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (D,)
        Their names, when the data had any.
    feature_map_ : transformer
        The transformer that the kernel is, fitted to the training samples.

    See Also
    --------
    export_text : The rules of a tree as text.
    plot_tree : The tree drawn by matplotlib.
    fidelity : How faithfully a tree explains a given clustering.

    Notes
    -----
    *Thresholds* lie in the middle of the gap between the two sides. Among
    splits whose gains agree to nine digits, the tree takes the simplest kind,
    then the widest gap relative to the range of the feature, then the lowest
    threshold, so that neither the order of the samples nor, where the data
    allow, that of the features matters.

    *Explaining a clustering.* With ``kernel="labels"`` the ``y`` of `fit` holds
    the labels of any clustering (or probabilities, of shape (N, n_labels)), and
    the kernel is the inner product of their memberships. The objective is then
    ``N`` times one minus the weighted Gini impurity of the labels in the
    clusters of the tree, and `gemclus.tree.fidelity` says how well the tree
    tells them.

    *Size.* An unlimited tree goes on while anything is gained, on noise too. How
    large it should be is told by the objective on held-out samples::

        GridSearchCV(Kauri(5), {"min_gain": [0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]}, cv=5)

    which on 2000 samples of noise in 10 dimensions takes 12 leaves of 72, and 73
    of 176 on the ten digits.

    *Bins.* The gains of all cuts between bins follow from the sums of the factor
    over each bin. Quantiles make the bins, so that scales do not matter; the
    threshold is the middle between the values of the bins on both sides.

    *Missing values* (NaN) go to the side of a split that gains more, and may be
    split from all others. The kernel must know of them: ``"linear"`` takes the
    mean of the feature, ``"labels"``, ``"precomputed"`` and callables are given by
    the user, other kernels refuse them.

    *Categories* go in as one-hot columns: each split takes one category from the
    others, as a rule can be read.

    *Cost.* With `K` clusters, a kernel with a factor of rank `r` (linear:
    ``r = D``; cosine; polynomial of a low degree; labels) costs at most
    ``O(N D (r + K))`` operations per split and no N x N array; any other one
    ``O(N D (N + K))``; with `B` bins ``O(n D r)`` for the `n` samples of the
    smaller side and ``O(D B r K)`` for each leaf that is looked at. The memory
    beside `X` is about ``50 N D + 16 N (r + K)`` bytes, and that of the kernel
    matrix if there is one; with bins ``N D + 8 N r`` and at most
    ``max(8 N D, 64 MB)`` for sums. Wide factors, whose sums would take more than
    the data and a gigabyte, are refused, or looked at exactly by ``"auto"``. The
    GIL is released, and Ctrl-C is obeyed within a second.

    References
    ----------
    Ohl, Mattei, Leclercq, Droit, Precioso, "Kernel KMeans clustering splits for
    end-to-end unsupervised decision trees", 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.tree import Kauri, export_text
    >>> iris = load_iris()
    >>> tree = Kauri(max_clusters=3, max_depth=3).fit(iris.data)
    >>> round(tree.score(iris.data), 4)
    9459.167
    >>> print(export_text(tree, feature_names=iris.feature_names, max_depth=1))
    |--- petal length (cm) <= 3.40
    |   |--- petal length (cm) <= 2.45
    |   |   |--- cluster: 0
    |   |--- petal length (cm) >  2.45
    |   |   |--- cluster: 1
    |--- petal length (cm) >  3.40
    |   |--- petal length (cm) <= 5.15
    |   |   |--- truncated branch of depth 2
    |   |--- petal length (cm) >  5.15
    |   |   |--- cluster: 2
    """

    max_clusters: int
    max_depth: int | None
    min_samples_split: int
    min_samples_leaf: int
    max_features: int | float | str | None
    max_leaves: int | None
    kernel: Any
    verbose: bool
    random_state: Seed
    kernel_params: Parameters
    min_gain: float
    min_weight_fraction_leaf: float
    max_bins: int | str | None
    n_jobs: int | None

    labels_: NDArray[np.int64]
    leaves_: NDArray[np.int64]
    tree_: KauriTree
    n_clusters_: int
    cluster_centers_: Floats
    variation_: float
    missing_features_: Booleans
    fill_values_: Floats | None
    feature_map_: Any
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        max_clusters: int = 3,
        max_depth: int | None = None,
        min_samples_split: int = 2,
        min_samples_leaf: int = 1,
        max_features: int | float | str | None = None,
        max_leaves: int | None = None,
        kernel: Any = "linear",
        verbose: bool = False,
        random_state: Seed = None,
        *,
        kernel_params: Parameters = None,
        min_gain: float = 0.0,
        min_weight_fraction_leaf: float = 0.0,
        max_bins: int | str | None = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.max_clusters = max_clusters
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_leaves = max_leaves
        self.kernel = kernel
        self.verbose = verbose
        self.random_state = random_state
        self.kernel_params = kernel_params
        self.min_gain = min_gain
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_bins = max_bins
        self.n_jobs = n_jobs

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Models from before these parameters were known have their defaults."""
        added = {"min_weight_fraction_leaf": 0.0, "max_bins": "auto", "n_jobs": None}
        if "tree_" in state:
            added["fill_values_"] = None
        super().__setstate__({**added, **state})
        if "tree_" in state:
            self.tree_.check(self.n_features_in_)

    def fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples; NaN where a value is missing.
        y : array-like, default=None
            The kernel (N, N) if `kernel` is ``"precomputed"``; the labels (N,)
            or probabilities (N, n_labels) if it is ``"labels"``; else ignored.
        sample_weight : array-like of shape (N,), default=None
            Weights, not negative. An integer weight stands for a sample repeated
            so many times, a weight of 0 for one that is not there (it only gets a
            label).

        Returns
        -------
        self : Kauri
            The fitted tree.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be.
        MemoryError
            If there is not enough memory.
        TrainingInterrupted
            A KeyboardInterrupt, if one ended the growth: the model holds the tree
            as it was then. After any other exception it is what it was before.
        """
        before = vars(self).copy()
        try:
            interruption = self._grow(X, y, sample_weight)
        except BaseException as error:
            vars(self).clear()
            vars(self).update(before)
            if isinstance(error, KeyboardInterrupt):
                raise TrainingInterrupted(
                    "growth was interrupted before it began; the model is as it was "
                    "before",
                    self,
                ) from error
            raise
        if interruption is not None:
            raise TrainingInterrupted(
                f"growth was interrupted at {self.tree_.n_leaves} leaves; the model is "
                "kept as it was then",
                self,
            ) from interruption
        return self

    def _grow(self, X, y, sample_weight):
        """Fit; the KeyboardInterrupt that ended the growth, if one did."""
        verbose = check_verbose("verbose", self.verbose)
        max_bins = bin_limit(self.max_bins)
        X = self._check(X)
        weights = _weights(sample_weight, X)
        linear = isinstance(self.kernel, str) and self.kernel == "linear"
        self.fill_values_ = column_means(X, weights) if linear else None
        self._fit_feature_map(X if weights is None else X[weights > 0])
        affinity, grown, given = self._affinity(X, y), X, weights
        if weights is not None and weights.min() == 0.0:
            kept = np.flatnonzero(weights)
            weights, affinity, grown = weights[kept], affinity.take(kept), X[kept]
        definite = is_definite(self.kernel, self.kernel_params)
        kernel = GrowthKernel(affinity, definite, weights)
        variation = kernel.variation()
        total = grown.shape[0] if weights is None else kernel.weights.sum()
        rules = growth_rules(self, *grown.shape, total)
        warn_of_scale(grown, self.kernel)
        max_bins = bins_to_use(max_bins, grown, kernel.factor)
        n_threads = _thread_count(self.n_jobs)
        with ThreadPoolExecutor(n_threads) if n_threads > 1 else nullcontext() as pool:
            columns = Columns(
                grown,
                max_bins,
                max_bins is None or kernel.factor is None,
                kernel.weights,
                map if pool is None else pool.map,
            )
            nodes, leaves, leaf_nodes, error = grow(
                columns,
                kernel.factor,
                kernel.matrix,
                kernel.weights,
                definite=kernel.definite,
                resolution=kernel.resolution,
                n_threads=n_threads,
                pool=pool,
                **rules,
            )
        if error is not None and not isinstance(error, KeyboardInterrupt):
            raise error
        tree = KauriTree(*nodes)
        tree.gains *= kernel.scale
        self.n_clusters_ = _close_gaps(tree)
        self.tree_ = tree
        if len(leaves) < X.shape[0]:
            number = np.zeros(tree.n_nodes, dtype=np.int64)
            number[leaf_nodes] = np.arange(len(leaf_nodes))
            leaves = number[tree.apply(X)]
        self.leaves_ = leaves.astype(np.int64)
        self.labels_ = tree.target[leaf_nodes][leaves].astype(np.int64)
        self.cluster_centers_ = means_of_labels(
            X, self.labels_, self.n_clusters_, given
        )
        self.missing_features_ = np.isnan(X).any(axis=0)
        self.variation_ = variation
        if verbose:
            self._report()
        if error is None:
            warn_of_leaves(self)
        return error

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Grow the tree and return the cluster of each sample.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        labels : ndarray of int64 of shape (N,)
            `labels_`.
        """
        return self.fit(X, y, sample_weight).labels_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of int64 of shape (n,)
            Their clusters. Cost O(n depth).
        """
        nodes = self.apply(X)
        return self.tree_.target[nodes].astype(np.int64)

    def score(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """The objective `J` of the predicted clusters of some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.
        y : array-like, default=None
            Their kernel or labels, if `fit` needed them.
        sample_weight : array-like of shape (n,), default=None
            Their weights; `J` grows in proportion, as with repeated samples.

        Returns
        -------
        value : float
            Sum over the clusters of the kernel within, divided by their sizes;
            larger is better.
        """
        X = self._check_new(X)
        weights = _weights(sample_weight, X)
        labels = self.tree_.target[self.tree_.apply(X)]
        return objective(self._affinity(X, y), labels, weights)

    def apply(self, X: Any) -> NDArray[np.int64]:
        """Leaf that each sample reaches.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        nodes : ndarray of int64 of shape (n,)
            Leaves, as numbers of nodes of `tree_`.
        """
        X = self._check_new(X)
        return self.tree_.apply(X).astype(np.int64)

    def decision_path(self, X: Any) -> csr_matrix:
        """Nodes that each sample passes.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        path : CSR matrix of shape (n, n_nodes)
            One where the sample passes the node.
        """
        X = self._check_new(X)
        return self.tree_.decision_path(X)

    def get_depth(self) -> int:
        """Largest number of splits between the root and a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self) -> int:
        """Number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    def to_sklearn(self) -> DecisionTreeClassifier:
        """The tree as a fitted `sklearn.tree.DecisionTreeClassifier`.

        For tools that read such trees: `sklearn.tree.plot_tree`,
        ``shap.TreeExplainer``, dtreeviz, supertree, treelite.

        Returns
        -------
        classifier : DecisionTreeClassifier
            A copy, with the same nodes and numbers of nodes. Its classes are the
            clusters, its `predict_proba` and impurities are those of the training
            samples. It casts samples to float32 before it looks at them, as
            scikit-learn does, and gives the labels of `predict` for the samples so
            cast.

        Raises
        ------
        NotFittedError
            If the tree is not fitted.
        """
        from gemclus.tree._export.scikit_learn import decision_tree_classifier

        check_is_fitted(self)
        self.tree_.check(self.n_features_in_)
        return decision_tree_classifier(self)

    @property
    def feature_importances_(self) -> Floats:
        """Share of each feature in the sum of all gains, (D,); zeros without splits."""
        check_is_fitted(self)
        inner = self.tree_.children_left >= 0
        gains = np.bincount(
            self.tree_.features[inner],
            weights=self.tree_.gains[inner],
            minlength=self.n_features_in_,
        )
        return gains / (gains.sum() or 1.0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _check(self, X, reset=True):
        return check_samples(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            order="C",
            ensure_all_finite="allow-nan",
        )

    def _check_new(self, X):
        check_fitted(self, "tree_")
        return self._check(X, reset=False)

    def _fit_feature_map(self, X):
        vars(self).pop("feature_map_", None)
        if is_feature_map(self.kernel):
            feature_map = fit_feature_map(self.kernel, self.kernel_params, X)
            self.feature_map_ = feature_map.transformer

    def _affinity(self, X, y):
        X = fill_missing(X, self.kernel, self.fill_values_)
        if is_feature_map(self.kernel) and hasattr(self, "feature_map_"):
            return tree_affinity(X, FittedFeatureMap(self.feature_map_))
        return tree_affinity(X, self.kernel, self.kernel_params, y)

    def _report(self):
        tree = self.tree_
        # Children are numbered in the order in which the splits were made.
        names = getattr(self, "feature_names_in_", None)
        inner = np.flatnonzero(tree.children_left >= 0)
        for node in inner[np.argsort(tree.children_left[inner])]:
            feature = tree.features[node]
            say(
                "%s: node %d, %s <= %.6g, %s, gain %.6g",
                type(self).__name__,
                node,
                f"X[:, {feature}]" if names is None else names[feature],
                tree.thresholds[node],
                SPLIT_KINDS[tree.kinds[node]],
                tree.gains[node],
            )
        name, n_leaves = type(self).__name__, tree.n_leaves
        say("%s: %d leaves, %d clusters", name, n_leaves, self.n_clusters_)


def _weights(sample_weight, X):
    """Weights of the samples of `X`, if there are any."""
    return None if sample_weight is None else read_weights(sample_weight, len(X))


def _close_gaps(tree):
    """Number the clusters of the leaves from 0 on; their number."""
    leaves = tree.children_left < 0
    used = np.unique(tree.target[leaves])
    number = np.full(tree.target.max() + 1, -1, dtype=np.int32)
    number[used] = np.arange(len(used))
    tree.target = number[tree.target]
    return len(used)


def _thread_count(n_jobs):
    """Number of threads."""
    if n_jobs is not None:
        n_jobs = check_int("n_jobs", n_jobs)
        if n_jobs == 0:
            raise ValueError("n_jobs must not be 0")
    return joblib.effective_n_jobs(n_jobs)
