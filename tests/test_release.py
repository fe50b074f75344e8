"""Files that make a release: bills of materials, workflows, the conda recipe."""

import base64
import csv
import hashlib
import importlib.util
import io
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def load_tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Bills of materials


METADATA = """\
Metadata-Version: 2.4
Name: gemclus
Version: 9.8
License-Expression: BSD-3-Clause
Requires-Dist: numpy>=1.24
Requires-Dist: scikit-learn
Requires-Dist: onnx>=1.16; extra == "onnx"

A description.
"""


def digest_of(content):
    digest = hashlib.sha256(content).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "gemclus-9.8-cp311-abi3-linux_x86_64.whl"
    files = {"gemclus/__init__.py": b"\n", "gemclus-9.8.dist-info/METADATA": None}
    files["gemclus-9.8.dist-info/METADATA"] = METADATA.encode()
    rows = [[name, digest_of(text), str(len(text))] for name, text in files.items()]
    record = "gemclus-9.8.dist-info/RECORD"
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([*rows, [record, "", ""]])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(record, lines.getvalue())
    return path


def read(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_wheel_gets_its_bill(wheel):
    before = read(wheel)
    load_tool("add_sbom").add(wheel, "3.2.1")
    after = read(wheel)
    target = "gemclus-9.8.dist-info/sboms/gemclus.cdx.json"
    record = "gemclus-9.8.dist-info/RECORD"
    assert set(after) - set(before) == {target}
    assert list(after)[-1] == record
    rows = list(csv.reader(io.StringIO(after[record].decode())))
    assert {row[0] for row in rows} == set(after)
    for name, digest, size in rows:
        if name != record:
            assert (digest, int(size)) == (digest_of(after[name]), len(after[name]))
    told = json.loads(after[target])
    assert told["metadata"]["component"]["purl"] == "pkg:pypi/gemclus@9.8"
    names = {component["name"] for component in told["components"]}
    assert names == {"Cython", "numpy", "scikit-learn"}
    assert not list(wheel.parent.glob("*.tmp"))


def test_a_bill_is_added_once_and_the_same_each_time(wheel):
    tool = load_tool("add_sbom")
    tool.add(wheel, "3.2.1")
    once = wheel.read_bytes()
    tool.add(wheel, "3.2.1")
    assert wheel.read_bytes() == once


def test_a_bill_keeps_to_the_schema(wheel):
    pytest.importorskip("jsonschema")
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    load_tool("add_sbom").add(wheel, "3.2.1")
    text = read(wheel)["gemclus-9.8.dist-info/sboms/gemclus.cdx.json"].decode()
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(text) is None


# Workflows


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit(path):
    for used in re.findall(r"uses: (.*)", path.read_text()):
        assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v[\d.]+", used), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_may_do_little(path):
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    # The site is pushed to a branch, the wheels go to the index by their identity.
    publishes = {"docs": {"contents": "write"}, "wheels": {"id-token": "write"}}
    for name, job in workflow["jobs"].items():
        expected = publishes[path.stem] if name == "publish" else None
        assert job.get("permissions") == expected
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert "secrets." not in path.read_text()


# The conda recipe


def test_the_recipe_needs_what_the_package_needs():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
    version = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
    assert recipe["context"]["version"] == version
    needed = {entry.replace(" ", "") for entry in recipe["requirements"]["run"]}
    assert needed == {"python", *PROJECT["dependencies"]}
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["about"]["license_file"] in PROJECT["license-files"]
    extras = PROJECT["optional-dependencies"]
    constraints = {
        c.replace(" ", "") for c in recipe["requirements"]["run_constraints"]
    }
    assert set(extras["onnx"]) <= constraints


def test_the_recipe_can_be_rendered():
    rattler_build = pytest.importorskip("rattler_build")
    recipe = rattler_build.Stage0Recipe.from_file(ROOT / "recipe" / "recipe.yaml")
    variants = rattler_build.VariantConfig.from_yaml(
        "python: ['3.13.* *_cp313']\nc_compiler: [gcc]\nc_stdlib: [sysroot]\n"
    )
    (rendered, *_) = recipe.render(variants)
    assert "gemclus" in str(rendered.recipe.package.name)
