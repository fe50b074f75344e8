"""A notebook with a real kernel: what it shows of models, of progress, of Ctrl-C."""

import os
import signal
import threading
import time

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

CELLS = {
    "data": """
import numpy as np
from gemclus.data import celeux_one
from gemclus.linear import LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD
X, y = celeux_one(n=120, p=5, random_state=0)
""",
    "model": "LinearMMD(3, random_state=0).fit(X)",
    "bar": """
MLPMMD(3, verbose=True, solver='adam', max_iter=200, random_state=0).fit(X);
""",
    "path": """
sparse = SparseLinearMMD(3, alpha=1.0, random_state=0)
_ = sparse.path(X)
sparse.path_
""",
    "long": """
endless = MLPMMD(3, solver='adam', max_iter=10**8, tol=None, random_state=0)
print('training', flush=True)
endless.fit(X)
""",
    "after": "print(endless.n_iter_, endless.predict(X[:3]).shape)",
}


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell; the cell that never ends is interrupted."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code.strip()) for code in CELLS.values()]
    )
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    with client.setup_kernel():
        for position, (name, cell) in enumerate(
            zip(CELLS, notebook.cells, strict=True)
        ):
            if name == "long":
                timer = threading.Thread(target=interrupt, args=(client, cell))
                timer.start()
                with pytest.raises(nbclient.exceptions.CellExecutionError):
                    client.execute_cell(cell, position)
                timer.join()
            else:
                client.execute_cell(cell, position)
    return {
        name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)
    }


def interrupt(client, cell):
    """Press the stop button once the cell has said that it trains."""
    while not cell.outputs:
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(client.km.provisioner.pid, signal.SIGINT)


def texts(outputs):
    return "".join(output.get("text", "") for output in outputs)


def test_models_have_a_page_to_link_to(outputs):
    (output,) = outputs["model"]
    html = output["data"]["text/html"]
    assert "LinearMMD" in html
    assert "api/generated/gemclus.linear.LinearMMD.html" in html


def test_progress_is_one_bar(outputs):
    """tqdm draws a widget, or lines of text where there are no widgets."""
    shown = texts(outputs["bar"]) + str(
        [output.get("data", {}) for output in outputs["bar"]]
    )
    assert "MLPMMD" in shown
    assert "200" in shown
    assert "Warning" not in shown


def test_a_path_is_short(outputs):
    (output,) = outputs["path"]
    assert len(output["data"]["text/plain"]) < 200


def test_the_stop_button_ends_a_fit_and_keeps_its_weights(outputs):
    *_, error = outputs["long"]
    assert error["ename"] == "TrainingInterrupted"
    n_iter, shape = texts(outputs["after"]).split(maxsplit=1)
    assert int(n_iter) > 0
    assert shape.strip() == "(3,)"
