"""The schema of a trace, the record of a run: header, one line per episode, footer.

Not for files (`trace_reader`, `trace_writer`). Declared results are not trusted: `replay`
recomputes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from langrearrange import __version__
from langrearrange.errors import SubmissionError, UsageError

SCHEMA_VERSION: Final[Literal[2]] = 2
MAX_EPISODES: Final = 200_000
MAX_ACTIONS: Final = 1_000

MAX_TEXT: Final = 500
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
"""Free text of submitters, shown to others; `AgentFacts` requires printable characters."""
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_LETTER: Final = r"!-~\u00c0-\u024f"
"""Printable ASCII and accented Latin letters: no invisible or bidirectional characters."""
Action = Annotated[int, msgspec.Meta(ge=0, lt=1_000)]
"""A number that may be a skill; `replay` knows which ones are."""
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=100, pattern=rf"^[{_LETTER}]([ {_LETTER}]*[{_LETTER}])?$"
    ),
]
Split = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32}|[0-9a-f]{64})?$")]
ProtocolName = Literal["paper", "hard"]
Failure = Literal["", "crash", "timeout", "bad_action", "refusal", "interrupted"]
"""Why the agent's part ended early: crash, time limit, invalid action or no answer.
`interrupted`: the evaluator ended during the episode, which in a sealed round counts as failed."""
Interface = Literal["in-process", "process", "http"]
Isolation = Literal["none", "process", "user", "sandbox", "remote"]
"""What separates the agent from the episodes: nothing, a process of the same user, another user,
a sandbox, another machine."""
OutcomeName = Literal[
    "none", "ok", "hand_full", "hand_empty", "not_near", "closed", "already_open",
    "already_closed", "absent", "stop",
]  # fmt: skip
ISOLATED: Final = frozenset[Isolation](("user", "sandbox", "remote"))


class AgentFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts that a submitter declares about an agent; only `modality` is checked.

    Attributes:
        name: shown in tables.
        modality: what it sees, a name of `env.MODALITIES` or `module:factory`.
        privileged: it was shown the episodes (tier T0, never ranked).
        perception: what its encoder was trained on, at most 200 characters.
        authors, url, parameters, train_data, note: free text, at most 500 characters.
    """

    name: Name
    modality: Name
    privileged: bool = False
    perception: Annotated[str, msgspec.Meta(max_length=200)] = ""
    authors: Text = ""
    url: Text = ""
    parameters: Text = ""
    train_data: Text = ""
    note: Text = ""

    @property
    def seen_by(self) -> str:
        """Perception as tables give it; the modality where none is declared."""
        return self.perception or self.modality

    def __post_init__(self) -> None:
        """Raise UsageError for long text, control, bidirectional or zero-width characters."""
        for name in ("perception", "authors", "url", "parameters", "train_data", "note"):
            text, limit = getattr(self, name), 200 if name == "perception" else MAX_TEXT
            if len(text) > limit:
                raise UsageError(
                    f"the agent's {name} has {len(text)} characters; accepted: at most {limit}"
                )
            if not text.isprintable():
                raise UsageError(
                    f"the agent's {name} is {text!r:.80}; accepted: printable characters"
                )


class LimitFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of an agent; 0 for none.

    Attributes:
        start_s, step_s, episode_s: see `agents.Limits`.
        memory_mb: of each process, and of an isolated agent's processes together.
        processes: how many an isolated agent may have, threads included.
        cpus: cores it may use.
    """

    start_s: Seconds = 0.0
    step_s: Seconds = 0.0
    episode_s: Seconds = 0.0
    memory_mb: Count = 0
    processes: Count = 0
    cpus: Count = 0


class Conditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run was played; written by `evaluate`, not by the agent.

    Attributes:
        interface: how the evaluator called the agent.
        isolation: what separated it from the episodes.
        network: whether it may have reached the network.
        workers: processes that played, the most at any time.
        limits: of the agent.
        simulator: what rendered the images.
        machine: processor architecture, such as `x86_64`; images are bit-identical on the same.
        resumes: how often the run was interrupted and resumed.
        round: commitment of the sealed round it was played for, "" for none.
        package_sha256: of the source of the langrearrange that played.
    """

    interface: Interface = "in-process"
    isolation: Isolation = "none"
    network: bool = True
    workers: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    limits: LimitFacts = LimitFacts()
    simulator: Name = "embedded"
    machine: Annotated[str, msgspec.Meta(max_length=40, pattern="^[A-Za-z0-9_.-]*$")] = ""
    resumes: Count = 0
    round: Digest = ""
    package_sha256: Digest = ""


class DatasetFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which episodes of a split were to be played.

    Attributes:
        num_episodes: how many.
        sha256: of their canonical content, in file order.
    """

    num_episodes: Annotated[int, msgspec.Meta(ge=1, le=MAX_EPISODES)]
    sha256: Digest


class Header(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="header",
):  # fmt: skip
    """The first line of a trace.

    Attributes:
        schema_version: of the file; readers refuse others.
        package_version: of langrearrange when the run was made.
        protocol: `paper` or `hard` (design 3.5); boards of their own.
        horizon: skills an episode may take.
        seed: given to the agent.
        agent: declared facts.
        played: under which conditions.
        datasets: split -> which episodes.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    package_version: Name
    protocol: ProtocolName = "paper"
    horizon: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 32
    seed: int = 0
    agent: AgentFacts
    played: Conditions = Conditions()
    datasets: Annotated[dict[Split, DatasetFacts], msgspec.Meta(max_length=64)]

    @property
    def num_episodes(self) -> int:
        """How many episodes were to be played."""
        return sum(facts.num_episodes for facts in self.datasets.values())

    @property
    def max_line(self) -> int:
        """Longest line of an episode, in bytes: 22 for each skill and its outcome."""
        return 400 + 22 * self.horizon


class StartLine(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="start",
):  # fmt: skip
    """Only in unfinished files: written before the agent receives the episode."""

    id: Name


class EpisodeTrace(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="episode",
):  # fmt: skip
    """What an agent did in one episode.

    Attributes:
        id: episode id; `#k` for a variant.
        actions: skills in order.
        outcomes: outcome of each action, for readers; replay recomputes them.
        success: as declared; replay ignores it.
        failure: why the agent stopped answering, "" if it did not.
        attempts: how often it was started; more than 1 if the evaluator was killed during it.
        chain: hash of the observations that the agent received, "" if not recorded.
    """

    id: Name
    actions: Annotated[tuple[Action, ...], msgspec.Meta(max_length=MAX_ACTIONS)]
    outcomes: Annotated[tuple[OutcomeName, ...], msgspec.Meta(max_length=MAX_ACTIONS)] = ()
    success: bool = False
    failure: Failure = ""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    chain: Digest = ""


class Footer(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="footer",
):  # fmt: skip
    """The last line: number of episode lines, sha256 of every byte before this line."""

    episodes: int
    sha256: Digest


Line = Header | StartLine | EpisodeTrace | Footer
ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Trace:
    """A complete trace with valid schema and footer; its declared results are not checked."""

    header: Header
    episodes: tuple[EpisodeTrace, ...]


def encode_line(line: Line) -> bytes:
    """Return the canonical line, newline included."""
    return ENCODER.encode(line) + b"\n"


def decode_line(data: bytes, place: str) -> Line:
    """Read one line; SubmissionError gives the place and what is wrong."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_other(_version_of(data), place)
        reason = ascii(str(error))[1:-1][:500]
        raise SubmissionError(f"{place}: not a line of a trace ({reason})") from None


class _Version(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def _version_of(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Version).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SCHEMA_VERSION


def _refuse_other(version: int, place: str) -> None:
    if version != SCHEMA_VERSION:
        raise SubmissionError(
            f"{place}: schema version {version}, but langrearrange {__version__} reads version "
            f"{SCHEMA_VERSION}; score it with the release that wrote it (results/v0/README.md)"
        )
