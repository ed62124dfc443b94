"""The table and the verdict of a mutation run, and the mutations that change no behaviour."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import yaml

EQUIVALENT: Final = Path(__file__).parent / "equivalent.yaml"
MAX_EQUIVALENT: Final = 10
MAX_SURVIVING: Final = 0.05


def read_equivalent() -> dict[tuple[str, str, str], str]:
    """Return {(file, source line, operator): reason}: line numbers may move."""
    entries = yaml.safe_load(EQUIVALENT.read_text()) or []
    found = {(e["file"], e["line"], e["operator"]): e["reason"] for e in entries}
    if len(found) != len(entries) or len(found) > MAX_EQUIVALENT or not all(found.values()):
        raise SystemExit(
            f"{EQUIVALENT}: at most {MAX_EQUIVALENT} different entries, each with its reason"
        )
    return found


def print_report(records: list[dict[str, Any]]) -> int:
    """Print counts by room and every survivor; 1 if more than 5 % survive, else 0."""
    equivalent = read_equivalent()
    counts: Counter[tuple[str, str]] = Counter()
    for record in records:
        place, operator = record["key"].rsplit(" ", 1)
        key = (place.rsplit(":", 1)[0], record["text"], operator.split("#")[0])
        outcome = record["outcome"]
        if outcome == "survived" and key in equivalent:
            outcome = "equivalent"
        counts[record["room"], outcome] += 1
        if outcome == "survived":
            print(f"\n{place}: {operator} ({record['num_reaching']} tests reach it)")
            print("\n".join(record["diff"]))
    columns = ("detected", "timeout", "equivalent", "survived")
    print(f"\n{'room':12} {'sampled':>10}" + "".join(f"{column:>12}" for column in columns))
    rooms = sorted({room for room, _ in counts})
    for room in (*rooms, "all"):
        row = [sum(counts[r, c] for r in rooms if room in (r, "all")) for c in columns]
        print(f"{room:12} {sum(row):10}" + "".join(f"{number:12}" for number in row))
    share = row[-1] / max(1, sum(row))
    print(f"{share:.1%} survived; at most {MAX_SURVIVING:.0%} may")
    return int(share > MAX_SURVIVING)
