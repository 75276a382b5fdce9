"""Services that plot a run's numbers: TensorBoard, Weights & Biases, MLflow."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from rlcs.config import TrackingSection
from rlcs.errors import PackageMissingError


class TensorBoardTracker:
    """Writes scalars where ``tensorboard --logdir RUN`` looks."""

    def __init__(self, folder: Path, steps_done: int) -> None:
        writer = importlib.import_module("torch.utils.tensorboard").SummaryWriter
        self._writer = writer(str(folder / "tensorboard"), purge_step=steps_done + 1)

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """End the tracking of the run."""
        self._writer.close()


class WandbTracker:
    """Logs to a Weights & Biases project."""

    def __init__(self, project: str, folder: Path) -> None:
        wandb = importlib.import_module("wandb")
        self._run = wandb.init(
            project=project, name=folder.name, id=folder.name, dir=str(folder), resume="allow"
        )

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        self._run.log(numbers, step=step)

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

    def close(self) -> None:
        """End the tracking of the run."""
        self._mlflow.end_run()


Tracker = TensorBoardTracker | WandbTracker | MlflowTracker


def check_packages(tracking: TrackingSection) -> None:
    """Check that the packages of the configured trackers are installed, before anything starts.

    Raises:
        PackageMissingError: one is not installed.
    """
    for key, package, off in (
        ("tensorboard", "tensorboard", "false"),
        ("wandb_project", "wandb", "null"),
        ("mlflow_experiment", "mlflow", "null"),
    ):
        if getattr(tracking, key) and importlib.util.find_spec(package) is None:
            raise PackageMissingError(
                f"tracking.{key} is set, but the package {package} is not installed. "
                f"Run: pip install 'rlcs[{package}]', or set tracking.{key}={off}."
            )


def make_trackers(tracking: TrackingSection, folder: Path, steps_done: int) -> list[Tracker]:
    """Make the trackers that ``tracking`` configures."""
    trackers: list[Tracker] = []
    if tracking.tensorboard:
        trackers.append(TensorBoardTracker(folder, steps_done))
    if tracking.wandb_project:
        trackers.append(WandbTracker(tracking.wandb_project, folder))
    if tracking.mlflow_experiment:
        trackers.append(MlflowTracker(tracking.mlflow_experiment, folder))
    return trackers
