"""The objective over the epochs of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.typing import Floats
from gemclus.inspection._style import axes_to_draw_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D


class ObjectiveCurveDisplay:
    """Objective of each epoch, of all trainings of a fit.

    Parameters
    ----------
    curves : list of ndarray
        Objective of each epoch, one array for each of the `n_init` trainings.
    kept : int, default=0
        Position of the training that the fit kept.
    gemini : float or None, default=None
        The GEMINI alone that the fit ended with, without penalties.
    name : str or None, default=None
        Name of the model, for the title.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for each training, in their order.
    ax_ : matplotlib Axes
        Axes of the picture.
    figure_ : matplotlib Figure
        Figure of the picture.

    See Also
    --------
    PathDisplay : The path of a sparse model.
    gemclus.DiscriminativeModel : `objective_curves_` of a fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.inspection import ObjectiveCurveDisplay
    >>> from gemclus.linear import RIM
    >>> X = load_iris().data
    >>> model = RIM(3, reg=0.01, solver="lbfgs", n_init=3, random_state=0).fit(X)
    >>> display = ObjectiveCurveDisplay.from_estimator(model)
    >>> len(display.lines_)
    3
    """

    curves: Sequence[Floats]
    kept: int
    gemini: float | None
    name: str | None
    lines_: list[Line2D]
    ax_: Axes
    figure_: Figure | SubFigure

    def __init__(
        self,
        curves: Sequence[Floats],
        *,
        kept: int = 0,
        gemini: float | None = None,
        name: str | None = None,
    ) -> None:
        self.curves = curves
        self.kept = kept
        self.gemini = gemini
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any = None, y: Any = None, *, ax: Axes | None = None
    ) -> Self:
        """Draw the trainings of a fitted model.

        Parameters
        ----------
        estimator : DiscriminativeModel
            A fitted model.
        X : array-like of shape (N, D), default=None
            Samples, usually those of the fit. If given, the GEMINI alone, which
            is what `score` returns, is drawn as a level beside the curves: they
            hold the penalties as well.
        y : array-like of shape (N, N), default=None
            Kernel or distances of the samples, if the objective is precomputed.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ObjectiveCurveDisplay
            The Display, drawn.

        Raises
        ------
        TypeError
            If the model has no `objective_curve_`, as Kauri.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "objective_curve_"):
            raise TypeError(
                "estimator must be trained by epochs (have objective_curve_), got "
                f"{type(estimator).__name__}"
            )
        kept = estimator.objective_curve_
        curves = list(getattr(estimator, "objective_curves_", [kept]))
        position = next(
            (i for i, curve in enumerate(curves) if np.array_equal(curve, kept)), 0
        )
        gemini = None if X is None else estimator.score(X, y)
        name = type(estimator).__name__
        return cls(curves, kept=position, gemini=gemini, name=name).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : ObjectiveCurveDisplay
            The Display itself.
        """
        ax = axes_to_draw_on(ax, figsize=(6.0, 4.0))
        self.lines_ = []
        for position, curve in enumerate(self.curves):
            is_kept = position == self.kept
            several = len(self.curves) > 1
            (line,) = ax.plot(
                np.arange(1, len(curve) + 1),
                curve,
                color="black" if is_kept else "0.7",
                linewidth=2.0 if is_kept else 1.0,
                zorder=3 if is_kept else 2,
                marker="o" if len(curve) == 1 else None,
                label=("training kept" if several else "objective")
                if is_kept
                else None,
            )
            self.lines_.append(line)
        if len(self.curves) > 1:
            other = next(i for i in range(len(self.curves)) if i != self.kept)
            self.lines_[other].set_label("other trainings")
        if self.gemini is not None:
            ax.axhline(
                self.gemini,
                color="tab:orange",
                linestyle="--",
                label=f"GEMINI alone: {self.gemini:.4g}",
            )
        ax.set(xlabel="epoch", ylabel="objective", title=self.name or "")
        ax.legend(loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self
