"""The set-up on small projects, with a real uv, and with every Python found on this machine."""

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import setup
import setup_python
import setup_uv
from setup_commands import on_path, output

from tests.helpers.paths import PROJECT_DIR

BASE_PYTHON = os.path.join(sys.base_prefix, "bin", "python3.10")

TINY_PROJECT = """\
[project]
name = "tiny"
version = "1"
requires-python = "==3.10.*"
dependencies = ["part"]
[project.scripts]
pipeline = "pipeline:main"
[build-system]
requires = ["uv_build>=0.13.9,<0.14"]
build-backend = "uv_build"
[tool.uv.build-backend]
module-root = ""
module-name = "pipeline"
[tool.uv.sources]
part = { path = "part" }
"""
TINY_PART = """\
[project]
name = "part"
version = "1"
[build-system]
requires = ["uv_build>=0.13.9,<0.14"]
build-backend = "uv_build"
[tool.uv.build-backend]
module-root = ""
"""


def find_pythons() -> list[str]:
    """Returns one Python 3 per minor version, from PATH and pyenv, including this one."""
    names = [f"python3.{minor}" for minor in range(6, 20)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = sorted(map(str, pyenv.glob("versions/3.*/bin/python3")))
    found = {}
    for python in [sys.executable, *(path for name in names for path in on_path(name)), *installed]:
        version = output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        if version:
            found.setdefault(version, python)
    return list(found.values())


def write_script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def run_setup(root: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools" / "setup.py")]
    return subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )


def run_pipeline(root: Path) -> str:
    return subprocess.check_output([str(root / ".venv" / "bin" / "pipeline")], text=True)


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = setup_uv.find_uv(PROJECT_DIR)
    return found or setup_uv.fetch_uv(tmp_path_factory.mktemp("uv"), [BASE_PYTHON])


@pytest.fixture
def project(tmp_path: Path, uv: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A locked project with one package and the command `pipeline`, not set up yet."""
    monkeypatch.setenv("PATH", str(Path(uv).parent), prepend=os.pathsep)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    root = tmp_path / "project"
    ignored = shutil.ignore_patterns("pyfarmhash", "__pycache__")
    shutil.copytree(PROJECT_DIR / "tools", root / "tools", ignore=ignored)
    for folder in ("pipeline", "part/part"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").write_text(TINY_PROJECT)
    (root / "pipeline" / "__init__.py").write_text("def main():\n    print('it runs')\n")
    (root / "part" / "pyproject.toml").write_text(TINY_PART)
    (root / "part" / "part" / "__init__.py").write_text("")
    subprocess.run([uv, "lock", "--quiet", "--python", BASE_PYTHON], cwd=root, check=True)
    return root


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A folder whose `.venv` looks complete."""
    root = tmp_path / "finished"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT_DIR / "tools", root / "tools", ignore=ignored)
    (root / "pyproject.toml").write_text("")
    (root / "uv.lock").write_text("")
    write_script(setup.venv_python(root), "exit 0")
    setup.stamp_path(root).write_text(setup.stamp(root))
    return root


def test_finished_setup_is_silent_and_quick() -> None:
    assert setup.is_current(PROJECT_DIR), "run make setup"
    start = time.monotonic()

    done = run_setup(PROJECT_DIR)

    assert time.monotonic() - start < 1
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("python", find_pythons())
def test_setup_runs_on_any_python_3(finished: Path, python: str) -> None:
    command = [python, str(finished / "tools" / "setup.py")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_installs_project_without_stdout(project: Path) -> None:
    done = run_setup(project)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert run_pipeline(project) == "it runs\n"


def test_setup_compiles_bytecode_in_any_case(project: Path) -> None:
    run_setup(project, PYTHONDONTWRITEBYTECODE="1")

    assert list(project.glob(".venv/lib/python3.10/site-packages/part/__pycache__/*.pyc"))


def test_setup_without_a_stamp_starts_anew(project: Path) -> None:
    run_setup(project)
    setup.stamp_path(project).unlink()
    # The state after an interrupted install: listed as installed, with files missing.
    (project / ".venv" / "lib/python3.10/site-packages/part/__init__.py").unlink()

    done = run_setup(project)

    assert done.returncode == 0, done.stderr
    assert (project / ".venv" / "lib/python3.10/site-packages/part/__init__.py").exists()


def test_setup_repairs_moved_checkout(project: Path) -> None:
    run_setup(project)
    moved = project.rename(project.parent / "moved")

    run_setup(moved)

    assert run_pipeline(moved) == "it runs\n"


def test_two_setups_at_once_install_once(project: Path) -> None:
    command = [sys.executable, str(project / "tools" / "setup.py")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]

    said = [process.communicate()[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert "".join(said).count("installing") == 1
    assert run_pipeline(project) == "it runs\n"


def test_setup_refuses_outdated_lock(project: Path) -> None:
    run_setup(project)
    changed = TINY_PROJECT.replace('["part"]', '["part", "another"]')
    (project / "pyproject.toml").write_text(changed)

    done = run_setup(project)

    assert done.returncode == 1
    assert "uv.lock does not fit pyproject.toml" in done.stderr
    assert run_pipeline(project) == "it runs\n"


def test_setup_without_python_3_10_names_remedy(project: Path, uv: str, tmp_path: Path) -> None:
    # The set-up could be started by a Python other than 3.10; the test has to make one.
    start = "import sys; sys.executable = ''; import setup; sys.exit(setup.main())"
    environ = {
        "HOME": str(tmp_path),
        "PATH": str(Path(uv).parent),
        "PYTHONPATH": str(project / "tools"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "none"),
    }

    done = subprocess.run(
        [BASE_PYTHON, "-c", start], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "no Python 3.10 on this machine" in done.stderr
    assert "Install it" in done.stderr
    assert "Traceback" not in done.stderr


def test_is_current_sees_every_change(finished: Path) -> None:
    assert setup.is_current(finished)
    for name in ("pyproject.toml", "uv.lock", "tools/setup.py"):
        before = (finished / name).read_bytes()
        (finished / name).write_bytes(before + b"\n")
        assert not setup.is_current(finished), name
        (finished / name).write_bytes(before)
    assert setup.is_current(finished)


def test_is_current_needs_the_stamp_and_a_python(finished: Path) -> None:
    setup.venv_python(finished).rename(finished / "python")
    assert not setup.is_current(finished)

    (finished / "python").rename(setup.venv_python(finished))
    setup.stamp_path(finished).unlink()
    assert not setup.is_current(finished)


def test_find_python_passes_over_a_shim_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = write_script(tmp_path / "shims" / "python3.10", "echo not selected >&2; exit 127")
    versions = tmp_path / "pyenv" / "versions"
    write_script(versions / "3.10.13" / "bin" / "python3.10", f'exec {BASE_PYTHON} "$@"')
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(shim))

    assert setup_python.find_python() == BASE_PYTHON


def test_find_python_leaves_active_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(PROJECT_DIR / ".venv" / "bin"))

    assert setup_python.find_python() == BASE_PYTHON


def test_python_candidates_are_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("3.10.2", "3.10.13", "3.11.7", "3.10.9"):
        write_script(tmp_path / "versions" / version / "bin" / "python3.10", "exit 0")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    found = [path for path in setup_python.python_candidates() if path.startswith(str(tmp_path))]

    assert [Path(path).parents[1].name for path in found] == ["3.10.13", "3.10.9", "3.10.2"]


def test_find_uv_passes_over_one_that_is_too_old(
    tmp_path: Path, uv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_script(tmp_path / "old" / "uv", "echo uv 0.4.30")
    monkeypatch.setenv("PATH", str(old.parent))
    assert setup_uv.find_uv(tmp_path) is None

    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{Path(uv).parent}")
    assert setup_uv.find_uv(tmp_path) == uv


def test_fetch_uv_uses_configuration_of_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"uv-{setup_uv.UV_VERSION}"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        script = zipfile.ZipInfo(f"{name}.data/scripts/uv")
        script.external_attr = 0o100755 << 16
        wheel.writestr(script, f"#!/bin/sh\necho uv {setup_uv.UV_VERSION}\n")
        wheel.writestr(
            f"{name}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: uv\nVersion: {setup_uv.UV_VERSION}\n",
        )
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")

    # The first has no pip; the set-up then tries the next.
    uv = setup_uv.fetch_uv(tmp_path, [str(tmp_path / "absent"), BASE_PYTHON])

    assert uv == str(tmp_path / ".uv" / "uv")
    assert setup_uv.find_uv(tmp_path) == uv


def test_fetch_uv_without_pip_names_remedy(tmp_path: Path) -> None:
    python = write_script(tmp_path / "python", "exit 1")

    with pytest.raises(setup.SetupError, match="install the package python3-pip"):
        setup_uv.fetch_uv(tmp_path, [str(python)])


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, "http://127.0.0.1/pip"), ("http://127.0.0.1/uv", "http://127.0.0.1/uv")],
)
def test_uv_takes_registry_of_pip_by_default(
    own: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1/pip")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    if own:
        monkeypatch.setenv("UV_DEFAULT_INDEX", own)

    assert setup_uv.uv_environ()["UV_DEFAULT_INDEX"] == expected
