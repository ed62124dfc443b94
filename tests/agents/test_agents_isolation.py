"""Isolated agents: what a hostile one reaches, what it may use, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from langrearrange.agents import Limits, ProcessAgent, Sandbox, isolation, isolation_here, process
from langrearrange.errors import AgentError, UsageError
from langrearrange.paths import datasets_path

HERE = Path(__file__).parent
HAS_SANDBOX = sys.platform == "linux" and isolation._works("sandbox")
needs_sandbox = pytest.mark.skipif(not HAS_SANDBOX, reason="no user namespaces here")
SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin")
needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or SYSTEM_PYTHON is None,
    reason="needs root and a Python of the system",
)
SECRET = f"secret {uuid.uuid4()}"  # on this machine nowhere else
MARK = SECRET.encode().hex()
EVALUATOR = """
import os, socket, sys, tempfile
from langrearrange.agents import Limits, ProcessAgent, Sandbox
hidden, data_sets, secret = sys.argv[1:]
mark = secret.encode().hex()
memory = [secret + str(i) for i in range(1000)]
temporary = tempfile.NamedTemporaryFile("w")
temporary.write(secret); temporary.flush()
with socket.socket() as one, socket.socket(socket.AF_UNIX) as other:
    one.bind(("127.0.0.1", 0)); one.listen()
    port = str(one.getsockname()[1])
    other.bind(chr(0) + "evaluator" + port); other.listen()
    agent = ProcessAgent(
        [sys.executable, "hostile.py", mark, hidden, data_sets, port], Limits(start_s=60.0),
        shared=True, sandbox=Sandbox(hidden=(hidden,)),
    )
    agent.reset("Find an apple.")
    assert agent.act({"held": []}) == 5
    print(agent.isolation, agent.network, agent.perception, sep=";")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may read, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        shutil.copy(HERE / "hostile.py", path)
        (path / "round").mkdir()
        (path / "round" / "key").write_text(SECRET)
        yield path


@needs_sandbox
def test_a_hostile_agent_reaches_nothing_from_a_sandbox(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVALUATOR, folder / "round", datasets_path(), SECRET],
        cwd=folder, env=os.environ | {"LANGREARRANGE_KEY": SECRET, "MINE": SECRET},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "sandbox;False;\n", done.stderr


@needs_sandbox
def test_without_isolation_the_same_agent_reaches_much(folder: Path) -> None:
    reached = ["cmdline", "environ", "own environment", "temporary files", "hidden folder"]
    reached += ["data sets", "network", "abstract socket"]
    attempts = f"port, *{[*reached, 'shared memory']}]"
    plain = EVALUATOR.replace("sandbox=Sandbox(hidden=(hidden,)),", "").replace("port]", attempts)
    done = subprocess.run(
        [sys.executable, "-c", plain, folder / "round", datasets_path(), SECRET],
        cwd=folder, env=os.environ | {"MINE": SECRET}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    kind, network, managed = done.stdout.strip().split(";")
    assert (kind, network) == ("process", "True")
    assert managed.split(",") == reached


@needs_root
def test_root_keeps_an_agent_of_another_user_from_memory_and_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "isolation_here", lambda: "user")
    monkeypatch.chdir(folder)
    (folder / "round").chmod(0o700)
    command = [str(SYSTEM_PYTHON), "hostile.py", MARK, str(folder / "round"), "/nowhere", "1"]
    agent = ProcessAgent(command, sandbox=Sandbox(files=(str(folder),)))
    assert (agent.isolation, agent.network) == ("user", True)
    assert agent.perception in ("", "home"), "nothing but home folders that are open to all"
    agent.close()


@needs_root
@needs_sandbox
def test_a_sandbox_needs_no_privileges(folder: Path) -> None:
    jail = shutil.copy(isolation.JAIL, folder)
    settings = {
        "kind": "sandbox", "network": False, "folder": str(folder), "devices": ["/dev/null"],
        "files": ["/usr", "/bin", "/lib", "/lib64", str(folder)], "hidden": [f"{folder}/round"],
        "memory_mb": 1000, "processes": 50, "cpus": 1,
    }  # fmt: skip
    data = json.dumps(settings).encode()
    done = subprocess.run(
        [str(SYSTEM_PYTHON), "-I", "-S", jail, str(SYSTEM_PYTHON), "hostile.py", MARK,
         str(folder / "round"), "/nowhere", "1"],
        input=b"%08x" % len(data) + data + b'{"type":"hello"}\n', capture_output=True,
        user=65_534, group=65_534, extra_groups=[], env={"PATH": os.defpath}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["perception"] == ""


def run_in_sandbox(code: str, limits: Limits, folder: Path) -> str:
    """Return what the evaluator is told of a Python agent that runs this at its start."""
    with pytest.raises(AgentError) as caught:
        ProcessAgent([sys.executable, "-c", code], limits, sandbox=Sandbox(files=(str(folder),)))
    return str(caught.value)


FORKS = """
import os, time
made = 0
try:
    while made < 1000:
        if os.fork() == 0: time.sleep(100)
        made += 1
except BlockingIOError:
    raise SystemExit(f"made {made}")
"""
SHARES = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        kept = b"x" * (60 << 20); time.sleep(100)
time.sleep(100)
"""


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("kept = b'x' * (400 << 20)", "MemoryError"),
        (SHARES, "the agent used more than its 300 MB of memory"),
        ("open('/tmp/big', 'wb').write(b'x' * (200 << 20))", "No space left on device"),
        (FORKS, "made 1"),
        ("import os; raise SystemExit(f'cores {len(os.sched_getaffinity(0))}')", "cores 1"),
    ],
)  # fmt: skip
def test_memory_processes_and_cores_are_limited(code: str, told: str, folder: Path) -> None:
    limits = Limits(start_s=60.0, memory_mb=300, processes=20, cpus=1)
    assert told in run_in_sandbox(code, limits, folder)


def test_memory_is_limited_without_isolation_too() -> None:
    limits = Limits(start_s=60.0, memory_mb=300)
    code = "import time; time.sleep(0.5); kept = b'x' * (400 << 20)"
    with pytest.raises(AgentError, match="MemoryError"):
        ProcessAgent([sys.executable, "-c", code], limits)


LEAVES = """
import os, subprocess, sys, time
os.setpgid(0, 0)
subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(98.76)"])
time.sleep(1); sys.exit(3)
"""


def sleepers() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"sleep(98.76)" in path.read_bytes() and b"setpgid" not in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


@needs_sandbox
def test_what_an_agent_started_ends_with_it(folder: Path) -> None:
    assert "code 3" in run_in_sandbox(LEAVES, Limits(start_s=60.0), folder)
    until = time.monotonic() + 5
    while sleepers() and time.monotonic() < until:
        time.sleep(0.1)
    assert not sleepers()


@needs_root
def test_what_an_agent_of_another_user_started_ends_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "isolation_here", lambda: "user")
    code = LEAVES.replace("sys.executable", "'/usr/bin/python3'")
    with pytest.raises(AgentError, match="code 3"):
        ProcessAgent([str(SYSTEM_PYTHON), "-c", code], sandbox=Sandbox(files=(str(folder),)))
    until = time.monotonic() + 5
    while sleepers() and time.monotonic() < until:
        time.sleep(0.1)
    assert not sleepers()


def test_where_nothing_isolates_the_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_works", lambda kind: False)
    isolation_here.cache_clear()
    try:
        assert isolation_here() == "process"
        agent = ProcessAgent(
            [sys.executable, "-m", "langrearrange.agents.serve", "explorer"], sandbox=Sandbox()
        )
        assert (agent.isolation, agent.network, agent.limits.processes) == ("process", True, 0)
        agent.close()
    finally:
        isolation_here.cache_clear()


def test_files_that_cannot_be_given_are_refused(tmp_path: Path) -> None:
    (tmp_path / "round").mkdir()
    for files in (("/",), ("/tmp",), (str(tmp_path / "nowhere"),)):
        with pytest.raises(UsageError, match="--agent-files"):
            Sandbox(files=files)
    for inside in (tmp_path / "round", tmp_path / "round" / ".." / "round"):
        with pytest.raises(UsageError, match="must not read"):
            Sandbox(files=(str(inside),), hidden=(str(tmp_path / "round"),))
    Sandbox(files=(str(tmp_path),), hidden=(str(tmp_path / "round"),))


def test_only_what_is_listed_is_given_to_an_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    isolation._python_files.cache_clear()
    limits = {"memory_mb": 0, "processes": 0, "cpus": 0}
    sandbox = Sandbox(files=(str(HERE),), hidden=(str(tmp_path),))
    given = json.loads(isolation.settings(sandbox, "sandbox", limits)[8:])
    assert str(HERE) in given["files"]
    assert not [path for path in given["files"] if Path(path) in (tmp_path, *tmp_path.parents)]
    assert str(tmp_path) in given["hidden"]
    assert given["folder"] == str(HERE)


STUCK = """
import json, sys, time
for line in sys.stdin:
    if json.loads(line)["type"] == "hello":
        print(json.dumps({"type": "hello", "protocol": 1, "modality": "state"}), flush=True)
    else:
        time.sleep(1000)
"""


def running(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
    return found


@needs_sandbox
def test_isolated_agents_of_workers_end_with_a_killed_evaluator(folder: Path) -> None:
    (folder / "stuck.py").write_text(STUCK)
    mark = f"mark-{uuid.uuid4()}"
    command = [sys.executable, "-m", "langrearrange", "evaluate", "--isolate", "--workers", "2"]
    command += ["--agent-cmd", f"{sys.executable} stuck.py {mark}", "--out", "run.jsonl.gz"]
    with subprocess.Popen(
        [*command, "--episodes", "validation", "--num-episodes", "8", "--rows", "1"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as evaluator:  # fmt: skip
        until = time.monotonic() + 120
        # The evaluator itself, then three processes of each agent: two are asked for the modality.
        while len(running(mark)) < 1 + 3 * 4 and time.monotonic() < until:
            time.sleep(0.2)
        seen = len(running(mark))
        evaluator.kill()
    assert seen == 1 + 3 * 4
    until = time.monotonic() + 5
    while running(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert not running(mark)
