"""What docs/habitat.md prints works as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from langrearrange.cli.main import VERBS, parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "habitat.md").read_text()


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_block_on_flats_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    (found,) = [block for block in blocks if 'simulator="habitat"' not in block]
    assert "langrearrange.scene_dataset_config.json" in run(found, tmp_path)


def test_every_command_names_options_that_exist() -> None:
    commands = re.findall(r"^langrearrange (.*)$", PAGE, re.M)
    assert len(commands) >= 5
    for verb, *options in map(shlex.split, commands):
        assert verb in VERBS
        parse(verb, options)
