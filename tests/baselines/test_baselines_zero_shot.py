"""Chat models as agents: the three designs by one command each, and every kind of bad answer."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_stub import Answer, completion, serving, wander
from langrearrange_baselines.zero_shot.answers import BadAnswer, read_action, read_plan
from langrearrange_baselines.zero_shot.endpoint import _scores
from langrearrange_baselines.zero_shot.model import Account, Prices, Reply
from langrearrange_baselines.zero_shot.prompts import DESIGNS, answer_of, system_prompt
from langrearrange_baselines.zero_shot.run import main

from langrearrange.cli.main import main as langrearrange
from langrearrange.env import Rules
from langrearrange.leaderboard import read_trace
from langrearrange.leaderboard.transcript import read_transcript, said_in
from langrearrange.world import SKILL_INDEX, SKILLS

Play = Callable[[str], "Played"]
EPISODES = ["--episodes", "train_eval", "--num-episodes", "2", "--horizon", "4"]
REFUSED = {"error": {"message": "Incorrect API key provided: sk-secret", "code": "invalid_api_key"}}
TOO_LONG = {"error": {"message": "This model's maximum context length is 50 tokens."}}


class Played:
    """A run against an address: exit code, what was said, trace and transcript."""

    def __init__(self, url: str, out: Path, capfd: Any, log: pytest.LogCaptureFixture) -> None:
        self.url, self.out, self.capfd, self.log = url, out / "run.jsonl.gz", capfd, log

    def __call__(self, *more: str) -> int:
        self.log.clear()
        command = ["--base-url", self.url, "--model", "stub", "--retries", "0", *EPISODES]
        code = main([*command, "--out", str(self.out), *more])
        self.said = self.capfd.readouterr().err + self.log.text
        return code

    @property
    def exchanges(self) -> Any:
        return read_transcript(self.out.with_name("run.transcript.jsonl"))


@pytest.fixture
def at(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Play:
    return lambda url: Played(url, tmp_path, capfd, caplog)


@pytest.mark.parametrize(
    ("options", "modality", "requests"),
    [
        (["--design", "chatgpt"], "text", 8),
        (["--design", "llama", "--no-few-shot"], "state", 2),
        (["--design", "flamingo"], "rgb", 2),
        (["--choice", "logprobs"], "text", 8),
        (["--design", "llama", "--hard"], "state", 2),
    ],
)
def test_each_design_plays_by_one_command(
    tmp_path: Path,
    at: Play,
    options: list[str],
    modality: str,
    requests: int,
) -> None:
    with serving() as stub:
        played = at(stub.url)
        assert played(*options) == 0
    run = read_trace(played.out)
    assert run.header.agent.modality == modality
    assert not any(episode.failure for episode in run.episodes)
    assert len(stub.requests) == requests
    assert f"{requests} requests, {15 * requests} tokens" in played.said
    assert len({exchange.instruction for exchange in played.exchanges}) == 2
    for episode in run.episodes if requests == 8 else ():
        told = [e.skills for e in played.exchanges if len(e.skills) == 1]
        assert {(action,) for action in episode.actions} <= set(told)
    picture = stub.requests[0]["messages"][-1]["content"]
    assert isinstance(picture, list) == (modality == "rgb")
    page = str(tmp_path / "page.html")
    transcript = str(tmp_path / "run.transcript.jsonl")
    report = ["report", str(played.out), "--out", page, "--frames", "0", "--transcript", transcript]
    assert langrearrange(report) == 0
    assert played.exchanges[0].answer.splitlines()[0] in Path(page).read_text()


def always(answer: Answer) -> Callable[[dict[str, Any]], Answer]:
    return lambda request: answer


@pytest.mark.parametrize(
    ("answer", "failure", "said"),
    [
        (completion("Action: go to the so", "length"), "refusal", "the answer was cut off"),
        (completion(""), "refusal", "the answer is empty"),
        ({"id": "x", "object": "chat.completion", "choices": []}, "refusal", "the answer is empty"),
        ("Action: open the fridge\nAction: go to the sink", "refusal", "names several actions"),
        ("Action: dance", "refusal", "names no known action"),
        ("Ich gehe zum Sofa.\nAktion: gehe zum Sofa", "refusal", "names no known action"),
        ((400, {"error": {"message": "images are not accepted"}}), "refusal", "images are not"),
        ((400, TOO_LONG), "refusal", "longer than the model's context"),
    ],
)
def test_a_bad_answer_fails_the_episode_and_is_told_once(
    tmp_path: Path, at: Play, answer: Answer, failure: str, said: str
) -> None:
    with serving(always(answer)) as stub:
        played = at(stub.url)
        assert played("--log-dir", str(tmp_path)) == 1
    assert {episode.failure for episode in read_trace(played.out).episodes} == {failure}
    lines = [n for n in played.said.splitlines() if "WARNING" in n and "agent failed" in n]
    assert len([line for line in lines if said in line]) == 1, played.said
    assert "Traceback" not in played.said
    assert (tmp_path / "log.txt").read_text().count(f"agent failed ({failure}") == 2


def test_a_slow_endpoint_is_a_timeout(at: Play) -> None:
    def slow(request: dict[str, Any]) -> Answer:
        time.sleep(0.5)
        return wander(request)

    with serving(slow) as stub:
        played = at(stub.url)
        assert played("--step-timeout-s", "0.1") == 1
        assert "no answer within 0.1 s in 1 tries; raise --step-timeout-s" in played.said
        assert played("--episode-timeout-s", "0.7", "--force") == 1
        assert "took more than 0.7 s" in played.said or "no answer within" in played.said
    assert {episode.failure for episode in read_trace(played.out).episodes} == {"timeout"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, REFUSED), "refuses the key (Incorrect API key provided: ***"),
        ((404, {"error": {"message": "no such model"}}), "has no model 'stub' (no such model)"),
        ((503, {"error": {"message": "overloaded"}}), "status 503: overloaded"),
        ((429, {"error": {"message": "quota"}}), "lower --concurrency or wait"),
        (b"<html>It works!</html>", "does not answer in JSON"),
        ("no log-probabilities", "gives no log-probabilities"),
    ],
)
def test_an_endpoint_that_cannot_be_asked_stops_the_run_and_it_resumes(
    tmp_path: Path,
    at: Play,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    said: str,
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with serving(always(answer)) as stub:
        played = at(stub.url)
        options = ["--key-variable", "MY_KEY", "--choice", "logprobs"]
        assert played(*options) == 1
        assert said in played.said
        assert "Traceback" not in played.said
        stub.answer = wander
        assert played(*options) == 0
        assert stub.keys == {"sk-secret"}
    run = read_trace(played.out)
    assert not any(episode.failure for episode in run.episodes)
    assert max(episode.attempts for episode in run.episodes) == 2, "what had begun"
    for path in tmp_path.iterdir():
        assert b"sk-secret" not in path.read_bytes()
    assert "sk-secret" not in played.said


def test_no_endpoint_at_all(at: Play) -> None:
    with serving() as stub:
        url = stub.url
    played = at(url)
    assert played() == 1
    assert f"no endpoint answers at {url}" in played.said
    assert "start it or correct --base-url, then run the same command again" in played.said


def test_a_bad_answer_may_be_followed_by_a_good_one(at: Play) -> None:
    def second_time(request: dict[str, Any]) -> Answer:
        told = request["messages"][-1]["content"]
        return wander(request) if told.startswith("Your answer names no known") else "I dance."

    with serving(second_time) as stub:
        played = at(stub.url)
        assert played() == 0
    assert len([line for line in played.said.splitlines() if "WARNING" in line]) == 1
    assert [bool(e.problem) for e in played.exchanges[:2]].count(True) >= 1
    assert not any(episode.failure for episode in read_trace(played.out).episodes)


def test_fewer_turns_are_sent_when_the_context_is_too_short(at: Play) -> None:
    def forgetful(request: dict[str, Any]) -> Answer:
        return (400, TOO_LONG) if len(request["messages"]) > 6 else wander(request)

    with serving(forgetful) as stub:
        played = at(stub.url)
        assert played("--horizon", "8") == 0
        roles = [[m["role"] for m in request["messages"]] for request in stub.requests]
    assert "turns are sent (--history)" in played.said
    assert all(role[:2] == ["system", "user"] and role[-1] == "user" for role in roles)
    assert not any(episode.failure for episode in read_trace(played.out).episodes)


def test_a_spent_budget_stops_the_run_and_a_larger_one_continues_it(at: Play) -> None:
    with serving() as stub:
        played = at(stub.url)
        prices = ["--prompt-price", "1000", "--completion-price", "2000", "--concurrency", "1"]
        assert played(*prices, "--max-price", "0.1") == 1
        assert "the budget is spent: 0.1000 of 0.1; raise --max-price" in played.said
        assert len(stub.requests) == 5, "4 of the first episode, 1 of the second"
        assert played(*prices, "--max-price", "0.1") == 1
        assert len(stub.requests) == 5, "what was spent counts"
        assert played(*prices, "--max-price", "1", "--max-tokens", "1000") == 0
    run = read_trace(played.out)
    assert [episode.attempts for episode in run.episodes] == [1, 3]
    assert run.header.played.resumes == 2
    assert len(stub.requests) == len(played.exchanges) == 9
    assert sum(e.price for e in played.exchanges) == pytest.approx(9 * 0.02)


def test_episodes_are_asked_about_side_by_side(at: Play) -> None:
    together = threading.Barrier(8, timeout=60)

    def wait(request: dict[str, Any]) -> Answer:
        together.wait()
        return wander(request)

    with serving(wait) as stub:
        played = at(stub.url)
        assert played("--num-episodes", "8", "--concurrency", "8", "--horizon", "1") == 0
    assert stub.most_open == 8


@pytest.mark.parametrize(
    ("answer", "skill"),
    [
        ("Action: go to the sofa", "nav(sofa)"),
        ("I think.\n**Action:** `pick(apple)`", "pick(apple)"),
        ("action: 12", "nav(sofa)"),
        ("Go to the left drawer handle.", "nav(left_drawer_handle)"),
        ("I open the fridge now.", "open(fridge)"),
        ("The apple is in the fridge.\nAction: put the apple on the sofa", "place(sofa)"),
        ("Action: go to the sofa\nAction: Go to the sofa.", "nav(sofa)"),
        ("I cannot see it here, so I go to the sink", "nav(sink)"),
    ],
)
def test_one_action_is_read(answer: str, skill: str) -> None:
    assert read_action(answer) == SKILL_INDEX[skill]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("  \n", "empty"),
        ("Action: 70", "unknown"),
        ("Action: stop", "unknown"),
        ("Action: go to the sofa and open the fridge", "several"),
        ("Aktion: öffne den Kühlschrank", "unknown"),
        ("You can't go to the left counter.", "unknown"),
        ("I do not open the fridge.", "unknown"),
    ],
)
def test_what_is_no_single_action_is_refused(answer: str, kind: str) -> None:
    with pytest.raises(BadAnswer) as refused:
        read_action(answer)
    assert refused.value.kind == kind


def test_a_plan_is_read_in_order_and_its_cut_end_left_out() -> None:
    plan = "Here it is. I go to the sink first?\nPlan:\n1. Go to the fridge.\n2) open(fridge)\n"
    plan += "- pick up the apple, then go to the sofa\n5. put it on the so"
    names = ("nav(fridge)", "open(fridge)", "pick(apple)", "nav(sofa)")
    assert read_plan(plan, cut=True) == tuple(SKILL_INDEX[name] for name in names)
    assert read_plan("go to the sofa; stop", 71) == (SKILL_INDEX["nav(sofa)"], 70)
    with pytest.raises(BadAnswer, match="before its first action ends"):
        read_plan("go to the sofa", cut=True)


@pytest.mark.parametrize("choice", ["answer", "names"])
def test_every_action_is_read_back_as_it_is_asked_for(choice: Any) -> None:
    for skill in SKILLS:
        assert read_action(answer_of(skill.index, choice, "A thought.")) == skill.index


def test_prompts_name_every_action_and_explain_stop_only_in_the_hard_variant() -> None:
    for hard in (False, True):
        rules = Rules(hard=hard)
        plan = system_prompt(DESIGNS["llama"], "answer", rules, few_shot=False)
        assert ("- stop" in plan) == hard
        assert "toy airplane" in plan
        numbers = system_prompt(DESIGNS["chatgpt"], "numbers", rules, few_shot=True)
        assert ("70: stop" in numbers) == hard
        assert f"{SKILLS[69].index}: {SKILLS[69].name}" in numbers
    few = system_prompt(DESIGNS["llama"], "answer", Rules(), few_shot=True)
    assert (
        read_plan(few.rpartition("\n\n")[2].partition("\n")[2])[-1]
        == SKILL_INDEX["place(brown_table)"]
    )


def test_numbers_of_one_and_of_two_tokens_are_scored() -> None:
    scores = _scores([[("1", -0.1), (" 42", -2.0)], [("2", -0.2), ("3", -3.0)], [("x", 0.0)]])
    assert scores["42"] == -2.0
    assert scores["12"] == pytest.approx(-0.3)
    assert max(scores.items(), key=lambda item: item[1])[0] in ("1", "12")


def test_a_transcript_survives_a_kill_and_keeps_the_last_attempt(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    line = {"instruction": "Go.", "turn": 0, "step": 0, "told": "hi", "answer": "a"}
    again = {**line, "answer": "b"}
    path.write_text(f"{json.dumps(line)}\n{json.dumps(again)}\n{{'torn")
    account = Account(path, Prices(max_tokens=5))
    assert account.requests == 2
    assert path.read_bytes().endswith(b"}\n")
    assert said_in(read_transcript(path)) == {"Go.": {0: "hi\n\n> b"}}
    assert Prices(prompt=2, completion=4).of(Reply("", False, 1000, 500)) == 0.004


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--local", "x"], "either --model"),
        (["--max-price", "1"], "--prompt-price"),
        (["--design", "llama", "--choice", "logprobs"], "llama plans"),
        (["--history", "-1"], "history=-1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    at: Play, capfd: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    played = at("http://127.0.0.1:1/v1")
    with pytest.raises(SystemExit) as refused:
        played(*options)
    assert refused.value.code == 2
    assert said in " ".join(capfd.readouterr().err.replace("│", " ").split())


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "chat.md").read_text()
    lines = [shlex.split(line) for line in re.findall(r"^    (\S.*)$", page, re.M)]
    monkeypatch.chdir(tmp_path)
    with serving() as stub:
        for line in lines[:8]:
            if line[0] == "export":
                name, value = line[1].split("=")
                monkeypatch.setenv(name, stub.url if name == "OPENAI_BASE_URL" else value)
            elif line[:2] == ["python", "-m"]:
                assert line[2] == "langrearrange_baselines.zero_shot"
                assert main([*line[3:], "--num-episodes", "2", "--horizon", "2"]) == 0
            elif line[0] == "langrearrange":
                assert langrearrange(line[1:]) == 0
        space: dict[str, Any] = {}
        code = re.findall(r"```python\n(.*?)```", page, re.S)[0]
        exec(code.replace("http://127.0.0.1:8000/v1", stub.url), space)
    assert {path.name for path in Path("out").iterdir()} >= {"chat.jsonl.gz", "chat.html"}
    assert space["agent"].modality == "text"
    space["model"].close()
