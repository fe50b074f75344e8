"""
Time series by a precomputed metric
===================================

Cylinder, bell and funnel (Saito 1994): series whose event begins and ends anywhere, so
that the straight distance of two series says little. Dynamic time warping stretches
them onto each other first. Any matrix of distances can be the metric of a Wasserstein
objective: it goes in the place of ``y``. Writes ``time_series.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances

from gemclus.nonparametric import CategoricalWasserstein


def cylinder_bell_funnel(n, length=64, seed=0):
    """`n` series of three kinds, standardised, and their kinds."""
    random_state = np.random.RandomState(seed)
    kind = np.arange(n) % 3
    begin = random_state.uniform(length / 8, length / 4, size=(n, 1))
    end = begin + random_state.uniform(length / 4, 3 * length / 4, size=(n, 1))
    time = np.arange(length)
    ramp = (time - begin) / (end - begin)
    level = np.stack([np.ones_like(ramp), ramp, 1 - ramp])[kind, np.arange(n)]
    height = 6 + random_state.normal(size=(n, 1))
    event = height * level * ((time >= begin) & (time <= end))
    series = event + random_state.normal(size=(n, length))
    series -= series.mean(axis=1, keepdims=True)
    return series / series.std(axis=1, keepdims=True), kind


def time_warping_distances(series):
    """Distances of all pairs at once, one cell of the warping table at a time."""
    n, length = series.shape
    first, second = np.triu_indices(n, k=1)
    above = np.full((length + 1, len(first)), np.inf)
    above[0] = 0
    for i in range(length):
        row = np.full_like(above, np.inf)
        for j in range(length):
            cost = (series[first, i] - series[second, j]) ** 2
            best = np.minimum(np.minimum(above[j], above[j + 1]), row[j])
            row[j + 1] = cost + best
        above = row
    distances = np.zeros((n, n))
    distances[first, second] = distances[second, first] = np.sqrt(above[length])
    return distances


series, kind = cylinder_bell_funnel(90)
metrics = {
    "straight distance": euclidean_distances(series),
    "dynamic time warping": time_warping_distances(series),
}

# %%
# The samples are but numbers; the distances are all that the model sees.
numbers = np.arange(len(series))[:, None]
model = CategoricalWasserstein(
    3, metric="precomputed", ovo=True, n_init=5, random_state=0
)
print("agreement with the kinds (adjusted Rand index, 1 is perfect)")
for name, distances in metrics.items():
    labels = model.fit_predict(numbers, distances)
    print(f"{name:22}{adjusted_rand_score(kind, labels):6.3f}")

figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True)
for k, axis in enumerate(axes):
    members = series[labels == k]
    axis.plot(members.T, color="0.75", linewidth=0.6)
    axis.plot(members[:2].T, color=f"C{k}")
    axis.set(title=f"cluster {k}: {len(members)} series", xlabel="time")
figure.tight_layout()
figure.savefig("time_series.png", dpi=120)
print("wrote time_series.png")
