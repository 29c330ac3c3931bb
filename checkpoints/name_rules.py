"""What the name and the header of a checkpoint say of its settings: one table, each rule with its source.

Pure. Only what the makers of a kind of model document; where they give a range, a value inside of it. A merge may work
with other values too, and then its sidecar file or the person says so. Nothing is guessed of a name without such a
word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..recipes.settings import Settings, Value
from .families import UNKNOWN

CLIP_SKIP_FAMILIES = frozenset({"sd15", "sd15_inpaint", "sd2", "sdxl", "sdxl_inpaint"})
"""Only their text encoders are used with another layer."""
GUIDED_FAMILIES = frozenset({"flux", "flux2", "hunyuan_video"})
"""What people call the cfg of their images is the guidance that the model was distilled with. KSampler's cfg is 1."""

_STABLE_DIFFUSION = frozenset({"sd15", "sdxl", UNKNOWN})
_MOST_STEPS_IN_A_NAME = 16
"""More is how long a model was trained."""


@dataclass(frozen=True, slots=True)
class NameRule:
    """`words` in a name, of one of the `families` (empty: any), mean `settings`; `source` documents them.

    A number of steps in the name takes the place of the rule's if `counts_steps`.
    """

    words: re.Pattern[str]
    settings: Settings
    source: str
    families: frozenset[str] = frozenset()
    counts_steps: bool = True


def _rule(words: str, source: str, *families: str, counts_steps: bool = True, **settings: Value) -> NameRule:
    return NameRule(
        re.compile(rf"\b(?:{words})\b"),
        Settings(**settings),  # type: ignore[arg-type]
        source,
        frozenset(families),
        counts_steps,
    )


_HYPER = r"hyper(?= ?(?:$|sd|xl|vae|v \d|fp|bf|\d|steps?\b|pruned|inpaint))(?: ?(?:sd|xl|sdxl))?"
"""Not the word of many people's photorealistic models: HyperRealistic."""

RULES: tuple[NameRule, ...] = (
    _rule(
        "schnell|flux 1 s",
        "https://huggingface.co/black-forest-labs/FLUX.1-schnell (1 to 4 steps, no guidance), and ComfyUI's example",
        steps=4,
        cfg=1.0,
        sampler="euler",
        scheduler="simple",
    ),
    _rule(
        "dmd ?2?",
        "https://huggingface.co/tianweiy/DMD2 (4 steps, LCM, no guidance)",
        *_STABLE_DIFFUSION,
        steps=4,
        cfg=1.0,
        sampler="lcm",
        scheduler="sgm_uniform",
    ),
    _rule(
        "lcm",
        "https://huggingface.co/docs/diffusers/using-diffusers/inference_with_lcm (4 to 8 steps, guidance 1 to 2)",
        *_STABLE_DIFFUSION,
        steps=8,
        cfg=1.5,
        sampler="lcm",
        scheduler="sgm_uniform",
    ),
    _rule(
        "lightning",
        "https://huggingface.co/ByteDance/SDXL-Lightning (1, 2, 4 or 8 steps, no guidance, euler, sgm_uniform)",
        *_STABLE_DIFFUSION,
        steps=6,
        cfg=1.0,
        sampler="euler",
        scheduler="sgm_uniform",
    ),
    _rule(
        _HYPER,
        "https://huggingface.co/ByteDance/Hyper-SD (1, 2, 4 or 8 steps, no guidance, trailing timesteps)",
        *_STABLE_DIFFUSION,
        steps=8,
        cfg=1.0,
        sampler="euler",
        scheduler="sgm_uniform",
    ),
    _rule(
        "sd ?(xl)? ?turbo",
        "https://huggingface.co/stabilityai/sdxl-turbo (1 to 4 steps, no guidance), and ComfyUI's example",
        *_STABLE_DIFFUSION,
        "sd2",
        steps=4,
        cfg=1.0,
        sampler="euler_ancestral",
        scheduler="sgm_uniform",
    ),
    _rule(
        "turbo",
        "https://huggingface.co/Lykon/dreamshaper-xl-v2-turbo (4 to 8 steps, cfg 2, DPM++ SDE Karras)",
        *_STABLE_DIFFUSION,
        steps=6,
        cfg=2.0,
        sampler="dpmpp_sde",
        scheduler="karras",
    ),
    _rule(
        "turbo",
        "https://huggingface.co/stabilityai/stable-diffusion-3.5-large-turbo (4 steps, no guidance)",
        "sd3",
        steps=4,
        cfg=1.0,
    ),
    _rule(
        "turbo",
        "https://huggingface.co/Tongyi-MAI/Z-Image-Turbo (9 steps, of which 8 count; no guidance)",
        "zimage",
        steps=9,
        cfg=1.0,
    ),
    _rule(
        f"lightning|{_HYPER}|turbo|lcm|dmd ?2?",
        "what all of them have in common: distilled without guidance",
        cfg=1.0,
    ),
    _rule(
        r"v ?pred(iction)?",
        "https://huggingface.co/Laxhar/noobai-XL-Vpred-1.0 (Euler alone, cfg 4 to 5, 28 to 35 steps)",
        "sdxl",
        counts_steps=False,
        steps=28,
        cfg=4.5,
        sampler="euler",
    ),
)
"""The first that fits is used, and none of the others."""

_EXTENSION = re.compile(r"\.(safetensors|sft|gguf|ckpt|pt2?|bin|pth|pkl)$")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")
_STEPS = re.compile(r"\b(\d{1,2}) ?steps?\b")
_WITHOUT_DISTILLATION = re.compile(r"\b(de ?distil|un ?distil|dedistil)")


def settings_of_name(name: str, family: str = UNKNOWN) -> Settings:
    """Read a file's name, a title, or the name of a kind of model.

    >>> settings_of_name("sdxl/dreamshaperXL_lightning4step.safetensors", "sdxl").known()
    {'steps': 4, 'cfg': 1.0, 'sampler': 'euler', 'scheduler': 'sgm_uniform'}
    >>> settings_of_name("Hyperrealism_v3.safetensors", "sd15").known()
    {}
    """
    text = plain_words(name)
    found = _STEPS.findall(text)
    steps = int(found[0]) if len(set(found)) == 1 and 1 <= int(found[0]) <= _MOST_STEPS_IN_A_NAME else None
    for rule in RULES:
        if (not rule.families or family in rule.families) and rule.words.search(text):
            return (Settings(steps=steps) if rule.counts_steps else Settings()).filled(rule.settings)
    return Settings(steps=steps)


def settings_of_header(said: Mapping[str, str], family: str = UNKNOWN, name: str = "") -> Settings:
    """Read what a file's header says of the model, and what its architecture alone means.

    Parameters
    ----------
    said
        `modelspec.*` of https://github.com/Stability-AI/ModelSpec.
    name
        Of the file: one that says that the model takes real guidance again is no guided model.
    """
    words = f"{said.get('modelspec.title', '')} {said.get('modelspec.architecture', '')}"
    if said.get("modelspec.prediction_type", "").strip().lower() in ("v", "v_prediction", "v-prediction"):
        words += " vpred"
    settings = settings_of_name(words, family)
    guided = family in GUIDED_FAMILIES and not _WITHOUT_DISTILLATION.search(plain_words(f"{name} {words}"))
    width, height = _size(said.get("modelspec.resolution", ""))
    layer = said.get("modelspec.encoder_layer", "").strip()
    skips = layer.isascii() and layer.isdecimal() and 1 <= int(layer[:3]) <= 12 and family in CLIP_SKIP_FAMILIES
    return settings.filled(
        Settings(
            cfg=1.0 if guided else None,
            width=width,
            height=height,
            clip_skip=int(layer) if skips else None,
        )
    )


def _size(text: str) -> tuple[int, int] | tuple[None, None]:
    found = re.fullmatch(r"\s*([0-9]{2,5})\s*[x×]\s*([0-9]{2,5})\s*", text)
    if found is None or not all(64 <= int(side) <= 4096 for side in found.groups()):
        return None, None
    return int(found[1]), int(found[2])


def plain_words(name: str) -> str:
    """A name's words in lower case with single spaces: `dreamshaperXL_v2Turbo.safetensors` has the word `turbo`."""
    last = re.sub(
        r"\.(safetensors|sft|gguf|ckpt|pt2?|bin|pth|pkl)$", "", name.replace("\\", "/").rpartition("/")[2][:1000]
    )
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " ", last)
    return re.sub(r"[^0-9a-z]+", " ", apart.lower()).strip()
