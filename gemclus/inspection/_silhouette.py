"""Silhouettes: the place of each sample in its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.metrics import silhouette_samples
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import ArrayLike, Floats, Integers, Names, Pairwise, Seed
from gemclus._common.validation import (
    check_int,
    check_seed,
)
from gemclus.inspection._style import (
    axes_to_draw_on,
    check_labels,
    cluster_colours,
    cluster_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure, SubFigure


class SilhouetteDisplay:
    """Silhouette of each sample, sorted within its cluster.

    Parameters
    ----------
    silhouettes : ndarray of shape (n,)
        Silhouette of each sample drawn, from -1 to 1.
    labels : ndarray of shape (n,)
        Their clusters.
    n_clusters : int or None, default=None
        Number of clusters, those without samples included; None takes the
        largest label.
    cluster_names : sequence of str, default=None
        Names of the clusters.

    Attributes
    ----------
    mean_ : float
        Mean silhouette.
    bars_ : list of matplotlib PolyCollection
        One for each cluster that has samples.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    AssignmentDisplay : How sure the model is of each sample.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and
    validation of cluster analysis, J. Comput. Appl. Math. 20.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.inspection import SilhouetteDisplay
    >>> from gemclus.tree import Kauri
    >>> X = load_iris().data
    >>> display = SilhouetteDisplay.from_estimator(Kauri(3).fit(X), X)
    >>> round(float(display.mean_), 2)
    0.55
    """

    silhouettes: Floats
    labels: Integers
    n_clusters: int | None
    cluster_names: Names
    mean_: float
    bars_: list[PolyCollection]
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self,
        silhouettes: Floats,
        labels: Integers,
        *,
        n_clusters: int | None = None,
        cluster_names: Names = None,
    ) -> None:
        self.silhouettes = silhouettes
        self.labels = labels
        self.n_clusters = n_clusters
        self.cluster_names = cluster_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        metric: Pairwise = "euclidean",
        max_samples: int = 5000,
        random_state: Seed = None,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the silhouettes of samples, new ones or not, by the labels of a model.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer that predicts.
        X : array-like of shape (N, D)
            Samples.
        metric : str or callable, default="euclidean"
            Distance, as `sklearn.metrics.silhouette_samples` takes it.
        max_samples : int, default=5000
            Of more samples, so many are drawn at random: silhouettes cost
            O(N^2 D).
        random_state : int, RandomState instance or None, default=None
            Source of that draw.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : SilhouetteDisplay
            The Display, drawn.
        """
        check_is_fitted(estimator)
        return cls.from_predictions(
            X,
            estimator.predict(X),
            metric=metric,
            max_samples=max_samples,
            random_state=random_state,
            cluster_names=cluster_names,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        labels: ArrayLike,
        *,
        metric: Pairwise = "euclidean",
        max_samples: int = 5000,
        random_state: Seed = None,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the silhouettes of samples whose clusters are known.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Samples.
        labels : array-like of int of shape (N,)
            Their clusters, in at least two different ones.
        metric : str or callable, default="euclidean"
            Distance, as `sklearn.metrics.silhouette_samples` takes it.
        max_samples : int, default=5000
            Of more samples, so many are drawn at random.
        random_state : int, RandomState instance or None, default=None
            Source of that draw.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : SilhouetteDisplay
            The Display, drawn.

        Raises
        ------
        ValueError
            If there are fewer than two clusters.
        """
        X = check_array(X, accept_sparse="csr")
        clusters = check_labels(labels, X.shape[0])
        n_clusters = int(clusters.max()) + 1
        if X.shape[0] > check_int("max_samples", max_samples, 2):
            generator = check_seed(random_state)
            drawn = generator.choice(X.shape[0], max_samples, replace=False)
            X, clusters = X[drawn], clusters[drawn]
        n_used = len(np.unique(clusters))
        if not 2 <= n_used < len(clusters):
            raise ValueError(
                "silhouettes need at least two clusters, and fewer than samples: got "
                f"{n_used} for {len(clusters)} samples"
            )
        silhouettes = silhouette_samples(X, clusters, metric=metric)
        display = cls(
            silhouettes, clusters, n_clusters=n_clusters, cluster_names=cluster_names
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : SilhouetteDisplay
            The Display itself.
        """
        n_clusters = self.n_clusters or int(np.max(self.labels)) + 1
        names = cluster_names(self.cluster_names, n_clusters)
        colours = cluster_colours(n_clusters)
        ax = axes_to_draw_on(ax, figsize=(6.0, 4.5))
        self.bars_ = []
        gap = max(1, len(self.labels) // 50)
        bottom, centres, ticks = gap, [], []
        for cluster in range(n_clusters):
            values = np.sort(self.silhouettes[self.labels == cluster])
            if not len(values):
                continue
            positions = np.arange(bottom, bottom + len(values))
            bar = ax.fill_betweenx(positions, 0.0, values, color=colours[cluster], lw=0)
            self.bars_.append(bar)
            centres.append(bottom + (len(values) - 1) / 2)
            ticks.append(f"{names[cluster]}\n{len(values)}: {values.mean():.2f}")
            bottom += len(values) + gap
        self.mean_ = float(np.mean(self.silhouettes))
        ax.axvline(
            self.mean_, color="black", linestyle="--", label=f"mean {self.mean_:.2f}"
        )
        ax.set(
            xlabel="silhouette",
            ylim=(0, bottom),
            xlim=(min(-0.05, float(np.min(self.silhouettes)) - 0.05), 1.0),
        )
        ax.set_yticks(centres, ticks)
        ax.invert_yaxis()
        ax.legend(loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self
