"""
Rows on several workers
=======================

1,000,000 x 20 numbers in ten files, read as the chunks of a dask array. Without a
cluster the chunks are taken one after another, so that the files may be larger than
memory. With one, each worker keeps its chunks and sends back sums of a few numbers a
step. Both give the same model. Needs ``pip install "gemclus[dask]"``. Writes
``dask.png``.
"""

import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score

from gemclus.linear import RIM

try:
    import dask.array as da
    from dask import delayed
    from distributed import Client, LocalCluster
except ImportError:
    print('This example needs dask: pip install "gemclus[dask]"')
    sys.exit()

# Workers are new processes, which read this script too: the work is in a function.
n_rows, n_chunks, n_features, n_clusters = 1_000_000, 10, 20, 6


def write_rows(folder):
    """Files of float32 rows around six centres, and the centre of each row."""
    draws = np.random.RandomState(0)
    centres = 1.2 * draws.normal(size=(n_clusters, n_features))
    y = draws.randint(n_clusters, size=n_rows)
    for i, part in enumerate(np.split(y, n_chunks)):
        rows = centres[part] + draws.normal(size=(len(part), n_features))
        np.save(folder / f"{i}.npy", rows.astype(np.float32))
    return y


def read_rows(folder):
    """The same as one dask array, whose chunks are read when they are needed."""
    shape = (n_rows // n_chunks, n_features)
    chunks = [
        da.from_delayed(delayed(np.load)(folder / f"{i}.npy"), shape, np.float32)
        for i in range(n_chunks)
    ]
    return da.concatenate(chunks)


def main(folder):
    y = write_rows(folder)
    X = read_rows(folder)
    model = RIM(n_clusters, reg=0.01, random_state=0)

    start = time.perf_counter()
    alone = model.fit(X)
    print(f"one chunk after another: {time.perf_counter() - start:.1f} s")
    weights = alone.coef_.copy()

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster):
        start = time.perf_counter()
        model.fit(X)
        print(f"two workers: {time.perf_counter() - start:.1f} s")
        # Labels of a dask array are computed where its chunks are, when asked for.
        labels = model.predict(X).compute()
    print(f"same weights: {np.array_equal(weights, model.coef_)}")
    print(f"adjusted Rand index: {adjusted_rand_score(y, labels):.4f}")

    # The fitted model is an ordinary local one.
    rows = X[:4000].compute()
    logits = np.log(model.predict_proba(rows))
    _, axes = plt.subplots(1, 2, figsize=(10, 3.8))
    axes[0].scatter(
        logits[:, 0] - logits[:, 1],
        logits[:, 2] - logits[:, 3],
        c=model.predict(rows),
        cmap="viridis",
        s=4,
    )
    axes[0].set(
        xlabel="log odds of clusters 0 and 1",
        ylabel="log odds of clusters 2 and 3",
        title="4000 of the rows",
    )
    chunks = np.split(labels, n_chunks)
    counts = [np.bincount(chunk, minlength=n_clusters) for chunk in chunks]
    image = axes[1].imshow(counts, aspect="auto", cmap="cividis")
    axes[1].set(xlabel="cluster", ylabel="chunk", title="rows by chunk")
    plt.colorbar(image, ax=axes[1])
    plt.tight_layout()
    plt.savefig("dask.png", dpi=120)
    print("wrote dask.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name))
