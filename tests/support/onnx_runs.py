"""Running graphs in the tests of this room."""

import numpy as np
import pytest

from gemclus.onnx import to_onnx

DTYPES = ["float32", "float64"]
#: How far probabilities may be from those of `predict_proba`.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def run(onnx_model, feeds):
    """Outputs of a graph by name; an array stands for the one input ``X``."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(
        onnx_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    if isinstance(feeds, np.ndarray):
        feeds = {"X": feeds}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds)))


def assert_same(model, X, dtype, feeds=None, **arguments):
    """A graph answers as the model does; the graph."""
    onnx_model = to_onnx(model, dtype=dtype, **arguments)
    if feeds is None:
        feeds = X = X.astype(dtype)
    outputs = run(onnx_model, feeds)
    np.testing.assert_array_equal(outputs["label"], model.predict(X))
    assert outputs["label"].dtype == np.int64
    assert ("probabilities" in outputs) == hasattr(model, "predict_proba")
    if "probabilities" in outputs:
        assert outputs["probabilities"].dtype == dtype
        np.testing.assert_allclose(
            outputs["probabilities"],
            model.predict_proba(X),
            rtol=0,
            atol=TOLERANCE[dtype],
        )
    return onnx_model
