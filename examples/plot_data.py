"""
Data whose clusters are known
=============================

The generators of `gemclus.data`, with the parameters of the papers they come from:
mixtures of Gaussians, a Student-t, the mixture of both of the GEMINI paper, and the
two scenarios of Celeux et al. (2014), in which most features are noise or follow from
others. The same seed gives the same samples in every release. Writes ``data.png``.
"""

import matplotlib.pyplot as plt
import numpy as np

from gemclus.data import (
    celeux_one,
    celeux_two,
    draw_gmm,
    gstm,
    multivariate_student_t,
)

tail = multivariate_student_t(300, np.zeros(2), np.eye(2), df=2, random_state=0)
sets = {
    "draw_gmm": draw_gmm(
        300,
        loc=[[-3, 0], [3, 0], [0, 4]],
        scale=[np.eye(2), np.diag([0.2, 3]), np.eye(2)],
        pvals=[0.5, 0.3, 0.2],
        random_state=0,
    ),
    "multivariate_student_t": (tail, np.zeros(300)),
    "gstm": gstm(n=500, alpha=5, random_state=0),
    "celeux_one": celeux_one(n=300, random_state=0),
    "celeux_two": celeux_two(n=600, random_state=0),
}
figure, axes = plt.subplots(1, 5, figsize=(15, 3.4))
for axis, (name, (X, y)) in zip(axes, sets.items(), strict=True):
    limits = np.quantile(X[:, :2], [0.01, 0.99], axis=0).T
    axis.scatter(*X[:, :2].T, c=y, cmap="viridis", s=6)
    axis.set(title=name, xlim=1.2 * limits[0], ylim=1.2 * limits[1])
    axis.set_xlabel(f"{X.shape[0]} x {X.shape[1]}, the first two shown")
    print(f"{name:24} {X.shape}, {len(set(y))} clusters")
figure.tight_layout()
figure.savefig("data.png", dpi=110)
print("wrote data.png")
