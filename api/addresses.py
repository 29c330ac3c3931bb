"""Method and path of every route: all that ComfyUI's start needs of them."""

from __future__ import annotations

PREFIX = "/context_checkpoint"

Address = tuple[str, str]
"""Method, and path below `PREFIX`."""

ADDRESSES: tuple[Address, ...] = (
    ("GET", "/health"),
    ("POST", "/recommend"),
    ("POST", "/recommend/parameter"),
    ("POST", "/suggest/negative"),
    ("POST", "/recommend/loras"),
    ("POST", "/feedback"),
    ("GET", "/generations"),
    ("POST", "/generations/note"),
    ("GET", "/pending"),
    ("POST", "/pending/{id}"),
    ("GET", "/statistics"),
    ("GET", "/statistics.csv"),
    ("GET", "/checkpoints"),
    ("GET", "/profiles"),
    ("POST", "/profiles"),
    ("GET", "/explain"),
    ("POST", "/explain"),
    ("POST", "/graph"),
    ("GET", "/export"),
    ("POST", "/import"),
    ("POST", "/images/import"),
    ("GET", "/images/import/{id}"),
    ("DELETE", "/images/import/{id}"),
    ("GET", "/images/imports"),
    ("DELETE", "/images/imports/{name}"),
    ("GET", "/start"),
    ("GET", "/start/images"),
    ("POST", "/share"),
    ("GET", "/adopt"),
    ("POST", "/adopt"),
    ("DELETE", "/adopt/{name}"),
    ("GET", "/metrics"),
    ("GET", "/backups"),
    ("POST", "/forget"),
    ("GET", "/settings"),
    ("POST", "/settings"),
    ("POST", "/loaders/release"),
    ("GET", "/openapi.json"),
)
