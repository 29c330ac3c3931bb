"""What the routes do that look after a database as a whole.

Apart from `handlers`, which ask what was learned and record verdicts.
"""

from __future__ import annotations

from . import upkeep_schemas
from .handlers import Api


async def forget(api: Api, asked: upkeep_schemas.ForgetAsked) -> upkeep_schemas.ForgetAnswer:
    run = api.runtime.run
    if asked.generation_id is not None:
        generation_id = asked.generation_id
        forgotten = await run(lambda service: service.forget_generation(generation_id))
    elif asked.keyword is not None:
        keyword = asked.keyword
        forgotten = await run(lambda service: service.forget_keyword(keyword))
    elif asked.older_than_days is not None:
        days = asked.older_than_days
        forgotten = await run(lambda service: service.forget_older(days))
    elif asked.prompts:
        forgotten = await run(lambda service: service.forget_prompts())
    else:
        forgotten = await run(lambda service: service.forget_everything())
    return upkeep_schemas.ForgetAnswer.model_validate(forgotten)
