"""
A tree by gradients: Douglas
============================

`Douglas` cuts each feature softly at learnt points; each combination of bins is a leaf
with a learnt membership. The tree is differentiable, so any GEMINI trains it, here the
Wasserstein distance. Its cut points can be read; `Kauri`, which splits greedily by the
k-means objective, is beside it. Writes ``douglas.png``.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus.tree import Douglas, Kauri

# %%
# Leaves are as many as combinations of bins, so few features should be cut: the petals.
# (On a whole table, ``feature_mask`` names the features to cut.)
iris = load_iris()
names = iris.feature_names[2:]
petals = iris.data[:, 2:]
scaler = StandardScaler()
X = scaler.fit_transform(petals)
douglas = Douglas(3, n_cuts=2, n_init=3, random_state=0)
kauri = Kauri(3, random_state=0)
models = {"Douglas": douglas, "Kauri": kauri}
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharex=True, sharey=True)
for axis, (name, model) in zip(axes, models.items(), strict=True):
    labels = model.fit_predict(X)
    score = adjusted_rand_score(iris.target, labels)
    print(f"{name:8} adjusted Rand index {score:.3f}")
    axis.scatter(*petals.T, c=labels, cmap="viridis", s=18)
    axis.set(title=f"{name}: ARI {score:.2f}", xlabel=names[0], ylabel=names[1])

# %%
# The cut points that separate some samples, in centimetres.
for feature, cuts in douglas.find_active_points(X).items():
    points = cuts * scaler.scale_[feature] + scaler.mean_[feature]
    print(f"{names[feature]}: cut at {points.round(2)}")
    draw = axes[0].axvline if feature == 0 else axes[0].axhline
    for point in points:
        draw(point, color="0.6", linewidth=1)
figure.tight_layout()
figure.savefig("douglas.png", dpi=120)
print("wrote douglas.png")
