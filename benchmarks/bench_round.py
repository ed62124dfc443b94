"""A sealed round under faults, and what isolation costs a step.

    python benchmarks/bench_round.py [--episodes 1] [--kills 3] [--side-by-side 2]

Agents that search, leak memory, fork, never answer and flood stdout or stderr play a round of the
eleven sets, side by side. The evaluator of one is killed at random and resumed; the disk of another
is full once (as root only). Then the board must hold all of them, with nothing else lost.
"""

import argparse
import json
import os
import random
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from langrearrange.agents import AgentSpec, Sandbox, isolation_here
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate, read_trace
from langrearrange.leaderboard.rounds import Round
from langrearrange.world.vocabulary import HORIZON

AGENTS = """
import os, sys, time
from langrearrange.agents import ExplorerAgent
class Search(ExplorerAgent):
    faulty = False
    def reset(self, instruction):
        self.faulty = len(instruction) % 3 == 0
        super().reset(instruction)
    def act(self, observation):
        if self.faulty: self.fail()
        return super().act(observation)
    def fail(self): pass
class Slow(ExplorerAgent):
    def act(self, observation):
        time.sleep(0.03)
        return super().act(observation)
class Constant:
    modality = "state"
    def reset(self, instruction): pass
    def act(self, observation): return 5
class Leaks(Search):
    kept = []
    def fail(self): self.kept.append(b"x" * (64 << 20))
class Forks(Search):
    def fail(self):
        while os.fork(): pass
        time.sleep(1000)
class Silent(Search):
    def fail(self): time.sleep(1000)
class Floods(Search):
    def fail(self):
        for fd in range(3, 20):
            try: os.write(fd, b"x" * 200_000)
            except OSError: pass
class Chatters(Search):
    def fail(self):
        for _ in range(20): os.write(2, b"x" * 65536)
"""
FAULTY = ("Leaks", "Forks", "Silent", "Floods", "Chatters")
PROGRAM = """
import sys
from langrearrange.cli.main import main
from langrearrange.generator.spec import PUBLISHED
from langrearrange.leaderboard import sealed
from msgspec.structs import replace
size = int(sys.argv[1])
sealed.PUBLISHED = {name: replace(spec, num_episodes=size) for name, spec in PUBLISHED.items()}
sys.exit(main(["round", *sys.argv[2:]]))
"""
FULL_DISK = """
set -e
mount -t tmpfs -o size=4k none {traces}
{run} && exit 9
mount -o remount,size=64m {traces}
{run}
cp {traces}/Search_full_disk.jsonl.gz {out}
"""
OVERHEAD_TARGET_US, REPEATS = 70, 3


class Rehearsal:
    """A small round in a folder of its own."""

    def __init__(self, folder: Path, episodes: int) -> None:
        self.folder, self.round, self.size = folder, folder / "round", episodes
        (folder / "agents").mkdir()
        (folder / "agents" / "bench_agents.py").write_text(AGENTS)
        for command in ("make", "commit"):
            subprocess.run(self.command(command), check=True, capture_output=True)

    def command(self, verb: str, *options: str) -> list[str]:
        """Return a command of the round."""
        return [sys.executable, "-c", PROGRAM, str(self.size), verb, str(self.round), *options]

    def run(self, kind: str, name: str) -> list[str]:
        """Return the command that lets an agent play."""
        return self.command(
            "run", "--agent", f"bench_agents:{kind}", "--name", name, "--step-timeout-s", "2",
            "--agent-files", str(self.folder / "agents"), "--memory-mb", "400", "--processes", "60",
        )  # fmt: skip

    def play(self, kind: str) -> None:
        """Let an agent play to the end; it may fail in every episode."""
        subprocess.run(self.run(kind, kind), capture_output=True, check=False)

    def play_killed(self, kills: int) -> None:
        """Let a slow agent play, its evaluator killed so often at random."""
        draw = random.Random(1)
        name = "Slow, killed"
        for _ in range(kills):
            lines = draw.randrange(3, 3 + self.size * 11)  # more than were written before
            with subprocess.Popen(
                self.run("Slow", name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                begun = self.lines_of(name)
                while process.poll() is None and self.lines_of(name) < begun + lines:
                    time.sleep(0.01)
                process.kill()
        subprocess.run(self.run("Slow", name), capture_output=True, check=False)

    def lines_of(self, name: str) -> int:
        """Return how many lines of an unfinished trace are written."""
        part = Path(f"{Round(self.round).trace_of(name)}.part")
        return part.read_bytes().count(b"\n") if part.exists() else 0

    def play_on_a_full_disk(self) -> None:
        """Let an agent play where its trace finds no room at first; needs root."""
        run = shlex.join(self.run("Search", "Search full disk"))
        traces = self.round / "traces"
        out = self.folder / "Search_full_disk.jsonl.gz"
        script = FULL_DISK.format(traces=traces, run=run, out=out)
        subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=True)
        shutil.move(out, traces)


def overhead_us(folder: Path) -> float:
    """Return CPU microseconds a step that an isolated process costs above an agent in-process."""
    os.chdir(folder / "agents")
    sys.path.insert(0, ".")
    sandbox = Sandbox(files=(str(folder / "agents"),))
    spent = []
    for own in (False, True):
        spec = AgentSpec(
            name="bench_agents:Constant", own_process=own, sandbox=sandbox if own else None
        )
        best = {}
        for episodes in (20, 180) * REPEATS:
            began = cpu_of_all()
            plan = Plan(sources=[open_split("validation")], num_episodes=episodes)
            facts = AgentFacts(name="constant", modality="state")
            evaluate(spec, facts, plan, folder / "overhead.jsonl.gz", force=True)
            best[episodes] = min(best.get(episodes, 1e9), cpu_of_all() - began)
        # The difference leaves out the start of the process.
        spent.append((best[180] - best[20]) / (160 * HORIZON))
    return (spent[1] - spent[0]) * 1e6


def cpu_of_all() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def main() -> int:
    """Print one line for each agent, then the cost of isolation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=1, help="of each of the eleven sets")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--side-by-side", type=int, default=2)
    args = parser.parse_args()
    if isolation_here() == "process":
        print("nothing isolates agents on this machine: nothing to measure")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        rehearsal = Rehearsal(folder, args.episodes)
        with ThreadPoolExecutor(args.side_by_side) as pool:
            jobs = [pool.submit(rehearsal.play_killed, args.kills)]
            jobs += [pool.submit(rehearsal.play, kind) for kind in ("Search", *FAULTY)]
            if os.geteuid() == 0:
                jobs.append(pool.submit(rehearsal.play_on_a_full_disk))
            for job in jobs:
                job.result()
        wanted = len(jobs) + 2  # the reference agents
        done = subprocess.run(
            rehearsal.command("verify", "--json"), capture_output=True, text=True, check=False
        )
        rows = json.loads(done.stdout)
        for path in sorted((rehearsal.round / "traces").iterdir()):
            trace = read_trace(path)
            failures = Counter(line.failure or "played" for line in trace.episodes)
            again = sum(line.attempts > 1 for line in trace.episodes)
            resumes = trace.header.played.resumes
            print(
                f"{trace.header.agent.name:18} {dict(failures)}, resumed {resumes}, again {again}"
            )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"board: {len(rows)} of {wanted} rows; largest process {peak:.0f} MB", done.stderr[:300]
        )
        cost = overhead_us(folder)
        print(f"an isolated process costs {cost:.0f} us of CPU a step; aim {OVERHEAD_TARGET_US}")
    return 0 if len(rows) == wanted and done.returncode == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
