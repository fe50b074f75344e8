"""The hook protocol of discriminative models, and the only training loop."""

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gemclus import _contracts
from gemclus._docstrings import fill_docstring
from gemclus._training import Trainer
from gemclus._validation import check_choice, check_float, check_int
from gemclus.affinity import Affinity, MatrixAffinity
from gemclus.gemini._base import training_affinity, training_evaluator
from gemclus.gemini._registry import make_gemini
from gemclus.optim import OPTIMISERS, make_optimiser


@fill_docstring
class DiscriminativeModel(ClusterMixin, BaseEstimator):
    """Base class of clusterings ``p(y | x)`` trained by maximising a GEMINI.

    Derive from it to train a model of one's own: define `_init_params`,
    `_get_weights`, `_infer` and `_compute_grads`. Everything else (training,
    prediction, scores) is inherited.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(training)s

    Attributes
    ----------
    %(fitted)s

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
        *,
        tol=None,
        n_iter_no_change=10,
        n_init=1,
        init="random",
        warm_start=False,
        callbacks=None,
        n_jobs=None,
    ):
        self.n_clusters = n_clusters
        self.gemini = gemini
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.solver = solver
        self.batch_size = batch_size
        self.verbose = verbose
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.init = init
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.n_jobs = n_jobs

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

    def _penalty(self, X):
        """Smooth penalty on the weights, whose gradient `_compute_grads` adds."""
        return 0.0

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
        trainer = self._make_trainer(X, y, random_state)
        self._init_params(random_state, X)
        self.optimiser_ = make_optimiser(self.solver, self.learning_rate)
        curve = []
        self.n_iter_ = trainer.run(self.max_iter, lambda n, value: curve.append(value))
        self.objective_curve_ = np.array(curve)
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

    def _make_trainer(self, X, y, random_state):
        """The training loop on validated samples, with its affinity and objective."""
        gemini = _contracts.check_gemini(self.get_gemini())
        minibatch = self.batch_size is not None and self.batch_size < X.shape[0]
        affinity = training_affinity(gemini, X, y, minibatch)
        if affinity is not None and not isinstance(affinity, Affinity):
            affinity = MatrixAffinity(np.asarray(affinity))
        evaluate = training_evaluator(gemini)
        return Trainer(self, X, affinity, evaluate, random_state)

    def _predictions(self, X):
        """`_infer` without keeping anything, checked."""
        y_pred = self._infer(X, retain=False)
        return _contracts.check_inferred(y_pred, X.shape[0], self.n_clusters)

