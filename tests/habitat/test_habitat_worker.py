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
from collections.abc import Callable, Sequence
from pathlib import Path
from signal import Signals
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fake_habitat import HABITAT_SIM, fake_python

from langrearrange.errors import HabitatError
from langrearrange.habitat.simulator import engine, places, worker
from langrearrange.habitat.simulator.client import TIMEOUT_VARIABLE, Worker

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
    backend.begin(view(kinds, height, width, [(0, POSE)] * moves))
    return backend.pictures()


def view(
    kinds: Sequence[str], height: int, width: int, rigid: Sequence[Any] = ()
) -> dict[str, Any]:
    size = {"height": height, "width": width, "camera": POSE, "hfov_deg": 65.0}
    return {"kinds": kinds, "rigid": rigid, "joints": [], "bases": [], **size}


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
        from langrearrange.habitat.simulator.client import TIMEOUT_VARIABLE, Worker
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
    with pytest.raises(HabitatError, match=r"ended, or belongs .* reset\(\) starts another one"):
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
    backend.begin(view(["rgb"], 4, 4))  # and interrupted
    assert (picture(backend)["rgb"] == 2).all()
    backend.close()


def test_a_stopped_worker_is_ended_after_the_time_that_the_variable_gives_it(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Worker(python, -1)
    backend.load(things("a"), [])
    os.kill(backend.pid, signal.SIGSTOP)
    started = time.monotonic()
    backend.begin(view(["rgb"], 4, 4))
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.2")
    with pytest.raises(HabitatError, match=r"did not answer within 0 s.*reset\(\) starts another"):
        backend.pictures()
    assert time.monotonic() - started < 4, "killed at once"
    assert gone(backend.pid)
    assert backend.closed


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_that_is_not_one_is_refused(
    python: str, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, given)
    backend = Worker(python, -1)
    with pytest.raises(HabitatError, match=f"{TIMEOUT_VARIABLE}='{given}'; accepted: seconds"):
        backend.load(things("a"), [])
    monkeypatch.delenv(TIMEOUT_VARIABLE)
    backend.load(things("a"), [])
    backend.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_does_not_use_the_worker_of_its_parent(python: str) -> None:
    backend = Worker(python, -1)
    backend.load(things("a"), [])
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            backend.load(things("b", "c"), [])
        except HabitatError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert b"belongs to the process that this one was forked from" in os.read(reader, 1000)
    assert (picture(backend, ["rgb"])["rgb"] == 1).all()
    backend.close()


# A visible GPU whose OpenGL does not start: habitat_sim raises, or ends the process.
BROKEN_GPU = {
    "raises": "raise RuntimeError('Unable to create windowless context')",
    "ends": "print('cannot make EGL context', flush=True); os._exit(1)",
}


def broken_gpu(folder: Path, how: str) -> str:
    start = "        self.gpu_device = settings.gpu_device_id\n"
    fails = f"        if self.gpu_device >= 0:\n            {BROKEN_GPU[how]}\n"
    in_sight = "import glob\nglob.glob = lambda pattern: ['/dev/nvidia0']\n"
    return fake_python(folder, in_sight + HABITAT_SIM.replace(start, start + fails))


@pytest.mark.parametrize("how", BROKEN_GPU)
def test_a_gpu_that_cannot_be_used_is_left_for_software_and_said_once(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "gpu_is_there", lambda: True)
    python = broken_gpu(tmp_path, how)
    for _ in range(2):
        backend = places.open_backend(python, None)
        backend.load(things("a"), [])
        backend.close()
    [record] = caplog.records
    assert "Habitat draws in software, as GPU 0 cannot be used" in record.getMessage()
    assert ("windowless context" if how == "raises" else "EGL context") in record.getMessage()
    with pytest.raises(HabitatError, match="habitat_gpu=-1 draws without the GPU"):
        places.open_backend(python, 0)


def test_a_gpu_is_not_blamed_for_a_habitat_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "gpu_is_there", lambda: True)
    with pytest.raises(HabitatError, match="no libEGL"):
        places.open_backend(fake_python(tmp_path, "raise OSError('no libEGL')"), None)
    assert not caplog.records


def test_a_gpu_that_works_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "gpu_is_there", lambda: True)
    works = "import glob\nglob.glob = lambda pattern: ['/dev/nvidia0']\n" + HABITAT_SIM
    python = fake_python(tmp_path, works)
    assert places.find_gpu(python) == 0
    places.open_backend(python, None).close()


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
    with pytest.raises(HabitatError, match="no NVIDIA GPU is visible for habitat_gpu=0"):
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
