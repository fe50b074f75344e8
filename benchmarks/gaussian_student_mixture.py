"""Rerun the Gaussian + Student-t mixture of the GEMINI paper.

Ohl et al., "Generalised mutual information for discriminative clustering",
NeurIPS 2022: 5000 samples of three Gaussians and a heavy-tailed Student-t at the
corners of a square, clustered into K = 4 or 8 in 100 epochs of batches of 100 by
Adam at 1e-3; means over 20 runs.

What the published means depend on is in the files published with the paper
(github.com/oshillou/GEMINI, ``config_experiments/gaussian_student``), and is the
default here:

- the network has layers 2-20-20-K, with the hyperbolic tangent after the first
  and nothing after the second. With ReLU (``--network relu``: `MLPModel` as it
  is) the superfluous clusters of K = 8 fill sooner, and f-divergences OvA end 12
  to 23 points below the published means there; a second layer of ReLU does not help.
- all runs share one sample. Samples differ in their outliers: the best possible
  index of df 2 is 1 to 2 points lower on this one than on most, and on others
  (``--data fresh``) k-means is not at 0 for df 1 and K = 4.

See README.md for how to run it.
"""

import argparse
import itertools
import time
import warnings

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.tables import table
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from gemclus import DiscriminativeModel
from gemclus.data import gstm, multivariate_student_t
from gemclus.mlp import MLPModel

CELLS = [(1, 4), (1, 8), (2, 4), (2, 8)]
# Mean ARI x 100 of the paper, in the order of CELLS.
PUBLISHED = {
    "kl_ova": (93.9, 74.2, 88.3, 76.1),
    "tv_ova": (90.4, 92.5, 94.0, 97.3),
    "tv_ovo": (93.8, 59.5, 97.1, 62.0),
    "hellinger_ova": (90.6, 86.8, 92.3, 95.9),
    "mmd_ova": (92.2, 90.8, 95.3, 94.0),
    "mmd_ovo": (92.1, 84.9, 96.8, 77.1),
    "wasserstein_ova": (89.7, 89.6, 91.5, 88.9),
    "wasserstein_ovo": (92.2, 81.7, 97.0, 80.3),
}
BASELINES = {
    "k-means": lambda k, seed: KMeans(k, n_init=10, random_state=seed),
    "Gaussian mixture": lambda k, seed: GaussianMixture(k, random_state=seed),
}


class PaperNetwork(DiscriminativeModel):
    """Layers 2-20-20-K, with the hyperbolic tangent after the first alone."""

    def _init_params(self, random_state, X=None):
        sizes = [X.shape[1], 20, 20, self.n_clusters]
        self.layers_ = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            bound = fan_in**-0.5
            for shape in [(fan_in, fan_out), (1, fan_out)]:
                self.layers_.append(random_state.uniform(-bound, bound, shape))

    def _get_weights(self):
        return self.layers_

    def _infer(self, X, retain=True):
        W1, b1, W2, b2, W3, b3 = self.layers_
        first = np.tanh(X @ W1 + b1)
        second = first @ W2 + b2
        if retain:
            self._retained = first, second
        return softmax(second @ W3 + b3, axis=1)

    def _compute_grads(self, X, y_pred, gradient):
        _, _, W2, _, W3, _ = self.layers_
        first, second = self._retained
        # Objectives are maximised and optimisers minimise.
        T3 = y_pred * ((y_pred * gradient).sum(axis=1, keepdims=True) - gradient)
        T2 = T3 @ W3.T
        T1 = (T2 @ W2.T) * (1.0 - first**2)
        grads = []
        for inputs, T in [(X, T1), (first, T2), (second, T3)]:
            grads += [inputs.T @ T, T.sum(axis=0, keepdims=True)]
        return grads


NETWORKS = {"paper": PaperNetwork, "relu": MLPModel}


def published_sample(df, seed):
    """The sample of the paper, whatever the seed: component after component."""
    random_state = np.random.RandomState(0)
    y = np.sort(random_state.multinomial(1, np.full(4, 0.25), size=5000).argmax(axis=1))
    counts = np.bincount(y)
    means = 5.0 * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    parts = [
        random_state.multivariate_normal(means[k], np.eye(2), size=counts[k])
        for k in range(3)
    ]
    parts.append(
        multivariate_student_t(counts[3], means[3], np.eye(2), df, random_state)
    )
    return np.concatenate(parts), y


def fresh_sample(df, seed):
    return gstm(5000, alpha=5, df=df, random_state=seed)


DATA = {"published": published_sample, "fresh": fresh_sample}


def scores(make, sample, df, n_clusters, seeds):
    """ARI x 100 of a clustering for each seed."""
    found = []
    for seed in range(seeds):
        X, y = sample(df, seed)
        labels = make(n_clusters, seed).fit_predict(X)
        found.append(100 * adjusted_rand_score(y, labels))
    return np.array(found)


def rows(options, outside):
    """One row for each clustering, and the published means.

    Cells whose published mean is further than one standard deviation of the
    seeds are added to `outside`.
    """
    network, sample = NETWORKS[options.network], DATA[options.data]
    methods = {}
    for name in options.objectives:
        methods[name] = lambda k, seed, name=name: network(
            k, gemini=name, max_iter=options.epochs, batch_size=100, random_state=seed
        )
    for name, make in (methods | BASELINES).items():
        start = time.process_time()
        row = [name]
        for cell, (df, n_clusters) in enumerate(CELLS):
            found = scores(make, sample, df, n_clusters, options.seeds)
            mean, deviation = found.mean(), found.std()
            text = f"{mean:.1f} ± {deviation:.1f}"
            if name in PUBLISHED:
                published = PUBLISHED[name][cell]
                text += f" ({published})"
                if abs(mean - published) > deviation:
                    outside.append(f"{name} df {df} K {n_clusters}")
            row.append(text)
        yield [*row, f"{time.process_time() - start:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="paper")
    parser.add_argument("--data", choices=DATA, default="published")
    parser.add_argument("--objectives", nargs="*", default=PUBLISHED, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    # Tails of this weight saturate the first predictions of some samples.
    warnings.filterwarnings("ignore", "The first predictions are")
    print(f"Mean ARI x 100 ± deviation over {options.seeds} seeds (published)\n")
    cells = ", ".join(f"df {df} K {n_clusters}" for df, n_clusters in CELLS)
    outside = []
    table(f"objective, {cells}, s", rows(options, outside))
    n_cells = len(CELLS) * len(PUBLISHED.keys() & set(options.objectives))
    print(
        f"\nPublished mean within one standard deviation: {n_cells - len(outside)} of "
        f"{n_cells} cells; outside: {'; '.join(outside) or 'none'}"
    )


if __name__ == "__main__":
    main()
