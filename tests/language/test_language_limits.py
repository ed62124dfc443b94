"""Limits of template files at both edges."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_samples import SMALL_FILE, write

from langrearrange.errors import TemplateError
from langrearrange.language import Place, load_templates

SEVERAL = SMALL_FILE.replace("{the object} from", "{a object} from")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_to_five_of_a_thing_may_stand_somewhere(tmp_path: Path, count: int) -> None:
    path = write(tmp_path, SEVERAL.replace("count: 1}", f"count: {count}}}"))
    fact = load_templates(path).template("fetch").start[0]
    assert fact == Place(("object",), "source", count)


@pytest.mark.parametrize("count", ["0", "6", "-1", "two", "1.0"])
def test_other_counts_are_refused(tmp_path: Path, count: str) -> None:
    path = write(tmp_path, SEVERAL.replace("count: 1}", f"count: {count}}}"))
    words = f"the count is '{count}'; accepted: a whole number from 1 to 5"
    with pytest.raises(TemplateError, match=words):
        load_templates(path)
