"""
Watch a training: callbacks, progress, stopping
===============================================

Callbacks are scikit-learn's: objects with four methods, set on a model by
`set_callbacks`. They are called for the whole fit, for each training (restart) and for
each epoch. A true result at the end of an epoch stops the training. Here one draws a
line of progress and another one stops as soon as the clusters no longer change. Writes
``callbacks.png``.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from gemclus.inspection import ObjectiveCurveDisplay
from gemclus.linear import RIM

X = StandardScaler().fit_transform(load_digits().data)


class Quiet:
    """The four methods; derive it and override what is of interest."""

    def setup(self, estimator, context):
        """Called before the fit."""

    def on_fit_task_begin(self, estimator, context, **kwargs):
        """Called when a fit, a training or an epoch begins."""

    def on_fit_task_end(self, estimator, context, **kwargs):
        """Called when it ends; a true result for an epoch stops the training."""

    def teardown(self, estimator, context):
        """Called after the fit, whatever way it ended."""


# %%
# The name of a task is ``fit``, ``training`` or ``epoch``; ``task_id`` counts.
class Progress(Quiet):
    """One line for each training."""

    def setup(self, estimator, context):
        self.epochs = 0

    def on_fit_task_begin(self, estimator, context, **kwargs):
        if context.task_name == "training":
            self.epochs, self.start = 0, time.perf_counter()

    def on_fit_task_end(self, estimator, context, **kwargs):
        if context.task_name == "epoch":
            self.epochs += 1
        elif context.task_name == "training":
            print(f"training {context.task_id}: {self.epochs} epochs")


class StopWhenSettled(Quiet):
    """Stops once fewer than one sample in a thousand changed in `patience` epochs."""

    def __init__(self, X, patience=5):
        self.X = X
        self.patience = patience

    def on_fit_task_begin(self, estimator, context, **kwargs):
        if context.task_name == "training":
            self.labels, self.calm = None, 0

    def on_fit_task_end(self, estimator, context, **kwargs):
        if context.task_name != "epoch":
            return False
        labels = estimator._infer(self.X, retain=False).argmax(axis=1)
        if self.labels is not None and np.mean(labels != self.labels) < 1e-3:
            self.calm += 1
        else:
            self.calm = 0
        self.labels = labels
        return self.calm >= self.patience


free = RIM(10, reg=0.01, n_init=3, random_state=0).set_callbacks(Progress())
free.fit(X)
settled = RIM(10, reg=0.01, n_init=3, random_state=0)
settled.set_callbacks(Progress(), StopWhenSettled(X))
settled.fit(X)
same = np.mean(free.labels_ == settled.labels_)
print(f"{free.n_iter_} epochs and {settled.n_iter_}, {same:.1%} of the labels the same")

# %%
# The curves of all trainings stay on the model; the one that was kept is bold.
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for axis, (name, model) in zip(
    axes, {"to convergence": free, "until settled": settled}.items(), strict=True
):
    ObjectiveCurveDisplay.from_estimator(model, ax=axis)
    axis.set_title(name)
figure.tight_layout()
figure.savefig("callbacks.png", dpi=120)
print("wrote callbacks.png")
