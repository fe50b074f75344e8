"""A scikit-learn clusterer around any network of torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from gemclus.torch._arguments import (
    check_parameters,
    make_task,
)
from gemclus.torch._house import (
    ArrayLike,
    BaseEstimator,
    CallbackSupportMixin,
    ClusterMixin,
    Floats,
    Integers,
    Monitor,
    Seed,
    TrainingInterrupted,
    VersionedStateMixin,
    callback_context,
    check_seed,
    warn,
    watching,
    with_callbacks,
)
from gemclus.torch._predictions import PredictionMixin
from gemclus.torch._restarts import Interrupted, Run, train_best


class TorchClustering(
    VersionedStateMixin,
    PredictionMixin,
    ClusterMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """A network of torch trained to cluster by maximising a GEMINI.

    Each step minimises, on a batch of samples, the sum over all heads of a
    `GeminiLoss` and the regularisers, by Adam.

    Parameters
    ----------
    module : nn.Module
        The network, which stays as it is: a copy is trained. A trunk, (n, ...) to
        (n, F), gets linear heads; one that ends in `n_clusters` outputs is its own
        head.
    objective : str, GEMINI or GeminiLoss, default="mi"
        What is maximised: a name of `gemclus.gemini.AVAILABLE_GEMINIS`, an instance,
        or a `GeminiLoss`, which has a `balance` too.
    n_clusters : int, default=10
        Number of clusters. Some may stay empty.
    regularisers : sequence, default=()
        Losses beside the objective, each alone or in a pair with its weight:
        ``[(VATLoss(), 10.0), (ConsistencyLoss(augment), 10.0)]``. Any callable
        ``loss(network, X, logits)`` will do; see `VATLoss.forward`.
    init : {"random", "k-means++"} or array-like of shape (N,), default="k-means++"
        Where training starts: the random weights, or those led softly, for two
        epochs (60 steps at least), towards the cells of a k-means++ seeding of each
        head, or towards given labels.
    n_init : int, default=1
        Number of starts, of which the one with the best objective is kept. After a
        quarter and after half of the epochs the worse half ends.
    n_heads : int, default=1
        Number of heads of `n_clusters` outputs that share the trunk. The one with
        the best objective in the last epoch predicts.
    n_auxiliary : int, default=0
        Outputs of one more head, which trains the trunk on a finer clustering and
        does not predict. 0 is no such head.
    batch_size : int, default=250
        Largest number of samples of a training batch, at least 2 (one more where
        a batch of one would be left).
    max_epochs : int, default=100
        Largest number of passes over the data.
    learning_rate : float, default=1e-3
        Largest step of Adam.
    device : str or torch.device, default="auto"
        Where to compute: ``"auto"`` is a GPU if there is one. Batches go there one
        by one.
    tol : float, default=None
        Training ends when the loss has not fallen by more than ``tol`` times its
        magnitude for `n_iter_no_change` epochs. None trains for `max_epochs`.
    verbose : bool, default=False
        Whether to report the loss while training.
    random_state : int, RandomState or None, default=None
        Source of the weights, of the order of the samples and of the random numbers
        of torch that layers and regularisers draw. The result depends on nothing
        else, on a CPU.
    n_iter_no_change : int, default=10
        Number of epochs without improvement that end the training.
    schedule : {"constant", "cosine"}, default="constant"
        The learning rate over the epochs; ``"cosine"`` falls to 0.
    pretrained : bool, default=False
        Whether to start from the weights that `module` has. Otherwise all those that
        require a gradient are drawn anew, by the ``reset_parameters`` of their
        layers.

    Attributes
    ----------
    network_ : nn.Module
        The trunk and all heads.
    head_ : int
        The head that predicts.
    module_ : nn.Module
        The trunk and that head alone: (n, ...) to logits (n, K).
    labels_ : ndarray of shape (N,)
        Cluster of each training sample.
    n_clusters_used_ : int
        Number of clusters that have samples; the same as `n_clusters_`.
    n_iter_ : int
        Number of epochs run.
    history_ : dict of ndarrays of shape (n_epochs,)
        For each epoch the mean over its batches, before the updates, of the
        ``"loss"`` of the head that predicts, and of the ``"objective"``, its part
        without the regularisers.
    objective_curve_ : ndarray of shape (n_epochs,)
        Minus that loss.
    start_losses_ : ndarray of shape (n_init,)
        The last objective of each start, by which they are compared: the loss of
        its best head without the regularisers.
    converged_ : bool
        Whether the rule of `tol` ended the training.
    optimiser_ : torch.optim.Optimizer
        The optimiser, with its state.
    n_features_in_ : int
        Length of the second axis of the samples.
    feature_names_in_ : ndarray of shape (D,)
        Their names, when the data had any.

    Notes
    -----
    Cost of a step: a forward and backward pass of the network, those of the
    regularisers, and the objective, see `GeminiLoss`.

    Samples may have any number of axes. Restarts, heads and the choice between them
    use no labels.

    See Also
    --------
    GeminiLoss : The objective, for a training loop of one's own.
    gemclus.mlp.MLPModel : A network with one hidden layer, without torch.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.
    Ji et al., "Invariant information clustering for unsupervised image
    classification and segmentation", ICCV 2019, for over-clustering heads.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from torch import nn
    >>> from gemclus.torch import TorchClustering
    >>> X, _ = make_blobs(200, centers=3, random_state=0)
    >>> trunk = nn.Sequential(nn.Linear(2, 16), nn.ReLU())
    >>> model = TorchClustering(trunk, n_clusters=3, max_epochs=20, random_state=0)
    >>> model.set_params(learning_rate=1e-2).fit(X).n_clusters_used_
    3
    """

    module: Any
    objective: Any
    n_clusters: int
    regularisers: Sequence[Any]
    init: str | ArrayLike
    n_init: int
    n_heads: int
    n_auxiliary: int
    batch_size: int
    max_epochs: int
    learning_rate: float
    device: Any
    tol: float | None
    verbose: bool
    random_state: Seed
    n_iter_no_change: int
    schedule: str
    pretrained: bool

    network_: nn.Module
    head_: int
    labels_: Integers
    n_clusters_: int
    n_iter_: int
    history_: dict[str, Floats]
    objective_curve_: Floats
    start_losses_: Floats
    converged_: bool
    optimiser_: torch.optim.Optimizer
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        module: Any,
        objective: Any = "mi",
        n_clusters: int = 10,
        *,
        regularisers: Sequence[Any] = (),
        init: str | ArrayLike = "k-means++",
        n_init: int = 1,
        n_heads: int = 1,
        n_auxiliary: int = 0,
        batch_size: int = 250,
        max_epochs: int = 100,
        learning_rate: float = 1e-3,
        device: Any = "auto",
        tol: float | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        n_iter_no_change: int = 10,
        schedule: str = "constant",
        pretrained: bool = False,
    ) -> None:
        self.module = module
        self.objective = objective
        self.n_clusters = n_clusters
        self.regularisers = regularisers
        self.init = init
        self.n_init = n_init
        self.n_heads = n_heads
        self.n_auxiliary = n_auxiliary
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.device = device
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.n_iter_no_change = n_iter_no_change
        self.schedule = schedule
        self.pretrained = pretrained

    # Public methods

    @with_callbacks
    def fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like or tensor of shape (N, ...)
            The samples, which are given the floating-point type of `module`.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.
        sample_weight : array-like of shape (N,), default=None
            Weights of the samples, not negative and not all zero. Those of weight 0
            are left out of the training.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be. The model is
            then as it was.
        TrainingInterrupted
            A KeyboardInterrupt, after Ctrl-C: the model, which is its `model`, keeps
            the best training so far.
        """
        loss, regularisers = check_parameters(self)
        model = copy(self)
        X = model._check_samples(X, reset=True)
        if len(X) < self.n_clusters:
            raise ValueError(
                f"n_samples={len(X)} must be at least n_clusters={self.n_clusters}"
            )
        task = make_task(model, X, y, sample_weight, loss, regularisers)
        random_state = check_seed(self.random_state)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=self.n_init)
        interrupted = False
        with callback_context(self, model, X) as context:
            try:
                best, runs = train_best(
                    task,
                    seeds,
                    lambda run, position: model._watching(run, position, X, context),
                    self.tol,
                    self.n_iter_no_change,
                )
            except Interrupted as error:
                best, runs, interrupted = error.run, [error.run], True
            model._finish(best, runs, X)
            self._take(model)
        if interrupted:
            self._raise_interrupt()
        self._warn_of_the_end(best)
        return self

    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one pass over some samples, from where the model stands.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : object
            The model; `labels_` are those of `X`.

        Raises
        ------
        ValueError, TypeError
            As in `fit`, and if the loss is not finite. The model is then as it was.
        """
        loss, regularisers = check_parameters(self)
        started = hasattr(self, "_run")
        model = copy(self)
        X = model._check_samples(X, reset=not started)
        task = make_task(model, X, y, sample_weight, loss, regularisers)
        task.schedule = "constant"
        if started:
            run = deepcopy(self._run)
            run.training.go_on(task)
            run.ended = False
        else:
            seed = check_seed(self.random_state).randint(np.iinfo(np.int32).max)
            run = Run(task, seed, Monitor(None, 1))
            if len(task.X) >= self.n_clusters:
                run.training.begin()
        try:
            run.until(run.n_epochs + 1)
        except KeyboardInterrupt:
            model._finish(run, [run], X)
            self._take(model)
            self._raise_interrupt()
        if run.error is not None:
            raise ValueError(
                f"partial_fit diverged: {run.error}. The model is as it was before."
            ) from run.error
        model._finish(run, [run], X)
        return self._take(model)

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Integers:
        """Train the network and return the cluster of each sample.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        labels : ndarray of shape (N,)
            `labels_`.
        """
        return self.fit(X, y, sample_weight).labels_

    @property
    def max_iter(self) -> int:
        """`max_epochs`, by the name of the other models."""
        return self.max_epochs

    # One fit

    @contextmanager
    def _watching(self, run, position, X, context):
        """The reporters of one training, which see a model that follows it."""
        training = run.training
        model = copy(self)
        model.network_ = training.network
        model.n_iter_, model.head_ = 0, 0

        def follow(n_epochs, objective):
            model.n_iter_, model.head_ = n_epochs, training.best_head

        task = SimpleNamespace(
            X=X, context=context, n_trainings=self.n_init, position=position
        )
        with watching(model, task, run.reason) as reporters:
            yield [follow, *reporters]

    def _finish(self, run, runs, X):
        """Set what the best training gave."""
        training = run.training
        training.task = None
        self._run = run
        run.monitor.reporters = ()
        self.network_, self.optimiser_ = training.network, training.optimiser
        self.head_ = training.best_head
        self.n_iter_ = run.n_epochs
        curves = {"loss": training.losses, "objective": training.objectives}
        self.history_ = {
            name: np.array([each[self.head_] for each in curve])
            for name, curve in curves.items()
        }
        self.objective_curve_ = -self.history_["loss"]
        self.start_losses_ = np.array([each.training.least for each in runs])
        self.converged_ = run.monitor.converged
        self.labels_ = self._logits(X).argmax(-1).numpy()
        self.n_clusters_ = len(np.unique(self.labels_))

    def _take(self, model):
        """Become `model`, a copy that has been trained, in what it has learned."""
        given = self.get_params(deep=False)
        vars(self).update({k: v for k, v in vars(model).items() if k not in given})
        return self

    def _raise_interrupt(self):
        raise TrainingInterrupted(
            f"training was interrupted after {self.n_iter_} epochs; the model is kept "
            "as it was then",
            self,
        )

    def _warn_of_the_end(self, run):
        """Say what is wrong with the trained model, and what may help."""
        name = type(self).__name__
        ended = self.converged_ or run.monitor.stopped or run.error is not None
        if self.tol is not None and not ended:
            warn(
                f"{name} did not converge in max_epochs={self.max_epochs} epochs: "
                "increase max_epochs or tol.",
                ConvergenceWarning,
            )
        if self.n_clusters_ < self.n_clusters:
            warn(
                f"{name} uses {self.n_clusters_} of its {self.n_clusters} clusters. To "
                "use more, give the proportions more weight (objective=GeminiLoss(..., "
                "balance=3)), start softly (init='k-means++'), try more starts "
                "(n_init), or lower the weights of the regularisers."
            )

    def __getstate__(self) -> dict[str, Any]:
        if "_run" in vars(self):
            # A model trained on a GPU is read where there is none.
            self._run.training.to(torch.device("cpu"))
        return super().__getstate__()
