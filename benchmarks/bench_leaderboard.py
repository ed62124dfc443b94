"""How long a submission takes to verify, and what a process of its own costs an agent.

    python benchmarks/bench_leaderboard.py

Verifying: a random agent's run over the ten test splits and train_eval, the longest traces there
are, read, matched, replayed, its observation hashes compared, scored. The process: wall time of one
answer to a 256x256 picture through the pipe, against the wall time of the env step that draws it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from langrearrange.agents import Limits, ProcessAgent, load_rows
from langrearrange.env import LangRearrangeEnv
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate, score_trace
from langrearrange.leaderboard.groups import BOARD_SPLITS

SERVER = """
import sys
from langrearrange.agents.serve import main
class Agent:
    modality = "rgb"
    def reset(self, instruction): pass
    def act(self, observation): return 12
sys.modules["agent_under_test"] = type(sys)("agent_under_test")
sys.modules["agent_under_test"].Agent = Agent
raise SystemExit(main(["agent_under_test:Agent"]))
"""
VERIFY_TARGET_S, OVERHEAD_TARGET = 10.0, 0.20


def verify_s(folder: Path) -> tuple[int, float]:
    """Return how many episodes a submission has and the CPU seconds its verification takes."""
    agent = load_rows("random")
    plan = Plan(sources=[open_split(split) for split in BOARD_SPLITS])
    facts = AgentFacts(name="random", modality=agent.modality)
    path = evaluate(agent, facts, plan, folder / "run.jsonl.gz")
    begin = time.process_time()
    result = score_trace(path, open_split)
    return len(result.episodes), time.process_time() - begin


def best_ms(call: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Return milliseconds a call, the best of some rounds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(count):
            call()
        times.append((time.perf_counter() - begin) / count * 1000)
    return min(times)


def process_ms() -> tuple[float, float]:
    """Return milliseconds of one answer of a process and of one step with its picture."""
    source = open_split("validation")
    env = LangRearrangeEnv(episodes=source)
    options = {"episode_id": source.id_at(0)}
    observation, _ = env.reset(options=options)
    agent = ProcessAgent([sys.executable, "-c", SERVER], Limits(), shared=True)
    agent.reset("Go to the sofa.")
    answer = best_ms(lambda: agent.act(observation), 200)
    agent.close()
    places = iter(range(10**9))

    def step() -> None:
        *_, terminated, truncated, _ = env.step(5 + next(places) % 8)
        if terminated or truncated:
            env.reset(options=options)

    return answer, best_ms(step, 60)


def main() -> None:
    """Print both figures beside their targets."""
    with tempfile.TemporaryDirectory() as folder:
        episodes, seconds = verify_s(Path(folder))
    print(f"verify {episodes} episodes: {seconds:.2f} CPU-s (target {VERIFY_TARGET_S:.0f} s)")
    answer, step = process_ms()
    print(
        f"process of its own: {answer:.3f} ms an answer, {step:.3f} ms an rgb step: "
        f"{answer / step:.0%} overhead (target {OVERHEAD_TARGET:.0%})"
    )


if __name__ == "__main__":
    main()
