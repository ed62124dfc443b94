"""The `langrearrange` command: imports only the module of the verb, maps errors to exit codes.

Exit codes: 0 done, 1 a check failed or data is damaged, 2 wrong usage.
"""

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

VERBS: Final[dict[str, str]] = {
    "generate": "make episodes from templates, each solved and checked",
    "check": "check a data set: schema, hash, plans, presuppositions, one reading",
    "play": "look at an episode, drive it yourself or watch an agent",
    "evaluate": "run an agent over episodes and write a trace of every action",
    "score": "replay traces and print success and efficiency",
    "compare": "test whether one run is better than another, on the same episodes",
    "preflight": "tell whether a trace would be accepted and have a place, and why not",
    "board": "build a static leaderboard page from traces",
    "round": "rank agents on sealed episodes: make, commit, run, open, verify",
    "report": "write one HTML page to watch the episodes of a run",
    "stats": "count what can be said and what a data set holds",
    "gallery": "contact sheets of all flats and all models, as PNG",
    "export": "write episodes for other libraries: parquet, Minari, PDDL, Habitat",
    "import-official": "read the official release's pickled episodes, safely",
    "doctor": "versions, renderer, data hashes: paste it into a bug report",
    "help": "print a page of the documentation",
}
EXAMPLES: Final = """\
examples:
  langrearrange generate --split train_mini --num-episodes 200 --out out/mini
  langrearrange check out/mini
  langrearrange evaluate --agent explorer --episodes out/mini --out out/explorer.jsonl.gz
  langrearrange score out/explorer.jsonl.gz
  langrearrange play train/000009 --agent oracle --out out/oracle.gif
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code (also the console script's)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        from langrearrange import __version__

        print(f"langrearrange {__version__}")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        from langrearrange.errors import did_you_mean

        print(
            f"langrearrange: unknown verb '{verb}'; accepted: {', '.join(VERBS)}"
            + did_you_mean(verb, VERBS),
            file=sys.stderr,
        )
        return 2
    return _run(verb, rest)


def _overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {what}" for verb, what in VERBS.items()]
    return (
        "usage: langrearrange VERB [OPTIONS]\n\n"
        "Language-conditioned household rearrangement: episodes, env, agents, scores.\n\n"
        "verbs:\n" + "\n".join(lines) + "\n\n" + EXAMPLES + "\n"
        "`langrearrange VERB --help` explains a verb and its options; `langrearrange help` lists\n"
        "the pages of the documentation, and `langrearrange help TOPIC` prints one."
    )


def parse(verb: str, arguments: Sequence[str]) -> tuple[ModuleType, Any]:
    """Return a verb's module and its parsed options; exits with status 2 if they are invalid."""
    import tyro

    module = import_module(f"langrearrange.cli.{verb.replace('-', '_')}")
    kind = module.args_type(arguments) if hasattr(module, "args_type") else module.Args
    return module, tyro.cli(kind, prog=f"langrearrange {verb}", args=arguments)


def _run(verb: str, arguments: list[str]) -> int:
    from langrearrange.errors import LangRearrangeError, RunError

    try:
        module, args = parse(verb, arguments)
        return int(module.run(args))
    except LangRearrangeError as error:
        print(f"langrearrange {verb}: {error}", file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print(f"langrearrange {verb}: stopped; what was complete is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        full = error.errno == errno.ENOSPC
        hint = "; free some space, then run the same command again" if full else ""
        print(f"langrearrange {verb}: {error.strerror or error}{place}{hint}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
