"""The criteria by which a number of clusters was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import ArrayLike
from gemclus.inspection._style import axes_to_draw_on, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

_MARKERS = ["o", "s", "^", "D", "v", "P"]


class KSelectionDisplay:
    """Rank that each criterion gives to each number of clusters, and the choice.

    Criteria have scales of their own, so what is drawn, and what decides, are their
    ranks: 1 is the best.

    Parameters
    ----------
    n_clusters : array-like of int of shape (n_candidates,)
        The candidates.
    ranks : dict of array-like of shape (n_candidates,)
        Ranks by the name of their criterion.
    mean_rank : array-like of shape (n_candidates,)
        What decides: the mean of the ranks.
    chosen : int
        The candidate that was chosen.

    Attributes
    ----------
    lines_ : dict of matplotlib Line2D
        By the name of the criterion; ``"mean_rank"`` as well.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    gemclus.selection.KSelector : What it draws.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from gemclus.inspection import KSelectionDisplay
    >>> from gemclus.selection import KSelector
    >>> X, _ = make_blobs(90, centers=3, cluster_std=0.5, random_state=0)
    >>> selector = KSelector(KMeans(n_init=1), range(2, 6), random_state=0).fit(X)
    >>> display = KSelectionDisplay.from_estimator(selector)
    >>> display.chosen
    3
    """

    n_clusters: ArrayLike
    ranks: Mapping[str, ArrayLike]
    mean_rank: ArrayLike
    chosen: int
    lines_: dict[str, Line2D]
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self,
        n_clusters: ArrayLike,
        ranks: Mapping[str, ArrayLike],
        mean_rank: ArrayLike,
        *,
        chosen: int,
    ) -> None:
        self.n_clusters = n_clusters
        self.ranks = ranks
        self.mean_rank = mean_rank
        self.chosen = chosen

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw what a fitted `KSelector` has compared.

        Parameters
        ----------
        estimator : KSelector
            A fitted selector.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : KSelectionDisplay
            The Display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no table of candidates.
        """
        check_is_fitted(estimator)
        table = getattr(estimator, "scores_", None)
        if not isinstance(table, dict) or "mean_rank" not in table:
            raise TypeError(
                f"estimator must be a KSelector, got {type(estimator).__name__}"
            )
        prefix = "rank_"
        ranks = {
            name.removeprefix(prefix): column
            for name, column in table.items()
            if name.startswith(prefix)
        }
        chosen = int(table["n_clusters"][estimator.best_index_])
        display = cls(table["n_clusters"], ranks, table["mean_rank"], chosen=chosen)
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : KSelectionDisplay
            The Display itself.
        """
        ax = axes_to_draw_on(ax, figsize=(6.0, 4.0))
        colours = pyplot().get_cmap("viridis")(
            np.linspace(0.1, 0.85, max(len(self.ranks), 2))
        )
        self.lines_ = {}
        for position, (name, ranks) in enumerate(self.ranks.items()):
            (self.lines_[name],) = ax.plot(
                self.n_clusters,
                ranks,
                color=colours[position],
                marker=_MARKERS[position % len(_MARKERS)],
                linewidth=1.0,
                label=name.replace("_", " "),
            )
        (self.lines_["mean_rank"],) = ax.plot(
            self.n_clusters,
            self.mean_rank,
            color="black",
            linewidth=2.5,
            linestyle="--",
            label="mean rank",
        )
        ax.axvline(self.chosen, color="0.4", linestyle=":", zorder=1)
        ax.set(
            xlabel="number of clusters",
            ylabel="rank (1 is the best)",
            title=f"chosen: {self.chosen}",
        )
        ax.set_xticks(np.asarray(self.n_clusters))
        ax.invert_yaxis()
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
