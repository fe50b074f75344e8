"""Rerun the Gaussian + Student-t mixture of the GEMINI paper with `MLPModel`.

Ohl et al., "Generalised mutual information for discriminative clustering",
NeurIPS 2022: 5000 samples of three Gaussians and a heavy-tailed Student-t at the
corners of a square, clustered into K = 4 or 8 in batches of 100 by Adam at 1e-3.

The paper has two hidden layers and means over 20 runs. At its 100 epochs our
means for K = 4 agree with its own, but for K = 8 the superfluous clusters go on
filling and f-divergences OvA end 8 to 16 points lower, with one hidden layer or
two. Shorter trainings, such as ``--epochs 25``, come close to the published
means there; why is not known. See README.md for how to run it.
"""

import argparse
import time
import warnings

import _threads  # noqa: F401  before NumPy
import numpy as np
from _tables import table
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from gemclus.data import gstm
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


def scores(make, df, n_clusters, seeds):
    """ARI x 100 of a clustering of one sample for each seed."""
    found = []
    for seed in range(seeds):
        X, y = gstm(5000, alpha=5, df=df, random_state=seed)
        found.append(100 * adjusted_rand_score(y, make(n_clusters, seed).fit_predict(X)))
    return np.array(found)


def rows(objectives, seeds, epochs):
    """One row for each clustering, and the published means."""
    methods = {}
    for name in objectives:
        methods[name] = lambda k, seed, name=name: MLPModel(
            k, gemini=name, max_iter=epochs, batch_size=100, random_state=seed
        )
    for name, make in (methods | BASELINES).items():
        start = time.process_time()
        row = [name]
        for cell, (df, n_clusters) in enumerate(CELLS):
            found = scores(make, df, n_clusters, seeds)
            published = f" ({PUBLISHED[name][cell]})" if name in PUBLISHED else ""
            row.append(f"{found.mean():.1f} ± {found.std():.1f}{published}")
        yield [*row, f"{time.process_time() - start:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objectives", nargs="*", default=PUBLISHED, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    # Tails of this weight saturate the first predictions of some samples.
    warnings.filterwarnings("ignore", "The first predictions are")
    print(f"Mean ARI x 100 ± standard deviation over {options.seeds} seeds (published)\n")
    cells = ", ".join(f"df {df} K {n_clusters}" for df, n_clusters in CELLS)
    found = rows(options.objectives, options.seeds, options.epochs)
    table(f"objective, {cells}, s", found)


if __name__ == "__main__":
    main()
