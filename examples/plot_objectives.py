"""
See the objectives
==================

A GEMINI is a number for a partition of data. Here a straight border turns once around
two blobs, and each objective says how much it likes the border at every angle. All
like best the border between the blobs. KL, TV, Hellinger and chi² see how sure the
memberships are: a border through the blobs leaves many samples undecided. MMD and
Wasserstein see where the samples of each cluster lie. Writes ``objectives.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from gemclus.data import draw_gmm
from gemclus.gemini import (
    KLGEMINI,
    MI,
    MMDGEMINI,
    TVGEMINI,
    ChiSquareGEMINI,
    HellingerGEMINI,
    WassersteinGEMINI,
)

X, _ = draw_gmm(
    200, [[-2, 0], [2, 0]], [np.eye(2), np.eye(2)], [0.5, 0.5], random_state=0
)
objectives = {
    "mutual information": MI(),
    "KL, one-vs-one": KLGEMINI(ovo=True),
    "total variation": TVGEMINI(),
    "Hellinger": HellingerGEMINI(),
    "chi²": ChiSquareGEMINI(),
    "MMD": MMDGEMINI(),
    "MMD, rbf kernel": MMDGEMINI(kernel="rbf"),
    "Wasserstein": WassersteinGEMINI(),
}

# %%
# Objectives with a geometry get it once, as an affinity of the samples; then they
# take any (N, K) predictions.
angles = np.linspace(0, np.pi, 61)
normals = np.column_stack([np.cos(angles), np.sin(angles)])
curves = {}
for name, objective in objectives.items():
    affinity = objective.compute_affinity(X)
    values = []
    for normal in normals:
        p = expit(3 * X @ normal)
        values.append(objective(np.column_stack([p, 1 - p]), affinity))
    curves[name] = np.array(values)
    best = np.degrees(angles[np.argmax(values)])
    print(f"{name:20} between {min(values):.3f} and {max(values):.3f}", end="")
    print(f", best border turned by {best:.0f} degrees")

figure, axes = plt.subplots(1, 2, figsize=(11, 4))
axes[0].scatter(*X.T, s=8, color="0.5")
for angle in (0, np.pi / 4, np.pi / 2):
    direction = np.array([-np.sin(angle), np.cos(angle)])
    axes[0].plot(
        *np.outer(direction, [-5, 5]), label=f"{np.degrees(angle):.0f} degrees"
    )
axes[0].set(xticks=[], yticks=[], title="borders", aspect="equal")
axes[0].legend()
for (name, values), style in zip(
    curves.items(), 2 * ["-", "--", ":", "-."], strict=True
):
    axes[1].plot(np.degrees(angles), values / values.max(), style, label=name)
axes[1].set(xlabel="angle of the border in degrees", ylabel="share of the maximum")
axes[1].set_ylim(0, 1.05)
axes[1].legend(fontsize=8)
figure.tight_layout()
figure.savefig("objectives.png", dpi=120)
print("wrote objectives.png")
