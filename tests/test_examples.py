"""The examples run as they are and write their pictures."""

import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as end:  # of an example whose packages are missing
        if end.code:
            raise
        pytest.skip(capsys.readouterr().out)
    plt.close("all")
    pictures = re.findall(r"\w+\.png", path.read_text())
    assert pictures
    for picture in pictures:
        assert (tmp_path / picture).stat().st_size > 1000
    assert capsys.readouterr().out
