"""Neural networks with one hidden layer that select features."""

from gemclus._common.docstrings import fill_docstring
from gemclus._common.validation import check_float
from gemclus._core import layers
from gemclus.gemini._model_mixins import MMDObjectiveMixin
from gemclus.mlp import MLPModel
from gemclus.penalties import HierarchicalLasso
from gemclus.sparse._mixin import SparseMixin


@fill_docstring
class SparseMLPModel(SparseMixin, MLPModel):
    """LassoNet that selects features while it clusters.

    Maximises a GEMINI of
    ``p(y | x) = softmax(relu(x W1 + b1) W2 + b2 + x W_skip)`` minus the group
    lasso ``alpha sum_g ||W_skip_g||``, subject to
    ``max |W1_g| <= M ||W_skip_g||``: a feature without skip weights is out of
    the hidden layer too.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(hidden)s
    %(hierarchy)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    W_skip_ : ndarray of shape (D, K)
        Weights from the features to the clusters; the rows of features that
        are not selected are 0.
    %(sparse_fitted)s
    %(fitted)s

    Notes
    -----
    The proximal step costs O(D (K + H)), and O(log H) for each hidden weight
    that its bound changes, beside the O(N H (D + K)) of a training step.

    References
    ----------
    Lemhadri, Ruan, Abraham and Tibshirani, "LassoNet: a neural network with
    feature sparsity", Journal of Machine Learning Research 22, 2021.

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
        n_hidden_dim=20,
        M=10,
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
            n_hidden_dim=n_hidden_dim,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            n_init=n_init,
            init=init,
            warm_start=warm_start,
            n_jobs=n_jobs,
        )
        self.M = M
        self.groups = groups
        self.alpha = alpha
        self.dynamic = dynamic

    def _check_parameters(self):
        super()._check_parameters()
        check_float("M", self.M, 0.0)

    def _init_params(self, random_state, X=None):
        super()._init_params(random_state, X)
        n_features = X.shape[1]
        shape = (n_features, self.n_clusters)
        self.W_skip_ = layers.uniform_init(random_state, n_features, shape, X.dtype)

    def _get_weights(self):
        return [self.W1_, self.W2_, self.W_skip_, self.b1_, self.b2_]

    def _output(self, X, H):
        logits = layers.affine(H, self.W2_, self.b2_)
        logits += X @ self.W_skip_
        return layers.softmax(logits)

    def _backward(self, X, T):
        W1, W2, b1, b2 = super()._backward(X, T)
        return [W1, W2, X.T @ T, b1, b2]

    def _feature_weights(self):
        return self.W_skip_

    def _make_penalty(self, n_features):
        return HierarchicalLasso(n_features, self.groups, self.M)

    def _shrink(self, step):
        self.penalty_.prox(self.W_skip_, step, self.W1_)


@fill_docstring
class SparseMLPMMD(MMDObjectiveMixin, SparseMLPModel):
    """Feature-selecting LassoNet trained by maximising the MMD GEMINI.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    %(mmd)s
    %(hidden)s
    %(hierarchy)s
    %(sparse)s
    %(dynamic)s
    %(training)s

    Attributes
    ----------
    %(mlp_weights)s
    W_skip_ : ndarray of shape (D, K)
        Weights from the features to the clusters; the rows of features that
        are not selected are 0.
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
        kernel="linear",
        ovo=False,
        kernel_params=None,
        n_hidden_dim=20,
        M=10,
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
            n_hidden_dim=n_hidden_dim,
            M=M,
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
