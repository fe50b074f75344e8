"""A million samples: minibatches, streams from a file, and beside k-means.

See README.md for what is measured and how to run it.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.process import Measured, memory
from _support.tables import table
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from gemclus.linear import LinearModel

MEGABYTE = 1e6
N_SAMPLES, N_FEATURES, N_CLUSTERS = 1_000_000, 50, 10
OBJECTIVES = ["mmd_ova", "mmd_ovo", "mi"]
N_PASSES = 20


def samples(n_features, dtype):
    """Standardised Gaussian samples around ten means, and their components."""
    rng = np.random.default_rng(0)
    y = rng.integers(N_CLUSTERS, size=N_SAMPLES)
    X = rng.standard_normal((N_SAMPLES, n_features), dtype=dtype)
    X += rng.standard_normal((N_CLUSTERS, n_features), dtype=dtype)[y]
    X /= X.std(axis=0)
    return X, y


def streaming_model(gemini):
    return LinearModel(
        N_CLUSTERS, gemini=gemini, batch_size=1000, max_iter=N_PASSES, random_state=0
    )


def minibatch_rows():
    """An epoch in minibatches."""
    X, _ = samples(N_FEATURES, np.float32)
    for gemini in OBJECTIVES:
        streaming_model(gemini).fit(X[:5000])
        with Measured() as measured:
            streaming_model(gemini).set_params(max_iter=1).fit(X)
        yield [
            gemini,
            f"{measured.seconds:.1f}",
            "met" if measured.seconds < 60 else "NOT MET",
            f"{measured.peak / MEGABYTE:.1f}",
            "met" if measured.peak < 100 * MEGABYTE else "NOT MET",
        ]


def stream(path, gemini, allowance, answers):
    """Passes of `partial_fit` over a file, with a limit to the process's memory."""
    X = np.load(path, mmap_mode="r")
    streaming_model(gemini).partial_fit(X[:5000])
    limit = memory("VmData") + allowance
    # Read-only pages of the file do not count: the kernel can drop them.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.ones(X.nbytes, np.uint8)
    except MemoryError:
        pass
    else:
        raise RuntimeError("This system does not keep the limit RLIMIT_DATA")
    model = streaming_model(gemini)
    start = time.process_time()
    for _ in range(N_PASSES):
        model.partial_fit(X)
    answers.put((model.labels_.astype(np.int8), time.process_time() - start))


def stream_rows(allowance):
    """Passes over a file beside as many epochs in memory."""
    X, y = samples(N_FEATURES, np.float32)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.npy"
        np.save(path, X)
        for gemini in OBJECTIVES:
            answers = context.Queue()
            process = context.Process(
                target=stream, args=(path, gemini, allowance, answers)
            )
            process.start()
            labels, seconds = answers.get()
            process.join()
            in_memory = streaming_model(gemini).fit(X).labels_
            yield [
                gemini,
                f"{X.nbytes / MEGABYTE:.0f}",
                f"{allowance / MEGABYTE:.0f}",
                f"{adjusted_rand_score(y, labels):.4f}",
                f"{adjusted_rand_score(y, in_memory):.4f}",
                f"{seconds:.0f}",
            ]


def lloyd_rows(repeats):
    """A full-batch epoch beside an iteration of Lloyd's algorithm."""
    X = samples(20, np.float64)[0]
    start = X[:N_CLUSTERS].copy()

    def lloyd(n):
        fitted = KMeans(N_CLUSTERS, init=start, n_init=1, max_iter=n, tol=0).fit(X)
        if fitted.n_iter_ != n:
            raise RuntimeError(f"k-means converged after {fitted.n_iter_} of {n}")

    for gemini in OBJECTIVES:

        def epochs(n, gemini=gemini):
            LinearModel(N_CLUSTERS, gemini=gemini, max_iter=n, random_state=0).fit(X)

        ours, theirs = iteration_seconds((epochs, lloyd), repeats)
        ratios = ours / theirs
        yield [
            gemini,
            f"{np.median(ours):.3f}",
            f"{np.median(theirs):.3f}",
            f"{np.median(ratios):.2f} ({ratios.min():.2f}-{ratios.max():.2f})",
            "met" if np.median(ratios) <= 4 else "NOT MET",
        ]


def iteration_seconds(runs, repeats, few=1, many=11):
    """CPU time of an iteration of each ``run(n_iterations)``, in every repeat.

    The runs take turns, so that what slows the machine down for a while slows
    all of them: their ratio is taken within a repeat. What a run does once is
    not in the difference of a long and a short one.
    """
    seconds = np.empty((len(runs), repeats))
    for repeat in range(repeats):
        for i, run in enumerate(runs):
            times = []
            for n in (few, many):
                begin = time.process_time()
                run(n)
                times.append(time.process_time() - begin)
            seconds[i, repeat] = (times[1] - times[0]) / (many - few)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", default=["minibatch", "stream", "lloyd"], metavar="PART",
        help="minibatch, stream, lloyd",
    )  # fmt: skip
    parser.add_argument("--allowance", type=float, default=120, metavar="MB")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if "minibatch" in options.parts:
        print("One epoch, 1,000,000 x 50 float32, batch_size=1000\n")
        table("objective, CPU s, < 60 s, MB beyond X, < 100 MB", minibatch_rows())
    if "stream" in options.parts:
        print(f"\n{N_PASSES} passes of partial_fit over a memory-mapped file\n")
        header = "objective, file MB, allowed MB, ARI, ARI of fit in memory, CPU s"
        table(header, stream_rows(int(options.allowance * MEGABYTE)))
    if "lloyd" in options.parts:
        print(
            "\nFull-batch epoch beside a Lloyd iteration of k-means, 1,000,000 x 20\n"
        )
        header = "objective, epoch s, Lloyd s, median ratio (range), <= 4"
        table(header, lloyd_rows(options.repeats))


if __name__ == "__main__":
    main()
