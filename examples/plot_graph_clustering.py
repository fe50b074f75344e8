"""
Cluster the nodes of a graph
============================

A graph has no features: its nodes are known by their distances alone. Here the
nodes have positions that the clustering never sees (a latent position model,
Hoff, Raftery and Handcock, JASA 2002): the closer two nodes, the more probable
their edge. The distances are the numbers of hops of the shortest paths, and
`CategoricalWasserstein` gives each node free probabilities. Graphs of ten seeds
are compared with the best that one who knew the positions could do. Writes
``graph_clustering.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from scipy.sparse.csgraph import shortest_path
from scipy.special import expit
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances

from gemclus.nonparametric import CategoricalWasserstein

angles = 2 * np.pi * np.arange(3) / 3
centres = 3.5 * np.column_stack([np.cos(angles), np.sin(angles)])


def draw_graph(n_nodes, seed):
    """A graph of three communities, its hidden positions and communities."""
    random_state = np.random.RandomState(seed)
    community = random_state.randint(3, size=n_nodes)
    positions = centres[community] + random_state.normal(size=(n_nodes, 2))
    probability = expit(2 - 2 * euclidean_distances(positions))
    edges = np.triu(random_state.uniform(size=probability.shape) < probability, k=1)
    return edges | edges.T, positions, community


def hop_distances(adjacency):
    """Lengths of the shortest paths; parts of the graph are far from each other."""
    hops = shortest_path(adjacency, directed=False, unweighted=True)
    hops[np.isinf(hops)] = 2 * hops[np.isfinite(hops)].max()
    return hops


# %%
# The samples are but the numbers of the nodes; the distances go in the place of
# `y`. Free probabilities have many local optima, hence the ten starts.
model = CategoricalWasserstein(
    3, ovo=True, metric="precomputed", n_init=10, random_state=0
)
nodes = np.arange(150)[:, None]

print("agreement with the communities (adjusted Rand index, 1 is perfect)")
print("seed   from the graph   from the positions")
found, possible = [], []
for seed in range(10):
    adjacency, positions, community = draw_graph(len(nodes), seed)
    labels = model.fit_predict(nodes, hop_distances(adjacency))
    nearest = euclidean_distances(positions, centres).argmin(axis=1)
    found.append(adjusted_rand_score(community, labels))
    possible.append(adjusted_rand_score(community, nearest))
    print(f"{seed:4}{found[-1]:17.3f}{possible[-1]:21.3f}")
print(f"mean{np.mean(found):17.3f}{np.mean(possible):21.3f}")

# %%
# The last graph, at its hidden positions, in the colours of its clusters.
figure, axis = plt.subplots(figsize=(6, 5.5))
ends = positions[np.argwhere(np.triu(adjacency))]
axis.add_collection(LineCollection(ends, colors="0.8", linewidths=0.6, zorder=0))
axis.scatter(*positions.T, c=labels, cmap="viridis", s=25)
axis.set(xticks=[], yticks=[], title="Clusters found from the edges alone")
figure.tight_layout()
figure.savefig("graph_clustering.png", dpi=120)
print("wrote graph_clustering.png")
