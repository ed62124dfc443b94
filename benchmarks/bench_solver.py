"""How fast the exact solver is, and how much faster than pyperplan, on generated episodes.

CPU time, not wall time; both planners solve the same episodes in turn, in one run. Ours is timed
from goal text to checked plan. pyperplan (greedy best-first search with h_FF: fast, not optimal)
is timed from PDDL files to plan: it must parse and ground each episode, as any PDDL planner must.

    python benchmarks/bench_solver.py [--episodes 100] [--compare 8]

Both count per split: episodes for our own times, and for the comparison (0 leaves it out).
"""

import logging
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from timing import cpu_s, options

from langrearrange.dataset import Episode
from langrearrange.generator import load_spec, make_episode, num_episodes
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.solver import pddl, solve
from langrearrange.world import Layout, initial_state
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import (
    BEHAVIOR_SPLITS,
    CATEGORY_INDEX,
    NUM_RECEPTACLES,
    PARAPHRASTIC_SPLITS,
)

SPLITS = ("train", *PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS)


def episodes_of(split: str, count: int) -> list[Episode]:
    """Episodes spread evenly over the split, so that every template has its part."""
    spec = load_spec(split)
    size = num_episodes(spec)
    return [make_episode(spec, i * size // count) for i in range(min(count, size))]


def own(episode: Episode) -> int:
    """Steps of the plan, from the goal's text on."""
    goal = parse_goal(episode.goal)
    return len(solve(goal, episode.layout(), episode.initial_state()).plan)


def pyperplan(domain: Path, problem: Path) -> int:
    """Steps of pyperplan's plan, without the one that states the goal is achieved."""
    from pyperplan.planner import HEURISTICS, SEARCHES, search_plan

    plan = search_plan(str(domain), str(problem), SEARCHES["gbf"], HEURISTICS["hff"])
    return len(plan) - 1


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure_own(num: int) -> None:
    print(f"{'split':26}{'episodes':>9}{'mean ms':>9}{'p50':>7}{'p99':>7}{'max':>7}{'steps':>7}")
    everything: list[float] = []
    for split in SPLITS:
        episodes = episodes_of(split, num)
        times = [1e3 * cpu_s(own, episode)[0] for episode in episodes]
        everything += times
        steps = statistics.mean(len(episode.plan) for episode in episodes)
        print(row(split, times) + f"{steps:7.1f}")
    print(row("all", everything))


def measure_together(num: int) -> None:
    """One of five apples, of five balls and of five cups to any one place: 1,375 boxes."""
    goal = parse_goal(
        "(exists (?r - receptacle ?x - apple ?y - ball ?z - cup)"
        " (and (on_top ?x ?r) (on_top ?y ?r) (on_top ?z ?r) (hand_free)))"
    )
    kinds = [CATEGORY_INDEX[name] for name in ("apple", "ball", "cup")]
    layout = Layout(tuple(kind for kind in kinds for _ in range(5)))
    times, steps = [], []
    for key in range(num):
        places = KeyedRng(HOUSE_VERSION, "bench_solver", key).sample(range(NUM_RECEPTACLES), 3)
        initial = initial_state([place for place in places for _ in range(5)], range(15), 0)
        seconds, solution = cpu_s(solve, goal, layout, initial)
        times.append(1e3 * seconds)
        steps.append(len(solution.plan))
    print(row("five of each, one place", times) + f"{statistics.mean(steps):7.1f}")


def row(name: str, times: Sequence[float]) -> str:
    return (
        f"{name:26}{len(times):9}{statistics.mean(times):9.3f}{percentile(times, 0.5):7.2f}"
        f"{percentile(times, 0.99):7.2f}{max(times):7.2f}"
    )


def compare(num: int) -> None:
    ours, theirs, longer = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        domain, problem = Path(folder, "domain.pddl"), Path(folder, "problem.pddl")
        for split in SPLITS:
            for episode in episodes_of(split, num):
                layout, initial = episode.layout(), episode.initial_state()
                pair = pddl.export(parse_goal(episode.goal), layout, initial, episode.id, "strips")
                domain.write_text(pair.domain)
                problem.write_text(pair.problem)
                their_s, their_steps = cpu_s(pyperplan, domain, problem)
                our_s, our_steps = cpu_s(own, episode)
                theirs.append(1e3 * their_s)
                ours.append(1e3 * our_s)
                longer += their_steps > our_steps
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    print(
        f"\n{len(ours)} episodes by both in turn: ours {statistics.mean(ours):.3f} ms, pyperplan "
        f"gbf+hff {statistics.mean(theirs):.1f} ms (mean)\n"
        f"ratio of means {statistics.mean(theirs) / statistics.mean(ours):.0f}x, median ratio per "
        f"episode {statistics.median(ratios):.0f}x; pyperplan's plan was longer on {longer}"
    )


def main() -> None:
    args = options(__doc__, episodes=100, compare=8)
    logging.disable(logging.INFO)  # pyperplan reports every search
    own(episodes_of("train", 1)[0])  # import and warm up outside the clock
    measure_own(args.episodes)
    measure_together(20)
    if args.compare:
        compare(args.compare)


if __name__ == "__main__":
    main()
