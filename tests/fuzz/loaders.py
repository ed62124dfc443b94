"""Every loader of files that others may have made: its seeds, its mutants and how it is called."""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from handmade import HANDMADE, traces_of
from mutator import mutated, mutated_bytes, mutated_json, mutated_lines
from official_samples import Builder, goal, take_off

from langrearrange.agents.wire import read_hello, read_reply
from langrearrange.dataset import EpisodeList, open_dataset
from langrearrange.env import LangRearrangeEnv, LangRearrangeVectorEnv, read_answer
from langrearrange.env.observer import Modality
from langrearrange.generator import GeneratedSplit, check_dataset, generate_split, load_spec
from langrearrange.generator.official import import_official
from langrearrange.generator.spec import SplitSpec
from langrearrange.language import load_templates
from langrearrange.language.lexicon import load_lexicon
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Trace,
    header_of,
    read_trace,
    report_json,
    score,
)
from langrearrange.leaderboard.board import Row, build_board
from langrearrange.leaderboard.result_json import read_result
from langrearrange.leaderboard.trace import encode_line
from langrearrange.paths import templates_path
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index
from langrearrange.world.goals import compile_goal, parse_goal

Fuzz = Callable[[Path, random.Random], None]
"""Make a mutant in a folder and load it."""
TOY: Final = toy_episodes()
SOURCE: Final = EpisodeList(HANDMADE)


@cache
def small_set(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Return manifest and data of a generated set of three episodes."""
    generate_split(SplitSpec(name="fuzzed", templates="train", num_episodes=3), folder / "seed")
    manifest: dict[str, Any] = json.loads((folder / "seed" / "manifest.json").read_bytes())
    return manifest, (folder / "seed" / "fuzzed.jsonl.gz").read_bytes()


def write_set(folder: Path, manifest: bytes, data: bytes) -> Path:
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "fuzzed.jsonl.gz").write_bytes(data)
    return folder


def use_set(folder: Path, observation: Modality = "state") -> None:
    """Open, look, check and play, as a user would."""
    opened = open_dataset(folder)
    for position in range(min(3, len(opened))):
        opened.index_of(opened.id_at(position))
    report = check_dataset(opened)
    assert "Traceback" not in str(report)
    env = LangRearrangeEnv(episodes=folder, observation=observation, image_size=16)
    for episode_id in {opened.id_at(position) for position in range(min(3, len(opened)))}:
        env.reset(options={"episode_id": episode_id})
        env.step(0)
    env.close()


def fuzz_manifest(folder: Path, rng: random.Random) -> None:
    manifest, data = small_set(folder)
    mutant = mutated_json(manifest, rng)
    if rng.random() < 0.2:
        mutant = mutated_bytes(json.dumps(manifest).encode(), rng)
    use_set(write_set(folder, mutant, data))


def fuzz_episodes(folder: Path, rng: random.Random) -> None:
    manifest, data = small_set(folder)
    lines = gzip.decompress(data).splitlines(keepends=True)
    row = rng.randrange(len(lines))
    episode = json.loads(lines[row])
    if rng.random() < 0.2:
        pose = {"position": [1, 2, 3], "rotation": [10**6, 0, 0, 0]}
        rng.choice(episode["objects"])["pose"] = mutated(pose, rng)
    line = mutated_json(episode, rng) + b"\n"
    data = gzip.compress(b"".join([*lines[:row], line, *lines[row + 1 :]]), 1, mtime=0)
    if rng.random() < 0.1:
        data = mutated_bytes(data, rng) + b"\0"
    sizes = {"members": [len(data)], "num_bytes": len(data), "provenance": None}
    write_set(folder, json.dumps(manifest | sizes).encode(), data)
    use_set(folder, "rgb" if rng.random() < 0.1 else "state")


@cache
def run_lines() -> tuple[bytes, ...]:
    """Return header and episodes of a run."""
    header = header_of(AgentFacts(name="somebody", modality="state"), Plan(sources=[SOURCE]))
    return (encode_line(header), *map(encode_line, traces_of("random", HANDMADE).values()))


def fuzz_trace(folder: Path, rng: random.Random) -> None:
    lines = list(run_lines())
    row = rng.randrange(len(lines))
    lines[row] = mutated_json(json.loads(lines[row]), rng) + b"\n"
    body = b"".join(lines)
    footer = {"kind": "footer", "episodes": len(lines) - 1}
    footer["sha256"] = hashlib.sha256(body).hexdigest()  # a forger's footer is right
    data = gzip.compress(body + json.dumps(footer).encode() + b"\n", 1, mtime=0)
    path = folder / "run.jsonl.gz"
    path.write_bytes(mutated_bytes(data, rng) if rng.random() < 0.1 else data)
    score(read_trace(path), lambda split: SOURCE)


@cache
def result() -> Any:
    """Return the scores of the run as they are written."""
    episodes = tuple(traces_of("random", HANDMADE).values())
    header = header_of(AgentFacts(name="somebody", modality="state"), Plan(sources=[SOURCE]))
    return report_json(score(Trace(header, episodes), lambda split: SOURCE))


def fuzz_result(folder: Path, rng: random.Random) -> None:
    build_board([Row(read_result(mutated_json(result(), rng), "result.json"))])


@cache
def yaml_seeds() -> tuple[str, ...]:
    """Return the shipped template files but for the large ones."""
    texts = (path.read_text("utf-8") for path in sorted(templates_path().glob("*.yaml")))
    return tuple(text for text in texts if "templates:" in text and len(text) < 8_000)


def fuzz_templates(folder: Path, rng: random.Random) -> None:
    path = folder / "mine.yaml"
    path.write_bytes(mutated_lines(rng.choice(yaml_seeds()), rng))
    load_templates(path)


def fuzz_lexicon(folder: Path, rng: random.Random) -> None:
    path = folder / "lexicon.yaml"
    path.write_bytes(mutated_lines((templates_path() / "lexicon.yaml").read_text("utf-8"), rng))
    load_lexicon(path)


SPEC_TEXT = """schema_version: 1
name: mine
templates: context
houses: test
num_episodes: 8
texts: own
repeat_texts: false
min_objects: 15
max_objects: 30
hidden_percent: 20
horizon: 32
"""


def fuzz_spec(folder: Path, rng: random.Random) -> None:
    path = folder / "spec.yaml"
    path.write_bytes(mutated_lines(SPEC_TEXT, rng))
    source = GeneratedSplit(load_spec(path))
    source.get(0, rng.choice((0, 1)))


@cache
def envs() -> tuple[LangRearrangeEnv, LangRearrangeVectorEnv, Any, Any]:
    """Return two envs and a moment of each."""
    single = LangRearrangeEnv(episodes=TOY, observation="state", sampling="weighted")
    rows = LangRearrangeVectorEnv(num_envs=2, episodes=TOY, observation="state")
    single.reset(seed=0)
    rows.reset(seed=0)
    for name in single.episode.plan[:2]:
        single.step(skill_index(name))
        rows.step([skill_index(name)] * 2)
    return single, rows, single.save_state(), rows.save_state()


def fuzz_saved(folder: Path, rng: random.Random) -> None:
    single, rows, one, both = envs()
    env, saved = rng.choice(((single, one), (rows, both)))
    try:
        mutant = json.loads(mutated_json(saved, rng))
    except (ValueError, RecursionError):  # the caller's to read
        return
    env.restore_state(mutant)
    if env is single and not single.task.over:
        env.step(0)
    env.save_state()


@cache
def released() -> tuple[dict[str, Any], ...]:
    """Return files of our own making in the form of the released ones."""
    first, second = Builder(), Builder()
    first.add(goal_preds=goal("016_pear", "x"))
    second.add(goal_preds=take_off("016_pear", "x"))
    return first.data, second.data


def fuzz_official(folder: Path, rng: random.Random) -> None:
    path, data = folder / "context.pickle", rng.choice(released())
    if rng.random() < 0.5:
        path.write_bytes(pickle.dumps(mutated(data, rng), protocol=4))
    else:
        path.write_bytes(mutated_bytes(pickle.dumps(data, protocol=4), rng))
    import_official(path)


def fuzz_goal(folder: Path, rng: random.Random) -> None:
    episode = rng.choice(TOY)
    text = mutated_lines(episode.goal.replace(" ", "\n"), rng).decode("utf-8", "replace")
    compile_goal(parse_goal(text), episode.layout(), episode.initial_state())


HELLO = {
    "type": "hello", "protocol": 1, "name": "somebody", "modality": "state",
    "policy": "", "privileged": False, "authors": "", "note": "x",
}  # fmt: skip


def fuzz_agent(folder: Path, rng: random.Random) -> None:
    read_hello(read_reply(mutated_json(HELLO, rng), "hello"), "somebody")
    reply = read_reply(mutated_json({"type": "act", "skill": "nav(sofa)"}, rng), "act")
    read_answer(reply.get("skill"), 71)


LOADERS: Final[dict[str, Fuzz]] = {
    "manifest": fuzz_manifest,
    "episodes": fuzz_episodes,
    "trace": fuzz_trace,
    "result and board": fuzz_result,
    "templates": fuzz_templates,
    "lexicon": fuzz_lexicon,
    "spec": fuzz_spec,
    "saved state": fuzz_saved,
    "official import": fuzz_official,
    "goal": fuzz_goal,
    "agent": fuzz_agent,
}
"""Name -> how its mutants are made and loaded."""
