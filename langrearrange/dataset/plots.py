"""Charts of data sets, from `dataset.analysis` (extra `plots`): figures with their numbers.

Colours are Okabe and Ito's, which colour-blind readers can tell apart. Nothing is saved here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.analysis import Summary, mean, text_overlap
from langrearrange.errors import MissingExtraError
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES, english

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, SKY = "#0072B2", "#E69F00", "#56B4E9"
STYLE: Final[dict[str, Any]] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "svg.hashsalt": "langrearrange",
}
MAPPED: Final = 100
"""Sentences of each set on the map, as in the paper's Figure 8a."""


class Chart(NamedTuple):
    """A figure and what it shows.

    Attributes:
        figure: of matplotlib.
        columns: names of the columns.
        rows: the numbers.
    """

    figure: Figure
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def _figure(width: float, height: float) -> Figure:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("plots", "plots", "matplotlib") from None
    mpl.rcParams.update(STYLE)
    # Not through pyplot, which would keep every figure alive and look for a display.
    return Figure(figsize=(width, height), layout="constrained")


def distributions(
    summaries: Sequence[Summary], quantities: Mapping[str, Sequence[Counter[int]]]
) -> Chart:
    """Draw a histogram of each quantity in each set: a row per set, a column per quantity.

    Args:
        summaries: the sets.
        quantities: name -> value -> episodes (or texts), for each of the sets.
    """
    figure = _figure(2.3 * len(quantities) + 1.8, 0.5 * len(summaries) + 0.8)
    grid = figure.subplots(len(summaries), len(quantities), sharex="col", squeeze=False)
    for column, (name, counts) in enumerate(quantities.items()):
        for axes, values in zip(grid[:, column], counts, strict=True):
            axes.bar(list(values), list(values.values()), width=0.9, color=BLUE)
            axes.axvline(mean(values), color=ORANGE, lw=1.2)
            axes.set_yticks([])
            axes.set_ylim(0, 1.4 * max(values.values(), default=1))
            axes.spines["left"].set_visible(False)
            axes.text(1, 1, f"{mean(values):.1f}", transform=axes.transAxes, ha="right",
                      va="top", fontsize=8, color="#A06A00")  # fmt: skip
        grid[-1, column].set_xlabel(name)
    for axes, summary in zip(grid[:, 0], summaries, strict=True):
        axes.set_ylabel(_title(summary), rotation=0, ha="right", va="center", fontsize=8)
    figure.suptitle("share of episodes, line and number: mean", fontsize=10)
    rows: list[tuple[object, ...]] = [
        (summary.split, name, value, count)
        for name, counts in quantities.items()
        for summary, values in zip(summaries, counts, strict=True)
        for value, count in sorted(values.items())
    ]
    return Chart(figure, ("set", "quantity", "value", "count"), rows)


def word_frequencies(
    summary: Summary, known: Summary, verb_of: Callable[[str], str], top: int = 25
) -> Chart:
    """Draw the most frequent nouns (names of things and places), verbs, and new words of a set.

    Args:
        summary: the set.
        known: where a word is not new; the set itself: all its words are drawn instead.
        verb_of: form of a verb -> the verb, "" for any other word.
        top: how many of each.
    """
    verbs: Counter[str] = Counter()
    for word, count in summary.words.items():
        verbs[verb_of(word)] += count
    del verbs[""]
    others = Counter({w: n for w, n in summary.words.items() if w not in known.words})
    kinds = {"nouns: names of things and places": summary.names, "verbs, all forms": verbs} | (
        {"all words but names": summary.words}
        if summary is known
        else {f"words that are not in {known.split}": others}
    )
    figure = _figure(9, 0.17 * top + 0.9)
    for axes, (kind, counts) in zip(figure.subplots(1, len(kinds)), kinds.items(), strict=True):
        best = counts.most_common(top)
        axes.barh(
            [word for word, _ in best] or [""], [count for _, count in best] or [0], color=BLUE
        )
        axes.set_ylim(top - 0.4, -0.6)
        axes.set_title(f"{kind}\n{len(counts)} different", loc="left", fontsize=9)
        axes.set_xlabel(f"occurrences, n={counts.total()}")
    figure.suptitle(_title(summary), fontsize=10)
    rows = [(k.split(":")[0], word, n) for k, c in kinds.items() for word, n in c.most_common()]
    return Chart(figure, ("kind", "word", "count"), list(rows))


def objects(summaries: Sequence[Summary]) -> Chart:
    """Draw how objects, and what optimal plans pick up, are shared among the categories."""
    panels = {"objects in the flats": "categories", "picked up by the optimal plan": "picked"}
    return _shares(summaries, CATEGORIES, panels, across=False)


def receptacles(summaries: Sequence[Summary]) -> Chart:
    """Draw where objects start and where optimal plans put them."""
    panels = {"objects at the start": "starts", "placed on by the optimal plan": "targets"}
    return _shares(summaries, RECEPTACLES, panels, across=True)


def _shares(
    summaries: Sequence[Summary], names: Sequence[str], panels: Mapping[str, str], *, across: bool
) -> Chart:
    """Draw percentages, a row per set and a column per name; two panels, across or stacked."""
    width, height = 0.27 * len(names), 0.27 * len(summaries) + 0.6
    figure = _figure(width * (1 + across) + 2, height * (2 - across) + 0.9)
    grid = figure.subplots(2 - across, 1 + across, sharex=True, sharey=True)
    rows: list[tuple[object, ...]] = []
    for axes, (panel, quantity) in zip(grid, panels.items(), strict=True):
        counts: list[Counter[str]] = [getattr(summary, quantity) for summary in summaries]
        shares = [[c[name] / max(1, c.total()) for name in names] for c in counts]
        cells = [[f"{100 * share:.0f}" if share else "" for share in row] for row in shares]
        _heat(axes, shares, cells, [s.split for s in summaries], list(map(english, names)))
        axes.set_title(f"{panel}, %", loc="left")
        for summary, count in zip(summaries, counts, strict=True):
            rows += [(summary.split, panel, name, count[name]) for name in names]
    return Chart(figure, ("set", "quantity", "value", "count"), rows)


def novelty(summaries: Sequence[Summary]) -> Chart:
    """Draw which share of each set's words and bigrams the first set lacks, names masked."""
    known, others = summaries[0], summaries[1:]
    figure = _figure(6.5, 0.36 * len(others) + 1.2)
    axes = figure.subplots()
    shares = [summary.novelty(known) for summary in others]
    for index, (label, colour) in enumerate((("words", BLUE), ("bigrams", SKY))):
        bars = axes.barh(
            np.arange(len(others)) + 0.38 * (index - 0.5),
            [100 * share[index] for share in shares],
            0.36, color=colour, label=label,
        )  # fmt: skip
        axes.bar_label(bars, fmt="%.0f", padding=2, fontsize=7)
    axes.set_yticks(range(len(others)), list(map(_title, others)))
    axes.invert_yaxis()
    axes.set_xlabel(f"% of different words and bigrams that are not in {_title(known)}")
    axes.legend(loc="lower right")
    rows = [(s.split, *share) for s, share in zip(others, shares, strict=True)]
    return Chart(figure, ("set", "new_words", "new_bigrams"), list(rows))


def overlap(summaries: Sequence[Summary]) -> Chart:
    """Draw how many instructions each pair of sets shares."""
    table = text_overlap(summaries)
    names = [summary.split for summary in summaries]
    side = 0.42 * len(names) + 2.2
    figure = _figure(side, side - 0.6)
    shares = [[cell / max(1, row[i]) for cell in row] for i, row in enumerate(table)]
    cells = [[f"{cell}" for cell in row] for row in table]
    _heat(figure.subplots(), shares, cells, names, names)
    figure.suptitle("instructions in common (capitals aside)", fontsize=10)
    return Chart(figure, ("set", *names), [(n, *row) for n, row in zip(names, table, strict=True)])


def _heat(
    axes: Any,
    shares: Sequence[Sequence[float]],
    cells: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
) -> None:
    top = max(map(max, shares)) or 1.0
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            colour = "white" if shares[i][j] > 0.6 * top else "black"
            axes.text(j, i, cell, ha="center", va="center", fontsize=6.5, color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)


def chosen_texts(summaries: Sequence[Summary]) -> list[tuple[str, str]]:
    """Return (set, sentence) for up to `MAPPED` sentences of each set, spread evenly."""
    chosen = []
    for summary in summaries:
        texts = list(summary.texts)
        count = min(MAPPED, len(texts))
        chosen += [(summary.split, texts[i * len(texts) // count]) for i in range(count)]
    return chosen


def sentence_map(
    texts: Sequence[tuple[str, str]], places: NDArray[np.float32], note: str = ""
) -> Chart:
    """Draw sentences as points, as in the paper's Figure 8a: a panel per set, one map in all.

    Args:
        texts: (set, sentence); the first set, in orange, is under the points of every other one.
        places: x and y of each, (len(texts), 2).
        note: what else the title says.
    """
    first, *others = groups = list(dict.fromkeys(name for name, _ in texts))
    points = {name: places[[split == name for split, _ in texts]].T for name in groups}
    columns = min(5, len(others)) or 1
    rows = -(-len(others) // columns) or 1
    figure = _figure(2 * columns, 2 * rows + 0.3)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(grid, others or groups, strict=False):
        axes.scatter(*places.T, s=3, color="#DDDDDD", linewidths=0)
        axes.scatter(*points[first], s=9, color=ORANGE, linewidths=0)
        axes.scatter(*points[name], s=9, color=BLUE, linewidths=0, alpha=0.8)
        axes.set_title(f"{name} (n={points[name].shape[1]})", fontsize=8)
    for axes in grid:
        axes.set_axis_off()
    key = f"blue: the set; orange: {first} (n={points[first].shape[1]}); grey: all"
    figure.suptitle(f"sentences by t-SNE of MiniLM{note} ({key})", fontsize=9)
    numbers = [
        (*text, f"{x:.3f}", f"{y:.3f}") for text, (x, y) in zip(texts, places.tolist(), strict=True)
    ]
    return Chart(figure, ("set", "sentence", "x", "y"), list(numbers))


def _title(summary: Summary) -> str:
    return f"{summary.split} (n={summary.num_episodes})"
