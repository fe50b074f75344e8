#!/usr/bin/env bash
# Builds the documentation into build/doc/html, with warnings as errors: examples are
# run, links inside the site are checked. `tools/build_docs.sh --here` uses the Python
# environment that is active, and skips the installation. Then, where there is a
# Chromium, `pytest tests/test_docs_browser.py` opens the pages.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" != "--here" ]; then
    python3 -m venv .venv-doc
    . .venv-doc/bin/activate
    python -m pip install --quiet ".[doc]"
fi
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONSAFEPATH=1
rm -rf build/doc/html doc/api/generated
sphinx-build -W --keep-going -b html -d build/doc/doctrees doc build/doc/html
python tools/check_links.py build/doc/html
