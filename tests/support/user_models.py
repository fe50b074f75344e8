"""Models and objectives as users write them, and samples for them."""

import numpy as np

from gemclus import DiscriminativeModel
from gemclus.data import draw_gmm
from gemclus.gemini import GEMINI, MMDGEMINI

X, y = draw_gmm(60, 2 * np.eye(2), [0.2 * np.eye(2)] * 2, [0.5, 0.5], random_state=0)


class Sigmoid(DiscriminativeModel):
    """Logistic regression without a bias, for two clusters, written by a user."""

    def __init__(
        self,
        n_clusters=2,
        gemini="mmd_ova",
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
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
        )

    def _init_params(self, random_state, X=None):
        self.theta_ = random_state.uniform(-1, 1, size=(X.shape[1], 1))

    def _get_weights(self):
        return [self.theta_]

    def _infer(self, X, retain=True):
        p = 1 / (1 + np.exp(-X @ self.theta_))
        if retain:
            self._p = p
        return np.concatenate([p, 1 - p], axis=1)

    def _compute_grads(self, X, y_pred, gradient):
        difference = gradient[:, :1] - gradient[:, 1:]
        return [-X.T @ (self._p * (1 - self._p) * difference)]


class EveryHook(Sigmoid):
    """Overrides all hooks, and sees them called."""

    calls = ()

    def _note(self, name):
        self.calls = (*self.calls, name)

    def _init_params(self, random_state, X=None):
        self._note("_init_params")
        super()._init_params(random_state, X)

    def _get_weights(self):
        self._note("_get_weights")
        return super()._get_weights()

    def _infer(self, X, retain=True):
        self._note("_infer")
        return super()._infer(X, retain)

    def _compute_grads(self, X, y_pred, gradient):
        self._note("_compute_grads")
        return super()._compute_grads(X, y_pred, gradient)

    def get_gemini(self):
        self._note("get_gemini")
        return MMDGEMINI(kernel="rbf")

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        self._note("_batchify")
        order = random_state.permutation(len(X))
        for start in range(0, len(X), 20):
            idx = order[start : start + 20]
            if start == 0:
                batch = affinity_matrix[np.ix_(idx, idx)]
            elif start == 20:
                batch = affinity_matrix[idx][:, idx]
            else:
                batch = np.asarray(affinity_matrix)[idx][:, idx]
            yield X[idx], batch

    def _update_weights(self, weights, gradients):
        self._note("_update_weights")
        self.optimiser_.update_params(weights, gradients)


class Margin(GEMINI):
    """A user's objective on plain arrays: mean distance of linked samples."""

    def compute_affinity(self, X, y=None):
        return np.exp(-np.abs(X[:, :1] - X[:, :1].T))

    def evaluate(self, y_pred, affinity, return_grad=False):
        assert type(affinity) is np.ndarray
        assert affinity.shape == (len(y_pred), len(y_pred))
        value = float(np.sum(y_pred * (affinity @ y_pred))) / len(y_pred)
        return (value, 2 * affinity @ y_pred / len(y_pred)) if return_grad else value


class Unrelated:
    """As Margin, from no base class at all."""

    compute_affinity = Margin.compute_affinity
    evaluate = Margin.evaluate
