"""The codebase itself: layers, packaging, stubs, documentation."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from importlib.metadata import version
from pathlib import Path

import gemclus
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "gemclus"

# What each room may import, from the ground up. A room may import itself and
# the rooms of the lines above it.
LAYERS = [
    {
        "_buffers",
        "_callbacks",
        "_dense",
        "_docstrings",
        "_narrow",
        "_pickling",
        "_relu",
        "_softmax",
        "_threads",
        "_validation",
        "_warnings",
    },
    {"affinity", "_layers", "_contracts", "_monitor"},
    {"gemini", "optim", "penalties", "_start"},
    {"_training", "_restarts"},
    {"_base", "_constraints", "_objectives"},
    {"linear", "mlp", "nonparametric", "sparse", "tree"},
    {"constraints"},
]


def room_of(path):
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return parts[0]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "gemclus":
                names = [f"gemclus.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("gemclus."):
                yield name.split(".")[1]


@pytest.mark.parametrize(
    "path", sorted(SOURCES.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCES))
)
def test_imports_go_one_way(path):
    room = room_of(path)
    if room == "__init__":
        return
    if room == "data":
        allowed = {"data", "_validation"}
    else:
        levels = [i for i, layer in enumerate(LAYERS) if room in layer]
        assert levels, f"{room} is in no layer: add it to LAYERS"
        allowed = set().union({room}, *LAYERS[: levels[0]])
        # Neighbours of the ground floor and models of one family may meet.
        allowed |= LAYERS[levels[0]]
    assert set(imported_rooms(path)) <= allowed


@pytest.mark.parametrize(
    "path",
    sorted([*SOURCES.rglob("*.py"), *SOURCES.rglob("*.pyx")]),
    ids=lambda p: str(p.relative_to(SOURCES)),
)
def test_every_file_is_built_or_installed(path):
    build = (SOURCES / "meson.build").read_text()
    name = path.stem if path.suffix == ".pyx" else path.name
    assert f"'{name}'" in build
    if path.suffix == ".pyx":
        assert path.with_suffix(".pyi").exists()


def public_modules():
    yield gemclus
    for info in pkgutil.walk_packages(gemclus.__path__, "gemclus."):
        yield importlib.import_module(info.name)


def test_the_version_is_written_once():
    declared = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    assert gemclus.__version__ == version("gemclus") == declared


@pytest.mark.parametrize("module", list(public_modules()), ids=lambda m: m.__name__)
def test_examples_in_docstrings(module):
    with np.printoptions(legacy=False):
        assert doctest.testmod(module).failed == 0


def public_objects():
    for module in public_modules():
        if any(part.startswith("_") for part in module.__name__.split(".")[1:]):
            continue
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield pytest.param(thing, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("thing", list(public_objects()))
def test_public_things_are_documented(thing):
    text = inspect.getdoc(thing)
    assert text and "%(" not in text
    target = thing.__init__ if inspect.isclass(thing) else thing
    for name in inspect.signature(target).parameters:
        if name not in ("self", "args", "kwargs"):
            assert re.search(rf"^\*{{0,2}}{name}\b.* :|^{name}, |, {name} : ", text, re.M), (
                f"parameter {name} is not documented"
            )
    for line in text.splitlines():
        assert len(line) <= 88, line


def test_stubs_name_what_the_compiled_modules_have():
    for stub in SOURCES.rglob("*.pyi"):
        name = ".".join(stub.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name)
        for node in ast.parse(stub.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert hasattr(module, node.name), f"{name}.{node.name}"


def test_importing_adds_no_heavy_package_to_scikit_learn():
    import subprocess
    import sys

    code = (
        "import sys, sklearn.cluster; before = set(sys.modules); import gemclus; "
        "print({name.split('.')[0] for name in set(sys.modules) - before})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    added = ast.literal_eval(result.stdout)
    assert "gemclus" in added
    assert not added & {"matplotlib", "torch", "dask", "pandas", "tqdm"}
