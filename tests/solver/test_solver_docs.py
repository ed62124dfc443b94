"""docs/pddl.md: its commands and snippets run as printed, in order, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "pddl.md"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(kind: str, text: str, folder: Path) -> str:
    """Run one block as a reader would; fail with its output when it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-euc", text] if kind == "bash" else [sys.executable, "-c", text]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def blocks(heading: str) -> list[tuple[str, str]]:
    section = PAGE.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return BLOCK.findall(section)


def test_the_page_exports_and_solves_an_episode_with_pyperplan(tmp_path: Path) -> None:
    for kind, text in blocks("Export"):
        output = run(kind, text, tmp_path)
    assert "(nav start" in output
    ((kind, text),) = blocks("Solve an episode with pyperplan")
    assert run(kind, text, tmp_path).endswith("reached the goal: True\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pddlgym 0.0.7 pins Pillow < 10")
def test_the_page_plays_an_episode_in_pddlgym(tmp_path: Path) -> None:
    """In an environment of its own, which pip fills from the package index."""
    run(*blocks("Export")[0], tmp_path)
    (kind, setup), (_, play) = blocks("Play an episode in pddlgym")
    run(kind, setup, tmp_path)
    (tmp_path / "out" / "play.py").write_text(play)
    output = run("bash", "out/pddlgym-env/bin/python out/play.py", tmp_path)
    assert output.strip().endswith("1.0 True")
