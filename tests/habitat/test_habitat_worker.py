"""The worker process: errors in one sentence, pictures through shared memory, no orphans."""

from __future__ import annotations

import ast
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from signal import Signals
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fake_habitat import HABITAT_SIM, fake_python

from langrearrange.errors import HabitatError
from langrearrange.habitat.simulator import client, engine, worker
from langrearrange.habitat.simulator.client import Moves, View, Worker

ALL = ("rgb", "depth", "segmentation")
POSE = np.eye(4).tolist()


@pytest.fixture
def python(tmp_path: Path) -> str:
    return fake_python(tmp_path)


def picture(
    backend: Worker,
    kinds: list[str] | tuple[str, ...] = ALL,
    height: int = 5,
    width: int = 7,
    moves: int = 0,
) -> dict[str, Any]:
    moved = Moves([(0, POSE)] * moves, [], [])
    backend.start_drawing(moved, View(kinds, height, width, POSE, 65.0))
    return backend.pictures()


def things(*names: str) -> list[dict[str, list[int] | str]]:
    return [{"asset": f"/somewhere/{name}.object_config.json", "ids": [1]} for name in names]


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_pictures_come_through_shared_memory_in_every_size_and_choice(python: str) -> None:
    backend = Worker(python, -1)
    backend.load(things("a", "b", "c"), [])
    for height, width in ((5, 7), (64, 64), (3, 2)):
        drawn = picture(backend, height=height, width=width, moves=1)
        assert drawn["rgb"].shape == (height, width, 3)
        assert (drawn["rgb"] == 3).all()
        assert drawn["depth"].shape == drawn["segmentation"].shape == (height, width)
        assert (drawn["segmentation"] == 3).all()
    assert (drawn["depth"] == 3).all()  # one move before each picture
    assert set(picture(backend, ["depth"])) == {"depth"}
    backend.load(things("a"), [])
    assert (picture(backend, ["rgb"])["rgb"] == 1).all()
    backend.close()
    backend.close()


def test_what_habitat_prints_is_not_taken_for_an_answer(python: str) -> None:
    # The fake prints to stdout when it is imported.
    Worker(python, -1).close()


def test_a_worker_is_gone_after_close_and_after_being_forgotten(python: str) -> None:
    first, second = Worker(python, -1), Worker(python, -1)
    pids = [first.pid, second.pid]
    first.close()
    assert gone(pids[0])
    del second
    gc.collect()
    assert gone(pids[1])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_is_gone_when_its_owner_was_killed(python: str, how: Signals) -> None:
    program = textwrap.dedent(
        f"""
        import time
        from langrearrange.habitat.simulator.client import Worker
        worker = Worker({python!r}, -1)
        print(worker.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(how)
    assert gone(pid)


def test_a_killed_worker_is_one_clear_error_and_another_one_can_be_made(python: str) -> None:
    backend = Worker(python, -1)
    backend.load(things("a"), [])
    os.kill(backend.pid, signal.SIGKILL)
    with pytest.raises(HabitatError, match=r"ended by SIGKILL; reset\(\) starts another one"):
        picture(backend)
    with pytest.raises(HabitatError, match="make another one"):
        picture(backend)
    Worker(python, -1).close()


def test_a_worker_that_dies_at_work_says_its_last_words(tmp_path: Path) -> None:
    words = HABITAT_SIM.replace("os._exit(7)", "print('GL says no', flush=True); os._exit(7)")
    backend = Worker(fake_python(tmp_path, words), -1)
    with pytest.raises(HabitatError, match="ended with status 7; it last said: GL says no"):
        backend.load(things("poison"), [])


def test_a_refused_asset_is_told_and_the_worker_lives_on(python: str) -> None:
    backend = Worker(python, -1)
    with pytest.raises(HabitatError, match=r"does not load the object /somewhere/unfit\.object"):
        backend.load(things("unfit"), [])
    backend.load(things("a"), [])
    assert (picture(backend)["rgb"] == 1).all()
    backend.close()


def test_an_answer_nobody_waited_for_is_passed_over(python: str) -> None:
    backend = Worker(python, -1)
    backend.load(things("a", "b"), [])
    backend.start_drawing(Moves([], [], []), View(["rgb"], 4, 4, POSE, 65.0))  # and interrupted
    assert (picture(backend)["rgb"] == 2).all()
    backend.close()


def test_a_silent_worker_is_ended_after_a_while(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Worker(python, -1)
    os.kill(backend.pid, signal.SIGSTOP)
    monkeypatch.setattr(client, "TIMEOUT_S", 0.2)
    backend.start_drawing(Moves([], [], []), View(["rgb"], 4, 4, POSE, 65.0))
    monkeypatch.setattr(client, "END_TIMEOUT_S", 0.2)
    with pytest.raises(HabitatError, match="did not answer within 0 s"):
        backend._answer(0.2)
    assert gone(backend.pid)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: "/nowhere/python", "habitat_python='/nowhere/python' cannot be run"),
        (lambda folder: str(folder), "cannot be run"),
        (lambda _: "/bin/true", "ended with status 0"),
        (lambda _: "/bin/false", "ended with status 1"),
        (lambda folder: fake_python(folder / "x", "raise OSError('no libEGL')"), "no libEGL"),
        (lambda folder: fake_python(folder / "x", "import attr_is_missing"), "attr_is_missing"),
        (
            lambda folder: fake_python(folder / "x", "__version__ = '0.1.7'"),
            r"calls itself 0\.1\.7\) lacks Simulator, SimulatorConfiguration",
        ),
        (
            lambda folder: fake_python(
                folder / "x", HABITAT_SIM.replace("def add_sensor", "def add_gauge")
            ),
            r"lacks Simulator\.add_sensor,",
        ),
    ],
    ids=["nowhere", "folder", "true", "false", "broken", "incomplete", "old", "lacking"],
)
def test_a_python_that_will_not_do_is_one_sentence(
    tmp_path: Path, make: Callable[..., Any], message: str
) -> None:
    with pytest.raises(HabitatError, match=message) as caught:
        Worker(make(tmp_path), -1)
    assert "\n" not in str(caught.value)


def test_a_python_without_habitat_is_named() -> None:
    with pytest.raises(HabitatError, match=f"{sys.executable}.*not installed there"):
        Worker(sys.executable, -1)


def test_a_gpu_that_is_not_there_is_refused_before_habitat_ends_the_process(python: str) -> None:
    if engine.gpu_is_there():
        pytest.skip("there is a GPU")
    with pytest.raises(HabitatError, match="no NVIDIA GPU is in sight for gpu_device 0"):
        Worker(python, 0)


def test_our_python_path_does_not_reach_the_worker(
    python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('led astray')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    Worker(python, -1).close()


@pytest.mark.parametrize("module", [engine, worker])
def test_what_runs_in_the_habitat_environment_is_python_3_9_and_imports_nothing_of_ours(
    module: ModuleType,
) -> None:
    source = Path(str(module.__file__)).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    outside = imported - set(sys.stdlib_module_names)
    assert outside <= {"numpy", "habitat_sim", "magnum"}
