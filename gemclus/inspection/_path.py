"""The path of a sparse model: which features stay as the penalty grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import ArrayLike, Floats, Integers, Names
from gemclus.inspection._style import axes_to_draw_on, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D


class PathDisplay:
    """Norm of each feature along a path, and what the objective loses.

    Parameters
    ----------
    alphas : array-like of shape (n_steps,)
        Weight of the penalty at each step; those of 0 are not drawn.
    norms : array-like of shape (n_steps, D)
        Norm of the weights of each feature.
    geminis : array-like of shape (n_steps,)
        Objective at the end of each step, without the penalty.
    n_features : array-like of shape (n_steps,)
        Number of features selected.
    kept : int or None
        The step whose weights were kept; None if no step was good enough.
    feature_names : sequence of str
        Names of the features.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for each feature; those kept are coloured.
    survivors_ : ndarray of int
        The features selected at the step kept, from the largest norm to the smallest.
    axes_ : list of matplotlib Axes
        The axes of the norms, and below them those of the objective and of the
        number of features.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    gemclus.sparse.SparseLinearModel.path : What it draws.
    gemclus.selection.StabilitySelection : Selection over many halves of the data.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.inspection import PathDisplay
    >>> from gemclus.sparse import SparseLinearMMD
    >>> X, _ = celeux_one(n=100, p=5, random_state=0)
    >>> model = SparseLinearMMD(3, alpha=0.1, ovo=True, random_state=0)
    >>> _ = model.path(X, alpha_multiplier=1.5)
    >>> display = PathDisplay.from_estimator(model)
    >>> len(display.lines_)
    10
    """

    alphas: ArrayLike
    norms: ArrayLike
    geminis: ArrayLike
    n_features: ArrayLike
    kept: int | None
    feature_names: Sequence[str]
    lines_: list[Line2D]
    survivors_: Integers
    axes_: list[Axes]
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self,
        alphas: ArrayLike,
        norms: ArrayLike,
        geminis: ArrayLike,
        n_features: ArrayLike,
        *,
        kept: int | None,
        feature_names: Sequence[str],
    ) -> None:
        self.alphas = alphas
        self.norms = norms
        self.geminis = geminis
        self.n_features = n_features
        self.kept = kept
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, feature_names: Names = None, ax: Axes | None = None
    ) -> Self:
        """Draw the path that a sparse model went.

        Parameters
        ----------
        estimator : sparse model
            A model whose `path` was called.
        feature_names : sequence of str, default=None
            Names of the features; those seen in the fit by default.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : PathDisplay
            The Display, drawn.

        Raises
        ------
        ValueError
            If `path` was not called.
        """
        check_is_fitted(estimator)
        path = getattr(estimator, "path_", None)
        if path is None:
            raise ValueError(
                "estimator must have a path_: call path of this "
                f"{type(estimator).__name__} first"
            )
        D = estimator.n_features_in_
        if feature_names is None:
            feature_names = getattr(
                estimator, "feature_names_in_", [f"x{j}" for j in range(D)]
            )
        if len(feature_names) != D:
            raise ValueError(
                f"feature_names must be {D} names, got {len(feature_names)}"
            )
        display = cls(
            path.alphas,
            path.feature_norms,
            path.geminis,
            path.n_features,
            kept=path.kept_step,
            feature_names=list(feature_names),
        )
        return display.plot(ax=ax)

    def plot(self, ax: Axes | None = None, *, max_names: int = 10) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on, whose lower part shows the objective; None makes a
            figure.
        max_names : int, default=10
            Largest number of survivors that the legend names.

        Returns
        -------
        display : PathDisplay
            The Display itself.
        """
        from mpl_toolkits.axes_grid1 import make_axes_locatable

        alphas, norms = np.asarray(self.alphas), np.asarray(self.norms)
        drawn = alphas > 0
        ax = axes_to_draw_on(ax, figsize=(7.0, 5.5))
        kept = np.zeros(norms.shape[1]) if self.kept is None else norms[self.kept]
        self.survivors_ = np.flatnonzero(kept > 0)
        self.survivors_ = self.survivors_[np.argsort(-kept[self.survivors_])]
        self.lines_ = self._draw_norms(ax, alphas[drawn], norms[drawn], max_names)
        below = make_axes_locatable(ax).append_axes(
            "bottom", "45%", pad=0.15, sharex=ax
        )
        count = below.twinx()
        (objective,) = below.plot(
            alphas[drawn], np.asarray(self.geminis)[drawn], color="black"
        )
        (features,) = count.step(
            alphas[drawn],
            np.asarray(self.n_features)[drawn],
            where="post",
            color="tab:orange",
            linestyle="--",
        )
        below.legend([objective, features], ["GEMINI", "features"], loc="lower left")
        below.set(xlabel="alpha", ylabel="GEMINI")
        count.set(ylabel="features", ylim=(0, None))
        for axis in (ax, below) if self.kept is not None else ():
            axis.axvline(float(alphas[self.kept]), color="0.4", linestyle=":", zorder=1)
        ax.tick_params(labelbottom=False)
        self.axes_ = [ax, below, count]
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_norms(
        self, ax: Axes, alphas: Floats, norms: Floats, max_names: int
    ) -> list[Line2D]:
        """A line for each feature: grey, or coloured and named if it survives."""
        lines, labelled = [], []
        named = {feature: i for i, feature in enumerate(self.survivors_)}
        styles = ["-", "--", "-.", ":"]
        for feature in range(norms.shape[1]):
            position = named.get(feature)
            style: dict[str, Any] = {"color": "0.8", "linewidth": 0.8, "zorder": 2}
            if position is not None:
                style = {
                    "color": f"C{position % 10}",
                    "linestyle": styles[position // 10 % 4],
                    "zorder": 3,
                }
            (line,) = ax.plot(alphas, norms[:, feature], **style)
            if position is not None and position < max_names:
                line.set_label(plain(self.feature_names[feature]))
                labelled.append(line)
            lines.append(line)
        ax.set(xscale="log", ylabel="norm of the weights", ylim=(0, None))
        title = f"{len(self.survivors_)} of {norms.shape[1]} kept"
        ax.legend(handles=labelled, title=title, loc="upper right", fontsize="small")
        return lines
