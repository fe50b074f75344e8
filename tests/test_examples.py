"""The examples run as they are and write their pictures."""

import hashlib
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


PUBLISHED = "custom_model"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # The published script shows its picture instead of writing it.
    monkeypatch.setattr(plt, "show", lambda: plt.savefig("shown.png"))
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as end:  # of an example whose packages are missing
        if end.code:
            raise
        pytest.skip(capsys.readouterr().out)
    plt.close("all")
    published = path.stem == PUBLISHED
    pictures = ["shown.png"] if published else re.findall(r"\w+\.png", path.read_text())
    assert pictures
    for picture in pictures:
        assert (tmp_path / picture).stat().st_size > 1000
    assert published or capsys.readouterr().out


def test_published_script_is_unchanged():
    script = Path(__file__).parents[1] / "examples" / f"{PUBLISHED}.py"
    assert hashlib.sha256(script.read_bytes()).hexdigest() == (
        "3cbea5751ed228f833b8126285b35868de7b1e2d88aa2835c3dfd25b66003bfb"
    )
