"""Parts that sparse models share: the proximal step, the selection, the path."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.estimators import SelectorMixin
from gemclus._common.typing import Groups, Integers
from gemclus._common.validation import check_bool, check_float
from gemclus._common.warnings import warn
from gemclus._training.callbacks import with_callbacks
from gemclus.affinity import FittedFeatureMap
from gemclus.optim._registry import Solver, optimiser_class
from gemclus.penalties import GroupLasso, GroupPenalty
from gemclus.sparse._dynamic import DynamicAffinity
from gemclus.sparse._path import PathSettings, SparsePath, follow_path

if TYPE_CHECKING:
    from gemclus._base import DiscriminativeModel

    class _Base(SelectorMixin, DiscriminativeModel):
        W_: Any

else:
    # The model comes after the mixin among the bases.
    _Base = SelectorMixin


class SparseMixin(_Base):
    """Makes a model select features: put it before the model among the bases.

    After each optimiser step the weights take a proximal step of ``alpha``
    times the optimiser's own. Models whose penalty is not the group lasso of
    ``W_`` override the three hooks.
    """

    groups_: list[Integers]
    penalty_: GroupPenalty
    path_: SparsePath
    # Of the models, or the defaults of those that do not take them.
    n_clusters: int
    n_features_in_: int
    solver: Solver
    alpha: float
    groups: Groups
    dynamic: bool

    _takes_proximal_steps = True

    # Hooks

    def _feature_weights(self) -> Any:
        """The weights (D, K) whose zero rows are the features left out."""
        return self.W_

    def _make_penalty(self, n_features: int) -> GroupPenalty:
        """The penalty, made of the constructor's arguments."""
        return GroupLasso(n_features, self.groups)

    def _shrink(self, step: float) -> None:
        """Apply the proximal operator of `step` times the penalty."""
        self.penalty_.prox(self._feature_weights(), step)

    def _proximal_penalty(self) -> float:
        return self.penalty_.value(self._feature_weights())

    def _penalty_weight(self) -> float:
        converges = optimiser_class(self._chosen_solver()).is_full_batch()
        if self.n_clusters == 1 and converges:
            # It is worth the same without any feature: there is nothing to select by.
            return 0.0
        return float(self.alpha)

    # Selection

    def get_selection(self) -> Integers:
        """Features that the model uses.

        Returns
        -------
        selection : ndarray of int
            Indices of the features of which some group has weights, in
            increasing order.
        """
        return np.flatnonzero(self.get_support())

    def _get_support_mask(self) -> Any:
        check_is_fitted(self)
        return self._support()

    def _support(self) -> Any:
        return self.penalty_.support(self._feature_weights())

    # Training

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train the model, with a penalty on its features of weight `alpha`.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples. float32 and float64 are kept.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.
        sample_weight : array-like of shape (N,), default=None
            Weights of the samples: not negative, not all zero. A sample of weight 0
            counts as removed, one of weight 2 as given twice, and a common factor
            changes nothing. None is 1 each.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or a hook
            breaks its contract. The model is then what it was before.
        TrainingInterrupted
            After Ctrl-C, with the model: its weights are those reached by then.

        Warns
        -----
        UserWarning
            If all features are selected, although there is a penalty, or none.
        """
        super().fit(X, y, sample_weight)
        n_features, support = self.n_features_in_, self.get_support()
        if self.alpha == 0 or self.n_clusters == 1:
            return self
        if not support.any():
            warn(
                f"No feature is selected with alpha={self.alpha}, and all samples are "
                "in one cluster: lower alpha, or let path find it."
            )
        elif n_features > 1 and support.all():
            warn(
                f"All {n_features} features are selected with alpha={self.alpha}: "
                "raise alpha, learning_rate or max_iter, or let path find alpha."
            )
        return self

    @with_callbacks
    def path(
        self,
        X: Any,
        y: Any = None,
        alpha_multiplier: float = 1.05,
        min_features: int = 2,
        keep_threshold: float = 0.9,
        restore_best_weights: bool = True,
        early_stopping_factor: float = 0.99,
        max_patience: int = 10,
        sample_weight: Any = None,
    ) -> SparsePath:
        """Train without penalty, then raise it until few features are left.

        From the weights that `fit` finds with ``alpha=0``, training goes on under
        a penalty that grows from one step to the next. The weights kept are the
        last, and so sparsest, ones whose objective reaches `keep_threshold` times
        the best one. These objectives are those of the model and its constraints,
        without the penalty on the features.

        With a full-batch solver, as ``solver="auto"`` is, each step goes on to the
        optimum of its penalty. The best objective is then that of the step at
        which the penalty of the first weights would be 1.5 times what they are
        worth (or .85 times the best of all, if that is more): before that,
        features of noise are cheap, and the objective may be made by them.

        Otherwise, as published, steps of gradient descent with Nesterov momentum
        follow `early_stopping_factor` and `max_patience`, and the best objective is
        that of any step with all features.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.
        alpha_multiplier : float, default=1.05
            Growth of the penalty from a step to the next, more than 1. The
            first one takes `alpha` (1e-2 for a model with ``alpha=0``, of which
            there are no multiples); with a full-batch solver at most a third of
            that at which no features would be as good as all of them, so that
            none is left out before its turn.
        min_features : int, default=2
            The path ends when at most so many features are selected.
        keep_threshold : float, default=0.9
            Share of the best objective that the weights kept must reach, from
            0 to 1.
        restore_best_weights : bool, default=True
            Whether the model ends with the weights kept; with those of the
            last step otherwise.
        early_stopping_factor : float, default=0.99
            Progress is an objective more than ``2 - early_stopping_factor``
            times, or a penalty less than ``early_stopping_factor`` times, what
            it was at the last progress; from 0 to 1. Full-batch solvers have no
            use for it.
        max_patience : int, default=10
            Number of epochs without progress that end a step, likewise. `max_iter`
            epochs end it in any case.
        sample_weight : array-like of shape (N,), default=None
            Weights of the samples, as in `fit`.

        Returns
        -------
        path : SparsePath
            The tuple ``(best_weights, geminis, group_penalties, alphas,
            n_features)``: the weights kept, as copies in the order of the
            model's parameters, and lists with an entry for each step. It is
            also the attribute `path_`. Its `geminis` are those of `score`,
            without penalties and constraints.

        Raises
        ------
        ValueError, TypeError
            If an argument or the data are not what they should be. A training
            that diverges ends the path with a warning.
        TrainingInterrupted
            After Ctrl-C, with the model: its `path_` has the steps that are
            complete, and its weights are those kept by then.

        Warns
        -----
        UserWarning
            If `min_features` leaves nothing to do, or the weights kept still use
            more than half of the features.

        Notes
        -----
        `labels_` are those of the weights that the model ends with; `n_iter_`
        and `objective_curve_` describe the training without penalty. With
        minibatches, objectives are means over one partition into batches.
        """
        settings = PathSettings(
            alpha_multiplier,
            min_features,
            keep_threshold,
            restore_best_weights,
            early_stopping_factor,
            max_patience,
        )
        follow = partial(follow_path, settings=settings)
        self._fit(X, y, sample_weight, alpha=0.0, follow=follow)
        self._warn_of_features_left(min_features)
        return self.path_

    def _warn_of_features_left(self, min_features: int) -> None:
        """Warn of a path that has selected little."""
        n_features, n_kept = self.n_features_in_, self.get_selection().size
        if min_features >= n_features:
            warn(
                f"The path had nothing to do: min_features={min_features} is at least "
                f"the number of features, {n_features}."
            )
        elif n_kept > max(n_features / 2, min_features):
            warn(
                f"The weights kept at the end of the path use {n_kept} of "
                f"{n_features} features: lower keep_threshold for fewer."
            )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_float("alpha", self.alpha, 0.0)
        check_bool("dynamic", self.dynamic)

    def _hooks_of_steps(self) -> list[str]:
        # The override of this class matters to dynamic affinities alone.
        own = None if self.dynamic else SparseMixin._batchify
        return [
            hook
            for hook in super()._hooks_of_steps()
            if getattr(type(self), hook) is not own
        ]

    def _full_batch_solver(self) -> Solver | None:
        return None if self._hooks_of_steps() else "fista"

    def _check_full_batch_applies(self) -> None:
        if not optimiser_class(self._chosen_solver()).is_proximal():
            raise ValueError(
                f"solver={self.solver!r} does not apply to {type(self).__name__}, "
                "whose penalty is not smooth and takes proximal steps: use 'fista', "
                "'adam' or 'sgd'"
            )
        if self.dynamic:
            raise ValueError(
                f"solver={self.solver!r} needs one objective for all of a training, "
                "which dynamic=True changes: use 'adam' or 'sgd'"
            )
        super()._check_full_batch_applies()

    def _begin_fit(self, X: Any) -> None:
        super()._begin_fit(X)
        self.penalty_ = self._make_penalty(X.shape[1])
        self.groups_ = self.penalty_.groups
        # A path of another training does not belong to this one.
        vars(self).pop("path_", None)

    def _make_affinity(self, gemini: Any, X: Any, y: Any) -> Any:
        base = super()._make_affinity
        if not self.dynamic:
            return base(gemini, X, y)
        for argument in ("kernel", "metric"):
            value = getattr(gemini, argument, None)
            if isinstance(value, str) and value == "precomputed":
                raise ValueError(
                    "dynamic=True computes the affinity of the features selected, "
                    f"which {argument}='precomputed' does not allow"
                )
            if isinstance(value, FittedFeatureMap):
                raise ValueError(
                    "dynamic=True computes the affinity of the features selected, "
                    f"which {argument}={value!r} does not allow: it is a map of all of "
                    "them"
                )
        return DynamicAffinity(X, lambda selected: base(gemini, selected, y))

    def _whole_affinity(self, affinity: Any) -> Any:
        if isinstance(affinity, DynamicAffinity):
            return affinity.restricted_to(self._support())
        return affinity

    def _batchify(
        self, X: Any, affinity_matrix: Any = None, random_state: Any = None
    ) -> Any:
        affinity = self._whole_affinity(affinity_matrix)
        return super()._batchify(X, affinity, random_state)
