"""What the renderer reads of a model folder: tokenizer, processor, end tokens, context.

Everything is read from the folder: a model that lies on this machine is never looked up on a hub.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rlcs.config import ImageTokensSection
from rlcs.errors import ConfigError, ModelError, UntrustedCodeError, first_line

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
"""A folder without any of these has no tokenizer, even where transformers would make up one."""
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
"""A folder without any of these has no processor."""
HUB_PATTERNS = ["*.json", "*.jinja", "*.model", "*.txt"]
HUB_TIMEOUT_SECONDS = 10.0
STRETCHED_ROPES = ("linear", "dynamic", "yarn")


def find_model_folder(model_path: str) -> Path:
    """The folder of a model: ``model_path`` itself, or the local copy of a hub id's tokenizer.

    A hub is asked only for a path that is no folder here, and once.

    Raises:
        ModelError: there is no such folder, no cached copy, and the hub does not have it.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if Path(model_path).is_dir():
        return Path(model_path)
    try:
        return Path(snapshot_download(model_path, local_files_only=True))
    except HFValidationError:
        raise ModelError(
            f"{model_path}: expected a model folder, found "
            f"{'a file' if Path(model_path).exists() else 'nothing there'} "
            f"(looked in {Path.cwd()})."
        ) from None
    except LocalEntryNotFoundError:
        pass
    try:
        # Asked first because it fails at once: a download retries for most of a minute.
        HfApi().model_info(model_path, timeout=HUB_TIMEOUT_SECONDS)
        return Path(snapshot_download(model_path, allow_patterns=HUB_PATTERNS))
    except Exception as error:  # the hub's client passes on what its transport raises
        raise ModelError(
            f"{model_path}: expected a model folder or a hub id, found no such folder "
            f"(looked in {Path.cwd()}), no cached copy, and the hub says: {error}"
        ) from error


def load_tokenizer(folder: Path, trust_code: bool) -> Any:
    """The folder's tokenizer.

    Raises:
        ModelError: there is none, or it does not load.
    """
    from transformers import AutoTokenizer

    from rlcs.model.loading import load_part

    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        present = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        raise ModelError(
            f"{folder}: expected a model folder with a tokenizer (tokenizer.json), "
            f"found {present}. Save the tokenizer beside the weights: "
            "tokenizer.save_pretrained(folder)."
        )
    try:
        return load_part(AutoTokenizer, folder, trust_code=trust_code, local_files_only=True)
    except UntrustedCodeError:
        raise
    except Exception as error:  # tokenizer files are parsed by code that raises anything
        raise ModelError(
            f"{folder}: expected a tokenizer, found one that does not load: {first_line(error)}"
        ) from error


def load_processor(
    folder: Path, trust_code: bool, image_tokens: ImageTokensSection | None
) -> Any | None:
    """The folder's processor, which makes ``image_tokens`` of a picture; None where there is none
    or it cannot be built here.

    Raises:
        ConfigError: it cannot be told to make so many.
    """
    from rlcs.model.vision import limit_image_tokens

    processor = _built_processor(folder, trust_code)
    if image_tokens is not None:
        image_processor = getattr(processor, "image_processor", None)
        if image_processor is None:
            raise ConfigError(
                f"model.image_tokens: expected a model that takes pictures, found {folder}, which "
                "has no processor that can be built here. Leave model.image_tokens out."
            )
        limit_image_tokens(image_processor, image_tokens, str(folder))
    return processor


def _built_processor(folder: Path, trust_code: bool) -> Any | None:
    if not any((folder / name).is_file() for name in PROCESSOR_FILES):
        return None
    import transformers

    from rlcs.model.loading import load_part

    loader: Any = transformers.AutoProcessor  # untyped
    try:
        return load_part(loader, folder, trust_code=trust_code, local_files_only=True)
    except UntrustedCodeError:
        raise
    except Exception:  # without torchvision; the tokenizer renders text all the same
        return None


def load_config(folder: Path, trust_code: bool) -> Any | None:
    """The model's configuration; None where it cannot be read, which learner and engines report."""
    from transformers import AutoConfig

    from rlcs.model.loading import load_part

    try:
        return load_part(AutoConfig, folder, trust_code=trust_code, local_files_only=True)
    except (OSError, ValueError):
        return None


def context_tokens(config: Any | None) -> float:
    """The tokens of the longest text that a model with ``config`` can read; infinite if unsaid.

    Some kinds of rotary positions reach a known number of times further than the model's own.
    """
    text = None if config is None else config.get_text_config()
    context = getattr(text, "max_position_embeddings", None)
    if not context:
        return math.inf
    rope = getattr(text, "rope_parameters", None) or {}
    if rope.get("rope_type") in STRETCHED_ROPES and rope.get("factor"):
        context = rope["factor"] * rope.get("original_max_position_embeddings", context)
    return float(context)


def eos_token_ids(folder: Path, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a completion.

    Raises:
        ModelError: there are none.
    """
    from transformers import GenerationConfig

    found = [tokenizer.eos_token_id]
    if (folder / "generation_config.json").is_file():
        configured = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
        found += configured if isinstance(configured, list) else [configured]
    ids = tuple(dict.fromkeys(token_id for token_id in found if token_id is not None))
    if not ids:
        raise ModelError(
            f"{folder}: expected an end token, found none in the tokenizer or in "
            "generation_config.json. Set tokenizer.eos_token and save the tokenizer."
        )
    return ids
