"""Natural mistakes: each message names what was given and what was probably meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import langrearrange  # noqa: F401
from langrearrange.cli.main import main
from langrearrange.errors import UsageError


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["genrate"], "generate"),
        (["generate", "--split", "novel_object", "--out", "x"], "novel_objects"),
        (["export", "context", "--format", "parqet", "--out", "x"], "parquet"),
        (["play", "contxt/000004"], "context"),
        (["play", "context/4", "--agent", "oracl"], "oracle"),
        (["stats", "trian_mini"], "train_mini"),
        (["check", "--probes", "contxt"], "context"),
        (["help", "protocl"], "protocol"),
        (["evaluate", "--agent", "blindsweep", "--out", "x.jsonl.gz"], "blind_sweep"),
        (["evaluate", "--agent", "random", "--episodes", "contexts", "--out", "x"], "context"),
    ],
)
def test_a_command_names_what_was_meant(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "value", "meant"),
    [
        ("split", "novel_object", "novel_objects"),
        ("observation", "rbg", "rgb"),
        ("camera", "habitas", "habitat"),
        ("simulator", "embeded", "embedded"),
        ("extras", ("depht",), "depth"),
        ("horizn", 3, "horizon"),
    ],
)
def test_an_env_names_what_was_meant(argument: str, value: Any, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{meant}'"):
        gym.make("LangRearrange-v0", **{argument: value})


def test_the_number_of_an_episode_needs_no_zeros(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "context/4", "--agent", "oracle"]) == 0
    assert capsys.readouterr().out.startswith("context/000004 ")


def test_what_is_no_trace_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agent.py").write_text("class Agent: ...\n")
    assert main(["score", str(tmp_path / "agent.py")]) == 1
    assert "agent.py is not a trace" in capsys.readouterr().err
