"""The Python code on the pages of the documentation runs as it stands there.

The blocks of a page run one after the other in one namespace and an empty folder,
with what the page takes for granted (X, a model, a table) made here. A block that
needs a package that is not installed is left out.
"""

import importlib.util
import re
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import load_wine
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DOC = Path(__file__).parents[1] / "doc"
PAGES = sorted(
    path.relative_to(DOC).as_posix()
    for path in DOC.glob("*/*.rst")
    if ".. code-block:: python" in path.read_text()
)

# What the blocks of a page cannot do without.
NEEDS = {"guide/production.rst": ["onnx", "onnxruntime", "skops"]}


def blocks_of(page):
    """The Python blocks of a page, each with the number of its first line."""
    lines = (DOC / page).read_text().splitlines()
    blocks = []
    for first, line in enumerate(lines):
        if line.strip() != ".. code-block:: python":
            continue
        margin = len(line) - len(line.lstrip())
        body = []
        for inner in lines[first + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= margin:
                break
            body.append(inner)
        blocks.append((first + 2, textwrap.dedent("\n".join(body)).strip() + "\n"))
    return blocks


def packages_of(block):
    """The packages that a block imports, or has another one import."""
    names = re.findall(r"^\s*(?:from|import) (\w+)", block, re.MULTILINE)
    return [*names, "zarr"] if "zarr" in block else names


def are_installed(names):
    return all(importlib.util.find_spec(name) for name in names)


def wine():
    return StandardScaler().fit_transform(load_wine().data)


def customers():
    draws = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "age": draws.normal(40, 10, 90).round(),
            "bill": draws.gamma(2.0, 20.0, 90).round(2),
            "plan": draws.choice(["mobile", "fibre"], 90),
            "channel": draws.choice(["shop", "web", "phone"], 90),
        }
    )


def texts():
    words = [
        "sea boat wave fish sail",
        "goal ball team match win",
        "pan salt oven dish",
    ]
    draws = np.random.RandomState(0)
    return [" ".join(draws.choice(words[i % 3].split(), 6)) for i in range(120)]


def given(page):
    """Names and files that the text around the blocks of a page speaks of."""
    import gemclus
    from gemclus.linear import RIM, LinearMMD, LinearModel
    from gemclus.penalties import GroupLasso
    from gemclus.sparse import SparseLinearMMD
    from gemclus.tree import Kauri

    X = wine()
    names = {
        "about/coming_from.rst": lambda: {"KMeans": KMeans, "LinearMMD": LinearMMD},
        "extend/objective.rst": lambda: {
            "MyGEMINI": gemclus.gemini.KLGEMINI,
            "LinearModel": LinearModel,
            "X": X,
        },
        "extend/penalty.rst": lambda: {
            "SparseLinearMMD": SparseLinearMMD,
            "MyPenalty": GroupLasso,
        },
        "guide/constraints.rst": lambda: {"X": X},
        "guide/production.rst": lambda: {"X": X, "model": RIM(3).fit(X)},
        "guide/recipes.rst": lambda: {
            "customers": customers(),
            "texts": texts(),
            "sentences": texts(),
            "distances": np.linalg.norm(X[:60, None] - X[:60], axis=2),
        },
        "guide/scaling.rst": lambda: {
            "X": X,
            "counts": np.arange(len(X)) % 3,
            "model": LinearMMD(3),
        },
        "guide/selection.rst": lambda: {
            "X": X[::3, :4],
            "X_new": X[:5, :4],
            "make_pipeline": make_pipeline,
            "StandardScaler": StandardScaler,
            "KMeans": KMeans,
            "Kauri": Kauri,
            "GaussianMixture": GaussianMixture,
            "AgglomerativeClustering": AgglomerativeClustering,
        },
        "guide/trees.rst": lambda: {"any_clusterer": KMeans(3, random_state=0)},
    }
    return names.get(page, dict)()


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    for name in NEEDS.get(page, []):
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    plt.close("all")
    if page == "guide/scaling.rst" and are_installed(["dask", "zarr"]):
        import dask.array as da

        da.from_array(wine(), chunks=(60, -1)).to_zarr("samples.zarr")
    namespace = {"__name__": "page", **given(page)}
    n_run = 0
    for line, block in blocks_of(page):
        if not are_installed(packages_of(block)):
            continue
        code = compile("\n" * (line - 1) + block, page, "exec")
        exec(code, namespace)
        n_run += 1
    assert n_run
    if page == "guide/trees.rst":
        assert capsys.readouterr().out.strip()
    plt.close("all")
