"""The arena: how well do the policies learn, in worlds that anybody can replay, against the field's best?

A *world* is a seeded generator of wishes (a prompt, the candidates, and their utilities to a simulated person). A
*player* recommends one to three checkpoints and learns from the verdict. `match` lets one play in the other,
`measures` computes the result. No world knows a player, and no player sees more of a world than a person's
installation would: prompts, names, verdicts.

Separate from the other benchmarks because it measures judgement, not time: its numbers do not depend on the
machine, and every one of them can be replayed from a seed.
"""
