"""Scripts that complete commands in a shell."""

import shutil
import subprocess

import pytest

from pipeline.__main__ import run_command


def make_script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run_command(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["roll"], ["rollback"]),
        (["schema", "w"], ["write"]),
        (["run", "--req"], ["--require-blessed"]),
        (["completion", "z"], ["zsh"]),
        (["predict", "--input", "ro"], ["rows.csv"]),
    ],
)
def test_bash_completes(
    words: list[str],
    completions: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    (folder / "rows.csv").touch()
    press_tab = (
        f"\nCOMP_WORDS=(pipeline {' '.join(words)}); COMP_CWORD={len(words)}\n"
        "$(complete -p pipeline | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )

    done = subprocess.run(
        ["bash"],
        input=make_script("bash", capsys) + press_tab,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout.split(), done.stderr) == (completions, "")


def test_zsh_script_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    script = make_script("zsh", capsys)

    assert script.startswith("#compdef pipeline\n")
    assert "rollback" in script
    if zsh := shutil.which("zsh"):
        subprocess.run([zsh, "-n"], input=script, text=True, check=True)
