"""What learner and engines both do with a model folder: load it, and make inputs of prompts.

A vision-language model gets, besides the tokens, what its image processor makes of the pictures,
and positions of its own: where a picture's tokens stand in the picture (M-RoPE, arXiv 2409.12191).
The positions of what follows the prompt are moved by a constant, so that a completion needs
nothing but that number.
"""

from __future__ import annotations

import functools
import io
import json
import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
import transformers

from rlcs.errors import ModelError, UntrustedCodeError, first_line, sentence
from rlcs.types import Image

MAX_PROCESSED_BYTES = 2**30
"""Pictures are kept as the image processor made them, up to this size together: a step reads the
same ones in every update."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptInputs:
    """Prompts as the inputs of a model."""

    arguments: dict[str, torch.Tensor]
    """For the model's forward pass: tokens, mask, positions, and pictures if there are any."""
    shift: torch.Tensor
    """[N, 1] int64, what to add to the position of every token after each prompt."""


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


class PromptReader:
    """Makes the inputs of one model's forward pass out of prompts."""

    def __init__(
        self, model: torch.nn.Module, model_path: str, *, trust_code: bool = False
    ) -> None:
        """``model`` may be wrapped; ``model_path`` holds its image processor if it has one."""
        self._config: Any = model.config
        self.image_token_ids = image_token_ids(model.config)
        self._model_path = model_path
        self._trust_code = trust_code
        self._image_processor: Any = None
        self._rope: Any = next(
            (part for part in model.modules() if hasattr(part, "get_rope_index")), None
        )
        self._processed: OrderedDict[str, dict[str, torch.Tensor]] = OrderedDict()
        """What the image processor made of the pictures used last, by their digests."""

    def inputs(
        self, token_ids: torch.Tensor, mask: torch.Tensor, images: Sequence[Image]
    ) -> PromptInputs:
        """Turn prompts into the inputs of a forward pass.

        ``token_ids`` [N, P] are padding where ``mask`` [N, P] bool is False; ``images`` are the
        pictures of all prompts, in their order.

        Raises:
            ModelError: a picture cannot be decoded, or the model takes none.
        """
        arguments = {
            "input_ids": token_ids,
            "attention_mask": mask.long(),
            "position_ids": positions(mask),
        }
        shift = torch.zeros(len(mask), 1, dtype=torch.long, device=mask.device)
        if images:
            arguments |= self.pixels(images, mask.device)
            if self._rope is not None:
                arguments["position_ids"], shift = self._rope.get_rope_index(
                    token_ids,
                    mm_token_type_ids=(token_ids == self._config.image_token_id).long(),
                    image_grid_thw=arguments["image_grid_thw"],
                    attention_mask=mask,
                )
        return PromptInputs(arguments=arguments, shift=shift)

    def prompt_positions(self, token_ids: torch.Tensor, images: Sequence[Image]) -> torch.Tensor:
        """Positions [1, P] of a prompt's tokens [P]; [3, 1, P] where pictures have places."""
        plain = torch.arange(len(token_ids))[None]
        if self._rope is None:
            return plain
        if not images:
            return plain.expand(3, 1, -1)
        cpu = torch.device("cpu")
        found: torch.Tensor = self._rope.get_rope_index(
            token_ids[None],
            mm_token_type_ids=(token_ids == self._config.image_token_id)[None].long(),
            image_grid_thw=self.pixels(images, cpu)["image_grid_thw"],
        )[0]
        return found

    def pixels(self, images: Sequence[Image], device: torch.device) -> dict[str, torch.Tensor]:
        """What the model takes of ``images``, one behind the other; nothing where there are none.

        Raises:
            ModelError: a picture cannot be decoded, or the model takes none.
        """
        made = [self._pixels_of(image) for image in images]
        return {
            name: torch.cat([each[name] for each in made]).to(device)
            for name in (made[0] if made else ())
        }

    def image_tokens(self, image: Image) -> torch.Tensor:
        """The tokens [T] that stand for ``image``.

        Raises:
            ModelError: the model does not say how many there are.
        """
        made = self._pixels_of(image)
        if "image_grid_thw" not in made:
            raise ModelError(
                f"{self._model_path}: problems with pictures and problems without cannot be "
                "mixed for this kind of model. Train on one of the two."
            )
        merge = self._config.vision_config.spatial_merge_size
        number = int(made["image_grid_thw"].prod()) // merge**2
        return torch.full((number,), self._config.image_token_id)

    def _pixels_of(self, image: Image) -> dict[str, torch.Tensor]:
        if image.digest in self._processed:
            self._processed.move_to_end(image.digest)
            return self._processed[image.digest]
        if self._image_processor is None:
            self._image_processor = load_image_processor(
                self._model_path, trust_code=self._trust_code
            )
        made = dict(self._image_processor(images=[decode_image(image)], return_tensors="pt"))
        self._processed[image.digest] = made
        size = sum(map(_num_bytes, self._processed.values()))
        while size > MAX_PROCESSED_BYTES and len(self._processed) > 1:
            size -= _num_bytes(self._processed.popitem(last=False)[1])
        return made


def _num_bytes(tensors: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


@functools.cache
def blank_image() -> Image:
    """A picture as small as can be."""
    import PIL.Image

    encoded = io.BytesIO()
    PIL.Image.new("RGB", (28, 28)).save(encoded, "PNG")
    return Image(name="blank", digest="blank", width=28, height=28, stored=encoded.getvalue())


def load_image_processor(model_path: str, *, trust_code: bool = False) -> Any:
    """The image processor of a model, which turns pictures into pixel values.

    Raises:
        ModelError: the model has none, or it cannot be built here.
    """
    loader: Any = transformers.AutoImageProcessor  # untyped
    try:
        return load_part(loader, model_path, trust_code=trust_code)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"model.path = {model_path}: expected an image processor, because the data has "
            f"pictures; found none that can be built: {sentence(first_line(error))} "
            "Use a vision-language model, and install what reads pictures: "
            "pip install 'rlcs[vision]'."
        ) from error


def positions(mask: torch.Tensor) -> torch.Tensor:
    """The position [N, L] of every token in its row, padding not counted."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)
