"""The page on data sets: snippets run, knobs are the published ones."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from langrearrange.generator import SplitSpec, load_spec
from langrearrange.generator.spec import PUBLISHED

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_tells_the_knobs_of_the_published_sets(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", (DOCS / "datasets.md").read_text(), re.S)
    path = tmp_path / "mine.yaml"
    path.write_text(block)
    spec = load_spec(path)
    published = PUBLISHED["context"]
    knobs = [name for name in SplitSpec.__struct_fields__ if name not in ("name", "split")]
    assert {k: getattr(spec, k) for k in knobs} == {k: getattr(published, k) for k in knobs}
    told = {line.split(":")[0] for line in block.splitlines() if ":" in line.split("#")[0]}
    assert {"hidden_percent", "fridge_open_percent", "horizon", "max_objects"} <= told


def test_the_first_snippet_of_the_data_set_page_runs() -> None:
    page = (DOCS / "datasets.md").read_text()
    snippets = re.findall(r"(?m)((?:^    .*\n|^\n)+)", page)
    first = next(s for s in snippets if "import" in s)
    names: dict[str, object] = {}
    exec(textwrap.dedent(first), names)
    again, fresh = names["again"], names["fresh"]
    assert (again.goal, again.instruction) == (fresh.goal, fresh.instruction)  # type: ignore[attr-defined]
    assert again.objects != fresh.objects  # type: ignore[attr-defined]
