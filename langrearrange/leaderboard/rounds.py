"""A sealed round as a folder: its key, its public record and the traces played on it.

Not for making episodes (`sealed`) and not for playing them (`evaluate`).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from langrearrange import __version__
from langrearrange.dataset import Provenance
from langrearrange.errors import SubmissionError, UsageError
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.provenance import changes
from langrearrange.leaderboard.sealed import SealedRound
from langrearrange.leaderboard.trace import Name, Split

KEY, RECORD, TRACES = "key", "round.json", "traces"
MAX_RECORD: Final = 1 << 20
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$")]


class RoundRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is public of a round: `round.json`.

    Attributes:
        schema_version: of this record.
        package_version: of the langrearrange that made it.
        commitment: over key, versions, templates, models, flats, sizes and settings of all sets.
        sets: name of each -> what its episodes depend on besides the key.
        key: the secret, "" until the round is opened.
        traces: name -> sha256 of the traces that were there when it was opened.
    """

    schema_version: Literal[1] = 1
    package_version: Name
    commitment: Sha256
    sets: Annotated[dict[Split, Provenance], msgspec.Meta(max_length=64)]
    key: Annotated[str, msgspec.Meta(max_length=200)] = ""
    traces: dict[FileName, Sha256] = {}


class Round:
    """A round on disk.

    Args:
        path: its folder; or its `round.json` alone, once it is opened.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        self.folder = path.parent if path.name == RECORD else path

    @classmethod
    def make(cls, folder: Path | str) -> Round:
        """Draw a key and put it into a new folder that nobody else may read."""
        made = cls(folder)
        if made.folder.exists():
            raise UsageError(f"{folder} exists; name a folder that does not")
        made.folder.mkdir(mode=0o700, parents=True)
        made.traces_folder.mkdir()
        descriptor = os.open(made.folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(secrets.token_hex(16) + "\n")
        return made

    @property
    def traces_folder(self) -> Path:
        """Where `round run` puts traces."""
        return self.folder / TRACES

    @property
    def record(self) -> RoundRecord:
        """The public record; SubmissionError if there is none, or a damaged one."""
        path = self.folder / RECORD
        if not path.is_file():
            raise SubmissionError(
                f"{path}: no such file; a round begins with `round make` and `round commit`"
            )
        if path.stat().st_size > MAX_RECORD:
            raise SubmissionError(f"{path}: larger than {MAX_RECORD >> 20} MiB")
        try:
            return msgspec.json.decode(path.read_bytes(), type=RoundRecord)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            told = ascii(str(error))[1:-1][:500]
            raise SubmissionError(f"{path}: not the record of a round ({told})") from None

    def commit(self) -> RoundRecord:
        """Write the public record, once; its commitment is to be published before any run."""
        sealed = SealedRound(self._secret())
        if (self.folder / RECORD).exists():
            self.sealed()  # refuses a record of another key
            return self.record
        record = RoundRecord(
            package_version=__version__, commitment=sealed.commitment, sets=sealed.provenances
        )
        self._write(record)
        return record

    def sealed(self) -> SealedRound:
        """Return the sets, made again and compared with the commitment.

        Raises:
            SubmissionError: no key yet, a key that does not open the commitment, or templates,
                models or flats other than those the round was made with.
        """
        record = self.record
        sealed = SealedRound(record.key or self._secret())
        if sealed.commitment == record.commitment:
            if record.sets != sealed.provenances:
                raise SubmissionError(
                    f"{self.folder / RECORD} lists other sets than its commitment binds; take the "
                    "file as `round commit` wrote it"
                )
            return sealed
        for name, spec in sealed.specs.items():
            if changed := changes(record.sets.get(name), blueprint_of(spec)):
                raise SubmissionError(
                    f"the round was made with langrearrange {record.package_version}: {changed}"
                )
        return SealedRound(record.key or self._secret(), record.commitment)

    def open(self) -> RoundRecord:
        """Make the key public, with the hashes of the traces so far; nothing is played after."""
        if not self.record.key:
            self.sealed()
            found = sorted(self.traces_folder.glob("*.jsonl.gz"))
            traces = {path.name: sha256_of(path) for path in found}
            self._write(msgspec.structs.replace(self.record, key=self._secret(), traces=traces))
        return self.record

    def refuse_late(self, trace: Path) -> None:
        """Raise SubmissionError for a trace that may be younger than the opening of the key."""
        record = self.record
        if record.key and sha256_of(trace) not in record.traces.values():
            raise SubmissionError(
                f"{trace.name} is none of the {len(record.traces)} traces that were there when the "
                "round was opened; since then everybody knows its episodes"
            )

    def trace_of(self, name: str) -> Path:
        """Return where the trace of an agent of this name goes; UsageError if the round is open."""
        if self.record.key:
            raise UsageError("the round is open: everybody knows its episodes; make another one")
        return self.traces_folder / f"{re.sub('[^A-Za-z0-9_-]+', '_', name)[:100]}.jsonl.gz"

    def _secret(self) -> str:
        path = self.folder / KEY
        if not self.folder.is_dir():
            raise UsageError(f"{self.folder}: no such round; `round make FOLDER` begins one")
        if not path.is_file():
            raise SubmissionError(
                f"{self.folder}: the round is not open yet, and its key is not here; its "
                "organiser publishes it with `round open`"
            )
        return path.read_text("utf-8", errors="replace").strip()[:200]

    def _write(self, record: RoundRecord) -> None:
        fresh = self.folder / f"{RECORD}.tmp"
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        os.replace(fresh, self.folder / RECORD)


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
