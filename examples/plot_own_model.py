"""
A model, an objective and a kernel of your own
==============================================

A model is four hooks: create the parameters, list them, compute p(y | x), and
turn the gradient of the objective into gradients of the parameters. Here is
one with prototypes: each cluster has a centre, and samples belong to the
clusters in proportion to ``exp(-squared distance / 2)``. Everything else
(objectives, solvers, restarts, minibatches, prediction on new samples) is
inherited. An objective is two methods, a kernel is a function. Writes
``own_model.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances, manhattan_distances
from sklearn.preprocessing import StandardScaler

from gemclus import DiscriminativeModel
from gemclus.gemini import GEMINI
from gemclus.linear import LinearMMD
from gemclus.testing import check_gemini, check_model_gradients


# %%
# A model
# -------
class PrototypeModel(DiscriminativeModel):
    """Soft assignment to the nearest of K centres."""

    def _init_params(self, random_state, X=None):
        # Parameters are arrays whose names end with an underscore.
        chosen = random_state.choice(len(X), self.n_clusters, replace=False)
        self.centres_ = X[chosen].copy()

    def _get_weights(self):
        # The optimiser updates these arrays in place.
        return [self.centres_]

    def _infer(self, X, retain=True):
        # Rows of probabilities. `retain` allows keeping what the gradient needs;
        # nothing beyond the predictions is needed here.
        logits = -0.5 * euclidean_distances(X, self.centres_, squared=True)
        logits -= logits.max(axis=1, keepdims=True)
        y_pred = np.exp(logits)
        return y_pred / y_pred.sum(axis=1, keepdims=True)

    def _compute_grads(self, X, y_pred, gradient):
        # `gradient` is d objective / d y_pred. First through the softmax ...
        T = y_pred * (gradient - (y_pred * gradient).sum(axis=1, keepdims=True))
        # ... then through the squared distances. Objectives are maximised and
        # optimisers minimise, hence the minus sign.
        to_centres = T.T @ X - T.sum(axis=0)[:, None] * self.centres_
        return [-to_centres]


X, y = make_blobs(400, centers=4, cluster_std=0.8, random_state=3)
X = StandardScaler().fit_transform(X)

for gemini in ("mmd_ovo", "mi", "wasserstein_ovo"):
    model = PrototypeModel(4, gemini=gemini, solver="lbfgs", random_state=0)
    model.n_init = 5
    labels = model.fit_predict(X)
    score = adjusted_rand_score(y, labels)
    print(f"{gemini:16} ARI {score:.3f} after {model.n_iter_} iterations")

# %%
# Are the gradients right? Finite differences through the whole chain say so, or raise.
check_model_gradients(PrototypeModel(4, gemini="mmd_ovo", random_state=0), X[:60])


# %%
# An objective
# ------------
# `compute_affinity` says what the objective knows of the samples, here nothing, and
# `evaluate` gives its value and, if asked, its gradient. This one is the quadratic
# entropy of the proportions minus that of the memberships: a mutual information
# without logarithms. Weights of samples enter as shares.
class QuadraticInformation(GEMINI):
    """Mean of squared memberships minus squares of the proportions."""

    def compute_affinity(self, X, y=None):
        """Nothing of the samples is needed."""
        return None

    def evaluate(self, y_pred, affinity=None, return_grad=False, sample_weight=None):
        """The value, and its gradient."""
        n = len(y_pred)
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight)
        share = (weight / weight.sum())[:, None]
        proportions = (share * y_pred).sum(axis=0)
        value = float((share * y_pred**2).sum() - (proportions**2).sum())
        if not return_grad:
            return value
        return value, 2 * share * (y_pred - proportions)


check_gemini(QuadraticInformation())
own_objective = PrototypeModel(
    4, gemini=QuadraticInformation(), solver="lbfgs", random_state=0
)
score = adjusted_rand_score(y, own_objective.fit_predict(X))
print(f"own objective    ARI {score:.3f}")


# %%
# A kernel
# --------
# A function of the samples that returns an (N, N) array; a metric likewise.
def laplace(X):
    """Exponential of minus the Manhattan distance."""
    return np.exp(-manhattan_distances(X))


own_kernel = LinearMMD(4, kernel=laplace, ovo=True, random_state=0)
score = adjusted_rand_score(y, own_kernel.fit_predict(X))
print(f"own kernel       ARI {score:.3f}")

# %%
# The clusters of the model with prototypes.
plt.figure(figsize=(5, 4.5))
plt.scatter(*X.T, c=labels, cmap="viridis", s=14)
plt.scatter(*model.centres_.T, c="red", marker="x", s=80, label="centres")
plt.legend()
plt.tight_layout()
plt.savefig("own_model.png", dpi=120)
print("wrote own_model.png")
