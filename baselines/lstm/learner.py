"""The LSTM as a learner of the engine."""

from langrearrange.errors import UsageError

from ..engine.config import RunConfig
from ..engine.encoder import Encoder
from ..engine.episodes import Sizes
from ..engine.language_model import model_options
from ..engine.learner import seeded
from ..engine.policy import Policy
from .episodes import LstmEpisodes
from .policy import LstmPolicy, Summary
from .text import SentenceStore, load_text_encoder


class Lstm:
    """LSTM-Flan and LSTM-LLaMA (paper C.3), by the setting `summary`."""

    settings = ("layers", "summary")

    def make_policy(self, config: RunConfig, encoder: Encoder, num_actions: int) -> LstmPolicy:
        """Return an untrained policy, its text encoder frozen unless it is to be trained."""
        if config.train_backbone == "lora" or config.tokens_per_step > 1:
            raise UsageError(
                "the lstm learner takes --train-backbone none or all, and --tokens-per-step 1"
            )
        text = load_text_encoder(config.backbone, **model_options(config))
        text.requires_grad_(config.train_backbone == "all")
        with seeded(config.seed, "adapters"):
            summary = Summary(text.width, config.summary)
            shape = encoder.feature_shape[0], encoder.proprio_dim
            return LstmPolicy(text, summary, *shape, num_actions)

    def make_episodes(self, config: RunConfig, policy: Policy, sizes: Sizes) -> LstmEpisodes:
        """Return running episodes."""
        assert isinstance(policy, LstmPolicy)
        store = SentenceStore(policy.backbone, config.prefix_megabytes << 20)
        return LstmEpisodes(policy, store, sizes)
