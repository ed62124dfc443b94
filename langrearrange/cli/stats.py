"""`langrearrange stats`: what templates can say and what data sets hold, as tables and plots."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli.common import check_count, make_table, note, open_source, print_table
from langrearrange.world.vocabulary import SPLITS

if TYPE_CHECKING:
    from langrearrange.dataset.analysis import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Count what can be said (`stats templates`) or what data sets hold (paper B.6).

    For example:

      langrearrange stats templates
      langrearrange stats train_mini context out/mine --plots out/plots
    """

    what: Annotated[tuple[str, ...], tyro.conf.Positional]
    """`templates`, `all` (every split but train), names of splits, folders"""
    num_episodes: int | None = None
    """look at most at so many of each, spread evenly"""
    plots: Path | None = None
    """also draw into this folder: PNG and SVG, the numbers as CSV beside them (extra [plots])"""
    json: bool = False
    """print JSON instead of tables"""


def run(args: Args) -> int:
    """Count and print; with --plots also draw."""
    from langrearrange.errors import UsageError

    if not args.what:
        raise UsageError("say what to count: `templates`, `all`, a split or a folder")
    check_count(args.num_episodes)
    if args.what == ("templates",):
        if args.plots is not None:
            raise UsageError("--plots draws what sets hold; name splits or folders, or `all`")
        _templates(as_json=args.json)
        return 0
    names = [n for n in SPLITS if n != "train"] if args.what == ("all",) else list(args.what)
    summaries = _summaries(names, args.num_episodes)
    if args.json:
        print(json.dumps([_as_json(summary) for summary in summaries], indent=1))
    else:
        _print(summaries)
    if args.plots is not None:
        _draw(summaries, args.plots)
    return 0


def _templates(*, as_json: bool) -> None:
    from langrearrange.houses import get_house, houses_for
    from langrearrange.language import Relation, count_templates, distinct_phrasings

    # What is meant differs from flat to flat; what can be said is counted once.
    relations = {
        (r.relation, frozenset(r.anchors)): Relation(r.relation, r.anchors, r.referent)
        for name in houses_for("test")
        for r in get_house(name).relations
    }
    rows = count_templates(relations=tuple(relations.values()))
    phrasings = distinct_phrasings()
    if as_json:
        fields = ("split", "template", "concept", "num_phrasings", "num_statements", "num_texts")
        listed = [{name: getattr(row, name) for name in fields} for row in rows]
        print(json.dumps({"distinct_phrasings": phrasings, "templates": listed}, indent=1))
        return
    table = make_table(
        "templates", ("file", "template", "concept", "phrasings", "remarks", "texts"), 3
    )
    for row in rows:
        texts = "-" if row.num_texts is None else f"{row.num_texts:,}"
        numbers = (str(row.num_phrasings), str(row.num_statements or "-"), texts)
        table.add_row(row.split, row.template, row.concept, *numbers)
    print_table(table)
    print(f"{len(rows)} templates, {phrasings} distinct phrasings (the paper has 282)")


def _summaries(names: Sequence[str], num_episodes: int | None) -> list[Summary]:
    from langrearrange.dataset import select
    from langrearrange.dataset.analysis import summarise
    from langrearrange.progress import progress

    sources = [open_source(name) for name in names]
    summaries = []
    with progress("stats", len(sources), "sets") as advance:
        for source in sources:
            summaries.append(summarise(source.split, select(source, num_episodes)))
            advance(1, source.split)
    return summaries


def _row(summary: Summary) -> dict[str, Any]:
    from langrearrange.dataset.analysis import mean

    return {
        "set": summary.split,
        "episodes": summary.num_episodes,
        "texts": summary.num_texts,
        "templates": len(summary.templates),
        "clusters": len(summary.clusters),
        "flats": len(summary.houses),
        "words": round(mean(summary.instruction_words), 1),
        "optimum": round(mean(summary.plan_steps), 1),
        "longest": max(summary.plan_steps, default=0),
        "subgoals": round(mean(summary.num_subgoals), 1),
        "objects": round(mean(summary.num_objects), 1),
        "hidden %": round(100 * summary.hidden / max(1, summary.starts.total()), 1),
    }


def _as_json(summary: Summary) -> dict[str, Any]:
    counters = (
        "instruction_words",
        "plan_steps",
        "templates",
        "clusters",
        "houses",
        "starts",
        "targets",
    )
    return _row(summary) | {name: dict(sorted(getattr(summary, name).items())) for name in counters}


def _print(summaries: Sequence[Summary]) -> None:
    rows = [_row(summary) for summary in summaries]
    table = make_table("data sets (means per episode)", tuple(rows[0]))
    for row in rows:
        table.add_row(*map(str, row.values()))
    print_table(table)
    if len(summaries) == 1:
        balance = make_table("episodes per template", ("template", "episodes"))
        for template, count in summaries[0].templates.items():
            balance.add_row(template, str(count))
        print_table(balance)


def _draw(summaries: Sequence[Summary], folder: Path) -> None:
    from langrearrange.dataset import plots

    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "instruction_lengths": plots.instruction_lengths(summaries),
        "plan_lengths": plots.plan_lengths(summaries),
        "text_overlap": plots.overlap(summaries),
    }
    for summary in summaries:
        figures[f"words_{summary.split}"] = plots.word_frequencies(summary)
        figures[f"receptacles_{summary.split}"] = plots.receptacle_balance(summary)
    for name, figure in figures.items():
        for ending in ("png", "svg"):
            metadata = {"Date": None} if ending == "svg" else {"Software": None}
            figure.savefig(folder / f"{name}.{ending}", dpi=150, metadata=metadata)
    _write_csv(summaries, folder / "summary.csv")
    note(f"{len(figures)} figures and summary.csv in {folder}")


def _write_csv(summaries: Sequence[Summary], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("set", "quantity", "value", "count"))
        for summary in summaries:
            for quantity in ("instruction_words", "plan_steps", "templates", "starts", "targets"):
                for value, count in sorted(getattr(summary, quantity).items()):
                    writer.writerow((summary.split, quantity, value, count))
            for word, count in summary.words.most_common():
                writer.writerow((summary.split, "word", word, count))
