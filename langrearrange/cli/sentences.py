"""Sentences of data sets to read, with their goals in words, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langrearrange.cli.common import open_source
from langrearrange.seeding import HOUSE_VERSION, KeyedPermutation


def page(names: Sequence[str], num_sentences: int) -> Iterator[str]:
    """Yield the lines of a page: of each set the same sentences every time, in file order."""
    from langrearrange.language.plain import in_words
    from langrearrange.world.goals import parse_goal

    sources = [open_source(name) for name in names]  # refuses a name before a line is printed
    yield f"<!-- langrearrange stats {' '.join(names)} --sentences {num_sentences} -->"
    for source in sources:
        drawn = KeyedPermutation(len(source), HOUSE_VERSION, "sentences", source.split)
        count = min(num_sentences, len(source))
        yield f"\n## {source.split}\n\n| episode | sentence | goal |\n|---|---|---|"
        for position in sorted(drawn[i] for i in range(count)):
            episode = source.get(position)
            number = episode.id.rpartition("/")[2]
            yield f"| {number} | {episode.instruction} | {in_words(parse_goal(episode.goal))} |"
