"""An agent that tries to reach its evaluator; its handshake says what it managed.

    python hostile.py MARK HIDDEN_FOLDER DATA_SETS PORT [ATTEMPT ...]

Standard library only: it also plays without this package. What it looks for contains MARK, given
in hexadecimal digits. No attempt leaves anything behind on a machine where it succeeds.
"""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

CODED, HIDDEN, DATA_SETS, PORT, *CHOSEN = sys.argv[1:]
MARK = bytes.fromhex(CODED)


def others() -> Iterator[Path]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            yield folder


def holds_mark(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.is_file() and MARK in path.open("rb").read(1 << 20)
    return False


def opens(path: Path | str, size: int = 1) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return len(file.read(size)) == size
    return False


def lists(folder: Path | str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def follows(link: Path) -> bool:
    with contextlib.suppress(OSError):
        return bool(os.readlink(link))
    return False


def below(folder: str) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if len(Path(place).parts) < 4]
        yield from (Path(place) / name for name in names)


def connects(family: int, address: tuple[str, int] | str) -> bool:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        client.connect(address)
        return True
    return False


def shrinks_shared_memory() -> bool:
    with contextlib.suppress(OSError, ValueError):
        os.truncate(int(os.environ.get("LANGREARRANGE_SHARED_FD", "")), 0)
        return True
    return False


def shell(command: str) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return not subprocess.run(command, shell=True, capture_output=True, timeout=9).returncode
    return False


def becomes_root() -> bool:
    with contextlib.suppress(OSError):
        os.setuid(0)
        return True
    return False


def may_signal(process: Path) -> bool:
    with contextlib.suppress(OSError):
        os.kill(int(process.name), 0)
        return True
    return False


ATTEMPTS: dict[str, Callable[[], object]] = {
    "cmdline": lambda: any(holds_mark(process / "cmdline") for process in others()),
    "environ": lambda: any(opens(process / "environ") for process in others()),
    "mem": lambda: any(opens(process / "mem", 0) for process in others()),
    "maps": lambda: any(opens(process / "maps") for process in others()),
    "fd": lambda: any(follows(process / "fd" / "2") for process in others()),
    "cwd": lambda: any(lists(process / "cwd") for process in others()),
    "root": lambda: any(lists(process / "root") for process in others()),
    "ptrace": lambda: ctypes.CDLL(None).ptrace(0x4206, os.getppid(), 0, 0) == 0,
    "own environment": lambda: any(MARK in value.encode() for value in os.environ.values()),
    "descriptors": lambda: any(map(holds_mark, Path("/proc/self/fd").iterdir())),
    "temporary files": lambda: any(
        holds_mark(path)
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run")
        for path in below(folder)
    ),
    "hidden folder": lambda: lists(HIDDEN),
    "data sets": lambda: lists(DATA_SETS) or lists("/datasets"),
    "home": lambda: opens("/root/.bashrc") or lists("/home"),
    "system": lambda: any(map(opens, ("/etc/shadow", "/dev/mem", "/dev/kmsg"))),
    "write": lambda: any(os.access(path, os.W_OK) for path in (__file__, "/usr", "/etc", "/")),
    "uncover": lambda: shell(f"unshare -rm sh -c 'umount {HIDDEN} && ls {HIDDEN} | grep .'"),
    "root user": becomes_root,
    "mount": lambda: shell(f"mount -t tmpfs none {HIDDEN}"),
    "network": lambda: connects(socket.AF_INET, ("127.0.0.1", int(PORT))),
    "abstract socket": lambda: connects(socket.AF_UNIX, f"\0evaluator{PORT}"),
    "shared memory": shrinks_shared_memory,
    # Process 1 of a sandbox has its user and ignores its signals.
    "signal": lambda: any(may_signal(process) for process in others() if process.name != "1"),
}


def say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    kind = json.loads(line)["type"]
    if kind == "hello":
        chosen = {name: ATTEMPTS[name] for name in CHOSEN} or ATTEMPTS
        managed = ",".join(name for name, attempt in chosen.items() if attempt())
        say({"type": "hello", "protocol": 1, "modality": "state", "perception": managed})
    elif kind == "reset":
        say({"type": "ready"})
    elif kind == "act":
        say({"type": "act", "skill": 5})
    else:
        break
