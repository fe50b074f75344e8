#!/usr/bin/env python3
"""Store a fitted model of every estimator in ``tests/pickles``.

    python tools/make_pickles.py [NAME ...]

Run it for new estimators only, or when `gemclus._common.pickling.FORMAT` was raised:
what is stored stands for the files of users, which later releases must go on reading.
Run it with the oldest supported NumPy: newer ones write what it cannot read.
"""

import pickle
import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"
FOLDER = TESTS / "pickles"
SHORT = {"max_iter": 20, "init": "k-means++", "learning_rate": 0.01, "random_state": 0}


def main(names):
    X = np.random.RandomState(0).normal(size=(12, 3))
    X[:4] += 4.0
    X[8:] -= 4.0
    sys.path.append(str(TESTS / "support"))
    from clusterers import public_estimators

    for cls in public_estimators():
        if names and cls.__name__ not in names:
            continue
        model = cls()
        arguments = {k: v for k, v in SHORT.items() if k in model.get_params()}
        model.set_params(**arguments).fit(X)
        stored = {"model": model, "X": X, "labels": model.predict(X)}
        if hasattr(model, "predict_proba"):
            stored["probabilities"] = model.predict_proba(X)
        path = FOLDER / f"{cls.__name__}.pkl"
        path.write_bytes(pickle.dumps(stored, protocol=4))
        print(f"{path.name}: {path.stat().st_size} bytes, NumPy {np.__version__}")


if __name__ == "__main__":
    main(sys.argv[1:])
