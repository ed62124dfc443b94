"""Starts an agent where it cannot reach its evaluator, and ends all of its processes with it.

    python -I -S jail.py PROGRAM [ARGUMENT ...]

Run by `isolation`, which writes the settings to stdin before anything else: eight hexadecimal
digits, the length of the JSON object that follows. Linux >= 5.12 only; standard library only.

In a sandbox the agent has namespaces of its own: it sees its own processes, the listed files,
read-only, a fresh /tmp and /dev/shm, and no network. Without the privileges for that, root starts
it as a user that owns nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import platform
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, NEW_UTS, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USER, NEW_PIDS, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
DETACH: Final = 2
PARENT_DEATH_SIGNAL, NO_NEW_PRIVILEGES = 1, 38
MOUNT_SETATTR: Final = 442
PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
INSIDE: Final = 1000
"""User id inside the user namespace of a sandbox: not 0, so that exec drops all capabilities."""
TRANSIENT: Final = range(61_184, 65_520)
"""User ids that systemd sets aside for users that exist only while something runs."""
POLL_S: Final = 0.5
"""Seconds between two looks at the memory in use."""
OVER_MEMORY: Final = 137
NEW_ROOT: Final = "/tmp"
Settings = dict[str, Any]


def main(command: list[str]) -> int:
    """Run the command as the settings say; return its exit code, 128 + n for signal n."""
    settings: Settings = json.loads(_read(int(_read(8), 16)))
    user = _unused_user() if os.geteuid() == 0 else None
    if settings["kind"] == "user":
        assert user is not None, "only root can start an agent as another user"
        _kill_with_this_process(user)
        return _start(command, settings, user, lambda: _processes_of(user))
    _enter_namespaces(settings, user is not None)
    child = os.fork()
    if child:
        _let_go()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:  # process 1 of the namespace: all of it ends when this one does
        LIBC.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        _build_root(settings)
        code = _start(command, settings, user, lambda: _processes_of(None))
    except OSError as error:
        code = _fail(error)
    os._exit(code)


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size and (part := os.read(0, size - len(data))):
        data += part
    return data


def _fail(error: OSError) -> int:
    denied = "; root starts it as another user, who must be able to read its files"
    hint = denied if isinstance(error, PermissionError) else ""
    os.write(2, f"the agent cannot be started: {error}{hint}\n".encode())
    return 127


def _let_go() -> None:
    """Drop stdin and stdout, so that they close when the agent closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _enter_namespaces(settings: Settings, root: bool) -> None:
    user, group = os.getuid(), os.getgid()
    flags = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_PIDS
    flags |= (0 if settings["network"] else NEW_NETWORK) | (0 if root else NEW_USER)
    _check(LIBC.unshare(flags), "unshare")
    if not root:
        for name, line in {
            "setgroups": "deny",
            "uid_map": f"{INSIDE} {user} 1",
            "gid_map": f"{INSIDE} {group} 1",
        }.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
    if not settings["network"]:  # programs may talk to themselves
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def _mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    arguments = (text.encode() for text in (source, target, kind))
    _check(LIBC.mount(*arguments, ctypes.c_ulong(flags), options.encode()), target)


def _make_read_only(target: str, flag: int) -> None:
    attributes = struct.pack("QQQQ", 1 | NOSUID, 0, 0, 0)  # MOUNT_ATTR_RDONLY
    result = LIBC.syscall(MOUNT_SETATTR, -100, target.encode(), flag, attributes, len(attributes))
    _check(result, target)


def _build_root(settings: Settings) -> None:
    """Replace the root by one that holds the listed files and nothing else."""
    os.umask(0o022)
    _mount("none", "/", flags=RECURSIVE | PRIVATE)
    links = {path: os.readlink(path) for path in settings["files"] if os.path.islink(path)}
    found = [path for path in settings["files"] if os.path.exists(path) and path not in links]
    sources = {path: os.open(path, os.O_PATH) for path in found}
    devices = {path: os.open(path, os.O_PATH) for path in settings["devices"]}
    half = f"size={settings['memory_mb'] // 2 + 16}m" if settings["memory_mb"] else "size=50%"
    _mount("tmpfs", NEW_ROOT, "tmpfs", NOSUID | NODEV, "mode=755,size=16m")
    for path in ("/tmp", "/dev/shm", "/proc", "/datasets"):
        os.makedirs(NEW_ROOT + path)
    for path in ("/tmp", "/dev/shm"):
        _mount("tmpfs", NEW_ROOT + path, "tmpfs", NOSUID | NODEV, f"mode=1777,{half}")
    for path, descriptor in {**devices, **sources}.items():
        _bind(descriptor, NEW_ROOT + path)
        if path in sources:
            _make_read_only(NEW_ROOT + path, 0x8000)  # AT_RECURSIVE
    for path, target in links.items():
        with contextlib.suppress(FileExistsError):
            os.symlink(target, NEW_ROOT + path)
    for path in settings["hidden"]:
        _hide(NEW_ROOT + path)
    with contextlib.suppress(OSError):  # not allowed where a container masks parts of /proc
        _mount("proc", NEW_ROOT + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    _make_read_only(NEW_ROOT, 0)
    os.chdir(NEW_ROOT)
    _check(LIBC.syscall(PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    _check(LIBC.umount2(b".", DETACH), "umount")


def _bind(descriptor: int, target: str) -> None:
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    _mount(source, target, flags=BIND | RECURSIVE)


def _hide(target: str) -> None:
    if os.path.isdir(target):
        _mount("tmpfs", target, "tmpfs", NOSUID | NODEV, "mode=755,size=4k")
        _make_read_only(target, 0)
    elif os.path.exists(target):
        _mount("/dev/null", target, flags=BIND)


def _start(
    command: list[str],
    settings: Settings,
    user: int | None,
    processes: Callable[[], Iterator[str]],
) -> int:
    """Start the agent, end it when it needs too much memory; return its exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    child = os.fork()
    if not child:
        try:
            _become_agent(settings, user)
            os.execvp(command[0], command)
        except OSError as error:
            os._exit(_fail(error))
    _let_go()
    limit = settings["memory_mb"] << 20
    while True:
        signal.sigtimedwait([signal.SIGCHLD], POLL_S)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return code if code >= 0 else 128 - code
        if limit and sum(map(_memory_of, processes())) > limit:
            os.write(2, b"the agent used more than its %d MB of memory\n" % (limit >> 20))
            os.kill(child, signal.SIGKILL)
            return OVER_MEMORY


def _become_agent(settings: Settings, user: int | None) -> None:
    """Set limits, then give up every privilege."""
    if settings["cpus"]:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: settings["cpus"]])
    limits = {  # 0 for none
        resource.RLIMIT_DATA: settings["memory_mb"] << 20,
        # Inside a user namespace this file's own two processes are counted as well.
        resource.RLIMIT_NPROC: settings["processes"] and settings["processes"] + 2 * (user is None),
    }
    for name, value in limits.items():
        if value:
            resource.setrlimit(name, (value, value))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _check(LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    with contextlib.suppress(FileNotFoundError):
        os.chdir(settings["folder"])


def _processes_of(user: int | None) -> Iterator[str]:
    """Yield the folder in /proc of every process of a user; of all but this one for None."""
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and (
                int(name) != os.getpid()
                if user is None
                else os.stat(f"/proc/{name}").st_uid == user
            ):
                yield f"/proc/{name}"


def _memory_of(process: str) -> int:
    """Return the bytes that only this process needs: resident, without files."""
    with contextlib.suppress(OSError), open(f"{process}/statm") as file:
        resident, shared = map(int, file.read().split()[1:3])
        return (resident - shared) * resource.getpagesize()
    return 0


def _unused_user() -> int:
    first = os.getpid() % len(TRANSIENT)
    candidates: list[int] = [*TRANSIENT[first:], *TRANSIENT[:first]]
    return next(user for user in candidates if not any(_processes_of(user)))


def _kill_with_this_process(user: int) -> None:
    """Have everything of a user killed when this process is gone, however it ended."""
    reading, writing = os.pipe()  # `writing` stays open until this process ends
    if os.fork():
        os.close(reading)
        return
    os.setsid()
    os.close(writing)
    _let_go()
    os.dup2(0, 2)
    os.read(reading, 1)
    os.setresuid(user, user, user)
    with contextlib.suppress(ProcessLookupError):
        for _ in range(100):
            os.kill(-1, signal.SIGKILL)  # all that this user may signal, but itself
            time.sleep(0.01)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
