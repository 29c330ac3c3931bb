"""Encodes an image with texts in it, as PNG, WebP or JPEG.

Pure: pixels and texts in, bytes out, so that what is in a file can be tested without ComfyUI. It knows where each text
has its place in a format: PNG has text chunks; WebP and JPEG have EXIF tags, in which ComfyUI's own WebP writer puts
`key:value` and its page looks for `workflow:` and `prompt:`; A1111 puts its `parameters` in the tag UserComment.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    import torch

OWN_KEY = "context_checkpoint"
PARAMETERS = "parameters"

_MODEL, _MAKE, _EXIF, _USER_COMMENT = 0x0110, 0x010F, 0x8769, 0x9286
_MOST_EXIF_BYTES = 65_533
"""A JPEG's segment holds no more."""
_LOSSLESS_EFFORT = 20
"""What lossless WebP takes for quality: more takes three times as long, and saves nothing to speak of."""
_PNG_COMPRESSION = 4
"""As ComfyUI's own node."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to encode: `format` is png, webp or jpeg; `quality` (1 to 100) and `lossless` are for those that have it."""

    format: str = "png"
    quality: int = 95
    lossless: bool = True

    @property
    def ending(self) -> str:
        return "jpg" if self.format == "jpeg" else self.format


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file's bytes, and the keys of texts that had no room in it."""

    content: bytes
    left_out: tuple[str, ...] = ()


def to_picture(image: torch.Tensor) -> Image.Image:
    """Make a picture of one image `[H, W, C]` in 0..1, rounded down to 8 bit as ComfyUI's own nodes do."""
    pixels = np.clip(255.0 * image.detach().cpu().float().numpy(), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def encode(picture: Image.Image, texts: Mapping[str, str], encoding: Encoding) -> Encoded:
    """Encode a picture with texts by key.

    Raises
    ------
    OSError, ValueError
        If the format cannot hold the picture: WebP ends at 16,383 pixels a side, JPEG at 65,500.
    """
    buffer = io.BytesIO()
    if encoding.format == "png":
        picture.save(buffer, "PNG", pnginfo=_png_texts(texts), compress_level=_PNG_COMPRESSION)
        return Encoded(buffer.getvalue())
    if encoding.format == "webp":
        quality = _LOSSLESS_EFFORT if encoding.lossless else encoding.quality
        # `exact`: also the colours where a picture is transparent
        picture.save(buffer, "WEBP", quality=quality, lossless=encoding.lossless, exact=True, **_exif_option(texts))
        return Encoded(buffer.getvalue())
    kept, left_out = _fitting(texts)
    opaque = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    opaque.save(buffer, "JPEG", quality=encoding.quality, **_exif_option(kept))
    return Encoded(buffer.getvalue(), left_out)


def _png_texts(texts: Mapping[str, str]) -> PngInfo | None:
    if not texts:
        return None
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)  # Pillow writes iTXt for what Latin-1 cannot hold
    return chunks


def _exif_option(texts: Mapping[str, str]) -> dict[str, Image.Exif]:
    return {"exif": _exif(texts)} if texts else {}


def _exif(texts: Mapping[str, str]) -> Image.Exif:
    exif = Image.Exif()
    tag = _MAKE
    for key, text in texts.items():
        if key == PARAMETERS:
            exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be", "replace")
        elif key == "prompt":
            exif[_MODEL] = f"{key}:{text}"
        else:
            exif[tag] = f"{key}:{text}"
            tag -= 1
    return exif


def _fitting(texts: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts that a JPEG has room for, and the keys of the others; the own one is small and always stays."""
    kept = dict(texts)
    others = [key for key in texts if key not in (OWN_KEY, "workflow", "prompt", PARAMETERS)]
    left_out = []
    for key in ("workflow", "prompt", *others, PARAMETERS):
        if len(_exif(kept).tobytes()) <= _MOST_EXIF_BYTES:
            break
        if kept.pop(key, None) is not None:
            left_out.append(key)
    return kept, tuple(left_out)
