"""Differences of the clusters, feature by feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import ArrayLike, Floats, Integers, Names
from gemclus._common.validation import check_choice, check_int
from gemclus.inspection._style import (
    axes_to_draw_on,
    check_labels,
    cluster_names,
    plain,
    pyplot,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage


class ClusterProfileDisplay:
    """Features against clusters: how far each cluster lies from all samples.

    Colours are the distance of the cluster's mean from the mean of all samples, in
    standard deviations of the feature. The numbers in the cells are the same, or
    medians in the units of the data.

    Parameters
    ----------
    deviations : ndarray of shape (D, K)
        Mean of each cluster minus the overall mean, in standard deviations. NaN
        for clusters without samples.
    medians : ndarray of shape (D, K)
        Median of each feature in each cluster.
    sizes : ndarray of shape (K,)
        Samples of each cluster.
    feature_names : sequence of str
        Names of the features.
    units : {"spread", "original"}, default="spread"
        What the cells say: the deviations, or the medians.
    cluster_names : sequence of str, default=None
        Names of the clusters.

    Attributes
    ----------
    image_ : matplotlib AxesImage
        The coloured cells, features from top to bottom.
    features_ : ndarray of int
        The features shown, those that separate the clusters most first.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    gemclus.tree.Kauri : Rules that tell the clusters apart.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from gemclus.inspection import ClusterProfileDisplay
    >>> from gemclus.tree import Kauri
    >>> X, _ = load_wine(return_X_y=True, as_frame=True)
    >>> scaled = (X - X.mean()) / X.std()
    >>> labels = Kauri(3, random_state=0).fit_predict(scaled)
    >>> display = ClusterProfileDisplay.from_predictions(
    ...     X, labels, units="original", max_features=5
    ... )
    >>> [tick.get_text() for tick in display.ax_.get_yticklabels()][0]
    'flavanoids'
    """

    deviations: Floats
    medians: Floats
    sizes: Integers
    feature_names: Sequence[str]
    units: str
    cluster_names: Names
    image_: AxesImage
    features_: Integers
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self,
        deviations: Floats,
        medians: Floats,
        sizes: Integers,
        feature_names: Sequence[str],
        *,
        units: str = "spread",
        cluster_names: Names = None,
    ) -> None:
        self.deviations = deviations
        self.medians = medians
        self.sizes = sizes
        self.feature_names = feature_names
        self.units = units
        self.cluster_names = cluster_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        units: str = "spread",
        max_features: int | None = 20,
        feature_names: Names = None,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the profiles of the clusters that a model finds in samples.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer that predicts; a pipeline takes the raw data.
        X : array-like or frame of shape (N, D)
            Samples, of numbers; NaN is left out.
        units : {"spread", "original"}, default="spread"
            What the cells say: standard deviations, or medians in the units of `X`.
        max_features : int or None, default=20
            Number of features shown: those that separate the clusters most.
        feature_names : sequence of str, default=None
            Names of the features; those of the frame by default.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ClusterProfileDisplay
            The Display, drawn.
        """
        check_is_fitted(estimator)
        return cls.from_predictions(
            X,
            estimator.predict(X),
            units=units,
            max_features=max_features,
            feature_names=feature_names,
            cluster_names=cluster_names,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        labels: ArrayLike,
        *,
        units: str = "spread",
        max_features: int | None = 20,
        feature_names: Names = None,
        cluster_names: Names = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the profiles of given clusters. O(N D).

        Parameters
        ----------
        X : array-like or frame of shape (N, D)
            Samples, of numbers; NaN is left out.
        labels : array-like of int of shape (N,)
            Their clusters.
        units : {"spread", "original"}, default="spread"
            What the cells say: standard deviations, or medians in the units of `X`.
        max_features : int or None, default=20
            Number of features shown: those that separate the clusters most.
        feature_names : sequence of str, default=None
            Names of the features; those of the frame by default.
        cluster_names : sequence of str, default=None
            Names of the clusters.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ClusterProfileDisplay
            The Display, drawn.

        Raises
        ------
        ValueError
            If the samples are not numbers, or names do not fit.
        """
        names = feature_names
        if names is None and hasattr(X, "columns"):
            names = list(X.columns)
        data = _numbers(X)
        labels = check_labels(labels, len(data))
        D = data.shape[1]
        if names is None:
            names = [f"x{j}" for j in range(D)]
        if isinstance(names, (str, dict)) or len(names) != D:
            raise ValueError(f"feature_names must be {D} names, got {names!r}")
        if max_features is not None:
            check_int("max_features", max_features, 1)
        sizes = np.bincount(labels)
        means = np.full((D, len(sizes)), np.nan)
        medians = means.copy()
        for cluster in np.flatnonzero(sizes):
            members = data[labels == cluster]
            means[:, cluster] = _ignoring_nan(np.nanmean, members)
            medians[:, cluster] = _ignoring_nan(np.nanmedian, members)
        centre, spread = _ignoring_nan(np.nanmean, data), _ignoring_nan(np.nanstd, data)
        constant = ~(spread > 0)
        deviations = (means - centre[:, None]) / np.where(constant, 1.0, spread)[
            :, None
        ]
        display = cls(
            deviations,
            medians,
            sizes,
            [str(name) for name in names],
            units=check_choice("units", units, ["spread", "original"]),
            cluster_names=cluster_names,
        )
        return display.plot(ax=ax, max_features=max_features)

    def plot(self, ax: Axes | None = None, *, max_features: int | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        max_features : int or None, default=None
            Number of features shown; None shows all.

        Returns
        -------
        display : ClusterProfileDisplay
            The Display itself.
        """
        K = self.deviations.shape[1]
        share = self.sizes / self.sizes.sum()
        between = np.nansum(share * np.nan_to_num(self.deviations) ** 2, axis=1)
        self.features_ = np.argsort(-between, kind="stable")[:max_features]
        shown = self.deviations[self.features_]
        n_shown = len(self.features_)
        ax = axes_to_draw_on(ax, figsize=(2.5 + 1.1 * K, 1.2 + 0.32 * n_shown))
        limit = max(float(np.nanmax(np.abs(shown), initial=0.0)), 1e-12)
        # From dark to light, so that the sign of a deviation shows in grey too.
        self.image_ = ax.imshow(
            shown, cmap="cividis", vmin=-limit, vmax=limit, aspect="auto"
        )
        values = shown if self.units == "spread" else self.medians[self.features_]
        for (row, column), value in np.ndenumerate(values):
            if np.isnan(value):
                continue
            ax.text(
                column,
                row,
                f"{value:+.1f}" if self.units == "spread" else _short(float(value)),
                ha="center",
                va="center",
                color="white" if shown[row, column] < 0 else "black",
            )
        names = cluster_names(self.cluster_names, K)
        ax.set_xticks(
            range(K), [f"{n}\n{s}" for n, s in zip(names, self.sizes, strict=True)]
        )
        ax.set_yticks(
            range(n_shown), [plain(self.feature_names[j]) for j in self.features_]
        )
        title = "standard deviations from the mean"
        if self.units == "original":
            title = "medians, coloured by " + title
        ax.set_title(title, fontsize="medium")
        pyplot().colorbar(self.image_, ax=ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _short(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _numbers(X: Any) -> Floats:
    """`X` as floats; the message names the columns that are not."""
    if hasattr(X, "toarray"):
        X = X.toarray()
    try:
        data = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "X must hold numbers; encode columns of text first, for instance with "
            f"sklearn.preprocessing.OneHotEncoder: {error}"
        ) from error
    if data.ndim != 2 or not data.size:
        raise ValueError(f"X must be a table of shape (N, D), got shape {data.shape}")
    return data


def _ignoring_nan(function: Callable[..., Any], data: Floats) -> Floats:
    """`function` of each column; NaN, without a warning, for columns of NaN alone."""
    missing = np.isnan(data).all(axis=0)
    if not missing.any():
        return function(data, axis=0)
    values = np.full(data.shape[1], np.nan)
    if not missing.all():
        values[~missing] = function(data[:, ~missing], axis=0)
    return values
