"""New things are found: each public one has its row, its pickle and its tests."""

import ast
from functools import cache
from pathlib import Path

import pytest
from clusterers import ESTIMATORS
from estimators import GRADIENT_MODELS, OTHER_ESTIMATORS
from oracles import ORACLES

import gemclus
from gemclus import gemini
from gemclus.gemini import GEMINI
from gemclus.gemini._registry import GEMINIS
from gemclus.linear import LinearModel

TESTS = Path(__file__).parent
# Names of the package that a user meets without a room.
ROOMS = [gemclus, *(getattr(gemclus, name) for name in gemclus.__all__)]


@cache
def sources():
    """Path -> words that a test file holds: names, strings, arguments."""
    return {path: _words(path) for path in sorted(TESTS.rglob("*.py"))}


def _words(path):
    words = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.alias):
            words.add(node.name)
        elif isinstance(node, ast.keyword) and node.arg:
            words.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    return words


def complaints(cls):
    """Sentences that say what to do for `cls`, which lacks something."""
    name = cls.__name__
    if cls not in GRADIENT_MODELS and cls not in OTHER_ESTIMATORS:
        yield (
            f"{name} is public and in no table: add a row to GRADIENT_MODELS of "
            "tests/support/estimators.py (or to OTHER_ESTIMATORS, without a gradient)."
        )
    if not (TESTS / "pickles" / f"{name}.pkl").exists():
        yield f"{name} has no stored pickle: run `tools/make_pickles.py {name}`."
    families = {parent.__name__ for parent in cls.__mro__ if parent is not object}
    of_family = [words for words in sources().values() if families & words]
    for parameter in cls().get_params(deep=False):
        if not any(parameter in words for words in of_family):
            yield (
                f"{parameter} of {name} is known to no test: write one that sets it, "
                f"in a file that names {name} or a class that it derives from."
            )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_public_estimator_is_in_the_tables(cls):
    assert not list(complaints(cls)), "\n".join(complaints(cls))


def test_what_an_estimator_lacks_is_said_in_a_sentence():
    unheard_of = "_".join(["never", "heard", "of"])  # by no test file, this included

    class Fresh(LinearModel):
        def get_params(self, deep=True):
            return super().get_params(deep) | {unheard_of: 1}

    row, pickle, parameter = complaints(Fresh)
    assert "Fresh is public and in no table: add a row to GRADIENT_MODELS" in row
    assert pickle.endswith("run `tools/make_pickles.py Fresh`.")
    assert parameter.startswith(f"{unheard_of} of Fresh is known to no test: write one")


def public_names():
    for room in ROOMS:
        for name in getattr(room, "__all__", []):
            yield pytest.param(room, name, id=f"{room.__name__}.{name}")


@pytest.mark.parametrize(("room", "name"), list(public_names()))
def test_every_public_name_is_tested(room, name):
    assert any(name in words for words in sources().values()), (
        f"{room.__name__}.{name} is public and named in no test: write one."
    )


def test_every_objective_is_in_the_registry_and_has_a_definition():
    made = {type(factory()) for factory in GEMINIS.values()}
    for cls in [getattr(gemini, name) for name in gemini.__all__]:
        if isinstance(cls, type) and issubclass(cls, GEMINI) and cls is not GEMINI:
            assert cls in made, (
                f"{cls.__name__} has no name: add a line to GEMINIS of "
                "gemclus/gemini/_registry.py."
            )
    for name in GEMINIS:
        assert name in ORACLES, (
            f"{name} has no naive definition: add one to ORACLES of "
            "tests/support/oracles.py."
        )
