"""What learner and engines both load of a model folder, and how they decode pictures."""

from __future__ import annotations

import functools
import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
import transformers

from rlcs.config import ImageTokensSection
from rlcs.errors import ModelError, UntrustedCodeError, first_line, sentence
from rlcs.model.video_files import BadVideoError, decode_frames
from rlcs.model.vision import limit_image_tokens
from rlcs.types import Image, Video


def model_class(config: Any) -> Any:
    """The class of transformers that loads a model with ``config``."""
    # Takes seconds to import, and the driver of a run needs no class of a model.
    from transformers.models.auto import modeling_auto as auto

    if config.model_type in auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return transformers.AutoModelForImageTextToText
    return transformers.AutoModelForCausalLM


def load_part(loader: Any, model_path: str | Path, *, trust_code: bool, **options: Any) -> Any:
    """Call ``from_pretrained`` of a class of transformers: the one place where that is done.

    Python files of the folder run with ``trust_code`` alone.

    Raises:
        UntrustedCodeError: only such files could load it.
    """
    try:
        return loader.from_pretrained(model_path, trust_remote_code=trust_code, **options)
    except Exception as error:
        if trust_code or "trust_remote_code" not in str(error):
            raise
        raise UntrustedCodeError(
            f"{model_path} can be loaded only by code of its own: {named_code(model_path)} would "
            "run on this machine. Look at it, and allow it by --trust-code."
        ) from error


def named_code(model_path: str | Path) -> str:
    """The Python files that a model folder names, for a message."""
    found = []
    for path in sorted(Path(model_path).glob("*.json")):
        try:
            named = json.loads(path.read_bytes()).get("auto_map", {})
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        texts = [named] if isinstance(named, str) else [str(each) for each in _flat(named)]
        found += [f"{text} ({path.name})" for text in texts]
    return ", ".join(dict.fromkeys(found)) or "files that its configuration names"


def _flat(named: Any) -> Iterator[Any]:
    """The names in an ``auto_map``: class to a name, or to a list of names."""
    for value in named.values() if isinstance(named, dict) else ():
        yield from value if isinstance(value, list | tuple) else (value,)


def load_model(model_path: str, dtype: str, *, trust_code: bool = False) -> torch.nn.Module:
    """Load the model of a folder or hub id.

    Raises:
        ModelError: there is no model that can be loaded.
        UntrustedCodeError: only code of the folder could load it.
    """
    try:
        config = load_part(transformers.AutoConfig, model_path, trust_code=trust_code)
        model: torch.nn.Module = load_part(
            model_class(config), model_path, trust_code=trust_code, dtype=getattr(torch, dtype)
        )
    except pickle.UnpicklingError as error:
        # What torch says is a page, and ends in advice to run whatever is in the file.
        raise ModelError(
            f"model.path = {model_path}: its weights are a pickle that holds more than tensors; "
            "nothing of it was run. Use weights in .safetensors files, as every model of the "
            "last years has them."
        ) from error
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"model.path = {model_path} cannot be loaded: {sentence(first_line(error))}"
        ) from error
    return model


def folder_bytes(path: str) -> int:
    """The size of the weights in a model folder; 0 for a hub id, whose size is not known here."""
    return sum(file.stat().st_size for file in Path(path).glob("*.safetensors"))


def image_token_ids(config: Any) -> tuple[int, ...]:
    """Tokens that stand for a picture or a video, of which a completion can have none."""
    names = ("image_token_id", "video_token_id")
    found = (getattr(config, name, None) for name in names)
    return tuple(dict.fromkeys(token_id for token_id in found if token_id is not None))


def decode_image(image: Image) -> Any:
    """Decode ``image`` into a PIL image in RGB.

    Raises:
        ModelError: it cannot be decoded.
    """
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(image.read())) as opened:
            return opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise ModelError(
            f"picture {image.name}: expected one that can be decoded, found: {error}. "
            "Take its row out of the data."
        ) from error


def decode_video(video: Video) -> np.ndarray:
    """The frames [F, height, width, 3] uint8 of ``video`` that the model is shown.

    Raises:
        ModelError: they cannot be decoded.
    """
    stored = video.read()
    try:
        if len(stored) == 1:
            return decode_frames(stored[0], video.frames)
        parts = [
            Image(name=video.name, digest="", width=0, height=0, stored=each) for each in stored
        ]
        return np.stack([np.asarray(decode_image(part)) for part in parts])
    except (BadVideoError, ValueError) as error:  # frames of several sizes
        raise ModelError(
            f"video {video.name}: expected one that can be decoded, found: {error}. "
            "Take its row out of the data."
        ) from error


@functools.cache
def blank_image() -> Image:
    """A picture as small as can be."""
    import PIL.Image

    encoded = io.BytesIO()
    PIL.Image.new("RGB", (28, 28)).save(encoded, "PNG")
    return Image(name="blank", digest="blank", width=28, height=28, stored=encoded.getvalue())


def load_image_processor(
    model_path: str,
    *,
    trust_code: bool = False,
    image_tokens: ImageTokensSection | None = None,
) -> Any:
    """The image processor of a model, which turns pictures into pixel values.

    Raises:
        ModelError: the model has none, or it cannot be built here.
        ConfigError: it cannot be told to make ``image_tokens`` of a picture.
    """
    loader: Any = transformers.AutoImageProcessor  # untyped
    try:
        processor = load_part(loader, model_path, trust_code=trust_code)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"model.path = {model_path}: expected an image processor, because the data has "
            f"pictures; found none that can be built: {sentence(first_line(error))} "
            "Use a vision-language model, and install what reads pictures: "
            "pip install 'rlcs[vision]'."
        ) from error
    limit_image_tokens(processor, image_tokens, model_path)
    return processor


def load_video_processor(model_path: str, *, trust_code: bool = False) -> Any:
    """The video processor of a model, which turns frames into pixel values.

    Raises:
        ModelError: the model has none, or it cannot be built here.
    """
    loader: Any = transformers.AutoVideoProcessor  # untyped
    try:
        return load_part(loader, model_path, trust_code=trust_code)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"model.path = {model_path}: expected a video processor, because the data has videos; "
            f"found none that can be built: {sentence(first_line(error))} Install what it needs: "
            "pip install 'rlcs[vision]'."
        ) from error
