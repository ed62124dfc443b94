"""Moving pictures and the page show success, failure and text in the same colours."""

import re
from pathlib import Path

from langrearrange.leaderboard import animation


def test_the_colours_of_an_animation_are_those_of_the_page() -> None:
    css = (Path(animation.__file__).parent / "page.css").read_text()
    css = css[: css.index("}")]  # the light theme stands first
    named = {name: bytes.fromhex(code) for name, code in re.findall(r"--(\w+): #(\w{6})", css)}
    for name, colour in (("good", animation.GOOD), ("bad", animation.BAD), ("ink", animation.INK)):
        assert bytes(colour) == named[name]
