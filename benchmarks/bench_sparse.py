"""Fits and paths of sparse models, beside the registry's package.

See README.md for what is measured and how to run it.
"""

import argparse
import sys

import _support.threads  # noqa: F401  before NumPy
from _support.peer import Worker, add_peer_argument, peer_python
from _support.tables import table, verdict

PUBLISHED = {"alpha": 1, "ovo": True}
CASES = [
    ("SparseLinearMMD", "fit", {}),
    ("SparseLinearMMD", "path", {}),
    ("SparseLinearMMD", "path", PUBLISHED),
    ("SparseMLPMMD", "path", {}),
    ("SparseMLPMMD", "path", PUBLISHED),
]
# Least ratio of the peer's time to ours.
FLOOR = 20


def fastest(answers):
    """The answer of the fastest run."""
    return min(answers, key=lambda answer: answer["seconds"])


def rows(ours, peer, options):
    """One row for each case, both packages in turns."""
    for model, method, parameters in CASES:
        if model not in options.models:
            continue
        request = dict(model=model, method=method, parameters=parameters)
        sides = [[], []]
        for _repeat in range(options.repeats):
            for worker, answers in zip((ours, peer), sides, strict=True):
                # Slow cells are steady enough without being repeated.
                if not answers or answers[0]["seconds"] < options.seconds:
                    answers.append(worker("sparse", **request))
        mine, other = map(fastest, sides)
        ratio = other["seconds"] / mine["seconds"]
        yield [
            model,
            method,
            ", ".join(f"{name}={value}" for name, value in parameters.items()) or "-",
            f"{mine['seconds']:.3f}",
            f"{other['seconds']:.3f}",
            f"{ratio:,.1f}",
            verdict(ratio, FLOOR),
            *(found(answer) for answer in (mine, other)),
            *(f"{answer['score']:.3f}" for answer in (mine, other)),
            *(f"{answer['ari']:.3f}" for answer in (mine, other)),
        ]


def found(answer):
    """The selection: features 0 to 4 are the informative ones."""
    kept = answer["selection"]
    right = sum(feature < 5 for feature in kept)
    return f"{right} + {len(kept) - right}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    models = sorted({model for model, _, _ in CASES})
    parser.add_argument("--models", nargs="*", choices=models, default=models)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="repeat what takes less than this"
    )
    options = parser.parse_args()
    with (
        Worker(sys.executable) as ours,
        Worker(peer_python(options.peer_python)) as peer,
    ):
        print(f"gemclus {ours.version} (ours) beside {peer.version} (peer), one thread")
        print("celeux_one(n=300, p=20): 5 features are informative\n")
        header = (
            "model, method, parameters, ours s, peer s, ratio, floor, "
            "ours keeps, peer keeps, ours score, peer score, ours ARI, peer ARI"
        )
        table(header, rows(ours, peer, options))


if __name__ == "__main__":
    main()
