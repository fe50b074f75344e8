"""Multinomial logistic regression as a clustering."""

from gemclus._base import DiscriminativeModel
from gemclus._common.docstrings import fill_docstring
from gemclus._core import layers
from gemclus.gemini._model_mixins import MMDObjectiveMixin, WassersteinObjectiveMixin


@fill_docstring
class LinearModel(DiscriminativeModel):
    """Logistic regression trained by maximising a GEMINI.

    ``p(y | x) = softmax(x W + b)``.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    %(fitted)s

    Notes
    -----
    A training step costs O(N D K) beside its objective. CSR matrices are taken
    as they are, and never made dense.
    """

    _accepts_sparse = True
    _infers_by_rows = True

    def _init_params(self, random_state, X=None):
        n_features = X.shape[1]
        shape = (n_features, self.n_clusters)
        self.W_ = layers.uniform_init(random_state, n_features, shape, X.dtype)
        shape = (1, self.n_clusters)
        self.b_ = layers.uniform_init(random_state, n_features, shape, X.dtype)

    def _get_weights(self):
        return [self.W_, self.b_]

    def _infer(self, X, retain=True):
        return layers.softmax_affine(X, self.W_, self.b_)

    def _compute_grads(self, X, y_pred, gradient):
        return layers.softmax_affine_backward(X, y_pred, gradient)


@fill_docstring
class LinearMMD(MMDObjectiveMixin, LinearModel):
    """Logistic regression trained by maximising the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    %(fitted)s
    """

    def __init__(
        self,
        n_clusters=3,
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
        kernel="linear",
        ovo=False,
        kernel_params=None,
        *,
        tol=None,
        n_iter_no_change=10,
        n_init=1,
        init="random",
        warm_start=False,
        n_jobs=None,
    ):
        super().__init__(
            n_clusters=n_clusters,
            max_iter=max_iter,
            learning_rate=learning_rate,
            solver=solver,
            batch_size=batch_size,
            verbose=verbose,
            random_state=random_state,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            n_init=n_init,
            init=init,
            warm_start=warm_start,
            n_jobs=n_jobs,
        )
        self.kernel = kernel
        self.ovo = ovo
        self.kernel_params = kernel_params


@fill_docstring
class LinearWasserstein(WassersteinObjectiveMixin, LinearModel):
    """Logistic regression trained by maximising the Wasserstein GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(wasserstein)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases.
    %(fitted)s
    """

    def __init__(
        self,
        n_clusters=3,
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
        metric="euclidean",
        ovo=False,
        metric_params=None,
        *,
        tol=None,
        n_iter_no_change=10,
        n_init=1,
        init="random",
        warm_start=False,
        n_jobs=None,
    ):
        super().__init__(
            n_clusters=n_clusters,
            max_iter=max_iter,
            learning_rate=learning_rate,
            solver=solver,
            batch_size=batch_size,
            verbose=verbose,
            random_state=random_state,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            n_init=n_init,
            init=init,
            warm_start=warm_start,
            n_jobs=n_jobs,
        )
        self.metric = metric
        self.ovo = ovo
        self.metric_params = metric_params
