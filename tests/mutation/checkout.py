"""Copies of the checkout in which mutations are made and judged by the tests of their room."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from coverage import CoverageData
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
PYTEST: Final = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "order_plugin")
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

    def _run(self, folders: Sequence[str], *prefix: str, **variables: str) -> tuple[int, str]:
        """Run the tests of some folders; return the exit status and the output."""
        variables["PYTHONPATH"] = os.pathsep.join([str(self.tree), str(Path(__file__).parent)])
        variables["MUTANTS_DURATIONS"] = os.pathsep.join(
            str(self.build / f"durations-{folder}.json") for folder in folders
        )
        with subprocess.Popen(
            [sys.executable, *prefix, *PYTEST, *(f"tests/{folder}" for folder in folders)],
            cwd=self.tree,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output = process.communicate(timeout=WALL_LIMIT_S)[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output = process.communicate()[0]
        return process.returncode, output

    def measure(self, folder: str) -> None:
        """Run a folder's tests unchanged: how long they take and which lines each reaches."""
        data = self.build / f"coverage-{folder}"
        if data.exists():
            return
        part = data.with_suffix(".part")
        status, output = self._run([folder], "-m", "coverage", "run", f"--data-file={part}")
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
        """Run a room's tests against a mutation; the record's outcome is one of `OUTCOMES`."""
        reaching = self._reaching(ROOMS[room], mutation)
        path = self.tree / mutation.path
        source = path.read_text()
        mutated = mutation.apply(source)
        started = time.monotonic()
        path.write_text(mutated)
        try:
            variables = {"MUTANTS_REACHING": json.dumps(reaching), "PYTHONDONTWRITEBYTECODE": "1"}
            status, output = self._run(ROOMS[room], **variables)
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
