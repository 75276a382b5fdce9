"""The problems of a run: the one place that says what they are.

``train``, ``doctor``, ``simulate``, ``grade``, ``check`` and ``sft`` all look at a run's problems
through :func:`load_problems`, so that none of them accepts what another one refuses.
"""

from __future__ import annotations

from dataclasses import replace

from rewards import VerifierPool
from rlcs.config import GradeConfig, RunConfig, SftConfig
from rlcs.data.difficulty import grade_problems
from rlcs.data.load import LoadedData, load_data
from rlcs.data.render import Renderer


def load_problems(
    config: RunConfig | SftConfig | GradeConfig,
    *,
    pool: VerifierPool | None = None,
    renderer: Renderer | None = None,
) -> LoadedData:
    """Every problem of ``config``, with the pass rates that offline grades give the training ones.

    With ``pool`` each reference has to pass its own verifier; without one no reference is judged.
    With ``renderer`` each prompt has to fit; without one none is made.

    Raises:
        DatasetError: rows or references cannot be used; the message names all of them.
        ConfigError: the offline grades cannot be used, or are of other problems.
        PackageMissingError: reasoning-gym is needed and not installed.
    """
    loaded = load_data(
        config.data,
        extra_domains=config.scoring.domains.named(),
        pool=pool,
        renderer=renderer,
    )
    if not isinstance(config, RunConfig) or config.data.difficulty is None:
        return loaded
    graded, notes = grade_problems(config.data.difficulty, config.curriculum, loaded.train)
    return replace(loaded, train=graded, notes=[*loaded.notes, *notes])
