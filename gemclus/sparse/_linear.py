"""Linear models that select features."""

from gemclus._common.docstrings import fill_docstring
from gemclus.gemini import MI
from gemclus.gemini._model_mixins import MMDObjectiveMixin
from gemclus.linear import LinearModel
from gemclus.sparse._mixin import SparseMixin


@fill_docstring
class SparseLinearModel(SparseMixin, LinearModel):
    """Logistic regression that selects features while it clusters.

    Maximises a GEMINI of ``p(y | x) = softmax(x W + b)`` minus the group lasso
    ``alpha sum_g ||W_g||`` of the rows of W.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
    %(fitted)s

    Notes
    -----
    The proximal step costs O(D K), beside the O(N D K) of a training step.

    References
    ----------
    Ohl et al., "Sparse and geometry-aware generalisation of the mutual
    information for joint discriminative clustering and feature selection",
    Statistics and Computing 34, 2024.
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
        groups=None,
        alpha=1e-2,
        dynamic=False,
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
            gemini=gemini,
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
        self.groups = groups
        self.alpha = alpha
        self.dynamic = dynamic


@fill_docstring
class SparseLinearMMD(MMDObjectiveMixin, SparseLinearModel):
    """Feature-selecting logistic regression trained by the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
    %(fitted)s

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> from gemclus.sparse import SparseLinearMMD
    >>> X, _ = celeux_one(n=300, p=20, mu=1.7, random_state=0)
    >>> model = SparseLinearMMD(alpha=1, ovo=True, random_state=0)
    >>> path = model.path(X)
    >>> model.get_selection()
    array([0, 1, 2, 3, 4])
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
        groups=None,
        alpha=1e-2,
        dynamic=False,
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
            groups=groups,
            alpha=alpha,
            dynamic=dynamic,
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
class SparseLinearMI(SparseLinearModel):
    """Feature-selecting logistic regression trained by the mutual information.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(sparse)s
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights; the rows of features that are not selected are 0.
    b_ : ndarray of shape (1, K)
        Biases.
    %(sparse_fitted)s
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
        groups=None,
        alpha=1e-2,
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
            groups=groups,
            alpha=alpha,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            n_init=n_init,
            init=init,
            warm_start=warm_start,
            n_jobs=n_jobs,
        )

    def get_gemini(self):
        """Return the mutual information that `fit` maximises."""
        return MI()
