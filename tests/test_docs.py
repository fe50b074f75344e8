"""The documentation lists every public name and every example."""

import importlib
import re
import sys
from pathlib import Path

import pytest

import gemclus

ROOT = Path(__file__).parents[1]
DOC = ROOT / "doc"
# Rooms that need packages of their own are read, not imported.
OPTIONAL = ["dask", "onnx", "torch"]


def public_rooms():
    """Rooms of the package with the names that each one lists."""
    rooms = {"gemclus": set(gemclus.__all__)}
    for name in gemclus.__all__:
        room = getattr(gemclus, name)
        if hasattr(room, "__all__"):
            rooms[f"gemclus.{name}"] = set(room.__all__)
            rooms["gemclus"].discard(name)
    for name in OPTIONAL:
        source = Path(gemclus.__file__).parent / name / "__init__.py"
        if source.exists():
            listed = re.search(r"__all__ = \[(.*?)\]", source.read_text(), re.DOTALL)
            rooms[f"gemclus.{name}"] = set(re.findall(r'"(\w+)"', listed.group(1)))
    rooms["gemclus"].discard("__version__")
    return rooms


def listed_names():
    """Names of the API reference by the room that they stand under."""
    listed, room = {}, None
    for line in (DOC / "api" / "index.rst").read_text().splitlines():
        if line.startswith(".. currentmodule::"):
            room = line.split()[-1]
            listed.setdefault(room, set())
        elif match := re.fullmatch(r"   (\w+)", line):
            listed[room].add(match.group(1))
        elif match := re.fullmatch(r"   \* - ``(\w+)``", line):  # of the constants
            listed[room].add(match.group(1))
    return listed


@pytest.mark.parametrize("room", sorted(public_rooms()))
def test_reference_lists_every_public_name(room):
    assert listed_names().get(room, set()) == public_rooms()[room]


def test_gallery_shows_every_example_once(monkeypatch):
    monkeypatch.syspath_prepend(str(DOC / "_ext"))
    sources = importlib.import_module("gallery_sources")
    monkeypatch.delitem(sys.modules, "gallery_sources")
    shown = [name for _, _, names in sources.SECTIONS for name in names]
    assert sorted(shown) == sorted(p.stem for p in (ROOT / "examples").glob("*.py"))


def test_layout_of_examples_keeps_the_scripts(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(DOC / "_ext"))
    sources = importlib.import_module("gallery_sources")
    monkeypatch.delitem(sys.modules, "gallery_sources")
    monkeypatch.setattr(sources, "NEEDS", {"plot_torch_digits": ["no_such_package"]})
    stored = DOC / "_static" / "stored"
    sources.lay_out(ROOT / "examples", tmp_path, stored)
    for folder, _, names in sources.SECTIONS:
        for name in names:
            laid_out = (tmp_path / folder / f"{name}.py").read_text()
            script = (ROOT / "examples" / f"{name}.py").read_text()
            if name == "plot_torch_digits":
                assert "not run when the site was built" in laid_out
                assert laid_out.split('\n"""\n', 1)[1].startswith(
                    script.split('\n"""\n', 1)[1]
                )
            else:
                assert laid_out.endswith(script)


def test_stored_pages_have_picture_and_output():
    """Stored output of an example is whole, and of that example alone."""
    outputs = {p.stem: p.read_text() for p in (DOC / "_static/stored").glob("*.txt")}
    pictures = {p.stem: p.read_bytes() for p in (DOC / "_static/stored").glob("*.png")}
    assert (
        set(outputs) == set(pictures) <= {p.stem for p in (ROOT / "examples").iterdir()}
    )
    assert len(set(pictures.values())) == len(pictures)
    assert all(len(text.split()) > 3 for text in outputs.values())


def test_guide_is_in_its_index():
    index = (DOC / "guide" / "index.rst").read_text().split()
    pages = {path.stem for path in (DOC / "guide").glob("*.rst")} - {"index"}
    assert pages <= set(index)
