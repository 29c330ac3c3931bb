"""Who may ask `context-checkpoint serve`: under which names, from which pages, and with the token.

Separate from `standalone.py`, which serves, because inside ComfyUI none of this applies: there ComfyUI's own rules do.
On a loopback address every program of this machine may ask, but no web page of another origin, and none that reaches
this machine by a name of its own (DNS rebinding). Where others can reach the server, each request for data also needs
the token: as `Authorization: Bearer`, or as the cookie that the page gets when it is opened with `?token=`.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from aiohttp import hdrs, web

from ..learning.errors import LearningError
from ..learning.message import message
from .addresses import PREFIX
from .responses import Handler, refuse

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

_COOKIE_S = 365 * 24 * 3600
_TOKEN = re.compile(r"[\w-]{32,}", re.ASCII)


def read_token(file: Path) -> str:
    """Read the token of this machine's server; make one where there is none that only its user can read.

    Raises
    ------
    LearningError
        If it can be neither read nor written.
    """
    try:
        return _kept_token(file) or _new_token(file)
    except OSError as error:
        text = f"The token cannot be kept in {file} ({error.strerror or error}). Let this user write its folder."
        raise LearningError("token_not_kept", text) from error


def _kept_token(file: Path) -> str | None:
    """The token of an earlier start; none where others may have read it."""
    try:
        kept = file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    private = os.name == "nt" or not file.stat().st_mode & 0o077
    return kept if private and _TOKEN.fullmatch(kept) else None


def _new_token(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    token = secrets.token_urlsafe(32)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
        new.write(f"{token}\n")
    return token


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    Attributes
    ----------
    bound_host
        The address that it is bound to.
    names
        Names of the setting `serve_names`.
    token
        None where none is asked for.
    """

    bound_host: str
    names: Collection[str]
    token: str | None

    def middleware(self) -> Middleware:
        """Make the middleware that refuses what these rules do not allow."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            return self._refusal(request) or self._opened_with_token(request) or await handler(request)

        return middleware

    def _refusal(self, request: web.Request) -> web.Response | None:
        named = _split(f"//{request.host}")
        if named is None or not named.hostname or hdrs.HOST not in request.headers:
            return refuse(400, "invalid_host", "The header Host has to name this server.")
        if not self._is_own(named.hostname):
            text = message(
                "foreign_host",
                "This server is not called {name}. If it should be, run: context-checkpoint settings "
                "serve_names={name} and start it again.",
                name=named.hostname,
            )
            return refuse(403, "foreign_host", text)
        origin = request.headers.get(hdrs.ORIGIN)
        page = None if origin is None else _split(origin)
        foreign = origin is not None and (page is None or page.netloc.lower() != request.host.lower())
        if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
            return refuse(403, "foreign_origin", "Requests from other web pages are refused.")
        if request.path.startswith(PREFIX) and not self._has_token(request):
            text = message(
                "token_required",
                "This server asks for its token. Open the address that `context-checkpoint serve` printed, or send "
                "the token as Authorization: Bearer.",
            )
            refused = refuse(401, "token_required", text)
            refused.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
            return refused
        return None

    def _is_own(self, host: str) -> bool:
        """Whether a request may use this name. An address is no name that somebody could point here."""
        if host in self.names or is_loopback(host):
            return True
        return not is_loopback(self.bound_host) and (_is_address(host) or host == self.bound_host.lower())

    def _has_token(self, request: web.Request) -> bool:
        scheme, _, sent = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        bearer = sent.strip() if scheme.lower() == "bearer" else ""
        return self._is_token(bearer) or self._is_token(request.cookies.get(_cookie(request), ""))

    def _is_token(self, sent: str) -> bool:
        return self.token is None or secrets.compare_digest(sent.encode(errors="replace"), self.token.encode())

    def _opened_with_token(self, request: web.Request) -> web.Response | None:
        """Let the browser keep the token, and open the page without it in the address."""
        if self.token is None or request.path != "/" or "token" not in request.query:
            return None
        if not self._is_token(request.query["token"]):
            return refuse(401, "token_required", "This is not the server's token: open the address that it printed.")
        opened = web.Response(status=303, headers={hdrs.LOCATION: "/"})
        secure = request.headers.get(hdrs.X_FORWARDED_PROTO) == "https"
        opened.set_cookie(
            _cookie(request), self.token, max_age=_COOKIE_S, httponly=True, samesite="Strict", secure=secure
        )
        return opened


def _cookie(request: web.Request) -> str:
    """Cookies know no ports: each server of a machine has one of its own."""
    address = request.get_extra_info("sockname") or ("", 0)
    return f"context_checkpoint_token_{address[1]}"


def _split(address: str) -> SplitResult | None:
    """Take an address of a header apart; None where it is malformed."""
    if not address.isascii():
        return None
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises ValueError too
    except ValueError:
        return None
    return parts if "@" not in parts.netloc else None


def is_loopback(host: str) -> bool:
    """Whether a name or an address is only this machine's."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
