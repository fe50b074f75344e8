"""Time whole fits of models with their defaults, beside the registry's package.

See README.md for what is measured and how to run it.
"""

import argparse
import sys

import _support.threads  # noqa: F401  before NumPy
from _support.peer import Worker, add_peer_argument, peer_python
from _support.tables import table, verdict

# model, data, arguments, least ratio of the peer's time to ours
CELLS = [
    ("linear.LinearMMD", "celeux_one(300)", {}, None),
    ("mlp.MLPMMD", "celeux_one(300)", {}, 20),
    ("sparse.SparseLinearMMD", "celeux_one(300)", {}, 20),
    ("linear.RIM", "celeux_one(300)", {}, None),
    ("linear.KernelRIM", "celeux_one(300)", {"base_kernel": "rbf"}, None),
    ("nonparametric.CategoricalMMD", "celeux_one(300)", {}, None),
    ("tree.Douglas", "blobs 300 x 8", {"n_cuts": 1}, None),
    ("tree.Douglas", "blobs 300 x 8", {"n_cuts": 2}, 3),
    ("tree.Douglas", "blobs 300 x 8", {"n_cuts": 2, "gemini": "mmd_ova"}, 3),
]


def rows(ours, peer, options):
    """One row for each cell: both packages are measured in turns."""
    for name, data, arguments, floor in CELLS:
        if options.models and name.split(".")[1] not in options.models:
            continue
        request = dict(name=name, data=data, random_state=0, **arguments)
        measures = [[], []]
        for _ in range(options.repeats):
            for worker, found in zip((ours, peer), measures, strict=True):
                found.append(worker("model", **request))
        mine, other = (min(found, key=lambda m: m["seconds"]) for found in measures)
        ratio = other["seconds"] / mine["seconds"]
        yield [
            name.split(".")[1],
            ", ".join(f"{key}={value}" for key, value in arguments.items()),
            data,
            f"{mine['seconds']:.3f}",
            f"{other['seconds']:.3f}",
            f"{ratio:,.1f}",
            verdict(ratio, floor),
            f"{mine['score']:.4f}",
            f"{other['score']:.4f}",
            f"{mine['ari']:.3f}",
            f"{other['ari']:.3f}",
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_peer_argument(parser)
    parser.add_argument("--models", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with (
        Worker(sys.executable) as ours,
        Worker(peer_python(options.peer_python)) as peer,
    ):
        print(
            f"gemclus {ours.version} (ours) beside {peer.version} (peer), one thread\n"
        )
        header = (
            "model, arguments, data, ours s, peer s, ratio, floor, our score, "
            "peer score, our ARI, peer ARI"
        )
        table(header, rows(ours, peer, options))


if __name__ == "__main__":
    main()
