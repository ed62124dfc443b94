"""Encoders are frozen, pure functions of a picture; labels say what the simulator knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from langrearrange_baselines.vision import VisionError, load_encoder
from langrearrange_baselines.vision.encoder import resized
from langrearrange_baselines.vision.labels import NUM_CELL_CLASSES, ROBOT
from langrearrange_baselines.vision.loading import (
    random_network,
    read_network,
    write_network,
)
from langrearrange_baselines.vision.scenes import AS_FOUND, EMPHASISED, SceneStream, swapped
from langrearrange_baselines.vision.segcnn import SegCnnConfig, SegCnnEncoder

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.env.spaces import STATE_SIZES
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.houses import MODELS
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    NUM_CATEGORIES,
    OPENABLE_OF_RECEPTACLE,
    RECEPTACLES,
)

TINY = SegCnnConfig(input_size=64, widths=(8, 8, 16, 16), evidence=16, embedding=24)


def tiny_encoder(seed: int = 0) -> SegCnnEncoder:
    return SegCnnEncoder(random_network(TINY, seed), "tiny")


def noise(count: int, size: int = 64, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=generator)


def test_features_have_the_promised_shape_and_are_half_floats() -> None:
    encoder = tiny_encoder()
    features = encoder.encode(noise(3))
    assert features.shape == (3, encoder.feature_dim)
    assert features.dtype == torch.float16
    assert torch.isfinite(features).all()
    assert encoder.encode(noise(0)).shape == (0, encoder.feature_dim)


def test_a_pictures_features_do_not_depend_on_the_others_in_the_batch() -> None:
    encoder = tiny_encoder()
    pictures = noise(70)
    together, alone = encoder.encode(pictures), encoder.encode(pictures[66:67])
    torch.testing.assert_close(together[66:67], alone, atol=2e-3, rtol=2e-3)


def test_beliefs_are_probabilities() -> None:
    encoder = tiny_encoder()
    beliefs = encoder.encode(noise(4))[:, TINY.embedding :].float()
    assert ((beliefs >= 0) & (beliefs <= 1)).all()
    held = beliefs[:, NUM_CATEGORIES : 2 * NUM_CATEGORIES + 1]
    torch.testing.assert_close(held.sum(1), torch.ones(4), atol=5e-3, rtol=0)


def test_an_encoder_is_frozen_whatever_is_asked_of_it() -> None:
    encoder = tiny_encoder()
    assert not encoder.train().training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.encode(noise(1)).requires_grad


def test_larger_pictures_are_averaged_over_areas() -> None:
    picture = torch.rand(1, 3, 8, 8)
    expected = picture.reshape(1, 3, 4, 2, 4, 2).mean((3, 5))
    torch.testing.assert_close(resized(picture, 4), expected)
    assert resized(picture, 16).shape == (1, 3, 16, 16)
    assert resized(picture, 8) is picture


def test_the_random_control_has_the_shape_of_the_default_and_never_changes() -> None:
    first, second = load_encoder("random"), load_encoder("random")
    assert isinstance(first, SegCnnEncoder)
    assert first.input_size == 256
    assert torch.equal(first.encode(noise(1, 256)), second.encode(noise(1, 256)))


def test_drawing_random_weights_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    random_network(TINY, 3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_survive_a_file_in_half_precision(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    encoder = tiny_encoder(3)
    write_network(encoder.network, file, {"note": 1})
    network, facts = read_network(file)
    assert facts == {"note": 1}
    assert network.config == TINY
    expected = {k: v.half().float() for k, v in encoder.network.state_dict().items()}
    assert all(torch.equal(v, expected[k]) for k, v in network.state_dict().items())
    assert load_encoder(file).feature_dim == encoder.feature_dim


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("segcn", "did you mean 'segcnn'"),
        ("nowhere/net.safetensors", "vision.pretrain --out"),
        ("nowhere", "accepted: segcnn, random, symbolic"),
    ],
)
def test_an_unknown_encoder_is_named_with_a_remedy(name: str, says: str) -> None:
    with pytest.raises(VisionError, match=says):
        load_encoder(name)


def test_torn_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(b"nonsense")
    with pytest.raises(VisionError, match="cannot be read"):
        load_encoder(file)
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(VisionError, match="this release reads"):
        load_encoder(file)


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(VisionError, match=r"height, width, 3\) uint8"):
        tiny_encoder().encode(torch.zeros(1, 64, 64, 3))


def test_the_symbolic_encoder_flattens_the_state_observation() -> None:
    encoder = load_encoder("symbolic")
    env = gym.make_vec("LangRearrange-v0", num_envs=3, observation="state")
    observation, _ = env.reset(seed=0)
    features = encoder.encode_observation(observation)
    assert features.shape == (3, encoder.feature_dim)
    assert np.array_equal(features[:, : STATE_SIZES["place"]], observation["place"])
    with pytest.raises(VisionError, match="state observation"):
        encoder.encode(noise(1))
    env.close()


def test_pictures_of_an_env_become_features() -> None:
    env = gym.make_vec("LangRearrange-v0", num_envs=2, image_size=64)
    observation, _ = env.reset(seed=0)
    encoder = tiny_encoder()
    expected = encoder.encode(torch.from_numpy(observation["rgb"]))
    assert torch.equal(encoder.encode_observation(observation), expected)
    env.close()


def test_any_vision_transformer_gives_its_cls_token(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        image_size=32, patch_size=16,
    )  # fmt: skip
    torch.manual_seed(0)
    model = ViTModel(config, add_pooling_layer=False).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.2, 0.3], '
        '"size": {"height": 32, "width": 32}}'
    )
    encoder = load_encoder(tmp_path)
    assert (encoder.input_size, encoder.feature_dim) == (32, 16)
    pictures = noise(2, 32)
    mean, std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.2, 0.3])
    pixels = ((pictures.float() / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = model(pixel_values=pixels).last_hidden_state[:, 0]
    torch.testing.assert_close(encoder.encode(pictures).float(), expected, atol=2e-3, rtol=2e-3)
    patches = encoder.encode_patches({"rgb": pictures.numpy()})
    assert encoder.patch_shape == (4, 16)
    assert patches.shape == (2, 4, 16)


def test_the_default_has_patches_and_the_symbolic_encoder_has_none() -> None:
    encoder = tiny_encoder()
    patches = encoder.encode_patches({"rgb": noise(3).numpy()})
    assert encoder.patch_shape == (4, 16)
    assert patches.shape == (3, 4, 16)
    assert load_encoder("symbolic").patch_shape is None


def test_a_folder_without_a_vision_transformer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(VisionError, match="cannot load"):
        load_encoder(tmp_path)


# -- labels ------------------------------------------------------------------------------------


def test_the_stream_is_a_pure_function_of_seed_and_number() -> None:
    first = SceneStream("train", 4, batch_size=2, image_size=64)
    pictures = [first.batch() for _ in range(3)]
    again = SceneStream("train", 4, batch_size=2, image_size=64)
    again.skip(2)
    repeated = again.batch()
    assert np.array_equal(repeated.rgb, pictures[2].rgb)
    assert all(map(np.array_equal, repeated.labels, pictures[2].labels))
    other = SceneStream("train", 5, batch_size=2, image_size=64).batch()
    assert not np.array_equal(other.rgb, pictures[0].rgb)


def test_labels_agree_with_one_another() -> None:
    stream = SceneStream("train", 1, batch_size=48, image_size=256)
    labels = stream.batch().labels
    assert labels.cells.shape == (48, 16, 16)
    assert labels.cells.min() >= 0
    assert labels.cells.max() < NUM_CELL_CLASSES
    for i in range(48):
        in_cells = np.unique(labels.cells[i])
        things = set(in_cells[in_cells < NUM_CATEGORIES].tolist()) - {int(labels.held[i])}
        # What fills a cell is in the picture, and what is in reach with pixels is in the picture.
        assert things <= set(np.flatnonzero(labels.in_view[i]).tolist())
        clear = labels.at_stance[i] & (labels.pixels[i] >= 16)
        assert (labels.in_view[i] | ~clear).all()
    assert (labels.held < NUM_CATEGORIES).any()
    assert (labels.cells == ROBOT).any()


def test_what_opens_here_is_labelled_by_where_the_robot_stands() -> None:
    labels = SceneStream("train", 2, batch_size=64, image_size=64).batch().labels
    for spot, opened in zip(labels.spot.tolist(), labels.opened.tolist(), strict=True):
        container = spot > 10 or OPENABLE_OF_RECEPTACLE[spot] >= 0
        assert (opened != 0) == (container and spot != 13)


def test_as_found_looks_at_receptacles_with_an_empty_hand() -> None:
    stream = SceneStream("validation", 0, batch_size=24, image_size=64, mixture=AS_FOUND)
    labels = stream.batch().labels
    assert (labels.spot < len(RECEPTACLES)).all()
    assert (labels.held == NUM_CATEGORIES).all()
    assert (labels.opened != 1).all()


def at_stances(scenes: SceneStream, num_batches: int) -> np.ndarray:
    return np.concatenate([scenes.batch().labels.at_stance for _ in range(num_batches)])


def test_an_emphasised_category_is_seen_more_often_and_the_others_still_are() -> None:
    emphasis = replace(EMPHASISED, emphasis=("wrench", "spoon", "spoon"))
    plain = at_stances(SceneStream("train", 3, batch_size=24, image_size=32), 6)
    more = SceneStream("train", 3, batch_size=24, image_size=32, mixture=emphasis)
    before, after = plain.mean(0), at_stances(more, 6).mean(0)
    wrench, spoon = CATEGORY_INDEX["wrench"], CATEGORY_INDEX["spoon"]
    assert after[spoon] > after[wrench] > 1.5 * before[wrench]
    assert (after > 0).all()


def test_swapped_things_keep_their_places_and_fit_their_categories() -> None:
    objects = open_split("train").get(0, 1).objects
    things = swapped(objects, ("wrench",), KeyedRng(HOUSE_VERSION, "test"))
    changed = [new for old, new in zip(objects, things, strict=True) if new != old]
    assert 0 < len(changed) < len(objects)
    assert all(new.category == MODELS[new.model].category == "wrench" for new in changed)
    kept = [(o.receptacle, o.slot) for o in objects]
    assert [(o.receptacle, o.slot) for o in things] == kept


def test_emphasis_on_what_is_no_category_is_refused() -> None:
    with pytest.raises(UsageError, match="accepted: ball, clamp"):
        replace(EMPHASISED, emphasis=("spanner",))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="multiple of 16"):
        SceneStream("train", image_size=60)
    with pytest.raises(UsageError, match="multiple of 32"):
        SegCnnConfig(input_size=80)
