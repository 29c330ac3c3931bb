"""Writes images into ComfyUI's output folder, each with the texts that say what made it.

Separate from the node, which decides what is known: this module puts it into files. It may take seconds and blocks on
the disk, so it runs in a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from ...checkpoints.known_hash import short_hashes
from ...checkpoints.pool import FOLDERS
from ...learning.message import joined, message
from ...learning.names import stored_text
from ...recipes import Recipe, parameters_text
from ..comfy.files import files, model_path
from ..comfy.output_folder import OutputPlace, output_place, texts_are_written
from .file_name import filled_in
from .image_bytes import OWN_KEY, PARAMETERS, Encoded, Encoding, encode, to_picture
from .new_file import write_new
from .origins import Origins
from .texts import comfyui_texts

log = logging.getLogger(__name__)

_VERSION = "ComfyUI"


class NotSaved(Exception):
    """An image could not be saved; the message says why, and how many were."""


class ImageWriter:
    """Writes the images of one run of the node.

    Parameters
    ----------
    prompt, extra
        What ComfyUI hands to the node for its files.
    with_parameters
        Whether A1111's text is written too.
    """

    def __init__(
        self,
        encoding: Encoding,
        prefix: str,
        prompt: Mapping[str, Any] | None,
        extra: Mapping[str, Any] | None,
        *,
        with_parameters: bool,
    ) -> None:
        self._encoding = encoding
        self._prefix = prefix
        self._prompt = prompt
        self._with_parameters = with_parameters
        self._shared = comfyui_texts(prompt, extra) if texts_are_written() else {}
        self._counters: dict[tuple[Path, str], int] = {}
        self._left_out: set[str] = set()

    def save(self, images: Sequence[torch.Tensor], origins: Origins) -> list[dict[str, str]]:
        """Write images, each `[H, W, C]` in 0..1; return their files as ComfyUI's page expects them.

        Raises
        ------
        NotSaved
            If one cannot be written; those before it are saved.
        """
        fingerprints = {file.name: file.fingerprint for file in files().list()}
        now = datetime.now()  # local time, as in the names that ComfyUI makes
        saved: list[dict[str, str]] = []
        for index, image in enumerate(images):
            height, width = image.shape[0], image.shape[1]
            recipe = _with_hash(origins.recipe(index))
            own = origins.own_text(index, fingerprints) if origins.references else None
            texts = self._texts(recipe, own, width, height)
            prefix = filled_in(self._prefix, self._prompt or {}, recipe.model or "", now)
            try:
                place = output_place(prefix, width, height)
                encoded = self._encode(image, texts)
                name = self._write(place, index, encoded.content)
            except ValueError as error:  # also a name that no system takes, such as one with a NUL
                raise NotSaved(_outside(prefix)) from error
            except OSError as error:
                reason = error.strerror or str(error)
                raise NotSaved(joined([_failed(prefix, reason), _how_many(len(saved), len(images))])) from error
            self._left_out.update(encoded.left_out)
            saved.append({"filename": name, "subfolder": place.subfolder, "type": "output"})
        return saved

    def notes(self) -> list[str]:
        """What a person should know about the files."""
        if not self._left_out:
            return []
        names = ", ".join(sorted(self._left_out))
        return [
            message(
                "no_room_in_jpeg",
                "A JPEG has room for 64 KB of text, so {names} was left out of the files. Choose png or webp to keep "
                "it all.",
                names=names,
            )
        ]

    def _encode(self, image: torch.Tensor, texts: Mapping[str, str]) -> Encoded:
        picture = to_picture(image)
        try:
            return encode(picture, texts, self._encoding)
        except (ValueError, OSError) as error:  # of the codec: nothing is on the disk yet
            raise NotSaved(_no_such_picture(self._encoding.format, picture.width, picture.height, error)) from error

    def _texts(self, recipe: Recipe, own: str | None, width: int, height: int) -> dict[str, str]:
        """`own` is None where the node knows no generation: then what the run carries stays."""
        if not texts_are_written():
            return {}
        texts = dict(self._shared)
        if own:
            texts[OWN_KEY] = own
        elif own is not None:
            texts.pop(OWN_KEY, None)
        if self._with_parameters:
            hashes = short_hashes((name, model_path("loras", name)) for name, _, _ in recipe.loras or ())
            written = parameters_text(recipe, width=width, height=height, lora_hashes=hashes, version=_VERSION)
            texts[PARAMETERS] = stored_text(written)
        return texts

    def _write(self, place: OutputPlace, index: int, content: bytes) -> str:
        key = (place.folder, place.name)
        name = place.name.replace("%batch_num%", str(index))
        counter = max(place.counter, self._counters.get(key, 0))
        written, self._counters[key] = write_new(place.folder, name, self._encoding.ending, counter, content)
        return written


def _with_hash(recipe: Recipe) -> Recipe:
    """With the hash of the model's file, where one is known without reading it."""
    if recipe.model is None or recipe.model_hash is not None:
        return recipe
    paths = (model_path(folder, recipe.model) for folder in FOLDERS)
    found = short_hashes([(recipe.model, next(filter(None, paths), None))])
    return replace(recipe, model_hash=found.get(recipe.model))


def _failed(prefix: str, reason: str) -> str:
    return message(
        "image_not_saved",
        "An image could not be saved as {prefix}: {reason}. See that the disk has room and that the folder can be "
        "written, and queue again.",
        prefix=prefix,
        reason=reason,
    )


def _how_many(saved: int, images: int) -> str:
    return message("saved_before", "{saved} of {images} images were saved.", saved=saved, images=images)


def _outside(prefix: str) -> str:
    return message(
        "outside_output",
        "The prefix {prefix} leads out of ComfyUI's output folder, or is no name of a file: no image was saved. Write "
        "a name, or a folder and a name with / between them.",
        prefix=prefix,
    )


def _no_such_picture(format_name: str, width: int, height: int, error: Exception) -> str:
    return message(
        "format_too_small",
        "A {format} file cannot hold an image of {width} x {height} pixels ({error}). Choose png.",
        format=format_name,
        width=width,
        height=height,
        error=error,
    )
