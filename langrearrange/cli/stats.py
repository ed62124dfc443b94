"""`langrearrange stats`: statistics of templates and data sets as tables and plots."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError
from langrearrange.world.vocabulary import SPLITS

if TYPE_CHECKING:
    from langrearrange.dataset.analysis import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Print statistics of templates or of data sets (paper B.6).

    For example:

      langrearrange stats templates
      langrearrange stats my_templates.yaml
      langrearrange stats train_mini context out/mine --plots out/plots
    """

    what: Annotated[tuple[str, ...], tyro.conf.Positional]
    """`templates`, template files of your own (.yaml), `all` (every split but train), names of
    splits, folders"""
    num_episodes: common.NumEpisodes = None
    plots: Path | None = None
    """also draw into this folder: PNG and SVG, the numbers as CSV beside them (extra [plots])"""
    json: common.Json = False


def run(args: Args) -> int:
    """Count and print; with --plots also draw."""
    from langrearrange.dataset import select
    from langrearrange.dataset.analysis import summarise
    from langrearrange.progress import progress

    if not args.what:
        raise UsageError("say what to count: `templates`, a .yaml file, `all`, a split, a folder")
    own_templates = [name for name in args.what if name.endswith(".yaml")]
    if args.what == ("templates",) or len(own_templates) == len(args.what):
        if args.plots is not None:
            raise UsageError("--plots draws what sets hold; name splits or folders, or `all`")
        _templates(own_templates, as_json=args.json)
        return 0
    names = [n for n in SPLITS if n != "train"] if args.what == ("all",) else list(args.what)
    selections = [select(common.open_source(name), args.num_episodes) for name in names]
    summaries = []
    with progress("stats", len(selections), "sets") as advance:
        for selection in selections:
            summaries.append(summarise(selection.split, selection))
            advance(1, selection.split)
    if args.json:
        common.print_json([_row(summary) | _counts(summary) for summary in summaries])
    else:
        _print(summaries)
    if args.plots is not None:
        _draw(summaries, args.plots)
    return 0


def _templates(own: Sequence[str], *, as_json: bool) -> None:
    from langrearrange.houses import get_house, houses_for
    from langrearrange.language import (
        Relation,
        count_templates,
        distinct_phrasings,
        load_templates,
    )

    # What is meant differs from flat to flat; what can be said is counted once.
    relations = {
        (r.relation, frozenset(r.anchors)): Relation(r.relation, r.anchors, r.referent)
        for name in houses_for("test")
        for r in get_house(name).relations
    }
    files = [load_templates(path) for path in own]
    counted = count_templates(files, tuple(relations.values()))
    phrasings = distinct_phrasings(files)
    if as_json:
        names = ("split", "template", "concept", "num_phrasings", "num_statements", "num_texts")
        listed = [{name: getattr(row, name) for name in names} for row in counted]
        common.print_json({"distinct_phrasings": phrasings, "templates": listed})
        return
    rows = [
        (
            *(row.split, row.template, row.concept, row.num_phrasings, row.num_statements or "-"),
            "-" if row.num_texts is None else f"{row.num_texts:,}",
        )
        for row in counted
    ]
    columns = ("file", "template", "concept", "phrasings", "remarks", "texts")
    common.print_table(common.make_table("templates", columns, rows, left=3))
    paper = "" if own else " (the paper has 282)"
    print(f"{len(rows)} templates, {phrasings} distinct phrasings{paper}")


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


def _counts(summary: Summary) -> dict[str, dict[Any, int]]:
    """Return every histogram of a summary but those of words and per-episode numbers."""
    left_out = ("words", "num_subgoals", "num_objects")
    values = {field.name: getattr(summary, field.name) for field in fields(summary)}
    return {
        name: dict(sorted(value.items()))
        for name, value in values.items()
        if isinstance(value, Counter) and name not in left_out
    }


def _print(summaries: Sequence[Summary]) -> None:
    rows = [_row(summary) for summary in summaries]
    texts = [list(map(str, row.values())) for row in rows]
    common.print_table(common.make_table("data sets (means per episode)", list(rows[0]), texts))
    if len(summaries) == 1:
        columns = ("template", "episodes")
        common.print_table(
            common.make_table("episodes per template", columns, summaries[0].templates.items())
        )


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
    with (folder / "summary.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("set", "quantity", "value", "count"))
        for summary in summaries:
            for quantity in ("instruction_words", "plan_steps", "templates", "starts", "targets"):
                for value, count in sorted(getattr(summary, quantity).items()):
                    writer.writerow((summary.split, quantity, value, count))
            for word, count in summary.words.most_common():
                writer.writerow((summary.split, "word", word, count))
    common.note(f"{len(figures)} figures and summary.csv in {folder}")
