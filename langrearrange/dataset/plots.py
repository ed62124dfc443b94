"""Figures of data sets, from `dataset.analysis` (extra `plots`). They return figures, never save.

Colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from langrearrange.dataset.analysis import Summary, mean, text_overlap
from langrearrange.errors import MissingExtraError
from langrearrange.world.vocabulary import RECEPTACLES, english

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = OKABE_ITO = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
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


def _figure(width: float, height: float) -> Figure:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("plots", "plots", "matplotlib") from None
    mpl.rcParams.update(STYLE)
    # Not through pyplot, which would keep every figure alive and look for a display.
    return Figure(figsize=(width, height), layout="constrained")


def instruction_lengths(summaries: Sequence[Summary]) -> Figure:
    """Draw the mean instruction length in words of each split, with its range."""
    figure = _figure(7, 0.36 * len(summaries) + 1.2)
    axes = figure.subplots()
    for row, summary in enumerate(summaries):
        lengths = summary.instruction_words
        axes.plot([min(lengths), max(lengths)], [row, row], color=SKY, lw=5, solid_capstyle="butt")
        axes.plot(mean(lengths), row, "o", color=BLUE)
    axes.set_yticks(range(len(summaries)), [f"{s.split} (n={s.num_episodes})" for s in summaries])
    axes.invert_yaxis()
    axes.set_xlabel("instruction length, words (bar: shortest to longest, dot: mean)")
    return figure


def plan_lengths(summaries: Sequence[Summary]) -> Figure:
    """Draw a histogram of optimal plan lengths per split, all on one scale."""
    columns = 3 if len(summaries) > 2 else len(summaries)
    rows = -(-len(summaries) // columns)
    figure = _figure(2.9 * columns, 1.7 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, summary in zip(grid.flat, summaries, strict=False):
        steps = sorted(summary.plan_steps)
        share = [summary.plan_steps[s] / summary.num_episodes for s in steps]
        axes.bar(steps, share, color=BLUE, width=0.9)
        axes.set_title(f"{summary.split}, n={summary.num_episodes}", loc="left")
    for axes in list(grid.flat)[len(summaries) :]:
        axes.set_axis_off()
    figure.supxlabel("optimal plan, skills", fontsize=9)
    figure.supylabel("share of episodes", fontsize=9)
    return figure


def word_frequencies(summary: Summary, top: int = 40) -> Figure:
    """Draw the most frequent words of a split."""
    words = summary.words.most_common(top)
    figure = _figure(9, 3)
    axes = figure.subplots()
    axes.bar(range(len(words)), [count for _, count in words], color=BLUE)
    axes.set_xticks(range(len(words)), [word for word, _ in words], rotation=70, ha="right")
    axes.set_ylabel("occurrences")
    total = f"n={summary.words.total()} words, {len(summary.words)} distinct"
    axes.set_title(f"{summary.split}: {total}", loc="left")
    return figure


def receptacle_balance(summary: Summary) -> Figure:
    """Draw where objects start and where optimal plans put them."""
    figure = _figure(9, 3.2)
    grid = figure.subplots(1, 2, sharey=True)
    for axes, counts, label in (
        (grid[0], summary.starts, "objects at the start"),
        (grid[1], summary.targets, "placed on, by the optimal plan"),
    ):
        _share_bars(axes, counts, label)
    grid[0].set_yticks(range(len(RECEPTACLES)), [english(name) for name in RECEPTACLES])
    grid[0].invert_yaxis()
    figure.suptitle(f"{summary.split}, {summary.num_episodes} episodes", fontsize=10)
    return figure


def _share_bars(axes: Any, counts: Counter[str], label: str) -> None:
    total = counts.total() or 1
    shares = [counts[name] / total for name in RECEPTACLES]
    axes.barh(range(len(RECEPTACLES)), shares, color=BLUE)
    axes.axvline(1 / len(RECEPTACLES), color=ORANGE, lw=1, label="1/11")
    axes.set_xlabel(f"share of {label} (n={counts.total()})")
    axes.legend(loc="lower right")


def overlap(summaries: Sequence[Summary]) -> Figure:
    """Draw how many instructions each pair of sets shares."""
    table = text_overlap(summaries)
    names = [summary.split for summary in summaries]
    side = 0.42 * len(names) + 2.2
    figure = _figure(side, side - 0.6)
    axes = figure.subplots()
    shares = [[cell / max(1, row[i]) for cell in row] for i, row in enumerate(table)]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(table):
        for j, cell in enumerate(row):
            colour = "white" if shares[i][j] > 0.6 else "black"
            axes.text(j, i, str(cell), ha="center", va="center", fontsize=6.5, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
    axes.set_yticks(range(len(names)), names)
    figure.suptitle("instructions in common (capitals aside)", fontsize=10)
    return figure
