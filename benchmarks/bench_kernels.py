"""Softmax and f-divergences against NumPy and against the machine's limit.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_kernels.py [N] [K] [--dtype float32]

One thread, CPU time, best of several runs, all forms taken in turn. Columns:

- `ours`: value and gradient, a new array (softmax: in place; its derivative: into
  an array that is there);
- `numpy`: the same with as few passes and temporaries as NumPy allows, and how
  many times as long it takes;
- `limit`: what no implementation beats by much: the bytes of the passes that the
  mathematics needs, at the speed of a copy (into a new array where there is a
  new one), plus the vector exponential, logarithm, square root or division of
  every entry, alone. Passes: the
  proportions read P; the rows read P and write G; what comes through the
  proportions reads and writes G once more. The K (K - 1) / 2 comparisons of a row
  in TV one-vs-one are not in it: each of them takes eight vector operations, four
  of them products, for as many rows as a vector holds;
- `copy`: `ours` in copies of P, which is what a pass with no arithmetic costs.

``GEMCLUS_ISA=baseline`` measures the kernels that run on every processor,
``GEMCLUS_ISA=x86-64-v3`` those with AVX2;
``NPY_DISABLE_CPU_FEATURES`` does the same to NumPy.
"""

import argparse
import time

import numpy as np

from gemclus._core import dispatch
from gemclus._core.softmax_passes import softmax_backward, softmax_rows
from gemclus.gemini._registry import make_gemini

EPSILON = 1e-12


def numpy_softmax(x):
    x -= x.max(axis=1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=1, keepdims=True)


def numpy_backward(P, G, out):
    np.subtract(np.einsum("ij,ij->i", P, G)[:, None], G, out=out)
    out *= P


def numpy_kl_ova(P, N, pi):
    R = P / pi
    np.log(R, out=R)
    value = np.einsum("ij,ij->", P, R) / N
    R /= N
    return value, R


def numpy_kl_ovo(P, N, pi):
    L = P / pi
    np.log(L, out=L)
    D = P - pi
    value = np.einsum("ij,ij->", D, L) / N
    D /= P
    D += L
    D -= L.mean(axis=0)
    D /= N
    return value, D


def numpy_tv_ova(P, N, pi):
    D = P - pi
    s = np.sign(D)
    np.abs(D, out=D)
    value = D.sum() / (2 * N)
    s -= s.mean(axis=0)
    s /= 2 * N
    return value, s


def numpy_tv_ovo(P, N, pi, rows=256):
    G, value, through = np.empty_like(P), 0.0, 0.0
    for start in range(0, N, rows):  # the temporaries stay in the cache
        part = P[start : start + rows]
        D = part[:, :, None] * pi
        D -= D.transpose(0, 2, 1).copy()
        s = np.sign(D)
        np.abs(D, out=D)
        value += D.sum()
        np.matmul(s, pi, out=G[start : start + rows])
        through -= np.matmul(part[:, None], s).sum(axis=(0, 1))
    G += through / -N
    G /= N
    return value / (2 * N), G


def numpy_hellinger_ova(P, N, pi):
    S = np.sqrt(P * pi)
    value = 1 - S.sum() / N
    through = S.mean(axis=0) / pi
    S /= P
    S += through
    S /= -2 * N
    return value, S


def numpy_hellinger_ovo(P, N, pi):
    S = np.sqrt(P * pi)
    s = S.sum(axis=1, keepdims=True)
    value = 1 - np.einsum("ij,ij->", s, s) / N
    S *= s
    through = S.mean(axis=0) / pi
    S /= P
    S += through
    S /= -N
    return value, S


def numpy_chi2_ova(P, N, pi):
    R = P / pi
    value = (np.einsum("ij,ij->", P, R) / N - 1) / 2
    through = np.einsum("ij,ij->j", R, R) / N
    R *= 2
    R -= through
    R /= 2 * N
    return value, R


def numpy_chi2_ovo(P, N, pi):
    R = P / pi
    a, b = np.einsum("ij,ij->i", P, R)[:, None], (1 / R) @ pi[:, None]
    value = (np.einsum("ij,ij->", a, b) / N - 1) / 2
    q = 1 / R
    through = (2 * a.T @ q - b.T @ (R * R)) / N
    R *= 2 * b
    q *= q
    q *= a
    R -= q
    R += through
    R /= 2 * N
    return value, R


def with_proportions(form):
    def evaluate(P):
        clipped = np.clip(P, EPSILON, 1 - EPSILON)
        return form(clipped, len(P), clipped.mean(axis=0))

    return evaluate


# name: (NumPy form, copies that the passes amount to, functions of each entry)
DIVERGENCES = {
    "kl_ova": (numpy_kl_ova, 1.5, ("log",)),
    "kl_ovo": (numpy_kl_ovo, 2.5, ("log", "divide")),
    "tv_ova": (numpy_tv_ova, 2.5, ()),
    "tv_ovo": (numpy_tv_ovo, 2.5, ()),
    "hellinger_ova": (numpy_hellinger_ova, 2.5, ("sqrt", "divide")),
    "hellinger_ovo": (numpy_hellinger_ovo, 2.5, ("sqrt", "divide")),
    "chi2_ova": (numpy_chi2_ova, 2.5, ()),
    "chi2_ovo": (numpy_chi2_ovo, 2.5, ("divide",)),
}


def best_times(calls, repeats=5):
    """CPU milliseconds of each callable, the best of several turns."""
    best = dict.fromkeys(calls, np.inf)
    counts = {}
    for _ in range(repeats):
        for name, call in calls.items():
            if name not in counts:
                start = time.perf_counter()
                call()
                counts[name] = max(1, int(0.01 / (time.perf_counter() - start)))
            start = time.thread_time()
            for _ in range(counts[name]):
                call()
            best[name] = min(best[name], (time.thread_time() - start) / counts[name])
    return {name: 1e3 * seconds for name, seconds in best.items()}


def machine(N, K, dtype):
    """Costs of a copy and of each function of an entry, for arrays of this size."""
    x, out = np.random.RandomState(0).uniform(0.1, 1, size=(2, N, K)).astype(dtype)
    calls = {"copy": lambda: np.copyto(out, x), "new copy": x.copy}
    # In the cache, so that the functions cost their arithmetic alone.
    size = min(2048, N * K)
    part, done = np.linspace(0.1, 1, size), np.empty(size)
    calls["exp"] = lambda: dispatch.exp(part, done)
    calls["log"] = lambda: dispatch.log(part, done)
    calls["sqrt"] = lambda: np.sqrt(part, out=done)
    calls["divide"] = lambda: np.divide(1.0, part, out=done)
    times = best_times(calls)
    for name in ("exp", "log", "sqrt", "divide"):
        times[name] *= N * K / size
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("N", type=int, nargs="?", default=1_000_000)
    parser.add_argument("K", type=int, nargs="?", default=10)
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    arguments = parser.parse_args()
    N, K = arguments.N, arguments.K
    generator = np.random.RandomState(0)
    logits = generator.normal(scale=2, size=(N, K)).astype(arguments.dtype)
    P = logits.copy()
    softmax_rows(P)
    G = np.asarray(generator.normal(size=(N, K)), dtype=arguments.dtype)
    x = logits.copy()
    unit = machine(N, K, arguments.dtype)
    print(f"N = {N}, K = {K}, {arguments.dtype}, {dispatch.instruction_set()}")
    print("  ".join(f"{name} {ms:.4g} ms" for name, ms in unit.items()))
    rows = {
        "softmax": (lambda: softmax_rows(x), lambda: numpy_softmax(x), 1.0, ("exp",)),
        "softmax backward": (
            lambda: softmax_backward(P, G, out=x),
            lambda: numpy_backward(P, G, x),
            1.5,
            (),
        ),
    }
    for name, (form, copies, functions) in DIVERGENCES.items():
        gemini, form = make_gemini(name), with_proportions(form)
        value, gradient = gemini.evaluate(P[:1000], None, return_grad=True)
        expected, exact = form(P[:1000].astype(np.float64))
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        np.testing.assert_allclose(gradient, exact, rtol=1e-3, atol=1e-6)
        rows[name] = (
            lambda gemini=gemini: gemini.evaluate(P, None, return_grad=True),
            lambda form=form: form(P),
            copies,
            functions,
        )
    print(f"{'':18}{'ours ms':>10}{'numpy ms':>10}{'ratio':>7}{'limit ms':>10}", end="")
    print(f"{'ours/limit':>11}{'copies':>8}")
    for name, (ours, form, copies, functions) in rows.items():
        times = best_times({"ours": ours, "numpy": form})
        mine, other = times["ours"], times["numpy"]
        first = unit["new copy"] if name in DIVERGENCES else unit["copy"]
        limit = first + (copies - 1) * unit["copy"]
        limit += sum(unit[function] for function in functions)
        print(
            f"{name:18}{mine:10.4g}{other:10.4g}{other / mine:7.1f}{limit:10.4g}"
            f"{mine / limit:11.2f}{mine / unit['copy']:8.1f}"
        )


if __name__ == "__main__":
    main()
