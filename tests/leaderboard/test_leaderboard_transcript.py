"""What a page shows of a transcript: whole short messages, the last lines of long ones."""

from __future__ import annotations

from langrearrange.leaderboard.transcript import SHOWN, Exchange, said_in


def test_a_long_message_is_shown_from_a_line_on() -> None:
    told = "\n".join(f"rule {number} of many" for number in range(200)) + "\nTask: Go."
    long = Exchange(instruction="Go.", turn=0, step=0, told=told, answer="ok")
    short = Exchange(instruction="Go.", turn=1, step=1, told="You went.", answer="ok")
    shown = said_in([long, short])["Go."]
    first, *lines = shown[0].split("\n")
    assert first == "[...]"
    assert lines[0].startswith("rule ")
    assert lines[-3:] == ["Task: Go.", "", "> ok"]
    assert len(shown[0]) < SHOWN + 50
    assert shown[1] == "You went.\n\n> ok"
