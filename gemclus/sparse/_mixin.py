"""What sparse models share: the proximal step, the selection, the path."""

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from gemclus._common.validation import check_bool, check_float
from gemclus._training import contracts
from gemclus.gemini._base import training_evaluator
from gemclus.optim import SGD
from gemclus.penalties import GroupLasso
from gemclus.sparse._dynamic import DynamicAffinity
from gemclus.sparse._path import PathSettings, PathTrainer, SparsePath, copies, run_path


class SparseMixin(SelectorMixin):
    """Makes a model select features: put it before the model among the bases.

    After each optimiser step the weights take a proximal step of ``alpha``
    times the optimiser's own. Models whose penalty is not the group lasso of
    ``W_`` override the three hooks.
    """

    # Hooks

    def _feature_weights(self):
        """The weights (D, K) whose zero rows are the features left out."""
        return self.W_

    def _make_penalty(self, n_features):
        """The penalty, made of the constructor's arguments."""
        return GroupLasso(n_features, self.groups)

    def _shrink(self, step):
        """Apply the proximal operator of `step` times the penalty."""
        self.penalty_.prox(self._feature_weights(), step)

    # Selection

    def get_selection(self):
        """Features that the model uses.

        Returns
        -------
        selection : ndarray of int
            Indices of the features of which some group has weights, in
            increasing order.
        """
        return np.flatnonzero(self.get_support())

    def _get_support_mask(self):
        check_is_fitted(self)
        return self._support()

    def _support(self):
        return self.penalty_.support(self._feature_weights())

    # Training

    def score(self, X, y=None):
        """The objective on some samples, without the penalty.

        With ``dynamic=True`` its affinity is that of the features selected.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples.
        y : array-like of shape (n, n), default=None
            Their kernel or distances, if the objective needs them precomputed.

        Returns
        -------
        value : float
            The GEMINI; larger is better.
        """
        if not self.dynamic:
            return super().score(X, y)
        check_is_fitted(self)
        X = self._check_samples(X, reset=False)
        gemini, affinity = self._training_affinity(X, y)
        affinity = affinity.restricted_to(self._support())
        return float(training_evaluator(gemini)(self._predictions(X), affinity))

    def path(
        self,
        X,
        y=None,
        alpha_multiplier=1.05,
        min_features=2,
        keep_threshold=0.9,
        restore_best_weights=True,
        early_stopping_factor=0.99,
        max_patience=10,
    ):
        """Train without penalty, then raise it until few features are left.

        From the weights that `fit` finds with ``alpha=0``, steps of gradient
        descent with Nesterov momentum go on under a penalty that grows from
        one step to the next. The weights kept are the last, and so sparsest,
        ones whose objective reaches `keep_threshold` times the best one with
        all features.

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
            there are no multiples).
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
            it was at the last progress; from 0 to 1.
        max_patience : int, default=10
            Number of epochs without progress that end a step. `max_iter` epochs
            end it in any case.

        Returns
        -------
        path : SparsePath
            The tuple ``(best_weights, geminis, group_penalties, alphas,
            n_features)``: the weights kept, as copies in the order of the
            model's parameters, and lists with an entry for each step. It is
            also the attribute `path_`.

        Raises
        ------
        ValueError, TypeError
            If an argument or the data are not what they should be. A training
            that diverges, or Ctrl-C, ends the path with a warning.

        Notes
        -----
        `labels_` are those of the weights that the model ends with; `n_iter_`
        and `objective_curve_` describe the training without penalty. With
        minibatches, objectives are means over one partition into batches.
        """
        self._path_settings = PathSettings(
            alpha_multiplier,
            min_features,
            keep_threshold,
            restore_best_weights,
            early_stopping_factor,
            max_patience,
        )
        try:
            self.fit(X, y)
        finally:
            del self._path_settings
        if not hasattr(self, "path_"):  # interrupted before its first step
            self.path_ = SparsePath(copies(self), [], [], [], [])
        return self.path_

    def _extend_fit(self, X, gemini, affinity):
        """The path itself, once the training without penalty has ended."""
        settings = vars(self).get("_path_settings")
        if settings is None:
            return
        self.optimiser_ = SGD(self.learning_rate)
        evaluate = training_evaluator(gemini)
        random_state = check_random_state(self.random_state)
        trainer = PathTrainer(self, X, affinity, evaluate, random_state)
        self.path_ = run_path(self, trainer, settings)

    def _check_parameters(self):
        super()._check_parameters()
        check_float("alpha", self.alpha, 0.0)
        check_bool("dynamic", self.dynamic)

    def _check_lbfgs_applies(self):
        raise ValueError(
            f"solver='lbfgs' does not apply to {type(self).__name__}, whose penalty is "
            "not smooth and takes proximal steps: use 'adam' or 'sgd'"
        )

    def _begin_fit(self, X):
        super()._begin_fit(X)
        self.penalty_ = self._make_penalty(X.shape[1])
        self.groups_ = self.penalty_.groups
        # A path of another training does not belong to this one.
        vars(self).pop("path_", None)

    def _update_weights(self, weights, gradients):
        super()._update_weights(weights, gradients)
        # The path goes through other values than the constructor's.
        settings = vars(self).get("_path_settings")
        alpha = self.alpha if settings is None else settings.alpha
        self._shrink(alpha * self.optimiser_.step_size)

    def _group_penalty(self):
        return self.penalty_.value(self._feature_weights())

    def _training_affinity(self, X, y):
        base = super()._training_affinity
        if not self.dynamic:
            return base(X, y)
        gemini = contracts.check_gemini(self.get_gemini())
        for argument in ("kernel", "metric"):
            value = getattr(gemini, argument, None)
            if isinstance(value, str) and value == "precomputed":
                raise ValueError(
                    "dynamic=True computes the affinity of the features selected, "
                    f"which {argument}='precomputed' does not allow"
                )
        return gemini, DynamicAffinity(X, lambda selected: base(selected, y)[1])

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        if isinstance(affinity_matrix, DynamicAffinity):
            affinity_matrix = affinity_matrix.restricted_to(self._support())
        return super()._batchify(X, affinity_matrix, random_state)
