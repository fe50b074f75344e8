#!/usr/bin/env python3
"""Put a software bill of materials into wheels.

    python tools/add_sbom.py WHEEL [WHEEL ...]

Each wheel gets ``.dist-info/sboms/gemclus.cdx.json`` (PEP 770), in CycloneDX 1.6: the
package, the code that Cython generated into its compiled modules, and the packages
that it needs to run, which are not in the wheel. The same wheel gets the same bytes.
Shared libraries that auditwheel grafts in are told by auditwheel, in a file beside.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

NAME = "gemclus.cdx.json"


def bill(metadata, generator):
    """The bill of a wheel, from its METADATA and the version of Cython."""
    name, version = metadata["Name"], metadata["Version"]
    own = f"pkg:pypi/{name}@{version}"
    needed = sorted(_needed(metadata))
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/cython@{generator}",
            "name": "Cython",
            "version": generator,
            "purl": f"pkg:pypi/cython@{generator}",
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "description": "generated the C code of the compiled modules",
        }
    ]
    components += [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{needed_name}",
            "name": needed_name,
            "purl": f"pkg:pypi/{needed_name}",
            "scope": "excluded",
            "description": f"needed to run ({specifier}), not in the wheel",
        }
        for needed_name, specifier in needed
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": name,
                "version": version,
                "purl": own,
                "licenses": [{"expression": metadata["License-Expression"]}],
            }
        },
        "components": components,
        "dependencies": [
            {
                "ref": own,
                "dependsOn": [component["bom-ref"] for component in components],
            }
        ],
    }


def _needed(metadata):
    """Names and versions of what is needed without extras."""
    for requirement in metadata.get_all("Requires-Dist", []):
        if "extra ==" in requirement:
            continue
        name, specifier = re.match(r"([\w.-]+)\s*(.*)", requirement).groups()
        yield name.lower(), specifier or "any version"


def cython_version():
    from Cython import __version__

    return __version__


def add(path, generator):
    """Rewrite a wheel with its bill."""
    with zipfile.ZipFile(path) as wheel:
        members = [(info, wheel.read(info)) for info in wheel.infolist()]
    record = next(i for i, _ in members if i.filename.endswith(".dist-info/RECORD"))
    folder = record.filename.removesuffix("/RECORD")
    target = f"{folder}/sboms/{NAME}"
    texts = {info.filename: content for info, content in members}
    metadata = HeaderParser().parsestr(texts[f"{folder}/METADATA"].decode())
    content = json.dumps(bill(metadata, generator), indent=1).encode() + b"\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    rows = list(csv.reader(io.StringIO(texts[record.filename].decode())))
    rows = [row for row in rows if row and row[0] != target]
    rows.insert(-1, [target, f"sha256={digest.decode()}", str(len(content))])
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    info = zipfile.ZipInfo(target, record.date_time)
    info.external_attr, info.compress_type = record.external_attr, record.compress_type
    rewritten = path.with_suffix(".tmp")
    with zipfile.ZipFile(rewritten, "w") as wheel:
        for member, old in members:
            if member.filename == target:
                continue
            if member is record:
                wheel.writestr(info, content)
                old = lines.getvalue().encode()
            wheel.writestr(member, old)
    # Complete before it takes the place of the old one.
    rewritten.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--cython", help="its version; default: the one installed")
    arguments = parser.parse_args()
    generator = arguments.cython or cython_version()
    for path in arguments.wheels:
        add(path, generator)
        print(f"{path.name}: {NAME} added")


if __name__ == "__main__":
    main()
