"""`langrearrange help`: pages of the documentation, which are part of the installation."""

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from langrearrange.errors import UsageError, did_you_mean
from langrearrange.paths import docs_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Print a page of the documentation, or the list of pages.

    Messages that name docs/TOPIC.md mean the page that `langrearrange help TOPIC` prints.

      langrearrange help
      langrearrange help protocol
    """

    topic: Annotated[str, tyro.conf.Positional] = ""
    """name of the page; none lists all pages"""


def run(args: Args) -> int:
    """Print the page to stdout, formatted if that is a terminal."""
    pages = {path.stem: path for path in sorted(docs_path().glob("*.md"))}
    topic = args.topic.removeprefix("docs/").removesuffix(".md")
    if not topic:
        for name, path in pages.items():
            title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
            print(f"{name:<20}{title}")
        return 0
    if topic not in pages:
        hint = did_you_mean(topic, pages) or f"; accepted: {', '.join(pages)}"
        raise UsageError(f"unknown topic '{args.topic}'{hint}")
    text = pages[topic].read_text("utf-8")
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text, end="")
    return 0
