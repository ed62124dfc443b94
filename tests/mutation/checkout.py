"""Copies of the checkout in which mutations are made and judged by the tests of their room.

Each test run is a fork of a process that has imported pytest and the third-party packages, which
takes longer than most runs. Nothing of the checkout is imported before the fork.
"""

from __future__ import annotations

import difflib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from coverage import Coverage, CoverageData
from operators import Mutation

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = {  # the folders under tests/ that judge a room
    "world": ("world", "solver", "env"),
    "solver": ("solver",),
    "language": ("language",),
    "generator": ("generator",),
    "env": ("env",),
    "leaderboard": ("leaderboard",),
}
WALL_LIMIT_S: Final = 1800
PRELOADED: Final = (
    "PIL.ImageDraw", "concurrent.futures", "gymnasium.vector", "http.server", "hypothesis.stateful",
    "msgspec", "multiprocessing", "numpy", "rich.progress", "rich.table", "tyro", "unittest.mock",
    "urllib.request", "yaml",
)  # fmt: skip
PYTEST: Final = (
    "-x", "-q", "-p", "no:cacheprovider", "-p", "order_plugin",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # hypothesis is imported already
)  # fmt: skip
OUTCOMES: Final = {0: "survived", -signal.SIGPROF: "timeout", -signal.SIGKILL: "timeout"}


def checkout_files() -> list[Path]:
    """Return the files that git tracks or would add, and the compiled extension."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = [Path(name) for name in names.split("\0") if name and (ROOT / name).is_file()]
    return sorted(found + [path.relative_to(ROOT) for path in ROOT.glob("_langrearrange*.so")])


class Checkout:
    """A copy of the checkout in which one worker makes its mutations."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.build = tree.parent
        shutil.rmtree(tree, ignore_errors=True)
        for path in checkout_files():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, tree / path)
        # Bytecode that is checked by content: a mutation of the same size and second is seen.
        command = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
        subprocess.run([sys.executable, *command, "langrearrange"], cwd=tree, check=True)

        for name in PRELOADED:
            importlib.import_module(name)

    def _run(
        self, folders: Sequence[str], tests: Sequence[str], reaching: Sequence[str] = (),
        data: Path | None = None,
    ) -> tuple[int, str]:  # fmt: skip
        """Run tests in a fork; return its exit status, and what it printed."""
        durations = [str(self.build / f"durations-{folder}.json") for folder in folders]
        variables = {
            "MUTANTS_DURATIONS": os.pathsep.join(durations),
            "MUTANTS_REACHING": json.dumps(reaching),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(self.tree), str(Path(__file__).parent)]),
        }
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if not child:
                self._test(tests, variables, output.fileno(), data)
            end = time.monotonic() + WALL_LIMIT_S
            try:
                while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                    if time.monotonic() > end:
                        os.killpg(child, signal.SIGKILL)
                    time.sleep(0.02)
            finally:
                with suppress(ProcessLookupError):  # what a test has left running
                    os.killpg(child, signal.SIGKILL)
            output.seek(0)
            return os.waitstatus_to_exitcode(ended[1]), output.read().decode(errors="replace")

    def _test(
        self, tests: Sequence[str], variables: dict[str, str], output: int, data: Path | None
    ) -> NoReturn:
        """In the fork: run pytest in the copy and exit."""
        status = 99
        try:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(self.tree)
            os.environ.update(variables)
            sys.path[:0] = ["", *variables["PYTHONPATH"].split(os.pathsep)]
            sys.dont_write_bytecode = True
            coverage = Coverage(str(data)) if data else None
            if coverage:
                coverage.start()
            status = int(pytest.main([*PYTEST, *tests]))
            if coverage:
                coverage.stop()
                coverage.save()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def measure(self, folder: str) -> None:
        """Run a folder's tests unchanged: how long they take and which lines each reaches."""
        data = self.build / f"coverage-{folder}"
        if data.exists():
            return
        part = data.with_suffix(".part")
        status, output = self._run([folder], [f"tests/{folder}"], data=part)
        if status:
            raise SystemExit(f"tests/{folder} fails without a mutation:\n{output[-3000:]}")
        part.rename(data)

    def _reaching(self, folders: Sequence[str], mutation: Mutation) -> list[str]:
        """Return the tests that run the mutated line; none where it runs at import only."""
        found: list[str] = []
        for folder in folders:
            data = CoverageData(str(self.build / f"coverage-{folder}"))
            data.read()
            found += data.contexts_by_lineno(mutation.path).get(mutation.line, [])
        return [context for context in found if context]

    def judge(self, room: str, mutation: Mutation) -> dict[str, Any]:
        """Run a room's tests against a mutation; the record's outcome is one of `OUTCOMES`.

        The files of the tests that reach the line are run first, then all others.
        """
        folders = ROOMS[room]
        reaching = self._reaching(folders, mutation)
        path = self.tree / mutation.path
        source = path.read_text()
        mutated = mutation.apply(source)
        started = time.monotonic()
        path.write_text(mutated)
        try:
            status, output = 0, ""
            files = sorted({test.partition("::")[0] for test in reaching})
            for tests in filter(None, (files, [f"tests/{folder}" for folder in folders])):
                status, output = self._run(folders, tests, reaching)
                if status:
                    break
        finally:
            path.write_text(source)
        diff = difflib.unified_diff(source.split("\n"), mutated.split("\n"), lineterm="", n=0)
        return {
            "key": mutation.key,
            "room": room,
            "outcome": OUTCOMES.get(status, "detected"),
            "seconds": round(time.monotonic() - started, 1),
            "num_reaching": len(reaching),
            "text": source.split("\n")[mutation.line - 1].strip(),
            "diff": list(diff)[3:],
            "failed": [line for line in output.split("\n") if line.startswith(("FAILED", "ERROR"))],
        }
