"""What the README prints works as printed: its Python blocks and its commands, in order."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)
COMMANDS = [
    line.split("#")[0].strip()
    for line in README.splitlines()
    if line.startswith("    langrearrange ")
]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize("index", range(len(BLOCKS)))
def test_every_python_block_runs(index: int, tmp_path: Path) -> None:
    done = run([sys.executable, "-W", "error", "-c", BLOCKS[index]], tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_command_runs_in_order(tmp_path: Path) -> None:
    assert len(COMMANDS) >= 8
    for block in BLOCKS:
        if name := re.match(r"# (\w+\.py)\n", block):
            (tmp_path / name[1]).write_text(block)
    for command in COMMANDS:
        # Images of 1,100 episodes take minutes; `random` looks at nothing.
        command = command.replace("my_agent:MyAgent --name", "random --name")
        arguments = [sys.executable, "-m", "langrearrange.cli.main", *shlex.split(command)[1:]]
        done = run(arguments, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_every_file_it_names_is_there() -> None:
    root = Path(__file__).resolve().parent.parent
    named = re.findall(r"\]\(((?:docs|benchmarks)/[^)]+)\)|(docs/[a-z-]+\.md)", README)
    for path in {a or b for a, b in named}:
        assert (root / path).exists(), path
