"""Finds or fetches uv, and passes it the user's settings."""

import os
import re
import shutil
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from setup_commands import SetupError, numbers, on_path, output, run, say
from setup_python import this_python

UV_VERSION = "0.13.9"  # fetched if PATH has no uv of at least this version
# Settings of pip, which uv does not read, and the variables of uv for them.
PIP_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


def find_uv(root: Path) -> Optional[str]:
    """Returns a uv that is new enough, from PATH or fetched earlier, or None."""
    for uv in [*on_path("uv"), str(root / ".uv" / "uv")]:
        version = output([uv, "--version"])
        if version.startswith("uv ") and numbers(version)[:3] >= numbers(UV_VERSION):
            return uv
    return None


def fetch_uv(root: Path, pythons: Iterable[str]) -> str:
    """Fetches uv from the package registry into ``.uv`` with the first pip that works."""
    say(f"fetching uv {UV_VERSION}")
    folder, failures = root / ".uv", []
    for python in dict.fromkeys(pythons):
        try:
            pip = find_pip(folder, python)
            # uv's package requires a newer Python than some pips have, but uv runs without any.
            pip_install(pip, folder / "new", f"uv=={UV_VERSION}", "--ignore-requires-python")
            (folder / "new" / "bin" / "uv").replace(folder / "uv")
            shutil.rmtree(str(folder / "new"))
            return str(folder / "uv")
        except SetupError as error:
            failures.append(str(error))
    raise SetupError("\n".join(["uv could not be fetched.", *failures]))


def find_pip(folder: Path, python: str) -> List[str]:
    """Returns the command of a pip of that Python that knows current wheel tags."""
    if not output([python, "-m", "pip", "--version"], pip_environ()):
        missing = f"{python} has neither pip nor venv: install the package python3-pip."
        run([python, "-m", "venv", "--clear", str(folder / "venv")], missing)
        python = str(folder / "venv" / "bin" / "python")
    pip = [python, "-m", "pip"]
    if numbers(output([*pip, "--version"], pip_environ()))[:2] < [20, 3]:
        pip_install(pip, folder / "pip", "pip>=20.3")
        pip = [python, str(folder / "pip" / "pip")]
    return pip


def pip_install(pip: Sequence[str], target: Path, *what: str) -> None:
    """Installs one package into an empty folder."""
    shutil.rmtree(str(target), ignore_errors=True)
    command = [*pip, "install", "--quiet", "--no-deps", "--only-binary=:all:", "--target"]
    failed = f"{pip[0]}: pip could not install {what[0]}."
    run([*command, str(target), *what], failed, pip_environ())


def pip_environ() -> Dict[str, str]:
    """Returns the environment for pip, with all but two of the user's settings.

    These two are meant for other installs and do not allow one into a folder.
    """
    return dict(os.environ, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0")


def uv_environ() -> Dict[str, str]:
    """Returns the environment for uv: it compiles bytecode and uses pip's registry."""
    no_use = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if name not in no_use}
    environ["UV_COMPILE_BYTECODE"] = "1"
    if not has_uv_settings():
        for name, value in pip_settings():
            if name in PIP_SETTINGS:
                environ.setdefault(PIP_SETTINGS[name], value)
    return environ


def has_uv_settings() -> bool:
    """Whether the user has set a registry for uv."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    files = [os.path.join(folder, "uv", "uv.toml") for folder in (config, "/etc")]
    names = {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE"}
    return bool(names & set(os.environ)) or any(map(os.path.exists, files))


def pip_settings() -> Iterator[Tuple[str, str]]:
    """Yields names and values of pip's settings, those of the environment first."""
    for name, value in os.environ.items():
        if name.startswith("PIP_"):
            yield name[len("PIP_") :].lower().replace("_", "-"), value
    listed = output([this_python(), "-m", "pip", "config", "list"], pip_environ())
    yield from re.findall(r"^(?:global|install)\.(\S+?)='(.*)'$", listed, re.MULTILINE)
