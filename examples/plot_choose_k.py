"""
Choose the number of clusters
=============================

178 wines of three cultivars, 13 chemical measurements each. How many clusters does
one see who does not know the cultivars? `KSelector` fits a model for each number,
ranks the numbers by two criteria, and takes the best mean rank. The objective itself
is no criterion: it grows with the number of clusters. Writes ``choose_k.png``.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.inspection import KSelectionDisplay, SilhouetteDisplay
from gemclus.linear import LinearMMD
from gemclus.selection import KSelector

X, cultivar = load_wine(return_X_y=True)
model = make_pipeline(StandardScaler(), LinearMMD(ovo=True))

# %%
# The parameter of the pipeline is found by its name, ``linearmmd__n_clusters``. The
# criteria look at the standardised data, as the model does.
selector = KSelector(model, range(2, 11), random_state=0).fit(X)
scores = selector.scores_
print("clusters   Calinski-Harabasz   silhouette, held out   mean rank")
for row in zip(
    scores["n_clusters"],
    scores["calinski_harabasz"],
    scores["silhouette_cv"],
    scores["mean_rank"],
    strict=True,
):
    print("{:8}{:20.1f}{:23.3f}{:12.1f}".format(*row))
agreement = adjusted_rand_score(cultivar, selector.labels_)
print(f"chosen: {selector.n_clusters_}, adjusted Rand index {agreement:.3f}")


# %%
# A criterion may also be a function of the fitted model and the data. This one is
# the objective, and always likes more clusters.
def objective(model, X):
    return model.score(X)


greedy = KSelector(model, range(2, 11), criteria=objective, random_state=0).fit(X)
print(f"chosen by the objective alone: {greedy.n_clusters_}")

# %%
# The ranks that decided, the objective, and how well each wine sits in its cluster.
figure, axes = plt.subplots(1, 3, figsize=(13, 4))
KSelectionDisplay.from_estimator(selector, ax=axes[0])
axes[1].plot(scores["n_clusters"], greedy.scores_["objective"], "o-")
axes[1].set(xlabel="number of clusters", title="the objective, which is no criterion")
scaled = selector.best_estimator_[:-1].transform(X)
SilhouetteDisplay.from_predictions(scaled, selector.labels_, ax=axes[2])
axes[2].set_title("silhouettes of the chosen clusters")
figure.tight_layout()
figure.savefig("choose_k.png", dpi=120)
print("wrote choose_k.png")
