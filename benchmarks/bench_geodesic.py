"""Clusters of any shape, by the Wasserstein objective on geodesic distances.

See README.md for what is measured and how to run it.
"""

import argparse
import time
from functools import partial

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.tables import table
from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from gemclus.mlp import MLPWasserstein

NOISES = [0.0, 0.025, 0.05]
SPIRAL_TURNS = [1.0, 1.5]


def moons(n_samples, noise, seed):
    return make_moons(n_samples, noise=noise, random_state=seed)


def circles(n_samples, noise, seed):
    return make_circles(n_samples, noise=noise, factor=0.5, random_state=seed)


def spirals(n_samples, noise, seed, turns=1.0):
    """Three interleaved spirals of radius 3 `turns`, from near the centre on."""
    random = np.random.RandomState(seed)
    size = n_samples // 3
    X, y = [], np.repeat(np.arange(3), size)
    for arm in range(3):
        angle = np.sqrt(random.uniform(0.05, 1.0, size=size)) * 2 * np.pi * turns
        radius, turned = 3 * angle / (2 * np.pi), angle + 2 * np.pi * arm / 3
        X.append(radius[:, None] * np.c_[np.cos(turned), np.sin(turned)])
    X = np.concatenate(X)
    return X + noise * random.normal(size=X.shape), y


def ours(n_clusters, seed, n_neighbors=10, n_hidden_dim=20):
    return MLPWasserstein(
        n_clusters,
        ovo=True,
        metric="geodesic",
        metric_params={"n_neighbors": n_neighbors},
        n_hidden_dim=n_hidden_dim,
        solver="lbfgs",
        init="k-means++",
        random_state=seed,
    )


def others(n_clusters, seed):
    return {
        "KMeans": KMeans(n_clusters, n_init=10, random_state=seed),
        "GaussianMixture": GaussianMixture(n_clusters, random_state=seed),
        "SpectralClustering": SpectralClustering(
            n_clusters, affinity="nearest_neighbors", random_state=seed
        ),
        "HDBSCAN": HDBSCAN(copy=True),
    }


def measured(make, n_samples, noise, n_seeds, n_clusters, **settings):
    """Rows (adjusted Rand index, that of new samples, seconds), one for each seed."""
    rows = []
    for seed in range(n_seeds):
        X, y = make(n_samples, noise, seed)
        X_new, y_new = make(n_samples, noise, seed + 1000)
        start = time.perf_counter()
        model = ours(n_clusters, seed, **settings).fit(X)
        seconds = time.perf_counter() - start
        trained = adjusted_rand_score(y, model.labels_)
        rows.append(
            (trained, adjusted_rand_score(y_new, model.predict(X_new)), seconds)
        )
    return np.array(rows)


def row(name, n_samples, noise, results):
    trained, new, seconds = results.T
    ones = f"{int((trained == 1).sum())}/{len(trained)}"
    return [
        name,
        f"{n_samples}",
        f"{noise:g}",
        ones,
        f"{trained.min():.3f}",
        f"{np.median(trained):.3f}",
        f"{new.min():.3f}",
        f"{seconds.mean():.2f}",
    ]


HEADER = "data, N, noise, ARI 1, least, median, least on new, seconds"


def rows(given):
    """The lines of the table, one by one."""
    if given.spirals:
        for turns in SPIRAL_TURNS:
            make = partial(spirals, turns=turns)
            for n_samples in given.sizes:
                settings = dict(n_clusters=3, n_hidden_dim=200)
                results = measured(make, n_samples, 0.03, given.seeds, **settings)
                yield row(f"3 spirals of {turns:g} turns", n_samples, 0.03, results)
        return
    for name, make in (("moons", moons), ("circles", circles)):
        for n_samples in given.sizes:
            for noise in NOISES:
                results = measured(make, n_samples, noise, given.seeds, n_clusters=2)
                yield row(name, n_samples, noise, results)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--spirals", action="store_true")
    parser.add_argument("--others", action="store_true")
    given = parser.parse_args()
    table(HEADER, rows(given))
    if given.others:
        for name, make in (("moons", moons), ("circles", circles)):
            X, y = make(given.sizes[0], 0.05, 0)
            for other, model in others(2, 0).items():
                print(
                    name, other, f"{adjusted_rand_score(y, model.fit_predict(X)):.3f}"
                )


if __name__ == "__main__":
    main()
