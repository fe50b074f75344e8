"""
Explain a clustering by the rules of a tree
===========================================

A clustering is easier to trust when it can be told in a few rules. Two
clusterings of wines, by a linear GEMINI model and by k-means, know 13 chemical
measurements on a standardised scale. A Kauri tree grown on their labels tells
them in the original units, with a handful of thresholds, and `fidelity` says how
faithful the rules are, also for wines that the tree has not seen. Writes
``kauri_explains_clustering.png``.
"""

import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from gemclus.linear import LinearMMD
from gemclus.tree import Kauri, export_text, fidelity, plot_tree

wine = load_wine()
X, names = wine.data, wine.feature_names
scaled = StandardScaler().fit_transform(X)

clusterings = {
    "LinearMMD": LinearMMD(3, ovo=True, random_state=0),
    "KMeans": KMeans(3, n_init=10, random_state=0),
}

figure, axes = plt.subplots(1, 2, figsize=(15, 6))
for axis, (name, model) in zip(axes, clusterings.items(), strict=True):
    labels = model.fit_predict(scaled)

    # %%
    # `kernel="labels"`: the kernel of two wines is one if they have the same
    # label. `min_gain` keeps the tree from chasing single wines.
    tree = Kauri(max_clusters=3, kernel="labels", min_gain=0.02).fit(X, labels)
    report = fidelity(tree, X, labels)
    print(f"{name}: {report}")
    print(export_text(tree, feature_names=names, cluster_names=report.cluster_labels))

    # %%
    # Do the rules hold for wines that the tree has not seen?
    X_seen, X_new, seen, new = train_test_split(
        X, labels, stratify=labels, random_state=0
    )
    other = Kauri(max_clusters=3, kernel="labels", min_gain=0.02).fit(X_seen, seen)
    print(f"On new wines: {100 * fidelity(other, X_new, new).accuracy:.1f}%\n")

    plot_tree(
        tree,
        feature_names=names,
        cluster_names=report.cluster_labels,
        filled=True,
        rounded=True,
        decimals=1,
        ax=axis,
    )
    axis.set_title(f"{name}, explained ({100 * report.accuracy:.0f}% faithful)")

# %%
# The same tree without labels to follow clusters by itself, on the same footing
# as k-means: its objective is that of k-means.
tree = Kauri(max_clusters=3, min_gain=0.005).fit(scaled)
print(f"Kauri alone: {tree.get_n_leaves()} rules of at most {tree.get_depth()} tests")
inertia = (scaled**2).sum() - tree.score(scaled)
print(f"Inertia {inertia:.1f}; of k-means {clusterings['KMeans'].inertia_:.1f}")

figure.tight_layout()
figure.savefig("kauri_explains_clustering.png", dpi=120)
print("wrote kauri_explains_clustering.png")
