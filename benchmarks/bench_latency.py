"""Time to label one row: `predict`, a pipeline, and its graph in onnxruntime.

See README.md for what is measured and how to run it.
"""

import argparse
import time
import warnings
from functools import partial

from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.linear import KernelRIM, LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD
from gemclus.tree import Douglas, Kauri

MODELS = [
    LinearMMD(max_iter=50, random_state=0),
    MLPMMD(max_iter=50, random_state=0),
    SparseLinearMMD(max_iter=50, random_state=0),
    SparseMLPMMD(max_iter=50, random_state=0),
    KernelRIM(max_iter=50, base_kernel="rbf", random_state=0),
    Douglas(max_iter=10, random_state=0),
    Kauri(max_clusters=3),
    KMeans(3, n_init=1, random_state=0),
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
    X = load_iris().data
    row = X[:1]
    print("model             predict  pipeline  float32  float64")
    for model in MODELS:
        pipeline = make_pipeline(StandardScaler(), model).fit(X)
        times = [
            microseconds(partial(model.predict, row), repeats),
            microseconds(partial(pipeline.predict, row), repeats),
        ]
        for dtype in ("float32", "float64"):
            if isinstance(model, KMeans):
                continue
            session, feed = session_of(pipeline, dtype), {"X": row.astype(dtype)}
            times.append(
                microseconds(lambda s=session, f=feed: s.run(None, f), repeats)
            )
        cells = "".join(f"{value:9.1f}" for value in times)
        print(f"{type(model).__name__:16}{cells}")


if __name__ == "__main__":
    main()
