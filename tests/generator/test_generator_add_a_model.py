"""docs/add-a-model.md: in a copy of the package, its recipe and commands do what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from langrearrange.dataset import read_manifest
from langrearrange.world.vocabulary import SPLITS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def of_kind(kind: str) -> list[str]:
    return [text for name, text in BLOCKS if name == kind]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("langrearrange", "datasets"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def run(commands: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(checkout),
        "LANGREARRANGE_DATASETS": str(checkout / "datasets"),
    }
    command = ["bash", "-euc", commands]
    return subprocess.run(
        command, cwd=checkout, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_model_is_added_reported_and_generated_in_as_the_page_says(checkout: Path) -> None:
    look, check, generate = of_kind("bash")
    [sentence] = of_kind("text")
    before = {split: read_manifest(checkout / "datasets" / split) for split in SPLITS}
    assert run(check, checkout).returncode == 0

    kind = checkout / "langrearrange" / "houses" / "models" / "balls.py"
    [recipe] = of_kind("python")
    head, tail = kind.read_text(encoding="utf-8").rsplit(")  # fmt: skip", 1)
    kind.write_text(f"{head}    {recipe})  # fmt: skip{tail}", encoding="utf-8")
    assert (checkout / run(look, checkout).stdout.strip()).stat().st_size > 1000

    failed = run(check, checkout)
    assert failed.returncode == 1
    said = " ".join(failed.stderr.split())
    assert sentence.strip() in said
    assert sentence.strip().replace("context", "train_mini") in said

    quick = generate.replace("--split train ", "--split train --num-episodes 64 ")
    passed = run(quick, checkout)
    assert passed.returncode == 0, passed.stderr
    for split, old in before.items():
        new = read_manifest(checkout / "datasets" / split)
        assert new.content_sha256 != old.content_sha256
        assert new.provenance is not None
        assert old.provenance is not None
        assert new.provenance.models_sha256 != old.provenance.models_sha256
        assert new.provenance.houses_sha256 == old.provenance.houses_sha256


def test_the_page_generates_every_split() -> None:
    [loop] = re.findall(r"for split in (.*?); do", PAGE, re.DOTALL)
    assert {*loop.replace("\\", "").split(), "train"} == set(SPLITS)
