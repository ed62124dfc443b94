"""What docs/habitat.md prints works as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from langrearrange.cli.main import VERBS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "habitat.md").read_text()


def test_every_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(blocks) == 2
    code = "\n".join(blocks)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "langrearrange.scene_dataset_config.json" in done.stdout
    assert "triangles read, 300 kept" in done.stdout


def test_every_command_names_options_that_exist() -> None:
    import tyro

    commands = re.findall(r"^langrearrange (.*)$", PAGE, re.M)
    assert len(commands) == 2
    for verb, *options in map(shlex.split, commands):
        assert verb in VERBS
        module = __import__(f"langrearrange.cli.{verb.replace('-', '_')}", fromlist=["Args"])
        tyro.cli(module.Args, args=options)
