"""Other packages' chatter, kept off the terminal by their own settings: their errors are seen."""

from __future__ import annotations

import logging
import os

SETTINGS = {
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # also the bars of a model's shards
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",  # its banner, and pages of its settings
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What the packages read when they are imported."""

ERRORS_ALONE = (
    "DeepSpeed",  # warns of every machine without a GPU, and has no setting
    "vllm.triton_utils.importing",  # warns before vLLM has read its setting
)
"""Loggers that no setting reaches."""


def quieten() -> None:
    """Have other packages report errors alone; an explicit setting of the user's wins.

    It works on what is imported after it, and on what this process starts.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ERRORS_ALONE:  # a filter stays when the package sets the level itself
        logging.getLogger(name).addFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
