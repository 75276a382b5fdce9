"""An exported model folder onto the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlcs.errors import ConfigError, StorageError, first_line
from rlcs.files import write_whole, writing

CARD_NAME = "README.md"


def check_push(repo_id: str) -> None:
    """Check before long work that the hub could have a model of this name.

    Raises:
        ConfigError: it could not, or there is no token to write with.
    """
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise ConfigError(
            f"--push: expected the id of a model, such as name/model, found {repo_id!r}: "
            f"{first_line(error)}"
        ) from error
    if get_token() is None:
        raise ConfigError(
            "--push: expected a token that may write to the Hugging Face hub, found none. Log in "
            "by `hf auth login`, or set HF_TOKEN."
        )


def push(folder: Path, card: str, repo_id: str) -> str:
    """Write ``card`` into ``folder`` and upload all of it; returns the model's address.

    A model that is not there yet is made private. HF_ENDPOINT names another hub.

    Raises:
        StorageError: the card cannot be written, or the hub does not take the model; the folder
            stays.
    """
    from huggingface_hub import HfApi, errors

    client_error: Any = errors.HTTPError  # type: ignore[attr-defined]  # its own client's

    with writing("the model card", folder):
        write_whole(folder / CARD_NAME, card)
    api = HfApi()
    try:
        made = api.create_repo(repo_id, private=True, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id, folder_path=folder, commit_message="Upload a model by rlcs export"
        )
    except (OSError, client_error, ValueError) as error:  # HfHubHTTPError is an OSError
        raise StorageError(
            f"the hub does not take {repo_id}: {first_line(error)}. The model is whole in "
            f"{folder}; upload it by `hf upload {repo_id} {folder}`."
        ) from error
    return str(made)
