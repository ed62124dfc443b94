"""Templates to sentences and back: what can be said, and what exactly it means.

Not for flats, objects or plans: this room knows the words, not the world they are about.
"""

from langrearrange.language.grounding import Grounding
from langrearrange.language.schema import (
    Absent,
    Only,
    Openness,
    Place,
    Relation,
    Slot,
    StartFact,
    Stratum,
    Template,
    TemplateFile,
    Value,
)
from langrearrange.language.space import TextSpace

__all__ = [
    "Absent",
    "Grounding",
    "Only",
    "Openness",
    "Place",
    "Relation",
    "Slot",
    "StartFact",
    "Stratum",
    "Template",
    "TemplateFile",
    "TextSpace",
    "Value",
]
