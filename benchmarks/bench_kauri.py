"""Time the growth of Kauri trees.

Without arguments: a table of CPU time and memory against the number of samples.
With ``--against PYTHON``, the interpreter of an environment that holds another
implementation of ``gemclus.tree.Kauri``: each case is run by both in turn, in
processes of their own, and CPU times and objectives are compared.

    python benchmarks/bench_kauri.py
    python benchmarks/bench_kauri.py --against /path/to/other/bin/python
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

# name: data, samples, features, clusters, kernel, floor of the speed-up
CASES = {
    "blobs 1000 x 20, K = 3, linear": ("blobs", 1000, 20, 3, "linear", 50),
    "blobs 1000 x 20, K = 10, linear": ("blobs", 1000, 20, 10, "linear", 50),
    "noise 1000 x 20, K = 3, linear": ("noise", 1000, 20, 3, "linear", 50),
    "noise 1000 x 20, K = 10, linear": ("noise", 1000, 20, 10, "linear", 50),
    "blobs 1000 x 20, K = 3, rbf": ("blobs", 1000, 20, 3, "rbf", 10),
    "blobs 1000 x 20, K = 10, rbf": ("blobs", 1000, 20, 10, "rbf", 10),
    "blobs 2000 x 20, K = 3, linear": ("blobs", 2000, 20, 3, "linear", 100),
    "blobs 2000 x 20, K = 10, linear": ("blobs", 2000, 20, 10, "linear", 100),
    "noise 2000 x 20, K = 3, linear": ("noise", 2000, 20, 3, "linear", 100),
    "noise 2000 x 20, K = 10, linear": ("noise", 2000, 20, 10, "linear", 100),
    "digits 1797 x 64, K = 10, linear": ("digits", 1797, 64, 10, "linear", 100),
}


def make_data(kind, n_samples, n_features):
    from sklearn.datasets import load_digits, make_blobs
    from sklearn.preprocessing import StandardScaler

    if kind == "digits":
        X = load_digits().data
    elif kind == "noise":
        X = np.random.RandomState(0).randn(n_samples, n_features)
    else:
        X, _ = make_blobs(
            n_samples, n_features, centers=10, cluster_std=6.0, random_state=0
        )
    return StandardScaler().fit_transform(X)


def run_case(kind, n_samples, n_features, n_clusters, kernel, repeats, **params):
    """CPU time of a fit (the best of several), objective and leaves."""
    from gemclus.tree import Kauri

    X = make_data(kind, n_samples, n_features)
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        model = Kauri(max_clusters=n_clusters, kernel=kernel, **params).fit(X)
        seconds.append(time.process_time() - start)
    return {
        "seconds": min(seconds),
        "objective": float(model.score(X)),
        "leaves": (len(model.tree_.features) + 1) // 2,
    }


def run_in(python, case, repeats):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, __file__, "--worker", case, "--repeats", str(repeats)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def compare(other, cases):
    for case in cases:
        ours = run_in(sys.executable, case, 3)
        theirs = run_in(other, case, 1)
        ratio = theirs["seconds"] / ours["seconds"]
        verdict = "ok" if ratio >= CASES[case][-1] else "BELOW THE FLOOR"
        if ours["objective"] < theirs["objective"] * (1 - 1e-9):
            verdict += ", WORSE OBJECTIVE"
        print(
            f"{case:34} {theirs['seconds']:8.2f} s {ours['seconds']:8.4f} s "
            f"{ratio:6.0f}x (floor {CASES[case][-1]}x) {verdict}; "
            f"J {theirs['objective']:.6f} ({theirs['leaves']} leaves), "
            f"ours {ours['objective']:.6f} ({ours['leaves']})",
            flush=True,
        )


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scaling():
    print("Linear kernel, 20 features, 64 leaves")
    for n_samples in (1000, 3000, 10_000, 30_000, 100_000):
        make_data("noise", n_samples, 20)
        before = peak_memory()
        for n_clusters in (3, 10):
            case = ("noise", n_samples, 20, n_clusters, "linear", 1)
            seconds = run_case(*case, max_leaves=64)["seconds"]
            unit = 1e9 * seconds / (n_samples * np.log2(n_samples))
            print(
                f"N = {n_samples:6} K = {n_clusters:2}: {seconds:7.3f} s, "
                f"{unit:6.0f} ns per N log2 N, peak memory beyond the data "
                f"{peak_memory() - before:4.0f} MB",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", help="interpreter of the other implementation")
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--worker", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        result = run_case(*CASES[arguments.worker][:-1], arguments.repeats)
        print(json.dumps(result))
    elif arguments.against:
        compare(arguments.against, arguments.case or CASES)
    else:
        scaling()


if __name__ == "__main__":
    main()
