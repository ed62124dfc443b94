"""LLaRP as a learner of the engine."""

from ..engine.config import RunConfig
from ..engine.encoder import Encoder
from ..engine.episodes import Sizes
from ..engine.language_model import model_options
from ..engine.learner import derived_seed, seeded
from ..engine.policy import ActionModule, Policy
from .backbone import load_backbone
from .episodes import LlarpEpisodes
from .lora import add_lora
from .observation import ObservationModule
from .policy import LlarpPolicy
from .prefixes import PrefixStore


class Llarp:
    """A language model between two trained adapters."""

    settings = ("layers", "observation_module", "tokens_per_step", "lora_rank", "lora_alpha")

    def make_policy(self, config: RunConfig, encoder: Encoder, num_actions: int) -> LlarpPolicy:
        """Return an untrained policy; its backbone is frozen, or has what is to be trained."""
        backbone = load_backbone(config.backbone, **model_options(config))
        with seeded(config.seed, "adapters"):
            sizes = encoder.feature_shape, encoder.proprio_dim, backbone.hidden_size
            kind, tokens = config.observation_module, config.tokens_per_step
            observation = ObservationModule(*sizes, kind, tokens)
            action = ActionModule(backbone.hidden_size, num_actions)
        if config.train_backbone == "all":
            backbone.model.requires_grad_(True)
        elif config.train_backbone == "lora":
            seed = derived_seed(config.seed, "lora")
            add_lora(backbone.model, config.lora_rank, config.lora_alpha, seed)
        return LlarpPolicy(backbone, observation, action)

    def make_episodes(self, config: RunConfig, policy: Policy, sizes: Sizes) -> LlarpEpisodes:
        """Return running episodes."""
        assert isinstance(policy, LlarpPolicy)
        max_bytes = config.prefix_megabytes << 20
        store = PrefixStore(policy.backbone, max_bytes, together=not config.exact_resume)
        return LlarpEpisodes(policy, store, sizes)
