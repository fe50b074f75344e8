"""Graphs that releases wrote: they answer as they did, and so do their models."""

import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from onnx_runs import run

from gemclus.onnx import to_onnx

TESTS = Path(__file__).parents[1]
STORED = sorted((TESTS / "onnx_room" / "stored").glob("*.onnx"))


def test_there_are_some():
    assert len(STORED) >= 2


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_graphs_answer_as_they_did(path):
    release, name = path.stem.split("-")
    graph = onnx.load(path)
    assert graph.producer_version == release
    pickled = pickle.loads((TESTS / "pickles" / f"{name}.pkl").read_bytes())
    then = run(graph, pickled["X"])
    now = run(to_onnx(pickled["model"], dtype="float64"), pickled["X"])
    for outputs in (then, now):
        np.testing.assert_array_equal(outputs["label"], pickled["labels"])
        if "probabilities" in pickled:
            np.testing.assert_allclose(
                outputs["probabilities"], pickled["probabilities"], atol=1e-12
            )
    assert {entry.key for entry in graph.metadata_props} >= {
        "gemclus_version",
        "model",
        "objective",
        "n_clusters",
        "feature_names",
    }
