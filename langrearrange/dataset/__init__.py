"""Episodes as records and as folders on disk. Not for drawing them (`langrearrange.generator`)."""

from langrearrange.dataset.codec import check_episode, decode_episode, encode_episode
from langrearrange.dataset.episode import (
    Episode,
    EpisodeId,
    ObjectPlacement,
    Pose,
    Start,
    parse_episode_id,
)
from langrearrange.dataset.manifest import Manifest, Provenance, read_manifest
from langrearrange.dataset.order import EpisodeOrder
from langrearrange.dataset.reader import Dataset, open_dataset
from langrearrange.dataset.source import Chosen, EpisodeList, EpisodeSource, Selection, select
from langrearrange.dataset.validate import episode_problems
from langrearrange.dataset.writer import DatasetWriter, write_dataset

__all__ = [
    "Chosen",
    "Dataset",
    "DatasetWriter",
    "Episode",
    "EpisodeId",
    "EpisodeList",
    "EpisodeOrder",
    "EpisodeSource",
    "Manifest",
    "ObjectPlacement",
    "Pose",
    "Provenance",
    "Selection",
    "Start",
    "check_episode",
    "decode_episode",
    "encode_episode",
    "episode_problems",
    "open_dataset",
    "parse_episode_id",
    "read_manifest",
    "select",
    "write_dataset",
]
