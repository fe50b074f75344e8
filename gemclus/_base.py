"""The hook protocol of discriminative models, and the only training loop."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gemclus import _contracts
from gemclus._validation import check_choice, check_float, check_int
from gemclus.affinity import Affinity, MatrixAffinity
from gemclus.gemini._base import training_affinity, training_evaluator
from gemclus.gemini._registry import make_gemini
from gemclus.optim import OPTIMISERS, make_optimiser

_SCALE_REMEDY = (
    "Standardise the features (for instance with "
    "sklearn.preprocessing.StandardScaler) or lower learning_rate."
)


class DiscriminativeModel(ClusterMixin, BaseEstimator):
    """Base class of clusterings ``p(y | x)`` trained by maximising a GEMINI.

    Derive from it to train a model of one's own: define `_init_params`,
    `_get_weights`, `_infer` and `_compute_grads`. Everything else (training,
    prediction, scores) is inherited.

    Parameters
    ----------
    n_clusters : int, default=3
        Number of clusters, at most the number of samples. Some may stay empty.
    gemini : str, GEMINI instance or None, default="mmd_ova"
        The objective: a name of `gemclus.gemini.AVAILABLE_GEMINIS`, an
        instance, or None for ``"mmd_ova"``.
    max_iter : int, default=1000
        Number of epochs: passes over the data.
    learning_rate : float, default=1e-3
        Step of the optimiser.
    solver : {"adam", "sgd"}, default="adam"
        The optimiser.
    batch_size : int, default=None
        Number of samples of a training batch; None takes all of them, in their
        order.
    verbose : bool, default=False
        Whether to report the objective while training.
    random_state : int, RandomState or None, default=None
        Source of the initial parameters and of the order of the batches.

    Attributes
    ----------
    labels_ : ndarray of shape (N,)
        Cluster of each training sample.
    n_iter_ : int
        Number of epochs run.
    optimiser_ : object
        The optimiser, with `learning_rate` and `update_params`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when the data had any.

    Notes
    -----
    The hooks, in the order of a training step:

    ``_init_params(random_state, X=None)``
        Create the parameters. Called once, before training.
    ``get_gemini()``
        Return the objective.
    ``_batchify(X, affinity_matrix=None, random_state=None)``
        Yield the pairs ``(X_batch, affinity_batch)`` of an epoch. The affinity
        is None or supports ``A[idx][:, idx]``, ``A[np.ix_(idx, idx)]``,
        ``A.shape`` and ``np.asarray(A)``.
    ``_infer(X, retain=True)``
        Return probabilities of shape (n, K), rows summing to 1. With `retain`
        it may keep what `_compute_grads` needs.
    ``_compute_grads(X, y_pred, gradient)``
        Given the derivative of the objective with respect to ``y_pred``,
        return the gradients of **minus** the objective, one for each entry of
        `_get_weights`.
    ``_get_weights()``
        Return the list of parameter arrays, which are updated in place.
    ``_update_weights(weights, gradients)``
        Take one optimiser step.

    A hook that breaks its contract raises an error that names it.
    """

    def __init__(
        self,
        n_clusters=3,
        gemini="mmd_ova",
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.gemini = gemini
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.solver = solver
        self.batch_size = batch_size
        self.verbose = verbose
        self.random_state = random_state

    # Hooks

    def _init_params(self, random_state, X=None):
        raise NotImplementedError(f"{type(self).__name__} must define _init_params")

    def _get_weights(self):
        raise NotImplementedError(f"{type(self).__name__} must define _get_weights")

    def _infer(self, X, retain=True):
        raise NotImplementedError(f"{type(self).__name__} must define _infer")

    def _compute_grads(self, X, y_pred, gradient):
        raise NotImplementedError(f"{type(self).__name__} must define _compute_grads")

    def get_gemini(self):
        """Return the objective that `fit` maximises.

        Returns
        -------
        gemini : GEMINI
            The instance given as `gemini`, or a new one for its name.
        """
        return make_gemini(self.gemini)

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        n_samples = X.shape[0]
        if self.batch_size is None or self.batch_size >= n_samples:
            # The order of the samples is kept: nothing depends on it, and
            # solvers may start from where the last epoch left them.
            yield X, affinity_matrix
            return
        order = check_random_state(random_state).permutation(n_samples)
        for start in range(0, n_samples, self.batch_size):
            batch = order[start : start + self.batch_size]
            affinity = None if affinity_matrix is None else affinity_matrix.take(batch)
            yield X[batch], affinity

    def _update_weights(self, weights, gradients):
        self.optimiser_.update_params(weights, gradients)

    # Public methods

    def fit(self, X, y=None):
        """Train the model.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples. float32 and float64 are kept.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or a hook
            breaks its contract.
        """
        self._check_parameters()
        X = self._check_samples(X, reset=True)
        if X.shape[0] < self.n_clusters:
            raise ValueError(
                f"n_samples={X.shape[0]} must be at least n_clusters={self.n_clusters}"
            )
        random_state = check_random_state(self.random_state)
        gemini = _contracts.check_gemini(self.get_gemini())
        affinity = self._training_affinity(gemini, X, y)
        self._init_params(random_state, X)
        self.optimiser_ = make_optimiser(self.solver, self.learning_rate)
        self._train(X, affinity, training_evaluator(gemini), random_state)
        self.labels_ = self._predictions(X).argmax(axis=1)
        return self

    def fit_predict(self, X, y=None):
        """Train the model and return the cluster of each sample.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        labels : ndarray of shape (N,)
            `labels_`.
        """
        return self.fit(X, y).labels_

    def predict_proba(self, X):
        """Probability of each cluster.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        y_pred : ndarray of shape (n, K)
            ``p(y | x)``, rows summing to 1.
        """
        check_is_fitted(self)
        return self._predictions(self._check_samples(X, reset=False))

    def predict(self, X):
        """Most probable cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of shape (n,)
            Clusters, from 0 to K - 1.
        """
        return self.predict_proba(X).argmax(axis=1)

    def score(self, X, y=None):
        """The objective on some samples.

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
        check_is_fitted(self)
        X = self._check_samples(X, reset=False)
        gemini = _contracts.check_gemini(self.get_gemini())
        affinity = training_affinity(gemini, X, y)
        return float(training_evaluator(gemini)(self._predictions(X), affinity))

    # The training loop

    def _train(self, X, affinity, evaluate, random_state):
        """Run the epochs; the weights are left at the last usable ones."""
        backup = None
        self.n_iter_ = 0
        try:
            for _ in range(self.max_iter):
                for batch in self._batchify(X, affinity, random_state):
                    backup = self._train_batch(*_contracts.check_batch(batch), evaluate, backup)
                self.n_iter_ += 1
        except _Diverged as error:
            self._stop_at(backup, error)
        except KeyboardInterrupt:
            if backup is None:
                raise
            warnings.warn(
                f"Training was interrupted after {self.n_iter_} epochs; the model is "
                "kept as it was.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _train_batch(self, X, affinity, evaluate, backup):
        """One step: forward, objective, backward, update."""
        weights = _contracts.check_weights(self._get_weights())
        try:
            y_pred = _contracts.check_inferred(
                self._infer(X, retain=True), X.shape[0], self.n_clusters
            )
        except _contracts.ContractError as error:
            if backup is None:
                raise
            raise _Diverged(str(error)) from error
        value, gradient = evaluate(y_pred, affinity, return_grad=True)
        gradients = self._compute_grads(X, y_pred, gradient)
        _contracts.check_gradients(gradients, weights)
        if not np.isfinite(value):
            raise _Diverged(f"the objective is {value}")
        for gradient in gradients:
            if not np.isfinite(gradient.sum()):
                raise _Diverged("a gradient is not finite")
        backup = [weight.copy() for weight in weights]
        self._update_weights(weights, gradients)
        return backup

    def _stop_at(self, backup, error):
        """End a training that diverged: at the last usable weights, if any."""
        message = f"Training diverged after {self.n_iter_} epochs: {error}."
        if backup is None:
            raise ValueError(f"{message} {_SCALE_REMEDY}")
        for weight, kept in zip(self._get_weights(), backup, strict=True):
            weight[...] = kept
        warnings.warn(
            f"{message} The last usable weights are kept. {_SCALE_REMEDY}",
            ConvergenceWarning,
            stacklevel=4,
        )

    # Checks

    def _check_parameters(self):
        """Refuse constructor arguments of the wrong type or range."""
        check_int("n_clusters", self.n_clusters, 1)
        check_int("max_iter", self.max_iter, 1)
        check_float("learning_rate", self.learning_rate, 0.0, strict=True)
        check_choice("solver", self.solver, OPTIMISERS)
        if self.batch_size is not None:
            check_int("batch_size", self.batch_size, 1)

    def _check_samples(self, X, reset):
        """`X` as an array of floats, checked against the fit unless `reset`."""
        return validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
        )

    def _training_affinity(self, gemini, X, y):
        """The affinity that `_batchify` receives: an affinity object or None."""
        minibatch = self.batch_size is not None and self.batch_size < X.shape[0]
        affinity = training_affinity(gemini, X, y, minibatch)
        if affinity is None or isinstance(affinity, Affinity):
            return affinity
        return MatrixAffinity(np.asarray(affinity))

    def _predictions(self, X):
        """`_infer` without keeping anything, checked."""
        y_pred = self._infer(X, retain=False)
        return _contracts.check_inferred(y_pred, X.shape[0], self.n_clusters)


class _Diverged(ArithmeticError):
    """A number of the training step is not finite."""
