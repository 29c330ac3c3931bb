"""The commands about other people's verdicts: `share` writes a file for them, `adopt` begins with theirs.

Separate from `commands`, because these files are strangers': they are read within bounds, and kept apart from what was
learned here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..api.schemas.sharing import AdoptedResponse
from ..learning.exchange.share_format import LARGEST
from ..learning.names import shown_name
from ..learning.reports import AdoptedPrior
from ..learning.service.service import PreferenceService
from ..runtime.process import configure, current
from .outcome import CommandFailed, Outcome, WrongUse


def share(arguments: argparse.Namespace) -> Outcome:
    if arguments.database is not None:
        configure(database=arguments.database)
    path = Path(arguments.file)
    content = current().run_blocking(lambda service: service.share(arguments.epsilon))
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}.") from error
    text = (
        f"Written to {shown_name(str(path))}, with noise for epsilon {arguments.epsilon:g}. It names your checkpoints. "
        "Each further file says more of the same verdicts: share one, not many."
    )
    return Outcome({"file": str(path), "epsilon": arguments.epsilon}, text)


def adopt(arguments: argparse.Namespace) -> Outcome:
    if arguments.database is not None:
        configure(database=arguments.database)
    if arguments.remove is not None:
        if arguments.files or arguments.name or arguments.weight is not None:
            raise WrongUse("--remove NAME stands alone.")
        current().run_blocking(lambda service: service.remove_adopted(arguments.remove))
    elif arguments.files:
        _adopt(arguments)
    elif arguments.name and arguments.weight is not None:
        current().run_blocking(lambda service: service.weigh_adopted(arguments.name, arguments.weight))
    elif not arguments.list:
        raise WrongUse("Name the files to adopt, or --list, or --remove NAME, or --name NAME --weight W.")
    return _listed(current().run_blocking(lambda service: service.adopted()))


def _adopt(arguments: argparse.Namespace) -> None:
    if arguments.name and len(arguments.files) > 1:
        raise WrongUse("--name is for one file.")
    weight = 1.0 if arguments.weight is None else arguments.weight
    for file in map(Path, arguments.files):
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
        except OSError as error:
            raise CommandFailed(f"{file} cannot be read: {error.strerror or error}.") from error
        name = arguments.name or file.name

        async def adopt_in(service: PreferenceService, name: str = name, content: bytes = content) -> None:
            await service.adopt(content, name=name, weight=weight)

        current().run_blocking(adopt_in)


def _listed(adopted: tuple[AdoptedPrior, ...]) -> Outcome:
    response = AdoptedResponse.model_validate({"adopted": adopted})
    lines = [
        f"{shown_name(each.name)}: {each.words:,} words, {each.known_checkpoints} of {each.checkpoints} checkpoints "
        f"known here, weight {each.weight:g}, agrees with your verdicts by {each.agreement:.2f}"
        for each in response.adopted
    ]
    return Outcome(response.model_dump(mode="json"), "\n".join(lines or ["Nothing is adopted."]))
