"""Steps over blocks of rows: time to a solution, threads, dask, files, scaling.

See README.md for what is measured and how to run it.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.tables import table
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from gemclus._training import blocks, start
from gemclus.linear import RIM, LinearMMD
from gemclus.mlp import MLPMMD

N_FEATURES, N_CLUSTERS = 20, 10
SPREADS = [3.5, 4.5, 6.0]
MEGABYTE = 1e6

_COMMON = {"solver": "lbfgs", "init": "k-means++", "random_state": 0, "max_iter": 1000}
# Models -> the time of a fit over that of k-means that is the goal.
MODELS = {
    "RIM": (RIM(N_CLUSTERS, reg=0.01, **_COMMON), 1.5),
    "LinearMMD OvO": (LinearMMD(N_CLUSTERS, ovo=True, **_COMMON), 4.0),
    "MLPMMD OvO": (MLPMMD(N_CLUSTERS, ovo=True, **_COMMON), 8.0),
}


def gaussians(n_samples, spread=4.5, dtype=np.float64):
    """Standardised samples of ten Gaussians, and their components."""
    rng = np.random.default_rng(int(10 * spread))
    y = rng.integers(N_CLUSTERS, size=n_samples)
    X = rng.standard_normal((n_samples, N_FEATURES), dtype=dtype)
    centres = rng.uniform(-10, 10, size=(N_CLUSTERS, N_FEATURES)).astype(dtype)
    for rows in np.array_split(np.arange(n_samples), max(1, n_samples // 100_000)):
        part = slice(rows[0], rows[-1] + 1)
        X[part] = dtype(spread) * X[part] + centres[y[part]]
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    return X, y


def timed(run, clock):
    begin = clock()
    result = run()
    return result, clock() - begin


def solution_rows(n_samples, n_jobs, exact, clock):
    """Whole fits beside k-means, and what a far longer training makes of them."""
    ratios = {name: [] for name in MODELS}
    for spread in SPREADS:
        X, y = gaussians(n_samples, spread)
        kmeans, unit = timed(
            lambda X=X: KMeans(N_CLUSTERS, n_init=1, random_state=0).fit(X), clock
        )
        ari = adjusted_rand_score(y, kmeans.labels_)
        name = f"k-means, {kmeans.n_iter_} iterations"
        yield [f"{spread}", name, f"{unit:.2f}", "1", f"{ari:.4f}", "", "", ""]
        for name, (model, goal) in MODELS.items():
            model = clone(model).set_params(n_jobs=n_jobs)
            _, seconds = timed(lambda model=model, X=X: model.fit(X), clock)
            ratios[name].append(seconds / unit)
            row = [f"{spread}", name, f"{seconds:.2f}", f"{seconds / unit:.2f}"]
            row += [f"{adjusted_rand_score(y, model.labels_):.4f}"]
            yield [*row, *(compared(model, X) if exact else ("", "")), f"{goal}"]
    for name, (_, goal) in MODELS.items():
        ratio = float(np.median(ratios[name]))
        met = "met" if ratio <= goal else "NOT MET"
        yield ["median", name, "", f"{ratio:.2f}", "", "", "", f"{goal} {met}"]


def compared(model, X):
    """Distance of a fit from the end of the same training, run to the last digits."""
    best = clone(model).set_params(tol=1e-9, n_iter_no_change=20).fit(X)
    height, reached = best.objective_curve_.max(), model.objective_curve_[-1]
    agreement = adjusted_rand_score(best.labels_, model.labels_)
    return f"{(height - reached) / abs(height):.1e}", f"{agreement:.4f}"


def small_rows(repeats, clock):
    """Fits of sizes below and above those that train on samples."""
    for n_samples in (2_000, 10_000, 65_000, 150_000):
        X, _ = gaussians(n_samples)
        for name, (model, _) in MODELS.items():
            seconds = [
                timed(lambda model=model, X=X: clone(model).fit(X), clock)[1]
                for _ in range(repeats)
            ]
            kept, start.trains_on_samples = start.trains_on_samples, lambda *_: False
            whole = [
                timed(lambda model=model, X=X: clone(model).fit(X), clock)[1]
                for _ in range(repeats)
            ]
            start.trains_on_samples = kept
            yield [f"{n_samples:,}", name, f"{min(seconds):.2f}", f"{min(whole):.2f}"]


class Evaluations:
    """Wall times of the evaluations of a source, from a fit of a few iterations."""

    def __init__(self, n_iterations=12):
        self.n_iterations = n_iterations

    def __call__(self, model, X):
        seconds, evaluate = [], blocks.BlockSource.evaluate

        def watched(source, weights, batch=None):
            result, took = timed(
                lambda: evaluate(source, weights, batch), time.perf_counter
            )
            seconds.append(took)
            return result

        blocks.BlockSource.evaluate = watched
        kept, start.trains_on_samples = start.trains_on_samples, lambda *_: False
        try:
            model = clone(model).set_params(
                init="random", max_iter=self.n_iterations, tol=0.0
            )
            model.fit(X)
        finally:
            blocks.BlockSource.evaluate = evaluate
            start.trains_on_samples = kept
        # The first one makes what all others find.
        return model, np.array(seconds[1:])


def thread_rows(n_samples, repeats):
    """An evaluation on one thread and on two."""
    X, _ = gaussians(n_samples)
    for name, (model, _) in MODELS.items():
        best, weights = {1: np.inf, 2: np.inf}, {}
        for _ in range(repeats):
            for n_jobs in best:
                fitted, seconds = Evaluations()(
                    clone(model).set_params(n_jobs=n_jobs), X
                )
                best[n_jobs] = min(best[n_jobs], float(np.median(seconds)))
                weights[n_jobs] = fitted._get_weights()
        same = all(map(np.array_equal, weights[1], weights[2]))
        gain = best[1] / best[2]
        yield [
            name,
            f"{1e3 * best[1]:.0f}",
            f"{1e3 * best[2]:.0f}",
            f"{gain:.2f} {'met' if gain >= 1.6 else 'NOT MET'}",
            "same" if same else "OTHER BITS",
        ]


class Cluster:
    """Workers in processes, and their client, as a context manager."""

    def __init__(self, n_workers):
        from distributed import Client, LocalCluster

        self.cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
        )
        self.client = Client(self.cluster)

    def __enter__(self):
        return self.client

    def __exit__(self, *error):
        self.client.close()
        self.cluster.close()


def overhead_rows(n_workers, n_iterations=60):
    """Evaluations of next to no rows: what is left is what the cluster costs."""
    import dask.array as da

    X, _ = gaussians(200 * n_workers)
    lazy = da.from_array(X, chunks=(200, N_FEATURES))
    for name, (model, _) in MODELS.items():
        _, seconds = Evaluations(n_iterations)(model, lazy)
        median = 1e3 * float(np.median(seconds))
        met = "met" if median <= 15 else "NOT MET"
        high = 1e3 * float(np.quantile(seconds, 0.9))
        yield [name, f"{median:.1f}", f"{high:.1f}", f"15 {met}"]


def message_bytes(model, X):
    """Bytes that go to and from one worker in an evaluation, pickled."""
    import pickle

    from gemclus.dask import _cluster

    sent = [0, 0]
    call = _cluster.Cluster.call

    def counted(self, model, name, weights, *arguments):
        results = call(self, model, name, weights, *arguments)
        if name in ("sums", "gradients"):
            sent[0] += len(pickle.dumps((name, weights, arguments)))
            sent[1] += len(pickle.dumps(results)) / len(results)
        return results

    _cluster.Cluster.call = counted
    try:
        _, seconds = Evaluations()(model, X)
    finally:
        _cluster.Cluster.call = call
    return sent[0] / (len(seconds) + 1), sent[1] / (len(seconds) + 1)


def scaling_rows(n_samples):
    """Strong and weak scaling on the workers there are, and the model beyond."""
    import dask.array as da

    measured = {}
    for n_workers in (1, 2):
        with Cluster(n_workers):
            for kind in ("strong", "weak"):
                n_rows = n_samples if kind == "strong" else n_samples * n_workers // 2
                X, _ = gaussians(n_rows)
                lazy = da.from_array(X, chunks=(n_samples // 8, N_FEATURES))
                for name, (model, _) in MODELS.items():
                    _, seconds = Evaluations()(model, lazy)
                    median = float(np.median(seconds))
                    measured[name, kind, n_workers] = median
                    yield [name, kind, f"{n_workers}", f"{n_rows:,}",
                           f"{1e3 * median:.0f}", "measured"]  # fmt: skip
            if n_workers == 2:
                small = da.from_array(gaussians(400)[0], chunks=(200, N_FEATURES))
                for name, (model, _) in MODELS.items():
                    _, seconds = Evaluations(40)(model, small)
                    measured[name, "overhead"] = float(np.median(seconds))
                    measured[name, "bytes"] = message_bytes(model, small)
    # An evaluation is the arithmetic, shared by the workers; the overhead, of which
    # each worker beyond these two adds what half of it is; and the bytes of all
    # workers through one link of the driver, of 10 Gbit/s.
    for name in MODELS:
        overhead, (down, up) = measured[name, "overhead"], measured[name, "bytes"]
        row_seconds = (measured[name, "strong", 1] - overhead / 2) / n_samples
        for n_workers, n_rows in ((10, 10**8), (100, 10**8), (100, 10**9)):
            link = n_workers * (down + up) / 1.25e9
            fixed = overhead / 2 * n_workers + link
            seconds = row_seconds * n_rows / n_workers + fixed
            share = 1.0 - fixed / seconds
            yield [name, f"model: {down + up:,.0f} bytes a worker", f"{n_workers}",
                   f"{n_rows:.0e}", f"{1e3 * seconds:.0f}",
                   f"{100 * share:.0f} % of it arithmetic"]  # fmt: skip


def train_from(path, how, answers):
    """A few evaluations of a file's rows, in a process of their own."""
    model = clone(MODELS["RIM"][0]).set_params(n_jobs=1)
    few = np.load(path, mmap_mode="r")[:1000]
    clone(model).set_params(max_iter=2).fit(np.array(few))
    if how == "dask array":
        import dask.array as da

        da.ones(3).compute()
        X = da.from_array(np.load(path, mmap_mode="r"), chunks=(200_000, N_FEATURES))
    else:
        X = np.load(path, mmap_mode="r" if how == "memory map" else None)
    # Pages of the file are the system's to drop: what is asked for is what counts.
    before, highest, done = resident(), [0], []
    from threading import Thread

    def watch():
        while not done:
            highest[0] = max(highest[0], resident() - before)
            time.sleep(0.01)

    watcher = Thread(target=watch)
    watcher.start()
    (fitted, seconds), _ = timed(lambda: Evaluations(8)(model, X), time.process_time)
    begin = time.process_time()
    whole = clone(model).set_params(max_iter=3).fit(X)
    fit_seconds = time.process_time() - begin
    done.append(1)
    watcher.join()
    del fitted, whole
    top = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answers.put((float(np.median(seconds)), fit_seconds, highest[0], top))


def resident():
    """Resident memory without the pages of files."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
    return 0


def file_rows(n_samples, folder):
    """Rows in a file, beside the same in memory."""
    context = get_context("spawn")
    path = Path(folder) / "samples.npy"
    np.save(path, gaussians(n_samples, dtype=np.float32)[0])
    unit = None
    for how in ("in memory", "memory map", "dask array"):
        answers = context.Queue()
        process = context.Process(target=train_from, args=(path, how, answers))
        process.start()
        evaluation, fit, peak, _ = answers.get()
        process.join()
        unit = unit or evaluation
        met = "met" if evaluation / unit <= 1.3 else "NOT MET"
        low = "met" if peak < 400 * MEGABYTE else "NOT MET"
        yield [
            how,
            f"{evaluation:.2f}",
            f"{evaluation / unit:.2f} {met}",
            f"{fit:.1f}",
            f"{peak / MEGABYTE:.0f} {'' if how == 'in memory' else low}",
        ]
    os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", default=["solution", "threads", "dask"], metavar="PART",
        help="solution, small, threads, dask, scaling, file",
    )  # fmt: skip
    parser.add_argument("--samples", type=float, default=1e6)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--exact", action="store_true", help="train on, and compare")
    parser.add_argument("--wall", action="store_true", help="wall time of solutions")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where a file of N x 80 bytes may be")
    options = parser.parse_args()
    n_samples = int(options.samples)
    clock = time.perf_counter if options.wall else time.process_time
    size = f"{n_samples:,} x {N_FEATURES}"
    if "solution" in options.parts:
        print(f"\nTime to a solution, {size}, n_jobs={options.n_jobs}\n")
        header = "spread, fit, s, / k-means, ARI, gap, ARI with the end, goal"
        rows = solution_rows(n_samples, options.n_jobs, options.exact, clock)
        table(header, rows)
    if "small" in options.parts:
        print("\nWhole fits with samples, where the size has them, and without\n")
        table("N, fit, s, s without", small_rows(options.repeats, clock))
    if "threads" in options.parts:
        print(f"\nAn evaluation on threads, {size}\n")
        header = "model, 1 thread ms, 2 threads ms, gain (goal 1.6), bits"
        table(header, thread_rows(n_samples, options.repeats))
    if "dask" in options.parts:
        print("\nOverhead of an evaluation on two workers\n")
        with Cluster(2):
            table("model, median ms, 90 % ms, goal", overhead_rows(2))
    if "scaling" in options.parts:
        print(f"\nScaling on workers, {size}\n")
        header = "model, scaling, workers, rows, ms an evaluation, how"
        table(header, scaling_rows(n_samples))
    if "file" in options.parts:
        print(f"\nFrom a file, RIM, {size} float32\n")
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            header = "rows, s an evaluation, / in memory (goal 1.3), 3 epochs CPU s, "
            header += "MB beyond imports (goal 400)"
            table(header, file_rows(n_samples, folder))


if __name__ == "__main__":
    sys.exit(main())
