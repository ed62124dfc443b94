"""A round from its key to its board: what each command does, refuses and proves."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from langrearrange.agents import isolation, process
from langrearrange.cli.main import main
from langrearrange.errors import SubmissionError, UsageError
from langrearrange.generator.spec import PUBLISHED
from langrearrange.leaderboard import GROUPS, read_trace, rounds, sealed
from langrearrange.leaderboard.rounds import Round, RoundRecord
from langrearrange.leaderboard.trace_writer import TraceWriter

SETS = ("novel_objects", "instruction_rephrasing")
LOOKUP = """
import json
from langrearrange.agents import ExplorerAgent
from langrearrange.world import skill_index
class Search(ExplorerAgent):
    pass
class Lookup:
    modality = "state"
    def __init__(self):
        self.plans = json.load(open("plans.json"))
    def reset(self, instruction):
        self.left = [5, *map(skill_index, self.plans.get(instruction, ()))]
    def act(self, observation):
        return self.left.pop(0) if self.left else 5
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of two sets of 24 instead of eleven of 100."""
    sizes = {s: msgspec.structs.replace(PUBLISHED[s], num_episodes=24) for s in SETS}
    monkeypatch.setattr(sealed, "PUBLISHED", sizes)
    monkeypatch.setattr(sealed, "BOARD_SPLITS", SETS)


@pytest.fixture
def committed(small: None, tmp_path: Path) -> Round:
    made = Round.make(tmp_path / "round")
    made.commit()
    return made


def test_the_key_is_secret_and_the_record_tells_everything_else(committed: Round) -> None:
    key = (committed.folder / "key").read_text().strip()
    assert len(key) == 32
    assert stat.S_IMODE((committed.folder / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(committed.folder.stat().st_mode) == 0o700
    public = (committed.folder / "round.json").read_text()
    assert key not in public
    record = committed.record
    assert list(record.sets) == [f"sealed_{split}" for split in SETS]
    for facts in record.sets.values():
        assert facts.spec["num_episodes"] == 24
        assert facts.spec["hidden_percent"] == 20
        assert "key" not in facts.spec
    assert committed.sealed().commitment == record.commitment
    assert committed.commit() == record, "a second time changes nothing"


def test_a_round_is_made_once_and_never_over_another(committed: Round) -> None:
    with pytest.raises(UsageError, match="exists"):
        Round.make(committed.folder)
    (committed.folder / "key").write_text("z" * 32)
    with pytest.raises(SubmissionError, match="does not open the commitment"):
        committed.commit()


def test_before_it_is_opened_nobody_else_can_make_its_sets(
    committed: Round, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    shutil.copy(committed.folder / "round.json", tmp_path / "mine")
    with pytest.raises(SubmissionError, match="not open yet"):
        Round(tmp_path / "mine" / "round.json").sealed()
    with pytest.raises(SubmissionError, match="`round commit`"):
        Round(tmp_path / "nowhere").sealed()
    committed.open()
    shutil.copy(committed.folder / "round.json", tmp_path / "mine")
    again = Round(tmp_path / "mine" / "round.json").sealed()
    name = f"sealed_{SETS[0]}"
    assert again.open(name).get(7) == committed.sealed().open(name).get(7)
    with pytest.raises(UsageError, match="everybody knows its episodes"):
        committed.trace_of("late")


@pytest.mark.parametrize(
    "change",
    [
        {"commitment": "a" * 63},
        {"commitment": "g" * 64},
        {"key": "k" * 201},
        {"sets": {"../x": {}}},
        {"traces": {"../x": "a" * 64}},
        {"traces": {"x": "a"}},
        {"schema_version": 2},
        {"more": 1},
    ],
)
def test_a_damaged_record_is_refused(committed: Round, change: dict[str, Any]) -> None:
    path = committed.folder / "round.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SubmissionError, match="not the record of a round"):
        _ = committed.record


def test_a_record_of_any_size_is_not_read(
    committed: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MAX_RECORD", 100)
    with pytest.raises(SubmissionError, match="larger than"):
        _ = committed.record


def test_other_templates_than_the_rounds_are_named(committed: Round) -> None:
    path = committed.folder / "round.json"
    values = json.loads(path.read_text())
    facts = values["sets"][f"sealed_{SETS[0]}"]
    facts["templates_sha256"] = "0" * 64
    path.write_text(json.dumps(values | {"commitment": "0" * 64}))
    with pytest.raises(SubmissionError, match="generated from other templates or words"):
        committed.sealed()


def test_a_record_that_lists_other_sets_is_refused(committed: Round) -> None:
    path = committed.folder / "round.json"
    values = json.loads(path.read_text())
    values["sets"][f"sealed_{SETS[0]}"]["spec"]["hidden_percent"] = 0
    path.write_text(json.dumps(values))
    with pytest.raises(SubmissionError, match="lists other sets than its commitment binds"):
        committed.sealed()


def test_names_become_file_names(committed: Round) -> None:
    assert committed.trace_of("my agent/../2").name == "my_agent_2.jsonl.gz"
    assert committed.trace_of("x" * 300).parent == committed.traces_folder
    msgspec.convert(
        {committed.trace_of("Ünnamed agent").name: "a" * 64}, dict[rounds.FileName, str]
    )


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    from langrearrange.generator import open_split

    folder = tmp_path / "agents"
    folder.mkdir()
    episodes = [open_split(split).get(i) for split in SETS for i in range(100)]
    (folder / "mine.py").write_text(LOOKUP)
    (folder / "plans.json").write_text(json.dumps({e.instruction: e.plan for e in episodes}))
    for path in (folder, *tmp_path.parents):
        if os.access(path, os.W_OK) and "pytest" in path.name:
            path.chmod(0o755)
    tmp_path.chmod(0o755)
    return folder


@pytest.mark.skipif(
    sys.platform != "linux" or not isolation._works("sandbox"), reason="no user namespaces here"
)
def test_a_rehearsal_of_a_round(
    small: None, agents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(GROUPS, "Total", SETS)
    for group in ("PR", "BG"):
        monkeypatch.delitem(GROUPS, group)

    def does(*arguments: str) -> str:
        assert main(["round", *arguments]) == 0
        return capsys.readouterr().out

    does("make", "round")
    commitment = does("commit", "round").strip()
    given = ("--agent-files", "agents")
    does("run", "round", "--agent", "mine:Search", "--name", "search", *given)
    does("run", "round", "--agent", "mine:Lookup", "--name", "lookup", *given)
    trace = read_trace("round/traces/search.jsonl.gz")
    played = trace.header.played
    assert (played.isolation, played.network, played.round) == ("sandbox", False, commitment)
    assert (played.limits.memory_mb, played.limits.processes) == (16_384, 1_024)
    assert (
        main(["round", "run", "round", "--agent", "mine:Search", "--name", "search", *given]) == 2
    )
    assert main(["round", "run", "round", "--agent", "mine:Search", "--name", "x",
                 "--agent-files", "round"]) == 2  # fmt: skip
    assert "must not read" in capsys.readouterr().err

    rows = {row["agent"]: row for row in json.loads(does("verify", "round", "--json"))}
    assert {row["tier"] for row in rows.values()} == {"T2 sealed"}
    assert {row["board"] for row in rows.values()} == {f"sealed round {commitment[:12]}"}
    assert rows["search"]["cells"]["Total"] == rows["explorer"]["cells"]["Total"]
    assert rows["lookup"]["cells"]["Total"]["mean"] < 0.2 < rows["search"]["cells"]["Total"]["mean"]
    run = "round/traces/search.jsonl.gz"
    assert main(["score", run, "--round", "round", "--no-reference"]) == 0
    capsys.readouterr()
    assert main(["preflight", run, "--round", "round"]) == 1, "two sets are not eleven"
    out = capsys.readouterr().out
    assert ("splits are missing" in out, "drawn again" in out) == (True, False)

    does("open", "round")
    later = TraceWriter("round/traces/later.jsonl.gz", trace.header)
    for line in trace.episodes[:-1]:
        later.write(line)
    later.finish([line.id for line in trace.episodes[:-1]])
    (tmp_path / "public").mkdir()
    shutil.copy("round/round.json", "public")
    shutil.copytree("round/traces", "public/traces")
    capsys.readouterr()
    assert main(["round", "verify", "public"]) == 1
    said = capsys.readouterr()
    assert "later.jsonl.gz is none of the 2 traces" in said.err
    assert f"commitment {commitment}: 48 episodes made again" in said.err
    (tmp_path / "public" / "traces" / "later.jsonl.gz").unlink()
    assert main(["round", "verify", "public", "--out", "board.html"]) == 0
    assert f"sealed round {commitment[:12]}" in (tmp_path / "board.html").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="isolates on Linux")
@pytest.mark.parametrize("kind", ["sandbox", "user"])
def test_a_hostile_agent_does_not_find_the_key(
    kind: isolation.Kind, committed: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = shutil.which("python3", path="/usr/bin:/bin")  # which other users may run
    if python is None or not isolation._works(kind) or (kind == "user" and os.geteuid() != 0):
        pytest.skip(f"no isolation by {kind} here")
    monkeypatch.setattr(process, "isolation_here", lambda: kind)
    key = (committed.folder / "key").read_text().strip()
    with tempfile.TemporaryDirectory() as agents:
        Path(agents).chmod(0o755)
        shutil.copy(Path(__file__).parents[1] / "agents" / "hostile.py", agents)
        words = (python, "hostile.py", key.encode().hex(), committed.folder, "/nowhere", "1")
        command = ["round", "run", str(committed.folder), "--agent-cmd", " ".join(map(str, words))]
        assert main([*command, "--name", "hostile", "--agent-files", agents]) == 0
    header = read_trace(committed.traces_folder / "hostile.jsonl.gz").header
    assert header.played.isolation == kind
    assert header.agent.perception in ("", "home"), "homes may be open to all users"
    assert header.agent.perception == "" or kind == "user"


def test_where_nothing_isolates_the_run_is_marked_and_does_not_rank(
    committed: Round, agents: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(isolation, "_works", lambda kind: False)
    isolation.isolation_here.cache_clear()
    try:
        command = ["round", "run", "round", "--agent", "mine:Search", "--name", "s"]
        assert main([*command, "--agent-files", "agents"]) == 0
    finally:
        isolation.isolation_here.cache_clear()
    assert "will not rank" in capsys.readouterr().err
    assert main(["preflight", "round/traces/s.jsonl.gz", "--round", "round"]) == 1
    assert "nothing kept the agent from the sealed episodes" in capsys.readouterr().out


def test_the_record_reads_back_what_it_writes(committed: Round) -> None:
    record = committed.open()
    assert msgspec.json.decode(msgspec.json.encode(record), type=RoundRecord) == record
    assert record.key == (committed.folder / "key").read_text().strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--agent", "explorer", "--name", " "), "--name is empty"),
        (("run", "--agent", "human", "--name", "me"), "a person cannot play a sealed round"),
        (("commit",), "no such round; `round make FOLDER` begins one"),
    ],
)
def test_wrong_use_of_a_round_is_one_sentence(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = arguments
    assert main(["round", verb, str(tmp_path / "nowhere"), *options]) == 2
    assert message in capsys.readouterr().err
