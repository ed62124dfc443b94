"""The small GRU policy as a learner of the engine."""

from langrearrange.errors import UsageError

from ..engine.config import RunConfig
from ..engine.encoder import Encoder
from ..engine.episodes import Sizes
from ..engine.learner import seeded
from ..engine.policy import Policy
from ..engine.tiny import WordTokenizer
from .episodes import GruEpisodes, WordStore
from .policy import GruPolicy


class Gru:
    """A GRU of 256 with attention to hashed words, 1.4 million parameters; no language model."""

    settings: tuple[str, ...] = ()

    def make_policy(self, config: RunConfig, encoder: Encoder, num_actions: int) -> GruPolicy:
        """Return an untrained policy."""
        if config.train_backbone != "none" or config.tokens_per_step > 1:
            raise UsageError(
                "the gru learner has no language model; it takes --train-backbone none and "
                "--tokens-per-step 1"
            )
        with seeded(config.seed, "adapters"):
            return GruPolicy(encoder.feature_shape[0] + encoder.proprio_dim, num_actions)

    def make_episodes(self, config: RunConfig, policy: Policy, sizes: Sizes) -> GruEpisodes:
        """Return running episodes."""
        assert isinstance(policy, GruPolicy)
        tokenizer = WordTokenizer()
        store = WordStore(lambda text: tuple(tokenizer(text)["input_ids"]))
        return GruEpisodes(policy, store, sizes)
