"""
Derive a model of your own
==========================

A model is four hooks: create the parameters, list them, compute p(y | x), and
turn the gradient of the objective into gradients of the parameters. Here is
one with prototypes: each cluster has a centre, and samples belong to the
clusters in proportion to ``exp(-squared distance / 2)``. Everything else
(objectives, solvers, restarts, minibatches, prediction on new samples) is
inherited. Writes ``own_model.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler

from gemclus import DiscriminativeModel


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

plt.figure(figsize=(5, 4.5))
plt.scatter(*X.T, c=labels, cmap="viridis", s=14)
plt.scatter(*model.centres_.T, c="red", marker="x", s=80, label="centres")
plt.legend()
plt.tight_layout()
plt.savefig("own_model.png", dpi=120)
print("wrote own_model.png")
