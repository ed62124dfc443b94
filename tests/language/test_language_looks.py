"""Descriptions against the models: what a look says of colour and form is so of every model."""

from __future__ import annotations

import re

import pytest

from langrearrange.houses.models import MODELS, models_of
from langrearrange.language import load_lexicon
from langrearrange.world.vocabulary import CATEGORIES

LEXICON = load_lexicon()
COLOURS = {
    "red", "green", "yellow", "purple", "silver", "orange-pink", "white", "blue", "black", "brown",
    "grey", "pink",
}  # fmt: skip
FORMS = {
    "round": {"round", "cylinder"}, "long": {"long"}, "flat": {"flat"}, "oval": {"oval"},
    "c-shaped": {"c-shaped"}, "u-shaped": {"u-shaped"}, "cone-shaped": {"cone-shaped"},
    "bent": {"bent"}, "pistol": {"pistol"}, "pistol-shaped": {"pistol"}, "slotted": {"slotted"},
    "slots": {"slotted"}, "studs": {"studs"}, "wings": {"wings"}, "knob": {"knob"},
    "crossbar": {"crossbar"}, "trigger": {"trigger"}, "pages": {"pages"}, "carton": {"carton"},
    "bottle": {"bottle"}, "layers": {"layers"}, "loops": {"loops"}, "jaws": {"jaws"},
    "propeller": {"propeller"}, "stickers": {"stickers"}, "seeds": {"seeds"}, "deep": {"deep"},
}  # fmt: skip
"""Word of a description -> words of a model's form that make it true."""
NOT_OF_THE_WHOLE = ("flat sides", "flat end", "long screw", "round studs", "long-handled")
"""Form words that speak of a part."""


def seen(model_id: str) -> set[str]:
    model = MODELS[model_id]
    return set(re.findall(r"[a-z-]+", " ".join((*model.colors, *model.shapes)).lower()))


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_a_look_says_is_true_of_every_model(category: str) -> None:
    for look in LEXICON.looks[category]:
        text = look.forms[""].lower()
        for part in NOT_OF_THE_WHOLE:
            text = text.replace(part, "")
        words = set(re.findall(r"[a-z-]+", text))
        for model in models_of(category):
            missing = (words & COLOURS) - seen(model.id)
            assert not missing, (look.forms[""], model.id)
            for word in words & FORMS.keys():
                assert FORMS[word] & seen(model.id), (look.forms[""], model.id, word)


def test_no_other_fruit_has_the_colours_of_a_described_fruit() -> None:
    """A look of colour words and "fruit" alone fits another fruit of that colour: say so."""
    fruit = [c for c in CATEGORIES if any(v.forms[""].endswith("fruit") for v in LEXICON.looks[c])]
    for category in fruit:
        for look in LEXICON.looks[category]:
            words = look.forms[""].split()
            colours = set(words) & COLOURS
            plain = words[-1] == "fruit" and set(words[:-1]) <= COLOURS
            for other in fruit if plain else ():
                alike = any(colours <= seen(model.id) for model in models_of(other))
                assert other == category or not alike or other in look.avoid
