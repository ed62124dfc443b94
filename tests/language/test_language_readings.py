"""docs/reading: the table is what its two files say."""

import csv
import re
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reading"


def test_the_table_counts_the_lines_of_the_files() -> None:
    table = dict(
        re.findall(r"^\| ([\w ]+) \| ([\d/ |]+) \|$", (FOLDER / "README.md").read_text(), re.M)
    )
    for column, name in enumerate(("sample_1.tsv", "sample_2.tsv")):
        counts: list[Counter[str]] = [Counter(), Counter()]
        with (FOLDER / name).open(encoding="ascii", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
        assert len(rows) == 400
        for episode, _, _, *pairs in rows:
            for count, reading, match in zip(counts, pairs[::2], pairs[1::2], strict=True):
                assert match == "yes" or match.startswith("partly: ")
                count[episode.split("/")[0]] += match == "yes"
                count["all 400"] += match == "yes"
                count["sentences with a remark"] += " [remark: " in reading
        for row, text in table.items():
            said = [int(n) for n in text.split("|")[column].split("/")]
            assert said == [count[row] for count in counts], (name, row)
        assert set(table) == set(counts[0])
