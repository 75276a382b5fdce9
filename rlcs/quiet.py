"""Other packages' chatter, kept off the terminal by their own settings: their errors are seen."""

from __future__ import annotations

import logging
import os

SETTINGS = {
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # also the bars of a model's shards
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "DS_LOG_LEVEL": "error",  # otherwise DeepSpeed warns of every machine without a GPU
    "VLLM_LOGGING_LEVEL": "ERROR",  # its banner, and pages of its settings
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What the packages read when they are imported."""

BEFORE_SETTINGS = ("vllm.triton_utils.importing",)
"""Loggers that speak before their package has read its level."""


def quieten() -> None:
    """Have other packages report errors alone; an explicit setting of the user's wins."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in BEFORE_SETTINGS:
        logging.getLogger(name).setLevel(logging.ERROR)
