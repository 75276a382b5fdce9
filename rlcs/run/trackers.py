"""Services that plot a run's numbers and show its completions, each by its own mechanisms:
TensorBoard, Weights & Biases, MLflow, trackio, and Prometheus by way of Ray.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from rlcs.config import TrackingSection
from rlcs.errors import ConfigError, PackageMissingError, first_line
from rlcs.run.prometheus import PrometheusTracker
from rlcs.run.samples import COLUMNS, Samples

TABLE = "completions"
PICTURES = "pictures"


class Tracker(Protocol):
    """Where the numbers and some completions of a run go."""

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""

    def show(self, samples: Samples) -> None:
        """Send completions of a step, with their pictures."""

    def close(self) -> None:
        """End the tracking of the run."""


class TensorBoardTracker:
    """Writes scalars, texts and pictures where ``tensorboard --logdir RUN`` looks."""

    def __init__(self, folder: Path, steps_done: int) -> None:
        writer = importlib.import_module("torch.utils.tensorboard").SummaryWriter
        self._writer = writer(str(folder / "tensorboard"), purge_step=steps_done + 1)

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def show(self, samples: Samples) -> None:
        """Send completions of a step, with their pictures."""
        self._writer.add_text(TABLE, as_markdown(samples), samples.step)
        for at, image in enumerate(samples.opened()):
            if image is not None:
                self._writer.add_image(
                    f"{PICTURES}/{at}", np.asarray(image), samples.step, dataformats="HWC"
                )

    def close(self) -> None:
        """End the tracking of the run."""
        self._writer.close()


class WandbTracker:
    """Logs to a Weights & Biases project."""

    def __init__(self, project: str, folder: Path) -> None:
        self._wandb = importlib.import_module("wandb")
        self._run = self._wandb.init(
            project=project, name=folder.name, id=folder.name, dir=str(folder), resume="allow"
        )

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        self._run.log(numbers, step=step)

    def show(self, samples: Samples) -> None:
        """Send completions of a step as a table, pictures within it."""
        table = self._wandb.Table(columns=[*COLUMNS, PICTURES])
        for row, image in zip(samples.rows, samples.opened(), strict=True):
            table.add_data(*row.values(), None if image is None else self._wandb.Image(image))
        self._run.log({TABLE: table}, step=samples.step)

    def close(self) -> None:
        """End the tracking of the run."""
        self._run.finish()


class MlflowTracker:
    """Logs to an MLflow experiment; the server is MLflow's own setting."""

    def __init__(self, experiment: str, folder: Path) -> None:
        self._mlflow = importlib.import_module("mlflow")
        self._mlflow.set_experiment(experiment)
        self._mlflow.start_run(run_name=folder.name)

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        self._mlflow.log_metrics(numbers, step=step)

    def show(self, samples: Samples) -> None:
        """Send completions of a step as a table, and pictures beside it."""
        columns = {name: [row[name] for row in samples.rows] for name in COLUMNS}
        self._mlflow.log_table(columns, f"{TABLE}/step_{samples.step:06d}.json")
        for at, image in enumerate(samples.opened()):
            if image is not None:
                self._mlflow.log_image(image, f"{PICTURES}/step_{samples.step:06d}_{at}.png")

    def close(self) -> None:
        """End the tracking of the run."""
        self._mlflow.end_run()


class TrackioTracker:
    """Logs to a trackio project: a local page, ``trackio show``."""

    def __init__(self, project: str, folder: Path) -> None:
        self._trackio = importlib.import_module("trackio")
        self._trackio.init(project=project, name=folder.name, resume="allow")

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        self._trackio.log(numbers, step=step)

    def show(self, samples: Samples) -> None:
        """Send completions of a step as a table, pictures within it."""
        images = [
            None if image is None else self._trackio.Image(np.asarray(image))
            for image in samples.opened()
        ]
        rows = [[*row.values(), image] for row, image in zip(samples.rows, images, strict=True)]
        table = self._trackio.Table(columns=[*COLUMNS, PICTURES], data=rows)
        self._trackio.log({TABLE: table}, step=samples.step)

    def close(self) -> None:
        """End the tracking of the run."""
        self._trackio.finish()


def as_markdown(samples: Samples) -> str:
    """The table as blocks of code, in which no text becomes markup."""
    blocks = []
    for row in samples.rows:
        facts = "\n".join(
            f"{name}: {value}"
            for name, value in row.items()
            if name not in ("question", "completion") and value not in (None, "")
        )
        blocks += [f"{facts}\n\n{row['question']}\n\n→ {row['completion']}", "―" * 40]
    return "\n".join(f"    {line}" for block in blocks for line in block.splitlines())


PACKAGES = {
    "tensorboard": ("tensorboard", "false"),
    "wandb_project": ("wandb", "null"),
    "mlflow_experiment": ("mlflow", "null"),
    "trackio_project": ("trackio", "null"),
}
"""By key of the configuration: the package it needs, and the value that turns it off."""


def check_packages(tracking: TrackingSection) -> None:
    """Check that the packages of the configured trackers are installed, before anything starts.

    Raises:
        PackageMissingError: one is not installed.
    """
    for key, (package, off) in PACKAGES.items():
        if getattr(tracking, key) and importlib.util.find_spec(package) is None:
            raise PackageMissingError(
                f"tracking.{key} is set, but the package {package} is not installed. "
                f"Run: pip install 'rlcs[{package}]', or set tracking.{key}={off}."
            )


def make_trackers(tracking: TrackingSection, folder: Path, steps_done: int) -> list[Tracker]:
    """Make the trackers that ``tracking`` configures.

    Raises:
        ConfigError: a service does not start, for want of a key or of a network, for example.
    """
    makers: dict[str, Callable[[], Tracker]] = {
        "tensorboard": lambda: TensorBoardTracker(folder, steps_done),
        "wandb_project": lambda: WandbTracker(tracking.wandb_project or "", folder),
        "mlflow_experiment": lambda: MlflowTracker(tracking.mlflow_experiment or "", folder),
        "trackio_project": lambda: TrackioTracker(tracking.trackio_project or "", folder),
        "prometheus": lambda: PrometheusTracker(folder),
    }
    return [_started(key, make) for key, make in makers.items() if getattr(tracking, key)]


def _started(key: str, make: Callable[[], Tracker]) -> Tracker:
    """The tracker of ``key``. Each package has error types of its own."""
    if key not in PACKAGES:
        return make()
    package, off = PACKAGES[key]
    try:
        return make()
    except Exception as error:
        raise ConfigError(
            f"tracking.{key} is set, but {package} did not start: {first_line(error)}. Give it "
            f"what it needs, or set tracking.{key}={off}."
        ) from error
