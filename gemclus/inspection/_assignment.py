"""Certainty of a model about each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import ArrayLike, Floats, Integers, Names
from gemclus.inspection._style import (
    axes_to_draw_on,
    cluster_colours,
    cluster_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure, SubFigure


class AssignmentDisplay:
    """Memberships of the samples, sorted by cluster and by how sure they are.

    Each sample is a column of its memberships, stacked. Within a cluster, samples
    stand from the surest to the least sure; a line shows their entropy.

    Parameters
    ----------
    probabilities : ndarray of shape (n, K)
        Memberships ``p(y | x)``.
    cluster_names : sequence of str, default=None
        Names of the clusters.

    Attributes
    ----------
    order_ : ndarray of shape (n,)
        The samples from left to right.
    entropy_ : ndarray of shape (n,)
        Entropy of the memberships of each sample, from 0 (sure) to 1 (all clusters
        alike).
    least_sure_ : ndarray of shape (n,)
        The samples, from the largest entropy to the smallest.
    areas_ : list of matplotlib PolyCollection
        One for each cluster.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    SilhouetteDisplay : The same question asked of the distances.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.inspection import AssignmentDisplay
    >>> from gemclus.linear import RIM
    >>> X = load_iris().data
    >>> model = RIM(3, reg=0.01, solver="lbfgs", random_state=0).fit(X)
    >>> display = AssignmentDisplay.from_estimator(model, X)
    >>> display.least_sure_[:3].shape
    (3,)
    """

    probabilities: ArrayLike
    cluster_names: Names
    order_: Integers
    entropy_: Floats
    least_sure_: Integers
    areas_: list[PolyCollection]
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self, probabilities: ArrayLike, *, cluster_names: Names = None
    ) -> None:
        self.probabilities = probabilities
        self.cluster_names = cluster_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the memberships that a model gives to samples, new ones or not.

        Parameters
        ----------
        estimator : estimator
            A fitted model with `predict_proba`.
        X : array-like of shape (n, D)
            Samples.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AssignmentDisplay
            The Display, drawn.

        Raises
        ------
        TypeError
            If the model has no memberships.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                "estimator must have predict_proba, got "
                f"{type(estimator).__name__}: SilhouetteDisplay needs labels alone"
            )
        return cls.from_predictions(
            estimator.predict_proba(X), cluster_names=cluster_names, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        probabilities: ArrayLike,
        *,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw given memberships.

        Parameters
        ----------
        probabilities : array-like of shape (n, K)
            Memberships; rows sum to 1.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AssignmentDisplay
            The Display, drawn.

        Raises
        ------
        ValueError
            If rows are no probabilities.
        """
        P = check_array(probabilities, dtype=np.float64, input_name="probabilities")
        if P.min() < -1e-3 or np.abs(P.sum(axis=1) - 1.0).max() > 1e-3:
            raise ValueError(
                "probabilities must have rows of at least 0 that sum to 1, got a "
                f"minimum of {P.min():.4g} and sums from {P.sum(axis=1).min():.4g} to "
                f"{P.sum(axis=1).max():.4g}"
            )
        return cls(P, cluster_names=cluster_names).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : AssignmentDisplay
            The Display itself.
        """
        P = np.asarray(self.probabilities)
        n_samples, n_clusters = P.shape
        names = cluster_names(self.cluster_names, n_clusters)
        logs = np.log(P, out=np.zeros_like(P), where=P > 0)
        self.entropy_ = -(P * logs).sum(axis=1) / np.log(max(n_clusters, 2))
        labels = P.argmax(axis=1)
        self.order_ = np.lexsort((self.entropy_, labels))
        self.least_sure_ = np.argsort(-self.entropy_, kind="stable")
        ax = axes_to_draw_on(ax, figsize=(7.0, 4.0))
        # Each sample is a bar: edges twice, values once on either side.
        edges = np.repeat(np.arange(n_samples + 1), 2)[1:-1]
        heights = np.repeat(P[self.order_], 2, axis=0).T
        colours = cluster_colours(n_clusters)
        self.areas_ = ax.stackplot(edges, heights, colors=colours, linewidth=0)
        from matplotlib.patheffects import withStroke

        ax.step(
            np.arange(n_samples + 1),
            np.append(self.entropy_[self.order_], self.entropy_[self.order_[-1]]),
            where="post",
            color="black",
            linewidth=1.0,
            label="entropy",
            # Seen on dark and on light areas.
            path_effects=[withStroke(linewidth=3.0, foreground="white")],
        )
        sizes = np.bincount(labels, minlength=n_clusters)
        ends = np.cumsum(sizes)
        for end in ends[:-1]:
            ax.axvline(end, color="white", linewidth=1.0)
        used = sizes > 0
        ax.set_xticks(
            (ends - sizes / 2)[used],
            [f"{names[k]}\n{sizes[k]}" for k in range(n_clusters) if used[k]],
        )
        ax.set(ylabel="membership, entropy", xlim=(0, n_samples), ylim=(0.0, 1.0))
        ax.legend(loc="upper right")
        self.ax_, self.figure_ = ax, ax.figure
        return self
