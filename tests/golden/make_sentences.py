"""Writes sentences.txt: one grounding of every template, read by eye. Run by `make golden`."""

from __future__ import annotations

from pathlib import Path

from langrearrange.language import Relation, TextSpace, load_split
from langrearrange.language.loader import TEXTS_OF

PATH = Path(__file__).with_name("sentences.txt")
RELATIONS = (
    Relation("left_of", ("sofa",), "tv_stand"),
    Relation("right_of", ("left_counter",), "sink"),
    Relation("between", ("fridge", "sink"), "right_counter"),
)


def golden_sentences() -> str:
    """Return what the file should hold: sentence, goal, facts and cluster of each template."""
    lines = []
    for split in dict.fromkeys(TEXTS_OF.values()):
        for template in load_split(split).templates:
            space = TextSpace(template, RELATIONS)
            grounding = space[len(space) * 5 // 8]
            lines += [f"{split}/{template.id}", f"  {grounding.sentence}", f"  {grounding.goal}"]
            for index, case in enumerate(template.cases):
                name = f" [{case.name}]" if case.name else ""
                facts = "; ".join(map(str, grounding.start_facts(index)))
                lines.append(f" {name} {facts}")
            lines.append(f"  cluster {grounding.cluster}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(golden_sentences(), encoding="ascii")
