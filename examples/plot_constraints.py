"""
Pairs that are known: must-link and cannot-link
===============================================

Two clusters lie one above the other or side by side: the data allow both. A few pairs
of samples that are known to belong together, or not, decide. The pairs teach the
model, a function, so their neighbours and new samples follow. Writes
``constraints.png``.
"""

import matplotlib.pyplot as plt
import numpy as np

from gemclus import add_mlcl_constraint
from gemclus.linear import LinearMMD

# %%
# Four groups at the corners of a square: two clusters can join them in two ways.
random_state = np.random.RandomState(0)
corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * [1.15, 1.0]
corner = np.repeat(np.arange(4), 60)
X = corners[corner] + 0.3 * random_state.normal(size=(240, 2))

free = LinearMMD(2, random_state=0).fit(X)

# %%
# Samples 0 and 130 are at the lower left and right, 70 and 200 at the upper left and
# right. The one pair of pairs turns the border by 90 degrees.
must_link = [(0, 130), (70, 200)]
cannot_link = [(0, 70)]
constrained = add_mlcl_constraint(
    LinearMMD(2, random_state=0), must_link, cannot_link, factor=2.0
).fit(X)

figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), sharex=True, sharey=True)
for axis, (name, model) in zip(
    axes, {"free": free, "with three pairs": constrained}.items(), strict=True
):
    labels = model.predict(X)
    axis.scatter(*X.T, c=labels, cmap="cividis", s=14)
    axis.set(title=name, xticks=[], yticks=[])
    kept = [labels[i] == labels[j] for i, j in must_link]
    kept += [labels[i] != labels[j] for i, j in cannot_link]
    print(f"{name}: {sum(kept)} of {len(kept)} pairs respected")
for pairs, style in [(must_link, "-"), (cannot_link, ":")]:
    for pair in pairs:
        axes[1].plot(*X[list(pair)].T, style, color="C3", linewidth=2)
axes[1].set_xlabel("solid: must link; dotted: cannot link")

# %%
# A contradiction through any chain of pairs is found before anything is trained.
try:
    add_mlcl_constraint(LinearMMD(2), [(0, 1), (1, 2)], [(0, 2)])
except ValueError as error:
    print("refused:", error)
figure.tight_layout()
figure.savefig("constraints.png", dpi=120)
print("wrote constraints.png")
