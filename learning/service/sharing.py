"""The use cases of learning from others: share what was learned, adopt what others shared, list, weigh and remove it.

Separate from `service`, because nothing here touches the person's own log and sums. What was adopted is read once and
kept until it changes, like a habit (`habits`). How far it predicts the person's own verdicts is looked at again
whenever these have grown by a tenth.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from random import Random, SystemRandom

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..database.schema import OVERALL
from ..errors import InvalidRequest
from ..exchange import private_sums, share_format
from ..exchange.share_format import SharedFile, read_shared
from ..message import message
from ..model.evidence import Comparison
from ..model.shared_prior import Identities, Own, Pair, SharedPrior, Sums, of_people
from ..names import stored_text
from ..reports import AdoptedPrior
from ..store import adopted, generations
from .checkpoints import CheckpointFiles

PEOPLE = "people who share"
"""The name of what others on this server taught; no file has it."""
MOST_ADOPTED = 100
MOST_WEIGHT = 10.0
LONGEST_NAME = 200
_PAGE = 200
_LOOK_AGAIN_S = 2.0
_GROWTH, _FEWEST = 1.1, 0.3  # one image judged alone

PersonSums = Mapping[tuple[str, str, str], Sums]
"""One person's sums by keyword, and name and fingerprint of the checkpoint."""


class Sharing:
    """What one database gives and has adopted."""

    def __init__(self, database: Database, files: CheckpointFiles, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._state: adopted.State | None = None
        self._stored: list[adopted.Stored] = []
        self._read: tuple[SharedFile, ...] = ()
        self._fingerprints_met: Mapping[str, str] = {}
        self._prior: SharedPrior | None = None
        self._rounds = 0.0
        self._next_look = 0.0

    # --- give

    async def share(self, epsilon: float, rng: Random | None = None) -> SharedFile:
        """What the log says of public words, with noise. Raises `InvalidRequest`, `StoreUnavailable`."""
        least, most = private_sums.LEAST_EPSILON, private_sums.MOST_EPSILON
        if not least <= epsilon <= most:
            raise InvalidRequest(
                message(
                    "epsilon",
                    "epsilon is {epsilon}; choose a number from {least} to {most}. The smaller, the more is hidden.",
                    epsilon=epsilon,
                    least=float(least),
                    most=float(most),
                )
            )
        exact = Fraction(epsilon).limit_denominator(1_000)
        known = await self._database.read(adopted.fingerprints)
        comparisons = [comparison async for comparison in self._comparisons()]
        sums = await asyncio.to_thread(
            private_sums.private_sums, comparisons, tuple(known), exact, rng or SystemRandom()
        )
        return SharedFile(
            format="context-checkpoint-share",
            version=share_format.VERSION,
            epsilon=float(exact),
            noise=private_sums.noise_deviation(exact),
            checkpoints=share_format.shared_checkpoints(list(known.items())),
            words={word: tuple(row) for word, row in sums.items()},
        )

    async def _comparisons(self) -> AsyncIterator[Comparison]:
        number = 0
        while page := await self._database.read(
            lambda connection, after=number: generations.judged_after(connection, after, _PAGE)  # type: ignore[misc]
        ):
            for logged in page:
                yield logged.comparison(logged.marks)
            number = page[-1].number

    # --- take

    async def adopt(self, name: str, content: bytes | str, weight: float) -> None:
        """Adopt a file; one with the same name is replaced. Raises `InvalidRequest`, `StoreUnavailable`."""
        name, weight = _checked_name(name), _checked_weight(weight)
        file = await asyncio.to_thread(read_shared, content)
        there = await self._database.read(adopted.stored)
        if len(there) >= MOST_ADOPTED and name not in {each.name for each in there}:
            raise InvalidRequest(
                message("too_many_adopted", "{count} files are adopted already. Remove some.", count=len(there))
            )
        await self._put(name, file, weight)

    async def adopt_people(self, file: SharedFile | None) -> None:
        """Let what others on this server taught be what it is now; None: nothing. Raises `StoreUnavailable`."""
        there = {each.name: each for each in await self._database.read(adopted.stored)}
        former = there.get(PEOPLE)
        if file is None:
            if former is not None:
                await self._database.write(lambda connection: adopted.remove(connection, PEOPLE))
                self._forget()
        elif former is None or former.content != file.text():
            await self._put(PEOPLE, file, 1.0 if former is None else former.weight)

    async def _put(self, name: str, file: SharedFile, weight: float) -> None:
        stored = adopted.Stored(name, self._clock(), weight, file.text())
        await self._database.write(lambda connection: adopted.put(connection, stored))
        self._forget()

    async def adopted(self) -> tuple[AdoptedPrior, ...]:
        """All that was adopted, oldest first. Raises `StoreUnavailable`."""
        self._forget()
        prior = await self.current(0.0)
        known, reports = await self._fingerprints(), []
        for each, file in zip(self._stored, self._read, strict=True):
            theirs = [(checkpoint.name, checkpoint.fingerprint) for checkpoint in file.checkpoints]
            identities = Identities(theirs, known)
            found = {identity for name in known for identity in identities.own(name)}
            reports.append(
                AdoptedPrior(
                    name=each.name,
                    created_at=each.created_at,
                    weight=each.weight,
                    epsilon=file.epsilon,
                    words=len(file.words),
                    checkpoints=len(theirs),
                    known_checkpoints=len(found),
                    agreement=0.0 if prior is None else prior.agreements[each.name],
                )
            )
        return tuple(reports)

    async def remove(self, name: str) -> None:
        """Remove what was adopted under a name. Raises `InvalidRequest`, `StoreUnavailable`."""
        name = stored_text(name)
        if not await self._database.write(lambda connection: adopted.remove(connection, name)):
            raise _unknown(name)
        self._forget()

    async def weigh(self, name: str, weight: float) -> None:
        """Let what was adopted count more or less. Raises `InvalidRequest`, `StoreUnavailable`."""
        name, weight = stored_text(name), _checked_weight(weight)
        if not await self._database.write(lambda connection: adopted.weigh(connection, name, weight)):
            raise _unknown(name)
        self._forget()

    # --- use

    async def current(self, rounds: float) -> SharedPrior | None:
        """What was adopted says, for a person with so many judged rounds; None where there is nothing."""
        now = time.monotonic()
        same_files = self._files.fingerprints is self._fingerprints_met
        fitting = self._rounds <= rounds < max(self._rounds * _GROWTH, self._rounds + _FEWEST) and same_files
        if now < self._next_look and (fitting or not self._state):
            return self._prior
        self._next_look = now + _LOOK_AGAIN_S
        state = await self._database.read(adopted.state, at_once=True)
        if state != self._state:
            there = await self._database.read(adopted.stored)
            self._read = await asyncio.to_thread(lambda: tuple(read_shared(each.content) for each in there))
            self._stored, self._state = there, state
        elif fitting:
            return self._prior
        self._rounds, self._fingerprints_met = rounds, self._files.fingerprints
        self._prior = await self._made() if self._state else None
        return self._prior

    async def _made(self) -> SharedPrior:
        theirs = [(each.name, each.fingerprint) for file in self._read for each in file.checkpoints]
        words = {word for file in self._read for word in file.words}
        identities = Identities(theirs, await self._fingerprints())
        own = await self._database.read(lambda connection: adopted.sums(connection, {OVERALL, *words}))

        def make() -> SharedPrior:
            files = zip(self._stored, self._read, strict=True)
            sources = [file.source(each.name, each.weight) for each, file in files]
            return SharedPrior(sources, _own(own, identities), identities)

        return await asyncio.to_thread(make)

    async def _fingerprints(self) -> dict[str, str]:
        known = await self._database.read(adopted.fingerprints)
        return {**known, **self._files.fingerprints}

    def _forget(self) -> None:
        """Look again with the next question."""
        self._next_look, self._state, self._prior = 0.0, None, None


def _own(pairs: Sequence[adopted.PairSums], identities: Identities) -> Own:
    sums: dict[Pair, Sums] = {}
    for pair in pairs:
        if pair.keyword != OVERALL:
            for identity in identities.own(pair.checkpoint):
                score, information = sums.get((pair.keyword, identity), (0.0, 0.0))
                sums[pair.keyword, identity] = score + pair.score, information + pair.information
    return Own(sums, sum(pair.information for pair in pairs if pair.keyword == OVERALL))


async def sums_of(database: Database) -> PersonSums:
    """All that one database has learned, as sums. Raises `StoreUnavailable`."""

    async def read(connection: AsyncConnection) -> PersonSums:
        known = await adopted.fingerprints(connection)
        return {
            (pair.keyword, pair.checkpoint, known[pair.checkpoint]): (pair.score, pair.information)
            for pair in await adopted.sums(connection)
            if pair.keyword != OVERALL
        }

    return await database.read(read)


def together(people: Sequence[PersonSums]) -> SharedFile | None:
    """What several people taught, where enough of them speak; None where they do of nothing."""
    checkpoints = {(name, fingerprint) for person in people for _, name, fingerprint in person}
    merged = of_people([_by_identity(person) for person in people])
    spoken_of = {identity for _, identity in merged}
    known = {Identities.identity(name, fingerprint): (name, fingerprint) for name, fingerprint in sorted(checkpoints)}
    named = [known[identity] for identity in sorted(spoken_of)]
    return share_format.of_sums(merged, share_format.shared_checkpoints(named)) if merged else None


def _by_identity(person: PersonSums) -> dict[Pair, Sums]:
    sums: dict[Pair, Sums] = {}
    for (keyword, name, fingerprint), (score, information) in person.items():
        pair = keyword, Identities.identity(name, fingerprint)
        before = sums.get(pair, (0.0, 0.0))
        sums[pair] = before[0] + score, before[1] + information
    return sums


def _checked_name(name: str) -> str:
    name = stored_text(name).strip()
    if not 0 < len(name) <= LONGEST_NAME or name == PEOPLE:
        raise InvalidRequest(
            message(
                "adopted_name",
                "What is adopted needs a name of 1 to {longest} characters other than {people}. Give it one.",
                longest=LONGEST_NAME,
                people=PEOPLE,
            )
        )
    return name


def _checked_weight(weight: float) -> float:
    if not 0.0 <= weight <= MOST_WEIGHT:
        raise InvalidRequest(
            message("adopted_weight", "A weight is a number from 0 to {most}. Choose one.", most=MOST_WEIGHT)
        )
    return float(weight)


def _unknown(name: str) -> InvalidRequest:
    return InvalidRequest(
        message("unknown_adopted", "Nothing is adopted as {name}. List what is.", name=name), "unknown_adopted"
    )
