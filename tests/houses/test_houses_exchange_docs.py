"""What docs/habitat.md prints works as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import habitat_samples
import official_samples
import pytest

from langrearrange.cli.main import VERBS, main
from langrearrange.dataset import open_dataset

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "habitat.md").read_text()


def run(blocks: list[str], folder: Path) -> str:
    code = "\n".join(blocks)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(official: bool) -> list[str]:
    found = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    return [block for block in found if ("official_scene" in block) == official]


def test_the_python_blocks_on_flats_and_meshes_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    found = [block for block in blocks(official=False) if 'simulator="habitat"' not in block]
    assert len(found) == 2
    told = run(found, tmp_path)
    assert "langrearrange.scene_dataset_config.json" in told
    assert "triangles read, 300 kept" in told


def test_the_python_block_on_official_episodes_runs(tmp_path: Path) -> None:
    builder = official_samples.Builder()
    builder.add()
    pickle = builder.write(tmp_path)
    assert main(["import-official", str(pickle), "--out", str(tmp_path / "out/official")]) == 0
    home = open_dataset(tmp_path / "out/official/official_context").get(0).house
    data = habitat_samples.write_data(tmp_path / "data")
    scene = home.removeprefix("official_")
    habitat_samples.write_scene(data / "replica_cad", scene, habitat_samples.SCENE)
    (found,) = blocks(official=True)
    told = run([found, "print(found.scene.name, len(found.things))"], tmp_path)
    assert told == f"{scene} 3\n"


def test_every_command_names_options_that_exist() -> None:
    import tyro

    commands = re.findall(r"^langrearrange (.*)$", PAGE, re.M)
    assert len(commands) >= 6
    for verb, *options in map(shlex.split, commands):
        assert verb in VERBS
        module = __import__(f"langrearrange.cli.{verb.replace('-', '_')}", fromlist=["Args"])
        tyro.cli(module.Args, args=options)
