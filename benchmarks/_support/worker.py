"""Times one installed package through its public interface, on request.

Run in an environment of either package: reads one request a line from standard
input, as JSON, and answers with one line. Seconds are CPU time of the process.
"""

import json
import os
import sys
import warnings
from functools import lru_cache
from importlib import import_module

import numpy as np
from _support.data import load
from _support.kauri_samples import kauri_samples
from _support.process import Measured
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

import gemclus.gemini
import gemclus.sparse
from gemclus.data import celeux_one
from gemclus.linear import LinearModel

N_FEATURES = 20


def _celeux_one():
    return celeux_one(300, random_state=0)


def _eight_features():
    X, y = make_blobs(300, 8, centers=3, cluster_std=4.0, random_state=0)
    return StandardScaler().fit_transform(X), y


# What `model` is fitted to.
DATA = {"celeux_one(300)": _celeux_one, "blobs 300 x 8": _eight_features}


def blobs(n_samples, n_clusters):
    """Standardised blobs in `N_FEATURES` dimensions."""
    X, _ = make_blobs(
        n_samples, N_FEATURES, centers=n_clusters, cluster_std=4.0, random_state=0
    )
    return StandardScaler().fit_transform(X)


def published(model, given=()):
    """The model with the settings that both packages have, but for those given."""
    settings = {"solver": "adam", "init": "random"}
    missing = set(settings) & set(model.get_params()) - set(given)
    return model.set_params(**{name: settings[name] for name in missing})


def fit(gemini, n_samples, n_clusters, max_iter):
    """Seconds and peak memory of one full-batch fit with `max_iter` steps."""
    X = blobs(n_samples, n_clusters)
    model = LinearModel(n_clusters, gemini=gemini, max_iter=max_iter, random_state=0)
    published(model)
    return _measured(lambda: model.fit(X))


def model(name, data, **arguments):
    """Seconds and peak memory of one fit of a model, and its score and ARI."""
    room, name = name.split(".")
    X, y = DATA[data]() if data in DATA else load(data)[:2]
    estimator = getattr(import_module(f"gemclus.{room}"), name)(**arguments)
    published(estimator, arguments)
    answer = _measured(lambda: estimator.fit(X))
    answer["score"] = float(estimator.score(X))
    answer["ari"] = float(adjusted_rand_score(y, estimator.predict(X)))
    return answer


def cold(ovo, n_samples, n_clusters):
    """Seconds and peak memory of one Wasserstein evaluation, with its gradient.

    The mean of several short ones: each starts from nothing, but the first meets
    a processor whose caches the measurement itself has emptied.
    """
    X = blobs(n_samples, n_clusters)
    bound = N_FEATURES**-0.5
    W = np.random.RandomState(0).uniform(-bound, bound, (N_FEATURES, n_clusters))
    P = np.exp(X @ W)
    P /= P.sum(axis=1, keepdims=True)
    gemini = gemclus.gemini.WassersteinGEMINI(ovo=ovo)
    distances = gemini.compute_affinity(X)

    def evaluations(count):
        return _measured(
            lambda: [gemini(P, distances, return_grad=True) for _ in range(count)]
        )

    answer = evaluations(1)
    if answer["seconds"] < 0.02:
        answer = evaluations(10)
        answer["seconds"] /= 10
    answer["value"] = float(gemini(P, distances))
    return answer


@lru_cache(maxsize=1)
def _stored(path):
    """Predictions of many iterations, distances and mode, as one file has them."""
    data = np.load(path)
    return data["P"], data["D"], gemclus.gemini.WassersteinGEMINI(ovo=bool(data["ovo"]))


def evaluate(path, iteration):
    """Seconds and value of one Wasserstein evaluation of stored predictions."""
    P, distances, gemini = _stored(path)
    values = []
    answer = _measured(
        lambda: values.append(
            gemini.evaluate(P[iteration], distances, return_grad=True)
        )
    )
    return answer | {"value": float(values[0][0])}


def named_fit(module, name, path, max_iter):
    """Seconds of a fit of a named model, with three clusters, on stored data."""
    cls = getattr(import_module(f"gemclus.{module}"), name)
    model = published(cls(3, max_iter=max_iter, random_state=0))
    X = np.load(path)
    return _measured(lambda: model.fit(X))


def kauri(kind, n_samples, n_features, n_clusters, kernel, repeats):
    """The fastest of some growths of a Kauri tree, its objective and leaves."""
    from gemclus.tree import Kauri

    X = kauri_samples(kind, n_samples, n_features)
    model = Kauri(max_clusters=n_clusters, kernel=kernel)
    answers = [_measured(lambda: model.fit(X)) for _ in range(repeats)]
    answer = min(answers, key=lambda answer: answer["seconds"])
    answer["objective"] = float(model.score(X))
    answer["leaves"] = (len(model.tree_.features) + 1) // 2
    return answer


def sparse(model, method, parameters):
    """A fit or a path of a sparse model on 5 informative and 20 other features."""
    X, y = celeux_one(n=300, p=20, mu=1.7, random_state=0)
    model = getattr(gemclus.sparse, model)(random_state=0, **parameters)
    published(model, parameters)
    answer = _measured(lambda: getattr(model, method)(X))
    answer["selection"] = [int(feature) for feature in model.get_selection()]
    answer["ari"] = adjusted_rand_score(y, model.predict(X))
    answer["score"] = float(model.score(X))
    return answer


def _measured(action):
    with Measured() as measured:
        action()
    return {"seconds": measured.seconds, "peak": measured.peak}


def main():
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr
    warnings.simplefilter("ignore")
    tasks = {
        function.__name__: function
        for function in (fit, model, cold, evaluate, named_fit, kauri, sparse)
    }
    print(json.dumps({"version": gemclus.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = tasks[request.pop("task")](**request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
