"""What a run works on: its problems as prompts, its verifiers, its curriculum.

Everything a user can get wrong in them is found here, before the first process of the run starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curricula import Curriculum, CurriculumError, DamagedStateError
from curricula.study.samplers import make_any_curriculum
from rlcs.config import RunConfig
from rlcs.data import Fault, LoadedData, Problems, Renderer, load_problems
from rlcs.errors import ConfigError, ResumeError, sentence
from rlcs.model.lora import check_adapter_package
from rlcs.rollout.actors import check_engine
from rlcs.scoring import Scorer


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingData:
    """What a run works on: problems, their prompts, and who judges the answers."""

    problems: Problems
    """To train on."""
    heldout: Problems
    renderer: Renderer
    scorer: Scorer
    notes: list[str]
    """What was left out of the data and why, a sentence each."""
    dropped: list[Fault]
    """Rows that cannot be used and were left out."""

    def close(self) -> None:
        """End the verifier processes."""
        self.scorer.close()


def load_training_data(config: RunConfig) -> TrainingData:
    """Load and check the data; nothing is started but the verifier processes.

    Raises:
        DatasetError, ModelError, ConfigError: data, model or configuration cannot be used.
    """
    check_engine(config.rollout)
    check_adapter_package(config.learner.lora)
    renderer = Renderer.of_model(config.model, config.rollout.max_prompt_tokens)
    scorer = Scorer(config.scoring)
    try:
        loaded = load_problems(config, pool=scorer.pool, renderer=renderer)
        check_group_count(config, loaded)
        return TrainingData(
            problems=loaded.train,
            heldout=loaded.heldout,
            renderer=renderer,
            scorer=scorer,
            notes=list(loaded.notes),
            dropped=loaded.dropped,
        )
    except BaseException:
        scorer.close()
        raise


def check_group_count(config: RunConfig, loaded: LoadedData) -> None:
    """Check that a step does not train on more groups than there are problems.

    Raises:
        ConfigError: it would.
    """
    if len(loaded.train) < config.run.groups_per_step:
        raise ConfigError(
            f"run.groups_per_step = {config.run.groups_per_step} groups of different problems, "
            f"but there are {len(loaded.train)} problems to train on. Lower it, or add data."
        )


def make_run_curriculum(
    config: RunConfig,
    problems: Problems,
    state: dict[str, Any],
    *,
    reconcile: bool = False,
) -> Curriculum:
    """Make the run's curriculum over the training problems, which goes on from ``state``.

    With ``reconcile`` it may be the state of other problems, of which those still here count.

    Raises:
        ConfigError: its settings do not fit the problems.
        ResumeError: ``state`` is of other problems.
        DamagedStateError: ``state`` is none.
    """
    try:
        curriculum = _new_curriculum(config, problems)
    except CurriculumError as error:
        raise ConfigError(f"curriculum: {sentence(error)}") from error
    try:
        if state:
            curriculum.load_state_dict(state, reconcile=reconcile)
    except DamagedStateError:
        raise
    except CurriculumError as error:
        raise ResumeError(
            f"the problems are not those this run was started with: {sentence(error)} "
            "Put the data back as it was, go on with what is known of those still here by "
            "--reconcile, or start a new run."
        ) from error
    return curriculum


def _new_curriculum(config: RunConfig, problems: Problems) -> Curriculum:
    return make_any_curriculum(
        config.curriculum.kind,
        problems.for_curriculum(),
        group_size=config.rollout.group_size,
        seed=config.run.seed,
        **config.curriculum.settings,
    )
