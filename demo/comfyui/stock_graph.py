"""The graph that a person wires by hand from ComfyUI's stock nodes: text to one image, in API form.

Tests and benchmarks compare the pack's images and times with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Lora = tuple[str, float, float]
NodeInputs = dict[str, Any]
ApiGraph = dict[str, dict[str, Any]]


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def by_hand(
    checkpoint: str,
    *,
    prompt: str = "a lighthouse at dusk",
    negative: str = "",
    seed: int = 1,
    steps: int = 4,
    cfg: float = 2.0,
    sampler: str = "euler",
    scheduler: str = "normal",
    size: int = 128,
    height: int | None = None,
    clip_skip: int = 1,
    batch: int = 1,
    loras: Sequence[Lora] = (),
    text_encoder: str | None = None,
    save: bool = False,
) -> ApiGraph:
    """Loader, two prompts, sampler, decoder, preview.

    Parameters
    ----------
    size, height
        Width and height in pixels; without the second a square.
    clip_skip
        Above 1, the text encoder stops this many layers before its end.
    loras
        Names with their strengths on the model and on the text encoder, applied one after the other.
    text_encoder
        Another checkpoint to take the text encoder from.
    save
        Show the images by saving them rather than as previews.
    """
    graph: ApiGraph = {"loader": node("CheckpointLoaderSimple", ckpt_name=checkpoint)}
    model, clip = ["loader", 0], ["loader", 1]
    if text_encoder:
        graph["encoder"] = node("CheckpointLoaderSimple", ckpt_name=text_encoder)
        clip = ["encoder", 1]
    for number, (lora, on_model, on_clip) in enumerate(loras):
        strengths = {"strength_model": on_model, "strength_clip": on_clip}
        graph[f"lora_{number}"] = node("LoraLoader", model=model, clip=clip, lora_name=lora, **strengths)
        model, clip = [f"lora_{number}", 0], [f"lora_{number}", 1]
    if clip_skip > 1:
        graph["skip"] = node("CLIPSetLastLayer", clip=clip, stop_at_clip_layer=-clip_skip)
        clip = ["skip", 0]
    graph["positive"] = node("CLIPTextEncode", text=prompt, clip=clip)
    graph["negative"] = node("CLIPTextEncode", text=negative, clip=clip)
    graph["latent"] = node("EmptyLatentImage", width=size, height=height or size, batch_size=batch)
    graph["sampler"] = node(
        "KSampler",
        model=model,
        positive=["positive", 0],
        negative=["negative", 0],
        latent_image=["latent", 0],
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler_name=sampler,
        scheduler=scheduler,
        denoise=1.0,
    )
    graph["decoded"] = node("VAEDecode", samples=["sampler", 0], vae=["loader", 2])
    show = {"filename_prefix": "by_hand"} if save else {}
    graph["shown"] = node("SaveImage" if save else "PreviewImage", images=["decoded", 0], **show)
    return graph
