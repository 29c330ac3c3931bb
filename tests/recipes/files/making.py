"""Writes small image files byte by byte, with whatever texts a test wants in them."""

from __future__ import annotations

import json
import struct
import zlib

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
XMP_IN_PNG = "XML:com.adobe.xmp"
IMAGE_DESCRIPTION, MAKE, MODEL, SOFTWARE, USER_COMMENT, EXIF_DIRECTORY = 0x010E, 0x010F, 0x0110, 0x0131, 0x9286, 0x8769

A1111 = (
    "a castle, <lora:detail:0.8>\nby the sea\nNegative prompt: blurry,\nlow quality\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 7, Size: 512x768, "
    "Model hash: 0123456789, Model: dream, Clip skip: 2, Version: v1.10.1"
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(name: str, text: str) -> bytes:
    return chunk(b"tEXt", name.encode("latin-1") + b"\0" + text.encode("utf-8"))


def itxt_chunk(name: str, text: str | bytes, *, packed: bool = False) -> bytes:
    data = text.encode("utf-8") if isinstance(text, str) else text
    body = zlib.compress(data) if packed else data
    return chunk(b"iTXt", name.encode("latin-1") + b"\0" + bytes([packed, 0]) + b"\0\0" + body)


def ztxt_chunk(name: str, data: bytes) -> bytes:
    return chunk(b"zTXt", name.encode("latin-1") + b"\0\0" + zlib.compress(data))


def png(
    *before: bytes, after: tuple[bytes, ...] = (), width: int = 512, height: int = 768, alpha: bool = False
) -> bytes:
    """A PNG of one black picture, with chunks before and after its pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + width * (4 if alpha else 3)) * height))
    parts = [chunk(b"IHDR", head), *before, chunk(b"IDAT", pixels), *after, chunk(b"IEND", b"")]
    return PNG_HEAD + b"".join(parts)


def exif(
    tags: dict[int, bytes], order: str = ">", inner: dict[int, bytes] | None = None, kinds: dict[int, int] | None = None
) -> bytes:
    """A TIFF block with these tags, and those of the Exif directory; tags are ASCII, a UserComment is undefined."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    entries = dict(tags)
    if inner:
        entries[EXIF_DIRECTORY] = b""
    start = 8 + 2 + 12 * len(entries) + 4
    values = b""
    if inner:
        at = start
        second, more = _directory(inner, order, at, kinds or {}, None)
        values = second + more
        start += len(values)
    first, rest = _directory(entries, order, 8, kinds or {}, 8 + 2 + 12 * len(entries) + 4 if inner else None, start)
    return head + first + values + rest


def _directory(
    tags: dict[int, bytes], order: str, at: int, kinds: dict[int, int], inner_at: int | None, start: int | None = None
) -> tuple[bytes, bytes]:
    start = at + 2 + 12 * len(tags) + 4 if start is None else start
    entries, values = b"", b""
    for tag, value in sorted(tags.items()):
        if tag == EXIF_DIRECTORY and inner_at is not None:
            entries += struct.pack(order + "HHII", tag, 4, 1, inner_at)
            continue
        kind = kinds.get(tag, 7 if tag == USER_COMMENT else 2)
        count = len(value) // 2 if kind == 3 else len(value)
        if len(value) <= 4:
            entries += struct.pack(order + "HHI4s", tag, kind, count, value)
        else:
            entries += struct.pack(order + "HHII", tag, kind, count, start + len(values))
            values += value
    return struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0), values


def user_comment(text: str, encoding: str = "utf-16-be", code: bytes = b"UNICODE\0") -> bytes:
    return code + text.encode(encoding)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes, end: bytes = b"\xff\xd9") -> bytes:
    """A JPEG as far as a reader of texts looks at it: what it has for pixels is none."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, 768, 512, 1) + b"\1\x11\0")
    return b"\xff\xd8" + b"".join(segments) + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(64) + end


def jpeg_exif(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def jpeg_xmp(packet: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def jpeg_long_exif(block: bytes, room: int = 65_000) -> tuple[bytes, ...]:
    """A block that needs several segments."""
    return tuple(jpeg_exif(block[at : at + room]) for at in range(0, len(block), room))


def jpeg_long_xmp(packet: bytes, name: str = "0123456789ABCDEF" * 2, room: int = 65_000) -> tuple[bytes, ...]:
    """A packet in pieces, after a first one that names it."""
    note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
    first = jpeg_xmp(xmp(f'{note} xmpNote:HasExtendedXMP="{name}"'))
    head = b"http://ns.adobe.com/xmp/extension/\0" + name.encode()
    pieces = range(0, len(packet), room)
    return first, *(segment(0xE1, head + struct.pack(">II", len(packet), at) + packet[at : at + room]) for at in pieces)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP: sizes, something for pixels, and further chunks."""
    sizes = b"\x08\0\0\0" + (511).to_bytes(3, "little") + (767).to_bytes(3, "little")
    body = b"WEBP"
    for kind, data in ((b"VP8X", sizes), (b"VP8 ", bytes(33)), *chunks):
        body += kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def avif(exif_block: bytes = b"", xmp: bytes = b"") -> bytes:
    """An AVIF with an EXIF and an XMP item in its `mdat`."""
    items = [(1, b"Exif", b"", struct.pack(">I", 0) + exif_block), (2, b"mime", b"application/rdf+xml\0", xmp)]
    items = [item for item in items if len(item[3]) > 4]
    infos = b"".join(
        box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", number, 0, kind) + b"\0" + more)
        for number, kind, more, _ in items
    )
    kind = box(b"ftyp", b"avif\0\0\0\0avifmif1")
    names = box(b"iinf", b"\0\0\0\0" + struct.pack(">H", len(items)) + infos)
    size = box(b"iprp", box(b"ipco", box(b"ispe", b"\0\0\0\0" + struct.pack(">II", 512, 768))))

    def meta(data_at: int) -> bytes:
        places = b"\0\0\0\0" + bytes([0x44, 0]) + struct.pack(">H", len(items))
        for number, _, _, data in items:
            places += struct.pack(">HHHII", number, 0, 1, data_at, len(data))
            data_at += len(data)
        return box(b"meta", b"\0\0\0\0" + names + box(b"iloc", places) + size)

    begin = len(kind) + len(meta(0)) + 8
    return kind + meta(begin) + box(b"mdat", b"".join(data for *_, data in items))


def xmp(attributes: str = "", elements: str = "", before: str = "") -> bytes:
    return (
        f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:exif="http://ns.adobe.com/exif/1.0/" {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def graph(model: str = "dream.safetensors", prefix: str = "ComfyUI", **sampler: object) -> dict[str, dict[str, object]]:
    """ComfyUI's prompt of a stock graph."""

    def node(kind: str, **inputs: object) -> dict[str, object]:
        return {"class_type": kind, "inputs": inputs}

    settings = {"seed": 7, "steps": 20, "cfg": 6.5, "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0}
    links = {"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0]}
    return {
        "1": node("CheckpointLoaderSimple", ckpt_name=model),
        "2": node("CLIPTextEncode", text="a castle", clip=["1", 1]),
        "3": node("CLIPTextEncode", text="blurry", clip=["1", 1]),
        "4": node("EmptyLatentImage", width=512, height=768, batch_size=1),
        "5": node("KSampler", **settings | links | sampler),
        "6": node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": node("SaveImage", images=["6", 0], filename_prefix=prefix),
    }


def as_json(value: object) -> str:
    return json.dumps(value)
