"""Clusterings with the recommended settings, beside k-means and Gaussian mixtures.

See README.md for what is measured and how to run it.
"""

import argparse
import time
import warnings

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support import panel
from _support.clustered_data import SEEN
from _support.data import load
from _support.peer import Worker, add_peer_argument, peer_python
from _support.tables import table
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.mixture import GaussianMixture

from gemclus.gemini import AVAILABLE_GEMINIS, ChiSquareGEMINI
from gemclus.linear import RIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD

DATA = ["iris", "wine", "breast cancer", "digits"]
LBFGS = {"solver": "lbfgs"}
SEVERAL = {"solver": "lbfgs", "n_init": 5}
FROM_KMEANS = {"solver": "lbfgs", "n_init": 5, "init": "k-means++"}
# What the project's README recommends for the best objective.
THOROUGH = {**FROM_KMEANS, "n_init": 100, "tol": 1e-5, "n_iter_no_change": 5}
# Name -> class, parameters of the objective (all others have their defaults),
# recommended settings.
MODELS = {
    "LinearMMD OvA": (LinearMMD, {}, THOROUGH),
    "LinearMMD OvO": (LinearMMD, {"ovo": True}, THOROUGH),
    "LinearMMD OvO rbf": (LinearMMD, {"ovo": True, "kernel": "rbf"}, THOROUGH),
    "LinearWasserstein": (LinearWasserstein, {}, THOROUGH),
    "RIM": (RIM, {}, THOROUGH),
    "MLPMMD OvO": (MLPMMD, {"ovo": True}, THOROUGH),
}
# Not compared with many steps of Adam, for which N x N kernels are too slow.
DENSE = ["LinearMMD OvO rbf"]
STEPS = 10_000
# What the project's README recommends in place of chi2_ovo.
BOUNDED_CHI2 = "chi2_ovo with epsilon=0.5/K"
# Objectives are compared to this relative precision.
PRECISION = 1e-6


def baselines(n_clusters, seed):
    return {
        "KMeans(n_init=10)": KMeans(n_clusters, n_init=10, random_state=seed),
        "GaussianMixture": GaussianMixture(n_clusters, random_state=seed),
    }


def model(name, n_clusters, seed, **settings):
    make, objective, recommended = MODELS[name]
    settings = settings or recommended
    return make(n_clusters, random_state=seed, **objective, **settings)


def timed_fit(estimator, X):
    start = time.process_time()
    estimator.fit(X)
    return estimator, time.process_time() - start


def scores(name, data, n_seeds):
    """Adjusted Rand index and seconds of each seed."""
    X, y, n_clusters = load(data)
    found = []
    for seed in range(n_seeds):
        others = baselines(n_clusters, seed)
        estimator = others[name] if name in others else model(name, n_clusters, seed)
        start = time.process_time()
        labels = estimator.fit_predict(X)
        found.append((adjusted_rand_score(y, labels), time.process_time() - start))
    return np.array(found).T


def quality_rows(options):
    """Mean index of each method on each data set, and how far the seeds spread."""
    for name in [*baselines(1, 0), *options.models]:
        row = [name]
        for data in options.data:
            index, seconds = scores(name, data, options.seeds)
            row.append(
                f"{index.mean():.3f} ({index.min():.3f}-{index.max():.3f}), "
                f"{1e3 * seconds.mean():.0f} ms"
            )
        yield row


def reach(target, name, X, n_clusters, seed):
    """Whether a recommended training reaches an objective, and in how long.

    Its starts are made one after the other, with the seeds that `n_init` gives
    them; the last one is timed up to the iteration that reaches the target.
    """
    settings = {**MODELS[name][2], "n_init": 1}
    n_init = MODELS[name][2]["n_init"]
    seeds = np.random.RandomState(seed).randint(np.iinfo(np.int32).max, size=n_init)
    total = 0.0
    for start in seeds:
        fitted, seconds = timed_fit(model(name, n_clusters, start, **settings), X)
        reached = np.flatnonzero(fitted.objective_curve_ >= target)
        if len(reached):
            settings["max_iter"] = int(reached[0]) + 1
            part = model(name, n_clusters, start, **settings)
            return True, total + timed_fit(part, X)[1]
        total += seconds
    return False, total


def step_seconds(peer, cell):
    """Seconds of a step of the other package."""
    few, many = 2, 12
    while True:
        short = min(peer("model", **cell, max_iter=few)["seconds"] for _ in range(2))
        long = min(peer("model", **cell, max_iter=many)["seconds"] for _ in range(2))
        if long > 0.5 or many > 1000:
            return (long - short) / (many - few)
        few, many = many, 10 * many


def difference(peer, cell, name, X, step, budget):
    """Distance of our Adam from the peer's, after as many steps as time allows."""
    n = int(min(STEPS, budget / step))
    theirs = peer("model", **cell, max_iter=n)["score"]
    ours = model(name, cell["n_clusters"], 0, max_iter=n).fit(X).score(X)
    return f"{abs(theirs / ours - 1):.0e} ({n} steps)"


def objective_rows(peer, options):
    """The objective reached beside that of many Adam steps, and the times."""
    for data in options.data:
        X, _, n_clusters = load(data)
        for name in options.models:
            if name in DENSE:
                continue
            make, objective, _settings = MODELS[name]
            room = "mlp" if make.__name__.startswith("MLP") else "linear"
            cell = dict(
                name=f"{room}.{make.__name__}", data=data, n_clusters=n_clusters,
                random_state=0, **objective,
            )  # fmt: skip
            step = step_seconds(peer, cell)
            answers = []
            for seed in range(options.seeds):
                adam = model(name, n_clusters, seed, max_iter=STEPS).fit(X)
                target = adam.objective_curve_[-1]
                if room == "mlp" and step * STEPS < options.peer_budget:
                    # Its gradient differs, and so does the end of its steps.
                    same = {**cell, "random_state": seed, "max_iter": STEPS}
                    target = max(target, peer("model", **same)["score"])
                target -= PRECISION * abs(target)
                answers.append(reach(target, name, X, n_clusters, seed))
            reached, seconds = np.array(answers).T
            ratio = step * STEPS / seconds.mean()
            yield [
                data,
                name,
                f"{reached.sum():.0f} of {options.seeds}",
                f"{step * STEPS:,.1f}",
                f"{1e3 * seconds.mean():,.1f}",
                f"{1e3 * np.median(seconds):,.1f}",
                f"{ratio:,.0f} {'met' if ratio >= 200 else 'NOT MET'}",
                difference(peer, cell, name, X, step, options.peer_budget),
            ]


def separates(y, labels):
    """Whether each class has a cluster of its own."""
    return len(set(contingency_matrix(y, labels).argmax(axis=1))) == len(set(y))


def blob_rows(options):
    """In how many runs each blob has a cluster of its own."""
    for name in [*AVAILABLE_GEMINIS, BOUNDED_CHI2]:
        for settings in (LBFGS, SEVERAL, FROM_KMEANS):
            row = [name, ", ".join(f"{k}={v}" for k, v in settings.items())]
            for data in ("three blobs", "five blobs"):
                X, y, n_clusters = load(data)
                gemini = name
                if name == BOUNDED_CHI2:
                    gemini = ChiSquareGEMINI(ovo=True, epsilon=0.5 / n_clusters)
                found = []
                for seed in range(options.seeds):
                    fitted = LinearModel(
                        n_clusters, gemini=gemini, random_state=seed, **settings
                    ).fit(X)
                    index = adjusted_rand_score(y, fitted.labels_)
                    found.append((separates(y, fitted.labels_), index))
                n_separated, index = np.sum(found, axis=0)
                row.append(
                    f"{n_separated:.0f} of {options.seeds} (ARI "
                    f"{index / options.seeds:.2f})"
                )
            yield row


def panel_rows(options, names, settings):
    """Mean index and median time of each model, setting by setting."""
    found = panel.indices(names, options.seeds, options.panel_models, settings)
    index, seconds = found.pop((panel.KMEANS, "")).transpose(2, 0, 1)
    yield [panel.KMEANS, f"{index.mean():.3f}, {1e3 * np.median(seconds):.0f} ms"]
    for name in options.panel_models:
        row = [name]
        for setting in settings:
            runs = found[name, setting]
            row.append(
                f"{runs[..., 0].mean():.3f}, {1e3 * np.median(runs[..., 1]):.0f} ms"
            )
        if settings[-1] == "default":
            gain = panel.paired(runs[..., 0] - index)
            row.append("{:+.3f} ({:+.3f} to {:+.3f})".format(*gain))
        yield row


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument(
        "parts", nargs="*", default=["scores", "objectives", "blobs"], metavar="PART",
        help="scores, objectives, blobs, panel (sets that helped to choose), unseen",
    )  # fmt: skip
    parser.add_argument("--data", nargs="*", default=DATA, metavar="NAME")
    parser.add_argument("--models", nargs="*", default=list(MODELS), metavar="NAME")
    parser.add_argument(
        "--panel-models", nargs="*", default=list(panel.MODELS), metavar="NAME"
    )
    parser.add_argument(
        "--settings", nargs="*", default=list(panel.SETTINGS), metavar="NAME"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--peer-budget",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help=f"for the steps of the other package, at most {STEPS}, beside ours",
    )
    return parser.parse_args()


def main():
    options = arguments()
    warnings.simplefilter("ignore")
    if "scores" in options.parts:
        print(f"Adjusted Rand index, mean (min-max) of {options.seeds} seeds\n")
        table(", ".join(["model", *options.data]), quality_rows(options))
    if "objectives" in options.parts:
        print(f"\nObjective and time beside {STEPS} steps of Adam\n")
        header = (
            "data, model, reached, peer s for its steps, ours ms to its objective, "
            "median, ratio (>= 200), our Adam and the peer differ by"
        )
        with Worker(peer_python(options.peer_python)) as peer:
            table(header, objective_rows(peer, options))
    if "blobs" in options.parts:
        print("\nRuns in which each blob has a cluster of its own, linear model\n")
        table("objective, settings, three blobs, five blobs", blob_rows(options))
    for part, names in {"panel": SEEN, "unseen": panel.KEPT_BACK}.items():
        if part in options.parts:
            print(f"\nMean adjusted Rand index of {len(names)} sets, {part}\n")
            settings = options.settings
            header = f"model, {', '.join(s.replace(',', ' and') for s in settings)}"
            if settings[-1] == "default":
                header += ", default beside KMeans (95 %)"
            table(header, panel_rows(options, list(names), settings))


if __name__ == "__main__":
    main()
