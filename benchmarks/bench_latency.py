"""Time to label one row: `predict`, a pipeline of a frame, its graph in onnxruntime.

See README.md for what is measured and how to run it.
"""

import argparse
import time
import warnings
from functools import partial

from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.linear import RIM, KernelRIM, LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD
from gemclus.tree import Douglas, Kauri

MODELS = [
    KMeans(3, n_init=1, random_state=0),
    LinearMMD(max_iter=50, random_state=0),
    RIM(max_iter=50, random_state=0),
    MLPMMD(max_iter=50, random_state=0),
    SparseLinearMMD(max_iter=50, random_state=0),
    SparseMLPMMD(max_iter=50, random_state=0),
    KernelRIM(max_iter=50, base_kernel="rbf", random_state=0),
    Douglas(max_iter=10, random_state=0),
    Kauri(max_clusters=3),
]


def microseconds(call, repeats):
    """The best mean of twenty series of calls."""
    call()
    means = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        means.append((time.perf_counter() - start) / repeats)
    return 1e6 * min(means)


def session_of(model, dtype):
    import onnxruntime

    from gemclus.onnx import to_onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph = to_onnx(model, dtype=dtype).SerializeToString()
    return onnxruntime.InferenceSession(graph, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=100)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    frame = load_iris(as_frame=True).data
    X = frame.to_numpy()
    row, one = X[:1], frame[:1]
    of_kmeans = None
    print("microseconds           array   frame in a pipeline          ONNX")
    print("                     predict   predict  of KMeans   float32  float64")
    for model in MODELS:
        alone = clone(model).fit(X)
        pipeline = make_pipeline(StandardScaler(), clone(model)).fit(frame)
        times = [
            microseconds(partial(alone.predict, row), repeats),
            microseconds(partial(pipeline.predict, one), repeats),
        ]
        of_kmeans = of_kmeans or times[1]
        cells = f"{times[0]:10.1f}{times[1]:10.1f}{times[1] / of_kmeans:11.2f}"
        if not isinstance(model, KMeans):
            for dtype in ("float32", "float64"):
                session, feed = session_of(pipeline, dtype), {"X": row.astype(dtype)}
                run = partial(session.run, None, feed)
                cells += f"{microseconds(run, repeats):10.1f}"
        print(f"{type(model).__name__:18}{cells}")


if __name__ == "__main__":
    main()
