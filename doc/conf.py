"""Sphinx configuration; `tools/build_docs.sh` builds."""

import importlib.util
import inspect
import os
import re
import sys
import warnings
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.ext.autodoc.mock import _MockObject

import gemclus

project = "gemclus"
author = "The gemclus developers"
copyright = "The gemclus developers, BSD-3-Clause"
version = release = installed_version("gemclus")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "_ext"))
import gallery_sources  # noqa: E402

REPOSITORY = "https://github.com/gemclus/gemclus"

extensions = [
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["build"]
default_role = "py:obj"
nitpicky = False
autosummary_generate = True
autodoc_default_options = {"inherited-members": True}
# The reference of `gemclus.torch` is built without PyTorch, which is large.
if importlib.util.find_spec("torch") is None:
    autodoc_mock_imports = ["torch"]
    # Annotations as `torch.Tensor | None` are evaluated.
    _MockObject.__or__ = _MockObject.__ror__ = lambda self, other: self
autodoc_typehints = "none"  # numpydoc says the types in words
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Links to other projects need their inventories, which a build without a network
# does not get: then names of other projects stay plain text.
intersphinx_mapping = (
    {
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }
    if os.environ.get("GEMCLUS_DOC_LINKS")
    else {}
)

html_theme = "pydata_sphinx_theme"
html_title = "gemclus"
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["gemclus.css"]
html_show_sourcelink = False
html_theme_options = {
    "github_url": REPOSITORY,
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "use_edit_page_button": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}

warnings.filterwarnings("ignore", message=".*non-interactive.*cannot be shown")
EXAMPLES = gallery_sources.lay_out(
    ROOT / "examples", ROOT / "build" / "doc" / "examples", HERE / "_static" / "stored"
)
sphinx_gallery_conf = {
    "examples_dirs": [str(EXAMPLES)],
    "gallery_dirs": ["gallery"],
    "filename_pattern": "|".join(
        rf"/{name}\.py$"
        for _, _, names in gallery_sources.SECTIONS
        for name in names
        if not gallery_sources.is_stored(name)
    ),
    "ignore_pattern": r"__init__|/_",
    "within_subsection_order": "gallery_sources.BySection",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("gemclus",),
    "inspect_global_variables": True,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
    "show_memory": False,
    "min_reported_time": 0,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
}


def linkcode_resolve(domain, info):
    """The file and lines of a name, in the repository.

    Classes name their public room as their module, so the file comes from one of
    their own methods or, without any, from the room.
    """
    if domain != "py" or not info["module"].startswith("gemclus"):
        return None
    thing = inspect.unwrap(_named(info["module"], info["fullname"]))
    if isinstance(thing, property):
        thing = thing.fget
    if inspect.isclass(thing):
        own = [m for m in vars(thing).values() if inspect.isfunction(m)]
        thing = own[0] if own else None
    try:
        path = Path(inspect.getsourcefile(thing)).resolve()
        lines, first = inspect.getsourcelines(thing)
        name = path.relative_to(Path(gemclus.__file__).resolve().parent)
    except (TypeError, OSError, ValueError):
        return f"{REPOSITORY}/tree/main/gemclus"
    last = first + len(lines) - 1
    return f"{REPOSITORY}/blob/main/gemclus/{name}#L{first}-L{last}"


def _named(module, fullname):
    thing = __import__(module, fromlist=["_"])
    for part in fullname.split("."):
        thing = getattr(thing, part, None)
    return thing


def escape_fitted_names(app, what, name, thing, options, lines):
    """Keep ``n_clusters_`` in plain text from being read as the name of a link."""
    in_doctest = False
    for i, line in enumerate(lines):
        in_doctest = line.lstrip().startswith(">>>") or (in_doctest and line.strip())
        if not in_doctest:
            lines[i] = re.sub(
                r"(?<![\w`*\\.])([a-z]\w*[a-z0-9])_(?=[\s,.);:]|$)", r"\1\_", line
            )


def setup(app):
    """Hook in what the extensions do not do."""
    app.connect("autodoc-process-docstring", escape_fitted_names, priority=900)
