"""Every command of the baselines ends with one sentence and the same exit codes."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from langrearrange_baselines.command import run_command
from langrearrange_baselines.engine.errors import BackboneError, TrainingError
from langrearrange_baselines.tensors import write_tensors

from langrearrange.errors import MissingExtraError, UsageError


def raising(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UsageError("no such option"), 2, "no such option"),
        (MissingExtraError("curves", "train", "matplotlib"), 2, "pip install"),
        (BackboneError("'/nowhere' is not a folder"), 1, "not a folder"),
        (TrainingError("the loss is nan"), 1, "the loss is nan"),
        (torch.OutOfMemoryError("CUDA out of memory"), 1, "too little memory"),
        (KeyboardInterrupt(), 130, "stopped"),
        (PermissionError(errno.EACCES, "Permission denied", "/out"), 1, "Permission denied (/out)"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "free some space"),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(
    error: BaseException, code: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert run_command(raising(error)) == code
    assert len(caplog.records) == 1
    assert says in caplog.text


def test_what_a_command_made_is_a_line_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(lambda: "out/run") == 0
    assert run_command(lambda: None) == 0
    assert capsys.readouterr().out == "out/run\n"


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("vision.card", "--weights", "/nowhere.safetensors"), 1, "there is no file /nowhere"),
        (("vision.pretrain", "--out", "eyes.bin"), 2, "eyes.bin"),
        (("evaluate", "--checkpoint", "/nowhere", "--out", "a.jsonl.gz"), 1, "no checkpoint"),
    ],
)
def test_commands_say_what_is_wrong_without_a_traceback(
    command: tuple[str, ...], code: int, says: str
) -> None:
    module, *arguments = command
    done = subprocess.run(
        [sys.executable, "-m", f"langrearrange_baselines.{module}", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_tensors_that_cannot_be_written_are_an_os_error_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "weights.safetensors"
    with pytest.raises(OSError, match="No such file") as caught:
        write_tensors(file, {"weights": torch.zeros(9)})
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(file))


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(raising(ZeroDivisionError()))
