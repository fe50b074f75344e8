"""The door itself: what opens it, and what it says when it is closed."""

import subprocess
import sys

WITHOUT_TORCH = """
import sys

class Without:
    def find_spec(self, name, *_):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")

sys.meta_path.insert(0, Without())
"""


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/"
    )


def test_a_missing_torch_is_named_with_its_extra():
    result = run(WITHOUT_TORCH + "import gemclus.torch")
    assert result.returncode
    assert "ImportError: gemclus.torch needs PyTorch" in result.stderr
    assert 'pip install "gemclus[torch]"' in result.stderr


def test_importing_gemclus_imports_nothing_of_torch():
    code = "import sys, gemclus; assert 'torch' not in sys.modules; gemclus.linear"
    assert run(code).returncode == 0


def test_gemclus_needs_no_torch():
    assert run(WITHOUT_TORCH + "import gemclus").returncode == 0
