"""Eight attacks that once gained points: each now earns what it played, or is marked so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec import structs

from langrearrange.agents import AgentSpec, ExplorerAgent, RowsOfAgents, load_rows
from langrearrange.cli.main import main
from langrearrange.dataset import Episode, EpisodeList, open_dataset
from langrearrange.errors import AgentError, SubmissionError
from langrearrange.generator import SplitSpec, generate_split, make_episode, open_split
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    SealedRound,
    Trace,
    build_board,
    evaluate,
    matching,
    read_trace,
    row_of,
    score,
)
from langrearrange.leaderboard.trace_writer import TraceWriter
from langrearrange.world import skill_index

KEY, NAME = "k" * 16, "sealed_novel_objects"
ROUND = SealedRound(KEY)
EPISODES = EpisodeList([make_episode(ROUND.specs[NAME], i) for i in range(30)], "novel_objects")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> EpisodeList:
    """A few episodes, as if the package published just them."""
    sha256 = matching.content_sha256(EPISODES)
    monkeypatch.setattr(matching, "published_sha256", lambda split: sha256)
    return EPISODES


def played(agent: Any, source: EpisodeList, out: Path, name: str = "mine") -> Trace:
    rows = RowsOfAgents(agent) if callable(agent) else load_rows(agent)
    facts = AgentFacts(name=name, modality=rows.modality)
    return read_trace(evaluate(rows, facts, Plan(sources=[source]), out / f"{name}.jsonl.gz"))


def shown(result: Result) -> dict[str, Any]:
    """The row of a board."""
    page = build_board([row_of(result)])
    row: dict[str, Any] = json.loads(
        page.split('type="application/json">')[1].split("</script>")[0]
    )["rows"][0]
    return row


def written(path: Path, trace: Trace) -> Path:
    writer = TraceWriter(path, trace.header, force=True)
    for line in trace.episodes:
        writer.write(line)
    return writer.finish([line.id for line in trace.episodes])


def test_1_a_header_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    easy = SplitSpec(name=NAME, templates="train", num_episodes=4, key="a" * 16)
    generate_split(easy, Path(NAME), workers=1)
    source: Any = open_dataset(NAME)
    trace = played("explorer", source, tmp_path)
    path = str(tmp_path / "mine.jsonl.gz")
    assert main(["preflight", path]) == 1
    assert f"rejected: split '{NAME}' of the trace cannot be opened" in capsys.readouterr().out
    assert main(["preflight", path, "--episodes", NAME]) == 1
    assert "tier T0" in capsys.readouterr().out, "not published, not of a round"
    told = set()
    for name in ("/root", "/dev/stdin", "/nowhere", "x" * 400):
        facts = trace.header.datasets[NAME]
        forged = structs.replace(trace.header, datasets={name: facts})
        with pytest.raises(SubmissionError, match=r"matching regex|length <= 64"):
            written(tmp_path / "forged.jsonl.gz", replace(trace, header=forged))
        with pytest.raises(SubmissionError, match=r"unknown split|cannot be opened") as caught:
            score(replace(trace, header=forged), open_split)
        told.add(str(caught.value).replace(ascii(name[:80]), "").replace(f"'{name}'", ""))
    assert len(told) == 1, "the answer tells nothing of what is there"


def test_2_a_commitment_that_nobody_published_is_worth_nothing(tmp_path: Path) -> None:
    spec = SplitSpec(name=NAME, templates="novel_objects", num_episodes=8)
    generate_split(spec, tmp_path / "set", workers=1)
    manifest = tmp_path / "set" / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"commitment": ""', f'"commitment": "{"a" * 64}"')
    )
    source: Any = open_dataset(tmp_path / "set")
    trace = played("explorer", source, tmp_path)
    assert score(trace, lambda split: source).tier == "T0"
    with pytest.raises(SubmissionError):
        score(trace, ROUND.open)
    with pytest.raises(SubmissionError, match="does not open the commitment"):
        SealedRound("b" * 16, ROUND.commitment)


READS_PLANS = """
import os, sys
from langrearrange.dataset import open_dataset
from langrearrange.world import skill_index
class Agent:
    modality = "state"
    def __init__(self):
        words = open(f"/proc/{os.getppid()}/cmdline").read().split("\\0")
        open("seen", "w").write(os.environ.get("LANGREARRANGE_KEY", "no key"))
        source = open_dataset(words[words.index("--episodes") + 1])
        episodes = [source.get(i) for i in range(len(source))]
        self.plans = {e.instruction: e.plan for e in episodes}
    def reset(self, instruction):
        self.plan = [skill_index(skill) for skill in self.plans[instruction]]
    def act(self, observation):
        return self.plan.pop(0)
"""


def test_3_an_agent_that_reads_the_plans_does_not_rank(tmp_path: Path) -> None:
    spec = SplitSpec(name=NAME, templates="novel_objects", num_episodes=100, key=KEY)
    generate_split(spec, tmp_path / "set", workers=1)
    (tmp_path / "spy.py").write_text(READS_PLANS)
    command = [sys.executable, "-m", "langrearrange", "evaluate", "--agent", "spy:Agent"]
    done = subprocess.run(
        [*command, "--episodes", str(tmp_path / "set"), "--out", "run.jsonl.gz"],
        cwd=tmp_path, env=os.environ | {"LANGREARRANGE_KEY": KEY}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "seen").read_text() == "no key"
    trace = read_trace(tmp_path / "run.jsonl.gz")
    assert (trace.header.played.interface, trace.header.played.isolation) == ("process",) * 2
    result = score(trace, ROUND.open)
    assert result.splits[NAME].success.mean == 1.0
    assert result.clairvoyance.suspicious
    assert result.tier == "T0"
    isolated = structs.replace(trace.header.played, isolation="sandbox")
    header = structs.replace(trace.header, played=isolated)
    assert score(replace(trace, header=header), ROUND.open).tier == "T0", "suspicious"


class Lookup:
    """Plays the published plans, behind one step that looks elsewhere first."""

    modality = "state"
    decoy = True

    def __init__(self) -> None:
        self.plans = {e.instruction: list(map(skill_index, e.plan)) for e in self.episodes()}

    def episodes(self) -> list[Episode]:
        return list(EPISODES)

    def reset(self, instruction: str) -> None:
        self.plan = [5] * self.decoy + self.plans[instruction]

    def act(self, observation: Any) -> int:
        return self.plan.pop(0)


def test_4_a_lookup_table_is_listed_as_self_reported(
    published: EpisodeList, tmp_path: Path
) -> None:
    result = score(played(Lookup, published, tmp_path), lambda split: published)
    assert result.splits["novel_objects"].success.mean == 1.0
    assert result.tier == "T1"
    assert shown(result)["tier"] == "T1 self-reported"
    honest = score(played("explorer", published, tmp_path, "other"), lambda split: published)
    page = build_board([row_of(result), row_of(replace(honest, round="ab" * 32))])
    assert "Only the board of a sealed round is a ranking" in page


class Scavenger(Lookup):
    """Takes the plans out of the evaluator's memory."""

    decoy = False

    def episodes(self) -> list[Episode]:
        return []

    def reset(self, instruction: str) -> None:
        if not self.plans:
            frame, found = sys._getframe(), []
            while frame := frame.f_back:  # type: ignore[assignment]
                found += [e for v in frame.f_locals.values() if type(v) is EpisodeList for e in v]
            self.plans = {e.instruction: list(map(skill_index, e.plan)) for e in found}
        super().reset(instruction)


def test_5_an_agent_inside_the_evaluator_is_marked_so(
    published: EpisodeList, tmp_path: Path
) -> None:
    trace = played(Scavenger, published, tmp_path)
    result = score(trace, lambda split: published)
    assert shown(result)["played"] == "in-process, isolation: none"
    assert result.splits["novel_objects"].success.mean == 1.0
    assert result.clairvoyance.suspicious
    assert result.tier == "T0"


class Chameleon(ExplorerAgent):
    """Says rgb at first and state to the workers."""

    told: ClassVar[list[str]] = ["rgb"] * 3

    def __init__(self) -> None:
        super().__init__()
        self.modality = self.told.pop() if self.told else "state"


def test_6_a_run_has_one_modality_and_its_pictures_are_drawn_again(
    published: EpisodeList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = played("explorer", published, tmp_path)
    agent = structs.replace(trace.header.agent, modality="rgb")
    header = structs.replace(trace.header, agent=agent)
    with pytest.raises(SubmissionError, match="not those of modality 'rgb'"):
        score(replace(trace, header=header), lambda split: published)
    elsewhere = structs.replace(header.played, machine="elsewhere")
    header = structs.replace(header, played=elsewhere)
    result = score(replace(trace, header=header), lambda split: published)
    assert "pictures verified: none" in shown(result)["marks"]
    with pytest.raises(SubmissionError, match="not those of modality 'rgb'"):
        score(replace(trace, header=header), lambda split: published, pictures="all")
    monkeypatch.setitem(sys.modules, "chameleon", sys.modules[__name__])
    spec = AgentSpec(name="chameleon:Chameleon")
    facts, plan = AgentFacts(name="mine", modality="rgb"), Plan(sources=[published])
    with ThreadPoolExecutor(1) as pool, pytest.raises(AgentError, match="has modality 'state'"):
        evaluate(spec, facts, plan, tmp_path / "two.jsonl.gz", executor=pool, workers=2)


def test_7_the_board_believes_no_result_file(
    published: EpisodeList, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "forged.json").write_text('[{"tier": "T9 certified", "splits": {}}]')
    assert main(["board", str(tmp_path), "--out", str(tmp_path / "board.html")]) == 1
    assert "no traces here" in capsys.readouterr().err
    trace = played("random", published, tmp_path)
    lines = tuple(structs.replace(line, success=True) for line in trace.episodes)
    result = score(Trace(trace.header, lines), lambda split: published)
    assert result.splits["novel_objects"].success.mean < 0.2
    assert result.false_claims


KILLS = """
import os, signal
class Agent:
    modality = "state"
    def reset(self, instruction):
        self.steps = 0
    def act(self, observation):
        self.steps += 1
        tried = os.path.exists("tried")
        if self.steps == 3 and not tried:
            open("tried", "w").close()
            os.kill(os.getppid(), signal.SIGKILL)
        return 5 + self.steps % 8
"""


def test_8_a_killed_evaluator_leaves_a_mark(tmp_path: Path) -> None:
    (tmp_path / "killer.py").write_text(KILLS)
    command = [sys.executable, "-m", "langrearrange", "evaluate", "--agent", "killer:Agent"]
    command += ["--episodes", "validation", "--num-episodes", "4", "--out", "run.jsonl.gz"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == -9
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    trace = read_trace(tmp_path / "run.jsonl.gz")
    assert [line.attempts for line in trace.episodes] == [2, 1, 1, 1]
    assert trace.header.played.resumes == 1
    result = score(trace, open_split)
    assert result.num_interrupted == 1
    assert "1 episodes begun again" in shown(result)["marks"]
