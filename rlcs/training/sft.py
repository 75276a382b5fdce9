"""``rlcs sft``: the cold start, which teaches the form of a response before RL begins.

The same learner as the RL run, with the likelihood of demonstrated responses in place of
the policy loss. Every token of a response weighs the same.

Until the model is written its state lies beside it, in ``OUTPUT.unfinished``: the configuration and
the last checkpoint, from which ``rlcs sft --resume`` goes on exactly.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from rlcs.activity import doing
from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import SftConfig, write_config
from rlcs.data import Fault, Renderer, load_problems, write_dropped
from rlcs.errors import (
    DatasetError,
    LearningError,
    LostProcessError,
    ResumeError,
    RunFolderError,
    StorageError,
)
from rlcs.files import check_room, remove, size_of, whole, writing
from rlcs.learner.actors import Learner
from rlcs.learner.losses import ImitationObjective
from rlcs.learner.rank_settings import rank_settings
from rlcs.learner.schedule import learning_rate
from rlcs.run.checkpoint import Checkpoints, damaged, read_sft_state
from rlcs.run.disk import model_bytes, state_bytes
from rlcs.run.folder import CONFIG_NAME, check_same_sft, read_sft_config
from rlcs.run.interruption import INTERRUPTED, interruption
from rlcs.run.screen import Screen
from rlcs.run.state import SftState
from rlcs.scoring import Scorer
from rlcs.seeds import derive_seed
from rlcs.types import Problem, TrainingSample

SHOWN_EVERY = 20
"""Steps between progress lines."""

ENCODED_AT_ONCE = 1_000
"""Problems that are held at once while they are made into samples."""

UNFINISHED = ".unfinished"
"""The end of the name of the folder in which the state lies until the model is written."""


def sft(config: SftConfig, resume: Path | None = None) -> int:
    """Train and write ``config.output``; returns the exit status.

    With ``resume``, the folder of a cold start's state, it goes on exactly as it would have.

    Raises:
        RunFolderError: the output folder exists already, or a state of this cold start does.
        ResumeError: there is nothing to go on from, or it is of another cold start.
        DatasetError: rows without a response to imitate, or too long.
        StorageError: the disk has no room for model and state, is read-only or gone.
    """
    output = Path(config.output)
    folder = resume or output.with_name(output.name + UNFINISHED)
    if output.exists():
        raise RunFolderError(
            f"the output folder {output} exists already; remove it or use another."
        )
    changes = check_same_sft(read_sft_config(resume), config) if resume else []
    checkpoint = Checkpoints(folder / "checkpoints", keep=1).latest()
    _check_start(folder, checkpoint, resuming=resume is not None)
    with Screen() as screen:
        return _sft(config, folder, checkpoint, changes, screen)


def _sft(
    config: SftConfig, folder: Path, checkpoint: Path | None, changes: Sequence[str], screen: Screen
) -> int:
    """What :func:`sft` does once it is known from where it goes on."""
    output = Path(config.output)
    state = read_sft_state(checkpoint) if checkpoint else SftState()
    with doing("reading and checking the demonstrations"):
        renderer = Renderer.of_model(config.model, config.sft.max_tokens)
        with closing(Scorer(config.scoring)) as scorer:
            loaded = load_problems(config, pool=scorer.pool)
        samples = demonstrations(loaded.train, renderer, config.sft.max_tokens)
    _check_demonstrations(state, samples)
    batches = list(_batches(config, len(samples)))
    _check_disk(config, output, folder, num_steps=len(batches))
    for note in (*loaded.notes, *(f"changed: {change}" for change in changes)):
        screen.say(note)
    learner = _start_learner(config, checkpoint)
    try:
        if checkpoint:
            screen.say(f"resuming {folder} after step {state.steps_done}")
        session = SftSession(config, folder, learner, renderer, state, screen)
        with session.saying_how_to_go_on():
            if session.learn(samples, batches):
                return INTERRUPTED
            with doing("writing the model"):
                _write_model(config, output, learner, renderer, state.rows, loaded.dropped)
    finally:
        stop_cluster()
    _clear(folder)
    screen.say(f"done: {output}")
    return 0


def _clear(folder: Path) -> None:
    """Remove the state, and its folder unless something else was put there."""
    remove(folder / "checkpoints")
    remove(folder / CONFIG_NAME)
    with suppress(OSError):
        folder.rmdir()


def _check_start(folder: Path, checkpoint: Path | None, *, resuming: bool) -> None:
    if resuming and checkpoint is None:
        raise ResumeError(
            f"{folder} has no complete checkpoint: the cold start ended before its first save. "
            "Start again; sft.save_every sets how often it saves."
        )
    if not resuming and checkpoint is not None:
        raise RunFolderError(
            f"the state of this cold start lies in {folder}. Go on with it: rlcs sft --resume "
            f"{folder}; or remove that folder to start again."
        )


def _check_demonstrations(state: SftState, samples: Sequence[TrainingSample]) -> None:
    """Check that the data is that of the state, and note in a new one what it is."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(np.array([len(sample.token_ids), sample.num_prompt_tokens]).tobytes())
        digest.update(np.asarray(sample.token_ids, dtype=np.int64).tobytes())
        for image in sample.images:
            digest.update(image.digest.encode())
    found = digest.hexdigest()
    if state.demonstrations not in ("", found):
        raise ResumeError(
            f"expected the demonstrations that this cold start was started with, found others "
            f"({len(samples)} now). Put the data back, or start again with another output."
        )
    state.demonstrations = found


def _check_disk(config: SftConfig, output: Path, folder: Path, *, num_steps: int) -> None:
    """Check that there is room for the model, and for the states that will be saved: one is kept
    while the next is written."""
    model, state = model_bytes(config.model), state_bytes(config.model, config.sft)
    check_room("the model", output, needed_bytes=model)
    states = min(2, (num_steps - 1) // config.sft.save_every) * state - size_of(folder)
    if states > 0:
        check_room("the model and its state", folder, needed_bytes=model + states)


def _start_learner(config: SftConfig, checkpoint: Path | None) -> Learner:
    plan = start_cluster(config.hardware, Needs(num_engines=0, num_ranks=config.sft.num_ranks))
    try:
        settings = rank_settings(
            model_path=config.model.location,
            dtype=config.model.dtype,
            trust_code=config.model.trust_code,
            image_tokens=config.model.image_tokens,
            seed=config.seed,
            optimiser=config.sft,
            ranks=config.sft,
            plan=plan,
            trained=config.sft,
        )
        learner = Learner(settings, plan=plan)
        learner.wait_until_ready()
        if checkpoint:
            learner.load(str((checkpoint / "learner").resolve()))
    except LearningError as error:
        stop_cluster()
        if checkpoint is None:
            raise
        raise damaged(checkpoint, f"the learner's state: {error}", verb="sft") from error
    except BaseException:
        stop_cluster()
        raise
    return learner


def demonstrations(
    problems: Sequence[Problem], renderer: Renderer, max_tokens: int
) -> list[TrainingSample]:
    """The samples of problems and their demonstrated responses, as the learner reads them.

    Raises:
        DatasetError: rows are longer than ``max_tokens``; the message names some of them.
    """
    samples, too_long = [], []
    for problem, prompt, response in _encoded(problems, renderer):
        if len(prompt) + len(response) > max_tokens:
            too_long.append(f"{problem.where} with {len(prompt) + len(response)} tokens")
        samples.append(
            TrainingSample(
                token_ids=np.concatenate([prompt, response]),
                num_prompt_tokens=len(prompt),
                old_logprobs=np.zeros(len(response), dtype=np.float32),
                loss_mask=np.ones(len(response), dtype=bool),
                advantage=1.0,
                images=problem.images,
            )
        )
    if too_long:
        raise DatasetError(
            f"{len(too_long)} rows are longer than sft.max_tokens = {max_tokens}: "
            f"{', '.join(too_long[:10])}. Raise sft.max_tokens or take these rows out."
        )
    return samples


def _encoded(
    problems: Sequence[Problem], renderer: Renderer
) -> Iterator[tuple[Problem, np.ndarray, np.ndarray]]:
    """Each problem with its prompt and its demonstrated response; few problems are held at once."""
    for start in range(0, len(problems), ENCODED_AT_ONCE):
        part = problems[start : start + ENCODED_AT_ONCE]
        for problem, pair in zip(part, renderer.encode_demonstrations(part), strict=True):
            yield problem, *pair


class SftSession:
    """One session of a cold start: it takes the steps, shows them, and saves between them."""

    def __init__(
        self,
        config: SftConfig,
        folder: Path,
        learner: Learner,
        renderer: Renderer,
        state: SftState,
        screen: Screen,
    ) -> None:
        """The state goes to ``folder``, once there is something to save."""
        self.config = config
        self.folder = folder
        self.learner = learner
        self.renderer = renderer
        self.state = state
        self.screen = screen
        self.checkpoints = Checkpoints(folder / "checkpoints", keep=1)
        self._earlier_seconds = state.seconds
        self._earlier_steps = state.steps_done
        self._started = time.perf_counter()
        self._saved_step = state.steps_done

    def learn(self, samples: Sequence[TrainingSample], batches: Sequence[np.ndarray]) -> bool:
        """Take the steps that are left, one a batch; returns whether Ctrl-C stopped that."""
        with interruption("this step") as interrupted:
            while self.state.steps_done < len(batches) and not interrupted:
                self._take_step(samples, batches)
                steps = self.state.steps_done
                if steps % self.config.sft.save_every == 0 and steps < len(batches):
                    self._save()
        if self.state.steps_done == len(batches):
            return False
        if self._saved_step != self.state.steps_done:
            self._save()
        self.screen.say(f"stopped after step {self.state.steps_done} and saved. {self._way_on()}")
        return True

    @contextmanager
    def saying_how_to_go_on(self) -> Iterator[None]:
        """Add to an error of the block's processes and disks what is saved.

        Raises:
            LostProcessError: that error.
            StorageError: that error.
        """
        try:
            yield
        except LostProcessError as error:
            raise LostProcessError(f"{error} {self._way_on()}") from error
        except StorageError as error:
            raise error.advising(self._way_on()) from error

    def _way_on(self) -> str:
        if self.checkpoints.latest() is None:
            return "Nothing was saved before: start again."
        return f"Go on with: rlcs sft --resume {self.folder}"

    def _take_step(self, samples: Sequence[TrainingSample], batches: Sequence[np.ndarray]) -> None:
        state = self.state
        with doing(f"step {state.steps_done + 1} of {len(batches)}"):
            report = self.learner.learn(
                [samples[index] for index in batches[state.steps_done]],
                ImitationObjective(),
                loss="per_token",
                learning_rate=learning_rate(self.config.sft, state.steps_done, len(batches)),
            )
        here = time.perf_counter() - self._started
        state.seconds = self._earlier_seconds + here
        state.steps_done += 1
        step = f"step {state.steps_done}/{len(batches)}"
        if report.skipped:
            self.screen.say(f"{step} was skipped: its gradient is not finite")
            return
        state.rows.append(
            {
                "step": state.steps_done,
                "loss": report.loss,
                "grad_norm": report.grad_norm,
                "learning_rate": report.learning_rate,
                "tokens": report.num_loss_tokens,
                "seconds": state.seconds,
            }
        )
        if state.steps_done % SHOWN_EVERY == 0 or state.steps_done == len(batches):
            each = here / (state.steps_done - self._earlier_steps)
            self.screen.say(
                f"{step}  loss {report.loss:.4f}  grad {report.grad_norm:.2f}  "
                f"{state.seconds:.0f} s  left {each * (len(batches) - state.steps_done):.0f} s"
            )

    def _save(self) -> None:
        what = f"the checkpoint of step {self.state.steps_done}"
        needed = state_bytes(self.config.model, self.config.sft)
        with (
            doing(f"saving {what}"),
            writing(what, self.checkpoints.folder, needed_bytes=needed),
        ):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_config(self.config, self.folder / CONFIG_NAME)
            self.checkpoints.save(self.state, self.learner, self.renderer, with_model=False)
        self._saved_step = self.state.steps_done


def _batches(config: SftConfig, num_samples: int) -> Iterator[np.ndarray]:
    """Indices of each step: every epoch in its own order, the last batch of it may be smaller."""
    for epoch in range(config.sft.num_epochs):
        order = np.random.default_rng(derive_seed(config.seed, "sft", epoch)).permutation(
            num_samples
        )
        for start in range(0, num_samples, config.sft.batch_size):
            yield order[start : start + config.sft.batch_size]


def _write_model(
    config: SftConfig,
    output: Path,
    learner: Learner,
    renderer: Renderer,
    rows: Sequence[dict[str, Any]],
    dropped: Sequence[Fault],
) -> None:
    """Write the model folder, with the log of the steps and the dropped rows in it."""
    needed = model_bytes(config.model)
    with writing("the model", output, needed_bytes=needed), whole(output) as partial:
        partial.mkdir(parents=True)
        learner.export(str(partial.resolve()))
        renderer.save(partial)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (partial / "sft_steps.jsonl").write_text(text)
        write_dropped(partial, dropped)
