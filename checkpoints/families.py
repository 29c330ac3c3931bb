"""Architecture families, and the names that ComfyUI's model classes and GGUF files have for them."""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN = "unknown"

FAMILIES: tuple[str, ...] = (
    "sd15",
    "sd15_inpaint",
    "sd2",
    "sdxl",
    "sdxl_inpaint",
    "sd3",
    "flux",
    "flux2",
    "chroma",
    "auraflow",
    "pixart",
    "hunyuan_dit",
    "hidream",
    "lumina2",
    "zimage",
    "qwen_image",
    "omnigen2",
    "cosmos",
    "ltxv",
    "hunyuan_video",
    "wan",
    UNKNOWN,
)
"""The families that a person can choose. A file may have another one, which `auto` and `all` include."""

_FOUR_CHANNELS = frozenset({"sd15", "sd2", "sdxl"})
_CLASSES: Mapping[str, str] = {
    "SD15": "sd15",
    "SD20": "sd2",
    "SDXL": "sdxl",
    "SSD1B": "sdxl",
    "Segmind_Vega": "sdxl",
    "KOALA_700M": "sdxl",
    "KOALA_1B": "sdxl",
    "SDXLRefiner": "sdxl_refiner",
    "FluxSchnell": "flux",
    "PixArtAlpha": "pixart",
    "PixArtSigma": "pixart",
    "HunyuanDiT": "hunyuan_dit",
    "HunyuanDiT1": "hunyuan_dit",
    "QwenImage": "qwen_image",
    "CosmosT2V": "cosmos",
    "CosmosT2IPredict2": "cosmos",
    "LTXAV": "ltxv",
    "HunyuanVideo": "hunyuan_video",
    "WAN21_T2V": "wan",
    "WAN22_T2V": "wan",
}
_OTHER_INPUTS = ("inpaint", "refiner", "pix2pix", "instruct", "edit", "depth", "upscale", "i2v", "channels")
_GGUF = {"sd1": "sd15", "aura": "auraflow", "hyvid": "hunyuan_video"}


def family_of_class(class_name: str, input_channels: int | None = None) -> str:
    """Return the family of a ComfyUI model class (`comfy.supported_models`).

    Variants that can replace one another in the same graph share a family. One that needs other inputs (inpainting,
    editing, a refiner) has its own, and so has a class that is newer than this table.

    >>> family_of_class("SDXL", 4), family_of_class("SDXL", 9), family_of_class("SDXLRefiner", 4)
    ('sdxl', 'sdxl_inpaint', 'sdxl_refiner')

    Parameters
    ----------
    input_channels
        Of the diffusion model. The U-Nets of SD 1.5, SD 2 and SDXL take the four of a latent; nine are an inpainting
        model, any other number is another variant.
    """
    family = _CLASSES.get(class_name, class_name.lower())
    if family not in _FOUR_CHANNELS or input_channels in (None, 4):
        return family
    return f"{family}_inpaint" if input_channels == 9 else f"{family}_{input_channels}_channels"


def needs_other_inputs(family: str) -> bool:
    """Whether a family is a variant that text alone does not drive, such as an inpainting model."""
    return any(sign in family for sign in _OTHER_INPUTS)


def family_of_gguf(architecture: str) -> str:
    """Return the family of a GGUF file's `general.architecture`."""
    return _GGUF.get(architecture, architecture.lower() or UNKNOWN)
