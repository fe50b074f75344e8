"""Pickles: what was stored can be read, holds plain arrays, and knows its format."""

import copy
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from clusterers import ESTIMATORS

import gemclus
from gemclus._common import pickling
from gemclus.linear import LinearMMD
from gemclus.optim import SGD
from gemclus.tree import Kauri

STORED = Path(__file__).parent / "pickles"

every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)

# What a pickle of arrays and NumPy scalars names.
ARRAYS = {
    ("numpy", "_frombuffer"),
    ("numpy", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy", "scalar"),
    ("_codecs", "encode"),
}


def read(cls):
    return (STORED / f"{cls.__name__}.pkl").read_bytes()


@every_estimator
def test_stored_models_predict_as_they_did(cls):
    stored = pickle.loads(read(cls))
    model, X = stored["model"], stored["X"]
    assert type(model) is cls
    np.testing.assert_array_equal(model.predict(X), stored["labels"])
    if "probabilities" in stored:
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities, stored["probabilities"], rtol=1e-10)


@every_estimator
def test_stored_models_go_on(cls):
    stored = pickle.loads(read(cls))
    again = stored["model"].fit(stored["X"])
    assert len(np.unique(again.labels_)) > 1


@every_estimator
def test_stored_trainings_go_on(cls):
    """With the state of the optimiser that they were left in."""
    stored = pickle.loads(read(cls))
    model, X = stored["model"], stored["X"]
    if not hasattr(model, "partial_fit"):
        assert cls is Kauri
        return
    n_epochs, steps_done = model.n_iter_, getattr(model.optimiser_, "_t", None)
    model.partial_fit(X)
    assert model.n_iter_ == n_epochs + 1
    assert steps_done is None or model.optimiser_._t == steps_done + 1


class Recorder(pickle.Unpickler):
    """Notes every class and function that a pickle names."""

    def __init__(self, file):
        super().__init__(file)
        self.named = set()

    def find_class(self, module, name):
        self.named.add((module, name))
        return super().find_class(module, name)


@every_estimator
def test_nothing_but_arrays_is_pickled(cls):
    """Neither code, nor generators, nor compiled objects."""
    stored = pickle.loads(read(cls))
    model = stored["model"].fit(stored["X"])
    recorder = Recorder(io.BytesIO(pickle.dumps(model)))
    recorder.load()
    own = {
        (module, name)
        for module, name in recorder.named
        if module.startswith("gemclus")
    }
    # What it keeps of other classes is stored as their state.
    assert {name for _, name in own} == {cls.__name__}
    others = {(module.split(".")[0], name) for module, name in recorder.named - own}
    assert others <= ARRAYS
    # Rooms stay where they are; the files in them may move.
    rooms = {f"gemclus.{room}" for room in gemclus.__all__}
    assert {module for module, _ in own} <= rooms


@every_estimator
def test_models_of_newer_releases_are_refused(cls, monkeypatch):
    model = pickle.loads(read(cls))["model"]
    with monkeypatch.context() as newer:
        newer.setattr(pickling, "FORMAT", pickling.FORMAT + 1)
        newer.setattr(pickling, "_VERSION", "99.0")
        written = pickle.dumps(model)
    message = rf"this {cls.__name__} was pickled by gemclus 99\.0 in format 2, but "
    with pytest.raises(ValueError, match=message + rf"gemclus {gemclus.__version__}"):
        pickle.loads(written)


@pytest.mark.parametrize("cls", [LinearMMD, Kauri])
def test_the_format_leaves_no_trace_in_the_model(cls):
    model = cls()
    before = set(vars(model))
    assert set(vars(copy.copy(model))) == before
    assert set(vars(pickle.loads(pickle.dumps(model)))) == before


@every_estimator
def test_what_a_model_keeps_comes_back_as_it_was(cls):
    """The objects of other classes that are stored as their state, in full."""
    stored = pickle.loads(read(cls))
    model = stored["model"].fit(stored["X"])
    again = pickle.loads(pickle.dumps(model))
    # Networks leave out what their hidden layer gave for the samples.
    assert vars(model).keys() - vars(again).keys() <= {"H_"}
    for name, twin in vars(again).items():
        value = getattr(model, name)
        assert type(twin) is type(value), name
        if hasattr(value, "__dict__"):
            assert pickle.dumps(vars(twin)) == pickle.dumps(vars(value)), name


def test_unknown_parts_are_refused():
    model = LinearMMD(max_iter=2, solver="adam").fit(np.eye(4))
    state = model.__getstate__()
    state["optimiser_"]["_gemclus_part"] = "Elsewhere"
    with pytest.raises(ValueError, match="unknown part, 'Elsewhere'"):
        LinearMMD().__setstate__(state)


def test_solvers_of_users_stay_objects():
    class Own(SGD):
        pass

    model = LinearMMD(max_iter=2, solver=Own(0.1)).fit(np.eye(4))
    assert type(model.__getstate__()["optimiser_"]) is Own
