"""Texts of parameters and attributes that many models share, written once."""

from textwrap import indent

_FRAGMENTS = {
    "base": """\
n_clusters : int, default=3
    Number of clusters, at most the number of samples. Some may stay empty.
max_iter : int, default={max_iter}
    Largest number of epochs: passes over the data.
learning_rate : float, default={learning_rate}
    Step of the optimiser.
solver : {{"auto", "adam", "fista", "lbfgs", "sgd"}} or Optimiser, default="{solver}"
    ``"adam"`` and ``"sgd"`` (Nesterov momentum 0.9) take steps of
    `learning_rate`; ``"lbfgs"`` is a full-batch quasi-Newton method without
    one, which runs to convergence in some tens of iterations; ``"fista"``, a
    proximal gradient method, does so with the penalties of sparse models.
    ``"auto"`` is ``"lbfgs"`` where that applies, ``"fista"`` for sparse models,
    and ``"adam"`` with batches, with ``dynamic=True`` and in `partial_fit`.
    Others are classes, made with `learning_rate`, or instances, cloned for each
    training with a learning rate of their own: see `gemclus.optim.Optimiser`.
    The published runs are those of ``solver="adam", init="random"``.""",
    "batch_size": """\
batch_size : int, default=None
    Number of samples of a training batch; None takes all of them, in their
    order.""",
    "end": """\
verbose : bool, default=False
    Whether to report the objective while training: to the logger ``gemclus``
    where it is set up, else to the standard error stream.
random_state : int, RandomState or None, default=None
    Source of the initial parameters and of the order of the batches.""",
    "gemini": """\
gemini : str, GEMINI instance or None, default="{gemini}"
    The objective: a name of `gemclus.gemini.AVAILABLE_GEMINIS`, an instance,
    or None for ``"mmd_ova"``.""",
    "mmd": """\
kernel : str, callable or transformer, default="linear"
    A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``
    (the matrix, which may be sparse, is the ``y`` of `fit`), a callable
    ``k(X)`` that returns an (N, N) array, or a feature map: a scikit-learn
    transformer ``phi``, for the kernel ``phi(X) phi(X)'``.
ovo : bool, default=False
    One-vs-one objective instead of one-vs-all.
kernel_params : dict, default=None
    Arguments of the named kernel or the callable.""",
    "wasserstein": """\
metric : str or callable, default="euclidean"
    A name of `sklearn.metrics.pairwise.distance_metrics`, ``"precomputed"``
    (the matrix is the ``y`` of `fit`), a callable ``d(X)`` that returns an
    (N, N) array, or ``"geodesic"``: shortest paths between neighbours
    (`gemclus.affinity.geodesic_distances`), for clusters of any shape. `score`
    on other samples builds a graph of these alone.
ovo : bool, default=False
    One-vs-one objective instead of one-vs-all.
metric_params : dict, default=None
    Arguments of the named metric or the callable: for ``"geodesic"`` the number
    of neighbours, ``{{"n_neighbors": 10}}``.""",
    "hidden": """\
n_hidden_dim : int, default=20
    Number of hidden units.""",
    "hierarchy": """\
M : float, default=10
    Bound on the weights of the hidden layer in multiples of the skip weights;
    0 leaves a linear model.""",
    "sparse": """\
groups : sequence of sequences of int, default=None
    Features that are selected together, as lists, tuples or arrays of their
    indices; those not named stand alone.
alpha : float, default=1e-2
    Weight of the penalty, at least 0. With a full-batch solver and a single
    cluster, of which no feature tells anything, `fit` takes 0.""",
    "dynamic": """\
dynamic : bool, default=False
    Whether the affinity of the objective is computed anew, whenever the
    selection changes, on the features still selected.""",
    "sparse_fitted": """\
groups_ : list of ndarray
    All groups, those of a single feature included.
penalty_ : GroupPenalty
    The penalty, with its `value` and its proximal operator `prox`.
path_ : SparsePath
    What `path` returned, if it was called.""",
    "training": """\
tol : float, default=None
    Training ends when what it maximises, `objective_curve_`, has not improved
    by more than ``tol`` times its magnitude for `n_iter_no_change` epochs. None
    runs `max_iter` epochs with a solver that takes steps; it stands for 1e-5 with
    full-batch ones (1e-4 for sparse networks) and, with ``solver="auto"`` where
    that takes steps, for 1e-4 in ten times `n_iter_no_change` epochs. A training
    that a rule has not ended is warned of.
n_iter_no_change : int, default=10
    Number of epochs without improvement that end the training.
n_init : int, default=1
    Number of trainings from different initial parameters, of which the one
    whose `objective_curve_` ends highest is kept. The first is that of
    ``n_init=1``.
init : {{"random", "k-means++"}} or array-like of shape (N,), default="{init}"
    What the initial parameters are. Given labels, with -1 for unknown ones,
    train the random parameters towards those labels first; ``"k-means++"``
    towards the cells of such a seeding, in the kernel or metric of the
    objective if it has one.
warm_start : bool, default=False
    Whether `fit` goes on from the parameters of the last one.
n_jobs : int, default=None
    Number of jobs that run the `n_init` trainings, as in scikit-learn. With a
    single training, models with a Wasserstein objective of their own solve
    its transport problems on that many threads, with the same result.""",
    "mlp_weights": """\
W1_ : ndarray of shape (D, n_hidden_dim)
    Weights of the hidden layer.
W2_ : ndarray of shape (n_hidden_dim, K)
    Weights of the output layer.
b1_ : ndarray of shape (1, n_hidden_dim)
    Biases of the hidden layer.
b2_ : ndarray of shape (1, K)
    Biases of the output layer.
H_ : ndarray of shape (N, n_hidden_dim)
    Hidden representation of the training data, at the end of `fit`. Pickles
    and copies have none.""",
    "logits": """\
logits_ : ndarray of shape (N, K)
    Logits of the training samples.""",
    "fitted": """\
labels_ : ndarray of shape (N,)
    Cluster of each training sample.
n_clusters_ : int
    Number of clusters that have samples.
cluster_centers_ : ndarray of shape (n_clusters, D)
    Means of the training samples, weighted by their probabilities and by
    `sample_weight`.
n_iter_ : int
    Number of epochs run.
objective_curve_ : ndarray of shape (n_epochs,)
    What is maximised, at each epoch before its updates: the objective minus
    the penalties of the model and of constraints. `score` is the objective
    alone.
objective_curves_ : list of ndarray
    The curves of all `n_init` trainings, in their order.
converged_ : bool
    Whether a stopping rule ended the training, that of `tol` or the solver's
    own, and neither `max_iter` nor a line search that failed.
optimiser_ : object
    The optimiser, with `learning_rate` and `update_params`.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (D,)
    Their names, when the data had any.
feature_map_ : transformer
    The transformer that the kernel is, fitted to the training samples.""",
}


def fill_docstring(cls=None, **values):
    """Class decorator: replace ``%(name)s`` lines by the shared texts.

    A line that holds nothing but ``%(name)s`` becomes the fragment `name`, at
    the indentation of that line. `values` are the defaults named in the
    fragments (`max_iter`, `learning_rate`, `gemini`, `solver`, `init`).
    """
    defaults = {
        "max_iter": 1000,
        "learning_rate": 1e-3,
        "gemini": "mmd_ova",
        "solver": "auto",
        "init": "k-means++",
    } | values

    def fill(cls):
        if cls.__doc__ is None:  # python -OO
            return cls
        lines = []
        for line in cls.__doc__.splitlines():
            name = line.strip()
            if name.startswith("%(") and name.endswith(")s"):
                text = _FRAGMENTS[name[2:-2]].format(**defaults)
                lines.append(indent(text, line[: len(line) - len(line.lstrip())]))
            else:
                lines.append(line)
        cls.__doc__ = "\n".join(lines)
        return cls

    return fill if cls is None else fill(cls)
