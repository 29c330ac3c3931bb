"""Writes `.safetensors` files with holes where a tensor is all zeros.

Separate from the networks, because it knows bytes and nothing of models. Real checkpoints hold gigabytes,
ours mostly zeros, which a sparse file keeps for nothing. It reads no file: ComfyUI does that.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Tensors = dict[str, Array]
Precision = Literal["F8_E4M3", "F16", "F32"]

BYTES: dict[Precision, int] = {"F8_E4M3": 1, "F16": 2, "F32": 4}
PAGE = 4096  # data begins at a page, so that whole pages of zeros can stay unwritten


def zeros(*shape: int) -> Array:
    """Return zeros that take no memory here and no room in the file."""
    return np.broadcast_to(np.float32(0), shape)


def _is_hole(tensor: Array) -> bool:
    return tensor.size > 1 and not any(tensor.strides) and not tensor.flat[0]


def _precision(tensor: Array, matrices: Precision) -> Precision:
    if tensor.ndim == 0:
        return "F32"
    return matrices if tensor.ndim >= 2 else "F16"


def _float8_midpoints() -> Array:
    """Where rounding changes between neighbours among the 127 finite non-negative values of float8 e4m3fn."""
    codes = np.arange(127)
    exponent, mantissa = codes >> 3, codes & 7
    values = np.where(exponent == 0, mantissa / 512, (8 + mantissa) * 2.0 ** (exponent - 10))
    return ((values[1:] + values[:-1]) / 2).astype(np.float32)


def float8(tensor: Array) -> NDArray[np.uint8]:
    """Encode as float8 e4m3fn: sign, four bits of exponent, three of mantissa; too large becomes 448."""
    encoded = np.zeros(tensor.shape, np.uint8)
    filled = tensor != 0
    values = tensor[filled]
    codes = np.searchsorted(_float8_midpoints(), np.abs(values)).astype(np.uint8)
    encoded[filled] = codes | (np.signbit(values).astype(np.uint8) << 7)
    return encoded


def _encode(tensor: Array, precision: Precision) -> bytes:
    if precision == "F8_E4M3":
        return float8(tensor).tobytes()
    return np.asarray(tensor, "<f2" if precision == "F16" else "<f4").tobytes()


def write_tensors(
    path: Path,
    tensors: Mapping[str, Array],
    *,
    matrices: Precision = "F8_E4M3",
) -> int:
    """Write the tensors under their names, in one step: a reader sees the whole file or none.

    Parameters
    ----------
    matrices
        The precision of tensors with two or more dimensions; vectors are float16, single numbers float32.

    Returns
    -------
    int
        The file's size in bytes, holes included.
    """
    header: dict[str, object] = {}
    places: list[tuple[int, Array, Precision]] = []
    end = 0
    for name, tensor in tensors.items():
        precision = _precision(tensor, matrices)
        begin, end = end, end + tensor.size * BYTES[precision]
        header[name] = {"dtype": precision, "shape": list(tensor.shape), "data_offsets": [begin, end]}
        places.append((begin, tensor, precision))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % PAGE)
    base = 8 + len(text)

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for begin, tensor, precision in places:
            if not _is_hole(tensor):
                file.seek(base + begin)
                file.write(_encode(tensor, precision))
        file.truncate(base + end)
    unfinished.replace(path)
    return base + end
