"""What the names and headers of checkpoints say of their settings."""

import pytest

from context_checkpoint.checkpoints.name_rules import RULES, settings_of_header, settings_of_name
from context_checkpoint.recipes.samplers import SAMPLERS, SCHEDULERS
from context_checkpoint.recipes.settings import Settings


@pytest.mark.parametrize(
    ("name", "family", "settings"),
    [
        ("sdxl_lightning_4step.safetensors", "sdxl", Settings(4, 1.0, "euler", "sgm_uniform")),
        ("xl/juggernautXL_v9Rdphoto2Lightning.safetensors", "sdxl", Settings(6, 1.0, "euler", "sgm_uniform")),
        ("Hyper-SDXL-8steps.safetensors", "sdxl", Settings(8, 1.0, "euler", "sgm_uniform")),
        ("realisticVisionV60B1_v51HyperVAE.safetensors", "sd15", Settings(8, 1.0, "euler", "sgm_uniform")),
        ("cyberrealistic_v42Hyper.safetensors", "sd15", Settings(8, 1.0, "euler", "sgm_uniform")),
        ("dreamXL_hyper_v2.safetensors", "sdxl", Settings(8, 1.0, "euler", "sgm_uniform")),
        ("sd_xl_turbo_1.0_fp16.safetensors", "sdxl", Settings(4, 1.0, "euler_ancestral", "sgm_uniform")),
        ("dreamshaperXL_v21TurboDPMSDE.safetensors", "sdxl", Settings(6, 2.0, "dpmpp_sde", "karras")),
        ("sd3.5_large_turbo.safetensors", "sd3", Settings(4, 1.0)),
        ("z_image_turbo_bf16.safetensors", "zimage", Settings(9, 1.0)),
        ("flux1-schnell-fp8.safetensors", "flux", Settings(4, 1.0, "euler", "simple")),
        ("lcm-dreamshaper-4-step.ckpt", "sd15", Settings(4, 1.5, "lcm", "sgm_uniform")),
        ("bigaspDMD2.safetensors", "sdxl", Settings(4, 1.0, "lcm", "sgm_uniform")),
        ("Qwen-Image-Lightning-8steps.safetensors", "qwen_image", Settings(8, 1.0)),
        ("noobaiXLNAIXL_vPred10Version.safetensors", "sdxl", Settings(28, 4.5, "euler")),
        ("fast_8step.safetensors", "sdxl", Settings(8)),
        # words that only look like one of those, and numbers that mean something else
        ("Hyperrealism_v3.safetensors", "sd15", Settings()),
        ("hrlHyperRealistic_hrlHyperRealistic.safetensors", "sd15", Settings()),
        ("HyperReal_v2.safetensors", "flux", Settings()),
        ("turbovision_2024.safetensors", "sdxl", Settings()),
        ("mymodel_3000steps.safetensors", "sd15", Settings()),
        ("mix_4step_8step.safetensors", "sdxl", Settings()),
        ("lightning/red.safetensors", "sdxl", Settings()),
        ("v2-1_768-v-pred.safetensors", "sd2", Settings()),
        ("", "unknown", Settings()),
    ],
)
def test_a_name_says_what_the_makers_of_such_models_document(name: str, family: str, settings: Settings) -> None:
    """By whole words, in any spelling of a name; folders say nothing."""
    assert settings_of_name(name, family) == settings


def test_a_header_says_how_the_model_is_used() -> None:
    """`modelspec.*`, and the architecture alone for models that were distilled with their guidance."""
    said = {
        "modelspec.resolution": "1024x1024",
        "modelspec.prediction_type": "v",
        "modelspec.encoder_layer": "2",
    }

    assert settings_of_header(said, "sdxl") == Settings(28, 4.5, "euler", None, 1024, 1024, 2)
    assert settings_of_header({"modelspec.title": "SDXL Lightning"}, "sdxl").cfg == 1.0
    assert settings_of_header({}, "flux", "flux1-dev.safetensors") == Settings(cfg=1.0)
    assert settings_of_header({}, "flux", "flux-dev-de-distill.safetensors") == Settings()


@pytest.mark.parametrize("value", ["", "1024", "9x9", "99999x99999", "1024x1024x1024", "axb", "\x00", "١٢٣x١٢٣"])
def test_a_header_that_makes_no_sense_says_nothing(value: str) -> None:
    """Anybody can write one."""
    said = dict.fromkeys(("modelspec.resolution", "modelspec.prediction_type", "modelspec.encoder_layer"), value)

    assert settings_of_header(said, "sd15") == Settings()


def test_each_rule_names_its_source_and_samplers_that_comfyui_has() -> None:
    """Nobody has to guess why a value is there."""
    for rule in RULES:
        assert rule.source
        assert rule.settings.sampler in (None, *SAMPLERS)
        assert rule.settings.scheduler in (None, *SCHEDULERS)
