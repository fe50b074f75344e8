"""The codebase itself: layers, packaging, stubs, documentation."""

import ast
import doctest
import importlib.util
import inspect
import pkgutil
import pydoc
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import gemclus

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "gemclus"

# The floors of the house, from the ground up. A room may import itself, the rooms
# of the floors below, and of its own floor only what NEIGHBOURS lists.
FLOORS = [
    {"_core"},
    {"_common"},
    {"affinity", "data"},
    {"gemini", "optim", "penalties"},
    {"_training"},
    {"_base"},
    {"linear", "mlp", "nonparametric", "sparse", "tree"},
    {"constraints", "inspection", "selection", "testing"},
    {"dask", "onnx", "torch"},
]
NEIGHBOURS = {("sparse", "linear"), ("sparse", "mlp")}

PYTHON_FILES = sorted(SOURCES.rglob("*.py"))
COMPILED_FILES = sorted([*SOURCES.rglob("*.pyx"), *SOURCES.rglob("*.pxd")])


# Rooms that need a package of the same name which is not here.
CLOSED = {room for room in ("torch",) if importlib.util.find_spec(room) is None}


def named(path):
    return str(path.relative_to(SOURCES))


def room_of(path):
    return path.relative_to(SOURCES).with_suffix("").parts[0]


def imported_rooms(path):
    """Rooms that a file imports or cimports."""
    names = []
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "gemclus":
                names += [f"gemclus.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
            elif isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
    else:
        pattern = r"^\s*(?:from|c?import)\s+(gemclus[\w.]*)"
        names = re.findall(pattern, path.read_text(), re.M)
    return {name.split(".")[1] for name in names if name.startswith("gemclus.")}


def test_the_floors_name_the_rooms_that_there_are():
    rooms = {p.stem for p in SOURCES.iterdir() if p.is_dir() or p.suffix == ".py"}
    rooms -= {"__init__", "__pycache__"}
    assert set().union(*FLOORS) == rooms
    assert sum(map(len, FLOORS)) == len(rooms)
    assert {room for pair in NEIGHBOURS for room in pair} <= rooms


def test_few_files_stand_at_the_door():
    assert len([p for p in SOURCES.iterdir() if p.is_file()]) <= 8


@pytest.mark.parametrize("path", PYTHON_FILES + COMPILED_FILES, ids=named)
def test_imports_go_one_way(path):
    room = room_of(path)
    if room == "__init__":
        return
    (level,) = [i for i, floor in enumerate(FLOORS) if room in floor]
    allowed = {room}.union(*FLOORS[:level])
    allowed |= {other for one, other in NEIGHBOURS if one == room}
    assert imported_rooms(path) <= allowed


def test_every_listed_neighbour_is_needed():
    met = {(room_of(p), other) for p in PYTHON_FILES for other in imported_rooms(p)}
    assert met >= NEIGHBOURS


@pytest.mark.parametrize(
    "path", [p for p in PYTHON_FILES + COMPILED_FILES if p.suffix != ".pxd"], ids=named
)
def test_every_file_is_built_or_installed(path):
    build = (SOURCES / "meson.build").read_text()
    name = path.stem if path.suffix == ".pyx" else path.name
    assert f"'{name}'" in build
    if path.suffix == ".pyx":
        assert path.with_suffix(".pyi").exists()


def public_modules():
    yield gemclus
    # A door to a package that is not installed does not open: it is passed by.
    for info in pkgutil.walk_packages(gemclus.__path__, "gemclus.", onerror=passed_by):
        if info.name.split(".")[1] not in CLOSED:
            yield importlib.import_module(info.name)


def passed_by(name):
    assert name.split(".")[1] in CLOSED


def test_the_version_is_written_once():
    declared = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    assert gemclus.__version__ == version("gemclus") == declared


def documented_things():
    """Modules, and what public rooms publish, which names the room as its module."""
    for module in public_modules():
        yield module.__name__, module, module
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            ours = str(getattr(thing, "__module__", "")).startswith("gemclus")
            if ours and (inspect.isclass(thing) or inspect.isfunction(thing)):
                yield f"{module.__name__}.{name}", thing, module


@pytest.mark.parametrize(
    "thing, module",
    [
        pytest.param(thing, module, id=name)
        for name, thing, module in documented_things()
    ],
)
def test_examples_in_docstrings(thing, module):
    if module.__name__ == "gemclus.onnx":
        pytest.importorskip("onnx")
    # A module of None switches off the search for the file that defines a thing.
    of = module if inspect.ismodule(thing) else False
    finder = doctest.DocTestFinder(recurse=not inspect.ismodule(thing))
    runner = doctest.DocTestRunner()
    with np.printoptions(legacy=False):
        for example in finder.find(thing, module=of, globs=vars(module).copy()):
            runner.run(example)
    assert runner.summarize(verbose=False).failed == 0


def public_rooms():
    for module in public_modules():
        if not any(part.startswith("_") for part in module.__name__.split(".")[1:]):
            yield module


def public_objects():
    for module in public_rooms():
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
            assert re.search(
                rf"^\*{{0,2}}{name}\b.* :|^{name}, |, {name} : ", text, re.M
            ), f"parameter {name} is not documented"
    for line in text.splitlines():
        assert len(line) <= 88, line


PUBLIC = {room.__name__: room for room in public_rooms()}
PUBLIC |= {
    f"{path}.{name}": getattr(room, name)
    for path, room in PUBLIC.items()
    for name in getattr(room, "__all__", [])
}


def see_also(text):
    """Names in the section See Also of a docstring, and the words on each."""
    section = re.search(r"^See Also\n-{8}\n(.*?)(?=\n\n\S|\Z)", text, re.M | re.S)[1]
    for line in section.splitlines():
        if line.strip() and not line.startswith(" "):
            names, _, words = line.partition(" : ")
            for name in names.split(","):
                yield name.strip(), words


def can_be_reached(name, room):
    """Whether a name on a page of `room` is that of something public."""
    if name.split(".")[0] in ("numpy", "scipy", "sklearn"):
        return pydoc.locate(name) is not None
    path = name if name.startswith("gemclus.") else f"{room}.{name}"
    if path in PUBLIC or path.split(".")[1] in CLOSED:
        return True
    owner, _, member = path.rpartition(".")
    thing = PUBLIC.get(owner)
    return inspect.isclass(thing) and member[0] != "_" and hasattr(thing, member)


def complaint_about(thing):
    """The first thing that a docstring lacks, in a sentence; None if it has all."""
    text = inspect.getdoc(thing)
    for section in ("See Also", "Examples"):
        if not re.search(rf"^{section}\n-{{{len(section)}}}$", text, re.M):
            return f"lacks the section {section!r}."
    if ">>> " not in text:
        return "has an example that is no doctest."
    for name, words in see_also(text):
        if not words:
            return f"says nothing of {name!r} in 'See Also'."
        if not can_be_reached(name, thing.__module__):
            return f"names {name!r} in 'See Also', which is nothing public."
    return None


@pytest.mark.parametrize("thing", list(public_objects()))
def test_public_things_show_others_and_an_example(thing):
    complaint = complaint_about(thing)
    if complaint:
        name = f"{thing.__module__}.{thing.__qualname__}"
        pytest.fail(f"The docstring of {name} {complaint}", pytrace=False)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("One.", "lacks the section 'See Also'."),
        ("{Also}\nRIM : Two.", "lacks the section 'Examples'."),
        ("{Also}\nRIM : Two.\n\n{Examples}\nThree.", "an example that is no doctest."),
        ("{Also}\nRIM\n\n{Examples}\n>>> 1", "says nothing of 'RIM'"),
        ("{Also}\nRIM, Rim : Two.\n\n{Examples}\n>>> 1", "names 'Rim'"),
        ("{Also}\nRIM.fits : Two.\n\n{Examples}\n>>> 1", "names 'RIM.fits'"),
        ("{Also}\nsklearn.RIM : Two.\n\n{Examples}\n>>> 1", "names 'sklearn.RIM'"),
        ("{Also}\nRIM.fit : Two.\nRIM,\n\n{Examples}\n>>> 1", "says nothing of"),
        ("{Also}\nRIM.fit : Two.\n\n{Examples}\n>>> 1", None),
        ("{Also}\ngemclus.mlp, numpy.mean : Two.\n\n{Examples}\n>>> 1", None),
    ],
)
def test_the_complaints_about_docstrings(text, complaint):
    def thing():
        pass

    also, examples = "See Also\n--------", "Examples\n--------"
    thing.__doc__ = text.replace("{Also}", also).replace("{Examples}", examples)
    thing.__module__ = "gemclus.linear"
    found = complaint_about(thing)
    assert found is None if complaint is None else complaint in found


def openings(text, name):
    """The docstrings of a file of Python that do not open with their subject."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        opening = (
            (ast.get_docstring(node) or "").split(maxsplit=1)[:1]
            if isinstance(node, documented)
            else []
        )
        if opening and opening[0] in ("What", "Whatever", "How", "Where", "Which"):
            what = getattr(node, "name", "the file")
            yield f"The docstring of {what} in {name} opens with {opening[0]!r}."


@pytest.mark.parametrize("room", ["gemclus", "tests", "tools", "benchmarks"])
def test_docstrings_open_with_their_subject(room):
    found = [
        complaint
        for file in sorted((ROOT / room).rglob("*.py"))
        for complaint in openings(file.read_text(), file.relative_to(ROOT))
    ]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_an_opening_without_its_subject_is_found():
    text = 'def f():\n    """What f returns."""\n'
    assert list(openings(text, "x.py")) == [
        "The docstring of f in x.py opens with 'What'."
    ]


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
