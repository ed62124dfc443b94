"""The pages in a real browser: clicked, stepped and sorted in headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from handmade import HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    Trace,
    build_board,
    build_page,
    header_of,
    row_of,
    score,
)

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=4000", "--dump-dom",
)  # fmt: skip
REPORT = """
const seen = {};
const report = () => {
  const node = document.createElement("pre");
  node.id = "seen";
  node.textContent = JSON.stringify(seen);
  document.body.append(node);
};
window.onerror = (message) => { seen.error = message; report(); };
"""


def result_of(agent: str, privileged: bool = False) -> Result:
    source = EpisodeList(HANDMADE)
    facts = AgentFacts(name=agent, modality="state", privileged=privileged)
    lines = tuple(traces_of(agent, HANDMADE).values())
    return score(Trace(header_of(facts, Plan(sources=[source])), lines), lambda split: source)


def seen_after(page: str, tmp_path: Path, clicks: str) -> dict[str, Any]:
    """Open a page, run the clicks, return what they put into `seen`."""
    path = tmp_path / "page.html"
    page = page.replace('<script id="data"', f'<script>{REPORT}</script><script id="data"')
    path.write_text(page.replace("</body>", f"<script>{clicks}\nreport();</script></body>"))
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    match = re.search(r'<pre id="seen">(.*?)</pre>', shown, re.S)
    assert match, shown[-2000:]
    seen: dict[str, Any] = json.loads(unescape(match[1]))
    assert "error" not in seen
    return seen


def test_an_episode_is_stepped_through_and_the_map_follows(tmp_path: Path) -> None:
    source = EpisodeList(HANDMADE)
    page = build_page(result_of("oracle", True), lambda i: source.get(source.index_of(i)))
    clicks = """
    const place = () => document.querySelector("svg .robot").getAttribute("transform");
    document.querySelector('#list li[data-id="context/000001"]').click();
    seen.sentence = document.getElementById("sentence").textContent;
    seen.steps = document.querySelectorAll("#steps li").length;
    const places = [place()];
    for (let i = 0; i < 5; i++) {
      document.getElementById("forward").click();
      places.push(place());
    }
    seen.places = places;
    seen.now = document.getElementById("now").textContent;
    document.getElementById("back").click();
    seen.back = document.getElementById("now").textContent;
    document.querySelectorAll("#steps li")[1].click();
    seen.fridgeOpen = document.querySelectorAll("svg .furniture.open").length;
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    seen.fridgeShut = document.querySelectorAll("svg .furniture.open").length;
    """
    seen = seen_after(page, tmp_path, clicks)
    assert seen["sentence"] == HANDMADE[1].instruction
    assert seen["steps"] == 5
    assert len(set(seen["places"])) == 3  # start, fridge, brown table
    assert seen["now"] == "step 5 of 5"
    assert seen["back"] == "step 4 of 5"
    assert (seen["fridgeOpen"], seen["fridgeShut"]) == (1, 0)


def test_the_list_is_filtered_and_searched(tmp_path: Path) -> None:
    source = EpisodeList(HANDMADE)
    page = build_page(result_of("random"), lambda i: source.get(source.index_of(i)))
    clicks = """
    const count = () => document.querySelectorAll("#list li").length;
    const buttons = [...document.querySelectorAll("#filters button")];
    seen.all = count();
    buttons.find((b) => b.textContent.startsWith("failed")).click();
    seen.failed = count();
    buttons[0].click();
    document.getElementById("search").value = "fridge";
    document.getElementById("search").oninput();
    seen.found = [...document.querySelectorAll("#list li")].map((li) => li.dataset.id);
    """
    seen = seen_after(page, tmp_path, clicks)
    failed = sum(not trace.success for trace in traces_of("random", HANDMADE).values())
    assert (seen["all"], seen["failed"]) == (4, failed)
    assert seen["found"] == ["context/000002"]


def test_the_board_is_sorted_and_filtered(tmp_path: Path) -> None:
    results = [result_of(name) for name in ("random", "explorer", "blind_sweep")]
    results.append(result_of("oracle", privileged=True))
    clicks = """
    const cells = () => [...document.querySelectorAll("#table .name")];
    const agents = () => cells().map((td) => td.textContent);
    const head = (name) => [...document.querySelectorAll("#table th")]
      .find((th) => th.textContent === name);
    seen.paper = document.querySelectorAll("#paper .name").length;
    head("context").click();
    seen.down = agents();
    head("context").click();
    seen.up = agents();
    document.getElementById("tier").value = "T0 no place";
    document.getElementById("tier").onchange();
    seen.privileged = agents();
    """
    seen = seen_after(
        build_board([row_of(replace(result, foreign=())) for result in results]), tmp_path, clicks
    )
    assert seen["up"] == ["random", *[n for n in seen["up"] if n != "random"]]
    assert seen["down"][-1] == "random"
    assert len(seen["down"]) == 4
    assert seen["paper"] == 8
    assert seen["privileged"] == ["oracle"]
