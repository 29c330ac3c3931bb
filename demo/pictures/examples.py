"""Makes `example_workflows/`, the blueprint and the README's picture in a real browser.

Only the frontend writes its workflow format correctly: nodes are added, linked and saved here as by a person, so that
they open without a missing node. Run `python -m context_checkpoint.demo.pictures.examples` after an input of a node was
added or renamed. It needs Playwright, Chromium and a ComfyUI.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Locator

from ..comfyui.browser import ComfyPage, chromium, comfy_page
from ..comfyui.installation import PACK
from ..comfyui.server import ComfyServer
from ..tiny_models import checkpoints as tiny_checkpoints
from . import blueprint

FOLDER = PACK / "example_workflows"
PICTURES = PACK / "docs" / "images"
THUMBNAIL_WIDTH = 480
FAVOURITE = "photographic"
MOST_RUNS = 20
FRAME_WIDTH, MARGIN = 400, 12

Node = Mapping[str, Any]
"""As `ComfyPage.build` takes it."""

PROMPT = "portrait of a woman with freckles, soft window light, photorealistic"
NEGATIVE = "blurry, watermark, text"

COMFYUIS_IMAGE = "example.png"
"""In the input folder of every ComfyUI."""

RECOMMENDER = "ContextCheckpointRecommender"
SAMPLING = {"seed": 1, "steps": 20, "cfg": 6.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"}


def _placed(type: str, x: int, y: int, width: int, height: int = 0, **more: Any) -> Node:  # noqa: A002
    return {"type": type, "pos": [x, y], "size": [width, height], **more}


def _note(text: str, x: int, width: int) -> Node:
    return _placed("MarkdownNote", x, -110, width, 120, widgets={"": text}, title="What this does")


def _prompt_and_recommender() -> dict[str, Node]:
    return {
        "prompt": _placed("PrimitiveStringMultiline", 40, 60, 380, 130, widgets={"value": PROMPT}, title="Prompt"),
        "recommender": _placed(RECOMMENDER, 40, 240, 380, inputs={"prompt": "prompt.STRING"}),
    }


def _own_graph(x: int, *, clip: str = "loader.CLIP", vae: str = "loader.VAE") -> dict[str, Node]:
    """A person's own text-to-image graph, from the outputs of `loader` on."""
    return {
        "positive": _placed("CLIPTextEncode", x, 60, 330, 110, inputs={"clip": clip, "text": "prompt.STRING"}),
        "negative": _placed("CLIPTextEncode", x, 220, 330, 120, widgets={"text": NEGATIVE}, inputs={"clip": clip}),
        "size": _placed("EmptyLatentImage", x, 390, 330, widgets={"width": 512, "height": 512}),
        "sampler": _placed(
            "KSampler",
            x + 370,
            60,
            300,
            widgets=SAMPLING,
            inputs={
                "model": "loader.MODEL",
                "positive": "positive.CONDITIONING",
                "negative": "negative.CONDITIONING",
                "latent_image": "size.LATENT",
            },
        ),
        "decode": _placed("VAEDecode", x + 370, 430, 300, inputs={"samples": "sampler.LATENT", "vae": vae}),
    }


def three_nodes() -> dict[str, Node]:
    return {
        "recommender": _placed(RECOMMENDER, 40, 60, 420, widgets={"prompt": PROMPT}),
        "sampler": _placed(
            "MultiCheckpointSampler",
            510,
            60,
            360,
            widgets={**SAMPLING, "negative": NEGATIVE},
            inputs={"plan": "recommender.plan"},
        ),
        "recorder": _placed(
            "FeedbackRecorder",
            920,
            60,
            380,
            inputs={"images": "sampler.images", "generation": "sampler.generation"},
        ),
        "note": _note(
            "**Recommend, generate, judge.** Write a prompt, run, then *Pick* and *Reject* on the right. Each "
            "verdict is saved at once, and similar prompts then need fewer checkpoints.\n\nThe pool is a "
            "rule: all checkpoints of the same family as the first one. *include* and *exclude* narrow it.",
            40,
            830,
        ),
    }


def your_own_graph() -> dict[str, Node]:
    return {
        **_prompt_and_recommender(),
        "loader": _placed(
            "CheckpointLoaderSimple",
            470,
            60,
            300,
            # The link provides the name; a name from this machine would be missing on every other.
            widgets={"ckpt_name": ""},
            inputs={"ckpt_name": "recommender.ckpt_name"},
        ),
        **_own_graph(820),
        "recorder": _placed(
            "FeedbackRecorder",
            1540,
            60,
            380,
            inputs={
                "images": "decode.IMAGE",
                "plan": "recommender.plan",
                "ckpt_names": "recommender.ckpt_name",
            },
        ),
        "note": _note(
            "**Your own graph.** The recommender's *ckpt_name* goes into the stock loader, and everything "
            "after it runs once per recommended checkpoint. The recorder gets the plan and the same names, "
            "and so knows which checkpoint made which image.\n\nAdd what you like between them: "
            "ControlNet, LoRA, a second pass.",
            470,
            680,
        ),
    }


def settings() -> dict[str, Node]:
    graph = _own_graph(1260)
    lists = {name: f"settings.{name}" for name in ("steps", "cfg", "sampler_name", "scheduler")}
    for text in ("positive", "negative"):
        encoder = graph[text]
        graph[text] = {**encoder, "widgets": {}, "inputs": {"clip": "loader.CLIP", "text": f"settings.{text}"}}
    graph["size"] = {**graph["size"], "inputs": {"width": "settings.width", "height": "settings.height"}}
    graph["sampler"] = {**graph["sampler"], "inputs": {**graph["sampler"]["inputs"], **lists}}
    return {
        **_prompt_and_recommender(),
        "settings": _placed(
            "ContextSettingsRecommender",
            470,
            60,
            380,
            widgets={**{name: SAMPLING[name] for name in lists}, "negative": NEGATIVE},
            inputs={"plan": "recommender.plan"},
        ),
        "loader": _placed(
            "CheckpointLoaderSimple",
            900,
            60,
            310,
            widgets={"ckpt_name": ""},
            inputs={"ckpt_name": "recommender.ckpt_name"},
        ),
        **graph,
        "recorder": _placed(
            "FeedbackRecorder",
            1980,
            60,
            380,
            inputs={"images": "decode.IMAGE", "plan": "settings.plan", "ckpt_names": "recommender.ckpt_name"},
        ),
        "note": _note(
            "**Each checkpoint with its own settings.** A Lightning file gets its four steps beside a base model's "
            "thirty, so that the comparison is fair. The settings node shows each value with its source: what you set "
            "in the panel (*Checkpoints*), your kept images, sidecar files, the name, the header, or the node's own "
            "values.\n\nThe "
            "*Multi-Checkpoint Sampler* does this by itself.",
            470,
            740,
        ),
    }


def warm_loader() -> dict[str, Node]:
    return {
        **_prompt_and_recommender(),
        "loader": _placed("RecommendedCheckpointLoader", 470, 60, 300, inputs={"plan": "recommender.plan"}),
        **_own_graph(820),
        "recorder": _placed(
            "FeedbackRecorder",
            1540,
            60,
            380,
            inputs={"images": "decode.IMAGE", "plan": "recommender.plan", "ckpt_names": "loader.ckpt_names"},
        ),
        "note": _note(
            "**Your own graph, kept warm.** This loader keeps what it loaded: run again with another seed or "
            "prompt, and nothing is read from disk again. A checkpoint that cannot be loaded drops out, and "
            "the others run.\n\nHow many are kept is set under *Settings, Context Checkpoint*.",
            470,
            680,
        ),
    }


def loras() -> dict[str, Node]:
    return {
        "recommender": _placed(RECOMMENDER, 40, 60, 420, widgets={"prompt": PROMPT}),
        "loras": _placed(
            "ContextLoraRecommender",
            510,
            60,
            360,
            widgets={"explore": True},
            inputs={"plan": "recommender.plan"},
        ),
        "sampler": _placed(
            "MultiCheckpointSampler",
            920,
            60,
            360,
            widgets={**SAMPLING, "negative": NEGATIVE},
            inputs={"plan": "loras.plan", "positive": "loras.prompt"},
        ),
        "recorder": _placed(
            "FeedbackRecorder",
            1330,
            60,
            380,
            inputs={"images": "sampler.images", "generation": "sampler.generation"},
        ),
        "note": _note(
            "**With LoRAs.** Each checkpoint gets the LoRAs that fit it and the prompt, or none: those that your "
            "verdicts and kept images speak for, and before them the trigger words of their files. *include* and "
            "*exclude* choose which may be used. *prompt* is the prompt with the trigger words that it lacks.\n\n"
            "With *explore*, once one checkpoint is sure, it is drawn with and without one LoRA: your verdict says "
            "whether it is better with it.",
            40,
            830,
        ),
    }


def diffusion_models() -> dict[str, Node]:
    nodes = {
        **_prompt_and_recommender(),
        "loader": _placed(
            "UNETLoader",
            470,
            60,
            300,
            widgets={"unet_name": "", "weight_dtype": "default"},
            inputs={"unet_name": "recommender.ckpt_name"},
        ),
        "text_encoder": _placed("CLIPLoader", 470, 190, 300, widgets={"clip_name": "", "type": "sd3"}),
        "vae": _placed("VAELoader", 470, 360, 300, widgets={"vae_name": ""}),
        **_own_graph(820, clip="text_encoder.CLIP", vae="vae.VAE"),
        "recorder": _placed(
            "FeedbackRecorder",
            1540,
            60,
            380,
            inputs={"images": "decode.IMAGE", "plan": "recommender.plan", "ckpt_names": "recommender.ckpt_name"},
        ),
        "note": _note(
            "**Diffusion models.** The recommender chooses from the folder *diffusion_models*, and its *ckpt_name* "
            "goes into *unet_name*. Choose the text encoder and the VAE of the family that you use; *family* and "
            "*include* of the recommender keep to it.",
            470,
            680,
        ),
    }
    nodes["recommender"] = {**nodes["recommender"], "widgets": {"folder": "diffusion_models"}}
    return nodes


def save_picked() -> dict[str, Node]:
    nodes = three_nodes()
    return {
        **nodes,
        "recorder": {**nodes["recorder"], "widgets": {"mode": "pause", "timeout_s": 600}},
        "saver": _placed(
            "SavePickedImages",
            1350,
            60,
            360,
            widgets={"filename_prefix": "picked/%checkpoint%"},
            inputs={"images": "recorder.selected_images", "generation": "recorder.generation"},
        ),
        "note": _note(
            "**Save what you pick.** The workflow waits until you have picked, and only those images are saved. Each "
            "file names its checkpoint and settings, for ComfyUI, for galleries, and for this pack.\n\nThe same works "
            "behind an upscaler between the recorder and the saver.",
            40,
            830,
        ),
    }


def draft_then_final() -> dict[str, Node]:
    nodes = three_nodes()
    return {
        "recommender": {**nodes["recommender"], "widgets": {"prompt": PROMPT, "stage": "draft"}},
        "drafts": {
            **nodes["sampler"],
            "widgets": {**SAMPLING, "steps": 10, "negative": NEGATIVE, "images_per_prompt": 3},
            "title": "Drafts",
        },
        "recorder": {
            **nodes["recorder"],
            "widgets": {"mode": "pause", "timeout_s": 0},
            "inputs": {"images": "drafts.images", "generation": "drafts.generation"},
        },
        "larger": _placed(
            "ImageScaleBy",
            1350,
            260,  # below the links of the generation and the plan
            280,
            widgets={"upscale_method": "lanczos", "scale_by": 2.0},
            inputs={"image": "recorder.selected_images"},
        ),
        "final": _placed(
            "MultiCheckpointSampler",
            1680,
            60,
            360,
            widgets={**SAMPLING, "negative": NEGATIVE, "denoise": 0.5},
            inputs={"plan": "recorder.selected_plan", "image": "larger.IMAGE"},
            title="Final",
        ),
        "saver": _placed(
            "SavePickedImages",
            2090,
            60,
            360,
            widgets={"filename_prefix": "final/%checkpoint%"},
            inputs={"images": "final.images", "generation": "recorder.generation"},
        ),
        "note": _note(
            "**Drafts first, then the final.** Three checkpoints draw small drafts in few steps, and the workflow "
            "waits until you have picked. What you picked is enlarged and finished by the checkpoint that drew it.\n\n"
            "*denoise* of *Final* says how much may change.",
            510,
            790,
        ),
    }


def _from_image(note: str, *, denoise: float, mask: bool = False) -> dict[str, Node]:
    nodes = three_nodes()
    start = {"image": "sized.IMAGE", **({"mask": "photo.MASK"} if mask else {})}
    return {
        "recommender": nodes["recommender"],
        # Below the link of the plan.
        "photo": _placed("LoadImage", 510, 140, 300, 340, widgets={"image": COMFYUIS_IMAGE}),
        "sized": _placed(
            "ImageScaleToTotalPixels",
            510,
            530,
            300,
            widgets={"upscale_method": "lanczos", "megapixels": 1.0, "resolution_steps": 64},
            inputs={"image": "photo.IMAGE"},
        ),
        "sampler": {
            **nodes["sampler"],
            "pos": [860, 60],
            "widgets": {**SAMPLING, "negative": NEGATIVE, "denoise": denoise},
            "inputs": {"plan": "recommender.plan", **start},
        },
        "recorder": {**nodes["recorder"], "pos": [1270, 60]},
        "note": _note(note, 40, 770),
    }


def image_to_image() -> dict[str, Node]:
    return _from_image(
        "**From an image.** Load yours and say in the prompt what it should become. Each checkpoint "
        "encodes it with its own VAE, and *denoise* says how much may change.\n\n*Scale Image* brings it to the size "
        "that your checkpoints are made for: 1 megapixel for SDXL, 0.25 for SD 1.5.",
        denoise=0.6,
    )


def inpainting() -> dict[str, Node]:
    return _from_image(
        "**Change a part of an image.** Right-click the image, open it in the mask editor, paint over what should "
        "change, and say in the prompt what should be there. The rest stays.\n\nAny checkpoint will do. Those that "
        "are made for inpainting alone are not recommended here: they need another graph.",
        denoise=0.9,
        mask=True,
    )


def box() -> dict[str, Node]:
    """What the blueprint has inside: the three nodes, and a preview that the box shows on its outside."""
    nodes = three_nodes()
    del nodes["note"]
    return {**nodes, "preview": _placed("PreviewImage", 920, 500, 380, 250, inputs={"images": "sampler.images"})}


EXAMPLES: tuple[Callable[[], dict[str, Node]], ...] = (
    three_nodes,
    your_own_graph,
    settings,
    warm_loader,
    loras,
    diffusion_models,
    save_picked,
    draft_then_final,
    image_to_image,
    inpainting,
)


QUIET = {"Comfy.Minimap.Visible": False, "Comfy.Graph.CanvasInfo": False}


async def main() -> None:
    """Write every example with its thumbnail, the blueprint, and the README's pictures."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Install Chromium: the examples are made in it.")
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as server:
        async with (
            chromium(program) as browser,
            comfy_page(browser, server, nodes_2=True, size=(1500, 1100), settings=QUIET) as page,
        ):
            for example in EXAMPLES:
                await _make(page, example)
            _write(blueprint.FILE, await blueprint.made(page, box()))
            await _make_pictures(page)


async def _make(page: ComfyPage, example: Callable[[], dict[str, Node]]) -> None:
    file = FOLDER / f"{example.__name__}.json"
    _write(file, await page.build(example()))
    await page.show_all()
    picture = await _screenshot(page)
    picture.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH))
    picture.save(file.with_suffix(".jpg"), quality=80, optimize=True)


def _write(file: Path, workflow: Mapping[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(_tidy(workflow), indent=1, ensure_ascii=False) + "\n", "utf-8")


async def _make_pictures(page: ComfyPage) -> None:
    """The three nodes with two checkpoints, and what they show with three, with two and with one."""
    await page.build({name: node for name, node in three_nodes().items() if name != "note"})
    await page.set_widgets("MultiCheckpointSampler", width=128, height=128, steps=4)
    images = page.page.get_by_role("list", name="Images of this run").get_by_role("listitem")
    frames: dict[int, Image.Image] = {}
    for _ in range(MOST_RUNS):
        await page.run()
        await _judge(page, images)
        shown = await images.count()
        if shown not in frames:
            await page.show_all()
            await page.page.mouse.move(0, 0)  # off any tooltip
            await page.page.get_by_text("Job completed").wait_for(state="detached")
            frames[shown] = await _frame(page)
            if shown == 2:
                (await _screenshot(page)).save(PICTURES / "nodes.jpg", quality=80, optimize=True)
        if shown == 1:
            break
    _side_by_side([frames[shown] for shown in (3, 2, 1)]).save(
        PICTURES / "three-two-one.jpg", quality=80, optimize=True
    )


async def _judge(page: ComfyPage, images: Locator) -> None:
    await images.filter(has_text=FAVOURITE).get_by_role("button", name="Pick").click()
    rest = page.page.get_by_role("button", name="Reject the rest")
    if await rest.get_attribute("aria-disabled") == "false":  # with one image there is no rest
        await rest.click()
    await page.page.get_by_text("Saved:").wait_for()


async def _frame(page: ComfyPage) -> Image.Image:
    """The plan above the images."""
    parts = [page.page.locator(".cc-plan-section").last, page.page.get_by_role("list", name="Images of this run")]
    shots = [Image.open(io.BytesIO(await part.screenshot())).convert("RGB") for part in parts]
    shots = [shot.resize((FRAME_WIDTH, round(shot.height * FRAME_WIDTH / shot.width))) for shot in shots]
    background = shots[0].getpixel((0, 0))
    frame = Image.new("RGB", (FRAME_WIDTH + 2 * MARGIN, sum(shot.height + MARGIN for shot in shots)), background)
    frame.paste(shots[0], (MARGIN, MARGIN))
    frame.paste(shots[1], (MARGIN, shots[0].height + MARGIN))
    return frame


def _side_by_side(frames: Sequence[Image.Image]) -> Image.Image:
    width, height = frames[0].width + MARGIN, max(frame.height for frame in frames)
    joined = Image.new("RGB", (len(frames) * width - MARGIN, height), "white")
    for place, frame in enumerate(frames):
        joined.paste(frame.crop((0, 0, 1, 1)).resize((frame.width, height)), (place * width, 0))
        joined.paste(frame, (place * width, 0))
    return joined


async def _screenshot(page: ComfyPage) -> Image.Image:
    """Capture the nodes and a margin, without the frontend's bars."""
    left, top, right, bottom = await page.bounds()
    shot = await page.page.screenshot(
        clip={"x": left - 16, "y": top - 16, "width": right - left + 32, "height": bottom - top + 32}
    )
    return Image.open(io.BytesIO(shot)).convert("RGB")


def _server(folder: Path) -> ComfyServer:
    server = ComfyServer(folder, pack_name="context-checkpoint")
    shutil.copy(server.installation.path / "input" / COMFYUIS_IMAGE, server.base_directory / "input")
    names = {FAVOURITE: "orange", "anime": "blue", "painterly": "teal"}
    for seed, (name, color) in enumerate(names.items()):
        file = server.checkpoints / f"{name}.safetensors"
        tiny_checkpoints.write(file, "sd3", color=tiny_checkpoints.NINE_COLORS[color], seed=seed)
    return server


def _tidy(value: Any) -> Any:
    """Leave out null values, except those of links, which have a meaning."""
    if isinstance(value, Mapping):
        return {name: _tidy(part) for name, part in value.items() if part is not None or name.startswith("link")}
    return [_tidy(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(main())
