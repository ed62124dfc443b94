"""How long a submission takes to verify, and what a process of its own costs an agent.

    python benchmarks/bench_leaderboard.py

Verifying: a random agent's run over the ten test splits and train_eval, the longest traces there
are, read, matched, replayed, its observation hashes compared, scored. The process: wall time of one
answer to a 256x256 picture through the pipe, against the wall time of the env step that draws it.
"""

import sys
import tempfile
import time
from pathlib import Path

from timing import best_s, cpu_s

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
    seconds, result = cpu_s(score_trace, path, open_split)
    return len(result.episodes), seconds


def process_ms() -> tuple[float, float]:
    """Return milliseconds of one answer of a process and of one step with its picture."""
    source = open_split("validation")
    env = LangRearrangeEnv(episodes=source)
    options = {"episode_id": source.id_at(0)}
    observation, _ = env.reset(options=options)
    agent = ProcessAgent([sys.executable, "-c", SERVER], Limits(), shared=True)
    agent.reset("Go to the sofa.")
    answer = best_s(lambda: [agent.act(observation) for _ in range(200)], 5, time.perf_counter)
    agent.close()
    places = iter(range(10**9))

    def steps() -> None:
        for _ in range(60):
            *_, terminated, truncated, _ = env.step(5 + next(places) % 8)
            if terminated or truncated:
                env.reset(options=options)

    return 1e3 * answer / 200, 1e3 * best_s(steps, 5, time.perf_counter) / 60


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
