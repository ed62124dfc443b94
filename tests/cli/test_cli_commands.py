"""The command line keeps its promises: exit codes, results on stdout, a sentence for bad input."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from langrearrange.cli.drive import find_skills
from langrearrange.cli.main import VERBS, main
from langrearrange.cli.score_tables import METRICS_LEGEND
from langrearrange.generator import load_spec, make_episode
from langrearrange.leaderboard.animation import PANEL_PX
from langrearrange.paths import templates_path
from langrearrange.world import SKILLS, skill_index


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("episodes") / "mini"
    code = main(["generate", "--split", "train_mini", "--num-episodes", "40", "--out", str(folder),
                 "--workers", "1"])  # fmt: skip
    assert code == 0
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; returns (exit code, stdout, stderr)."""
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_overview_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert f"langrearrange {verb}" in out
    # An example that is not indented is joined with the next one.
    assert all(line.count("langrearrange ") < 2 for line in out.splitlines())


def test_the_package_can_be_run_as_a_module() -> None:
    command = [sys.executable, "-m", "langrearrange", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_an_unknown_verb_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "generat")
    assert code == 2
    assert "unknown verb 'generat'" in err


def test_a_written_set_passes_check(episodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", str(episodes), "--json")
    assert code == 0
    assert json.loads(out)[0]["passed"] is True


def test_check_fails_on_one_flipped_byte(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "mini"
    copy.mkdir()
    for path in episodes.iterdir():
        data = bytearray(path.read_bytes())
        if path.suffix == ".gz":
            data[len(data) // 2] ^= 1
        (copy / path.name).write_bytes(bytes(data))
    code, out, err = run(capsys, "check", str(copy))
    assert code == 1
    assert "mini" in out + err


def test_agents_are_evaluated_and_scored(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = []
    for agent in ("random", "oracle"):
        path = tmp_path / f"{agent}.jsonl.gz"
        arguments = ("--agent", agent, "--episodes", str(episodes), "--out", str(path))
        code, out, _ = run(capsys, "evaluate", *arguments)
        assert (code, out.strip()) == (0, str(path))
        runs.append(str(path))
    code, out, _ = run(capsys, "score", *runs, "--episodes", str(episodes), "--json")
    assert code == 0
    random, oracle = (
        scored["splits"]["train_mini"]["success"]["mean"] for scored in json.loads(out)
    )
    assert oracle == 1.0
    assert random < 0.5
    code, out, _ = run(capsys, "score", *runs, "--episodes", str(episodes), "--templates")
    assert "oracle (privileged)" in out
    assert METRICS_LEGEND in " ".join(out.split())
    code, out, _ = run(capsys, "compare", *runs, "--episodes", str(episodes))
    assert code == 0
    assert "detectable: smallest difference" in " ".join(out.split())


BROKEN = """
class Broken:
    modality = "text"

    def reset(self, instruction):
        pass

    def act(self, observation):
        raise ValueError("no idea")
"""


def test_the_first_reason_why_an_agent_failed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_agent.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    arguments = ("--agent", "broken_agent:Broken", "--in-process", "--episodes", "context")
    code, _, told = run(
        capsys, "evaluate", *arguments, "--num-episodes", "2", "--out", "x.jsonl.gz"
    )
    assert code == 1
    assert "0 of 2 episodes succeeded" in told
    assert "the agent failed in 2 of them (2 crash; docs/protocol.md)" in told
    assert told.count("agent failed (crash): ValueError: no idea") == 1
    code, _, told = run(capsys, "play", "context/000002", "--trace", "x.jsonl.gz")
    assert code == 2
    assert "no trace of context/000002; it holds context/000000, context/" in told


def test_own_sets_are_named_by_their_folder(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = run(
        capsys, "evaluate", "--agent", "random", "--episodes", "contxt", "--out", "x"
    )
    assert code == 2
    assert told.endswith("as --episodes); did you mean 'context'?\n")
    assert "take it as --episodes); splits: train, " in run(capsys, "play", "mine/000000")[2]


def test_a_replay_is_saved_as_a_moving_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "oracle.gif"
    code, out, _ = run(capsys, "play", "train/000000", "--agent", "oracle", "--out", str(path))
    assert code == 0
    assert "success" in out
    assert path.read_bytes()[:6] == b"GIF89a"


def test_what_an_agent_finds_likely_is_shown_beside_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "likely.py").write_text(LIKELY)
    monkeypatch.chdir(tmp_path)
    sizes = {}
    for name in ("Plain", "Likely"):
        arguments = ("--agent", f"likely:{name}", "--out", f"{name}.gif")
        assert run(capsys, "play", "train/000000", *arguments)[0] == 0
        with Image.open(f"{name}.gif") as picture:
            sizes[name] = picture.size
    assert sizes["Likely"] == (sizes["Plain"][0] + PANEL_PX, sizes["Plain"][1])


LIKELY = """
import numpy as np

class Plain:
    modality = "text"
    def reset_rows(self, rows, instructions): pass
    def act_rows(self, rows, observations): return np.zeros(len(rows), np.int64)

class Likely(Plain):
    def act_rows(self, rows, observations):
        self.probabilities = np.full((len(rows), 70), 1 / 70)
        return super().act_rows(rows, observations)
"""


def test_an_episode_is_exported_with_its_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for dialect in ("adl", "strips"):
        out_path = tmp_path / dialect
        arguments = ("train/000009", "--out", str(out_path), "--dialect", dialect)
        assert run(capsys, "export", "--format", "pddl", *arguments)[0] == 0
        folder = out_path / "train_000009"
        assert {p.name for p in folder.iterdir()} == {"domain.pddl", "problem.pddl", "plan.txt"}


WRONG = [
    (("play", "train/seventeen"), "ids look like"),
    (("play", "nowhere/000001"), "splits:"),
    (("play", "--out", "x.gif"), "add --agent"),
    (("play", "--agent", "oracle", "--out", "x.txt"), ".gif, .mp4, .png"),
    (("play", "--checkpoint", "x"), "add --agent NAME, such as llarp"),
    (("play", "--agent", "oracle", "--checkpoint", "x"), "takes no checkpoint"),
    (("play", "--agent", "llarp"), "add --checkpoint FOLDER"),
    (("stats", "templates", "--plots", "x"), "name splits"),
    (("stats", "context", "--num-episodes", "0"), "1 or more"),
    (("stats", "context", "--sentences", "0"), "1 or more"),
    (("stats", "context", "--sentences", "2", "--json"), "stands alone"),
    (("stats", "context", "contxt", "--sentences", "2"), "did you mean 'context'?"),
    (("evaluate", "--agent", "random", "--out", "x.json"), "a name that ends in .jsonl.gz"),
    (("export", "context", "--format", "minari", "--num-episodes", "0", "--out", "x"), "1 or more"),
    (("export", "context", "--num-episodes", "-1", "--out", "x"), "1 or more"),
    (("export", "context", "--format", "csv", "--out", "x"), "parquet, minari, pddl"),
    (("export", "context", "--format", "json:load", "--out", "x"), "not an exporter"),
    (("export", "--out", "x"), "nothing to write"),
    (("generate", "--out", "x"), "either --split"),
    (("generate", "--split", "tran", "--out", "x"), "splits:"),
    (("check", "no/such/folder"), "neither a split nor"),
    (("check", "--probes", "nowhere"), "--probes takes names of splits, not 'nowhere'"),
    (("check", "--probes", "--probe-episodes", "7"), "accepted: 100 to 500,000"),
    (
        ("evaluate", "--agent", "nobody", "--episodes", "train_eval", "--out", "x.jsonl.gz"),
        "nobody",
    ),
    (("score",), "no runs given"),
    (("export", "train/999999", "--format", "pddl", "--out", "x"), "train/999999"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_use_gets_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code in (1, 2)
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_never_overwritten(
    episodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (episodes / "manifest.json").read_bytes()
    arguments = ("--split", "train_mini", "--num-episodes", "20", "--out", str(episodes))
    code, _, err = run(capsys, "generate", *arguments)
    assert code == 2
    assert "or pass --force to replace it (in Python overwrite=True)" in err
    assert (episodes / "manifest.json").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "file"
    folder.touch()
    out = ("--episodes", "context", "--num-episodes", "1", "--out", str(folder / "x.jsonl.gz"))
    code, _, err = run(capsys, "evaluate", "--agent", "random", *out)
    assert code == 1
    assert f"{folder}: cannot be written (" in err
    assert "Choose another folder or fix its permissions" in err


def test_a_file_that_is_no_trace_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.jsonl.gz"
    path.write_bytes(gzip.compress(b"not a trace\n"))
    code, _, err = run(capsys, "score", str(path))
    assert code == 1
    assert str(path) in err


@pytest.mark.parametrize(
    ("words", "skill"),
    [
        ("33", "pick(apple)"),
        ("pick(apple)", "pick(apple)"),
        ("pick ham", "pick(hammer)"),
        ("go sofa", "nav(sofa)"),
        ("open fridge", "open(fridge)"),
        ("place left counter", "place(left_counter)"),
        ("go to the fridge", "nav(fridge)"),
        ("put it down at the sink", "place(sink)"),
    ],
)
def test_typed_words_find_one_skill(words: str, skill: str) -> None:
    assert find_skills(words) == [skill_index(skill)]


def test_every_skill_can_be_typed_by_number_id_and_name() -> None:
    for skill in SKILLS:
        for words in (str(skill.index), skill.id, skill.name.lower()):
            assert skill.index in find_skills(words)


def test_driving_by_standard_input_reaches_the_goal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    plan = make_episode(load_spec("train"), 9).plan  # moves one thing: at least four skills
    typed = [*plan[:3], "undo", "", "?", "valid", "hint", *plan[2:], "nonsense", "quit"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(typed) + "\n"))
    code, out, _ = run(capsys, "play", "train/000009")
    assert code == 0
    assert "Success after" in out
    assert "no skill matches 'nonsense'" in out


def test_stats_count_templates_and_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "stats", "templates", "--json")
    assert code == 0
    counted = json.loads(out)
    assert counted["distinct_phrasings"] >= 282
    assert counted["files"][0]["split"] == "train"
    assert counted["files"][0]["num_words"] >= 190
    texts = [row["num_texts"] for row in counted["templates"] if row["split"] == "train"]
    assert sum(texts) == counted["files"][0]["num_texts"]
    own = str(templates_path() / "context.yaml")
    code, out, _ = run(capsys, "stats", own, "--json")
    assert code == 0
    assert {row["split"] for row in json.loads(out)["templates"]} == {"context"}
    assert json.loads(out)["distinct_phrasings"] >= 120
    plots = tmp_path / "plots"
    code, out, _ = run(
        capsys, "stats", "context", "--num-episodes", "20", "--plots", str(plots), "--json"
    )
    assert code == 0
    assert json.loads(out)[0]["episodes"] == 20
    names = {"lengths", "objects", "receptacles", "words_context"}
    endings = (".png", ".svg", ".csv")
    assert {path.name for path in plots.iterdir()} >= {f"{n}{e}" for n in names for e in endings}


def test_stats_compare_sets_with_the_first_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("stats", "train_mini", "tests", "--num-episodes", "3", "--markdown")
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "not in train_mini" in out
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 * (1 + 11)
    assert {line.count("|") for line in rows[:12]} == {11}


def test_stats_prints_sentences_with_their_goals(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "stats", "context", "train", "--sentences", "3")
    assert code == 0
    assert out == run(capsys, "stats", "context", "train", "--sentences", "3")[1]
    assert [line for line in out.splitlines() if line[:2] == "##"] == ["## context", "## train"]
    rows = [line.split(" | ") for line in out.splitlines() if line[:3] == "| 0"]
    assert len(rows) == 6
    for _, sentence, goal in rows:
        assert sentence[-1] in ".?!"
        assert " is " in goal
