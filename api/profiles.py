"""The profiles of checkpoints with what was learned of them, for the routes and the command line.

Separate from `handlers`, because the command line reads the files of a folder where the routes have a `Host`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..checkpoints.profiles import FromFiles, SamplerNames, complete_profile
from ..learning.names import stored_name
from ..learning.profiles import Profile
from ..recipes.settings import Settings
from ..runtime.learned_settings import ask_about_settings, learned_settings
from ..runtime.runtime import Runtime


async def profiles_with_learned(
    home: Runtime,
    prompt: str,
    found: Mapping[str, FromFiles],
    families: Callable[[], Mapping[str, str]],
    names: SamplerNames | None = None,
) -> dict[str, Profile]:
    """Put together what is known of each checkpoint's settings, by its name.

    Parameters
    ----------
    prompt
        For which one; an empty one asks for what suits prompts in general.
    found
        What the files of each checkpoint say.
    families
        As in `ask_about_settings`.
    names
        As in `complete_profile`.
    """
    by_person = home.settings.profiles

    def complete(learned: Mapping[str, Settings]) -> dict[str, Profile]:
        return {
            name: complete_profile(
                files, by_person=by_person.get(stored_name(name)), learned=learned.get(stored_name(name)), names=names
            )
            for name, files in found.items()
        }

    known = {name: profile.settings for name, profile in complete({}).items()}
    return complete(learned_settings(await ask_about_settings(home, prompt, known, families)))
