"""Problems as token ids, by the model's own chat template.

The template is the processor's where the model folder has a processor that can be built
here, and the tokenizer's otherwise. A picture becomes as many equal tokens as the processor
gives for its size; its pixels are read later, by those who run the model. Everything is read
from the folder: a model that lies on this machine is never looked up on a hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rewards.extraction import THINK_OPEN
from rlcs.data.images import PLACEHOLDER
from rlcs.data.load import list_problems
from rlcs.data.probe import PROBE_TEXT, probe_problem
from rlcs.data.templates import Refusal, render_bounded
from rlcs.errors import DatasetError, ModelError, UntrustedCodeError, first_line
from rlcs.types import Problem, Prompt

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
"""A folder without any of these has no tokenizer, even where transformers would make up one."""
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
"""A folder without any of these has no processor."""
HUB_PATTERNS = ["*.json", "*.jinja", "*.model", "*.txt"]
HUB_TIMEOUT_SECONDS = 10.0


class Renderer:
    """Turns problems into prompts for one model; make it with ``Renderer.load``."""

    def __init__(
        self,
        *,
        tokenizer: Any,
        processor: Any | None,
        template_owner: Any,
        image_token_ids: tuple[int, ...],
        eos_token_ids: tuple[int, ...],
        max_prompt_tokens: int,
        folder: Path,
    ) -> None:
        self.tokenizer = tokenizer
        self.eos_token_ids = (*eos_token_ids, *image_token_ids)
        """Ids that end a completion; the first is the one a demonstration ends with. A token that
        stands for a picture is among them, because a completion has none to show."""
        self.pad_token_id: int = (
            eos_token_ids[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        )
        self.max_prompt_tokens = max_prompt_tokens
        self._processor = processor
        self._template_owner = template_owner
        self._image_token_ids = image_token_ids
        self._folder = folder

    @classmethod
    def load(cls, model_path: str, max_prompt_tokens: int, *, trust_code: bool = False) -> Renderer:
        """Read the tokenizer and chat template of a model folder or hub id.

        Raises:
            ModelError: there is no such model, no tokenizer, no chat template or no end token.
            UntrustedCodeError: only code of the folder can load them, without ``trust_code``.
        """
        folder = find_model_folder(model_path)
        tokenizer = _load_tokenizer(folder, trust_code)
        processor = _load_processor(folder, trust_code)
        owners = [owner for owner in (processor, tokenizer) if owner and owner.chat_template]
        if not owners:
            raise ModelError(
                f"{folder}: expected a chat template, found a tokenizer without one. Put the "
                "template of the model's instruction-tuned sibling into the folder as "
                "chat_template.jinja, or set tokenizer.chat_template and save the tokenizer."
            )
        return cls(
            tokenizer=tokenizer,
            processor=processor,
            template_owner=owners[0],
            image_token_ids=_image_token_ids(folder, trust_code),
            eos_token_ids=_eos_token_ids(folder, tokenizer),
            max_prompt_tokens=max_prompt_tokens,
            folder=folder,
        )

    def render(self, problem: Problem) -> Prompt:
        """The prompt of ``problem``: its turns by the chat template, the model's turn opened."""
        (prompt,) = self._prompts([problem], self._render_texts([problem]))
        return prompt

    def save(self, folder: Path) -> None:
        """Write tokenizer, chat template and processor beside a model's weights."""
        self.tokenizer.save_pretrained(folder)
        if self._processor is not None:
            self._processor.save_pretrained(folder)

    def probe(self, *, with_image: bool = True) -> Prompt:
        """A prompt to compare models by.

        It has a picture where that is wanted, the model takes one and it fits.
        """
        if with_image and self._processor is not None and self._image_token_ids:
            prompt = self.render(probe_problem())
            *_, end = np.flatnonzero(np.isin(prompt.token_ids, self._image_token_ids))
            if end < self.max_prompt_tokens:
                return replace(prompt, token_ids=prompt.token_ids[: self.max_prompt_tokens])
        (token_ids,) = self._encode([PROBE_TEXT])
        return Prompt(problem_id="probe", token_ids=token_ids[: self.max_prompt_tokens])

    def probe_template(self) -> None:
        """Render one question, for those who leave the rendering to another process.

        Raises:
            ModelError: the chat template takes too long, or writes without end.
            DatasetError: it does not accept the turn of a user.
        """
        turn = {"role": "user", "content": PROBE_TEXT}
        self._render_texts([replace(probe_problem(), messages=(turn,), images=())])

    def render_all(self, problems: Iterable[Problem]) -> dict[str, Prompt]:
        """The prompts of ``problems`` by problem id.

        Raises:
            DatasetError: prompts are longer than ``max_prompt_tokens``; the message names each
                such problem with its length.
        """
        problems = list(problems)
        texts = self._render_texts(problems)
        prompts = {prompt.problem_id: prompt for prompt in self._prompts(problems, texts)}
        too_long = [
            f"{problem_id}: {len(prompt.token_ids)} tokens"
            for problem_id, prompt in prompts.items()
            if len(prompt.token_ids) > self.max_prompt_tokens
        ]
        if too_long:
            where = f"with prompts over max_prompt_tokens = {self.max_prompt_tokens}"
            longest = max(len(prompt.token_ids) for prompt in prompts.values())
            raise DatasetError(
                f"{list_problems(where, too_long)}\nRaise rollout.max_prompt_tokens to {longest}, "
                "or take these rows out."
            )
        return prompts

    def encode_demonstrations(
        self, problems: Sequence[Problem]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Prompt [P] and demonstrated response [T] of each problem, both int64.

        The response ends with the end token. Where the chat template has already opened the
        thinking, the response goes on from there.

        Raises:
            DatasetError: a problem has no demonstration.
        """
        texts = self._render_texts(problems)
        responses = [
            _response(problem, opened=text.rstrip().endswith(THINK_OPEN))
            for problem, text in zip(problems, texts, strict=True)
        ]
        return [
            (prompt.token_ids, np.append(response_ids, self.eos_token_ids[0]))
            for prompt, response_ids in zip(
                self._prompts(problems, texts), self._encode(responses), strict=True
            )
        ]

    def _prompts(self, problems: Sequence[Problem], texts: Sequence[str]) -> list[Prompt]:
        """Prompts of ``problems`` whose turns are ``texts``."""
        return [
            Prompt(
                problem_id=problem.problem_id,
                token_ids=self._spread_images(problem, ids) if problem.images else ids,
                images=problem.images,
            )
            for problem, ids in zip(problems, self._encode(texts), strict=True)
        ]

    def _render_texts(self, problems: Sequence[Problem]) -> list[str]:
        """The turns of each problem by the chat template, which is not trusted."""
        rendered = render_bounded(self._render_turns, problems, str(self._folder))
        return [_accepted(problem, text) for problem, text in zip(problems, rendered, strict=True)]

    def _render_turns(self, problem: Problem) -> str:
        text: str = self._template_owner.apply_chat_template(
            self._turns(problem), add_generation_prompt=True, tokenize=False
        )
        return text

    def _turns(self, problem: Problem) -> list[dict[str, Any]]:
        if self._template_owner is self.tokenizer and not problem.images:
            return [dict(turn) for turn in problem.messages]
        # A processor's template may read typed parts alone, and skip a plain text in silence.
        parts = [_typed_parts(turn["content"], bool(problem.images)) for turn in problem.messages]
        if not any(PLACEHOLDER in turn["content"] for turn in problem.messages):
            parts[-1][:0] = [{"type": "image"}] * len(problem.images)
        return [
            {"role": turn["role"], "content": content}
            for turn, content in zip(problem.messages, parts, strict=True)
        ]

    def _spread_images(self, problem: Problem, token_ids: np.ndarray) -> np.ndarray:
        """``token_ids`` with each picture's one token as many times as the model needs."""
        if self._processor is None or not self._image_token_ids:
            raise DatasetError(
                f"{problem.problem_id}: has pictures, but the model has no vision tower, or no "
                "processor that can be built here. Use a model folder with a processor "
                f"({' or '.join(PROCESSOR_FILES)}), and install what reads pictures: "
                "pip install 'rlcs[vision]'."
            )
        of_image = np.isin(token_ids, self._image_token_ids)
        if of_image.sum() != len(problem.images) or (of_image[1:] & of_image[:-1]).any():
            raise DatasetError(
                f"{problem.problem_id}: expected the chat template to write one token for each of "
                f"{len(problem.images)} pictures, none beside another; found {of_image.sum()}. The "
                "question may hold the model's own token for a picture: take it out of the text."
            )
        sizes = [(image.height, image.width) for image in problem.images]
        counts = self._processor._get_num_multimodal_tokens(image_sizes=sizes).num_image_tokens
        repeats = np.ones(len(token_ids), dtype=np.int64)
        repeats[of_image] = counts
        return token_ids.repeat(repeats)

    def _encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        if not texts:
            return []
        # The template has written the special tokens that belong here.
        encoded = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [np.array(ids, dtype=np.int64) for ids in encoded]


def _accepted(problem: Problem, text: str | Refusal) -> str:
    if isinstance(text, Refusal):
        roles = ", ".join(turn["role"] for turn in problem.messages)
        raise DatasetError(
            f"{problem.problem_id}: expected turns that the model's chat template accepts, "
            f"found the roles {roles}: {text.reason}"
        )
    return text


def _response(problem: Problem, *, opened: bool) -> str:
    """The demonstrated response; ``opened`` where the prompt ends in opened thinking."""
    if problem.demonstration is None:
        raise DatasetError(
            f"{problem.problem_id}: expected a response to imitate, found none. Name the "
            "column that holds it under columns.response or columns.thinking."
        )
    return problem.demonstration.removeprefix(THINK_OPEN if opened else "")


def _typed_parts(content: str, has_images: bool) -> list[dict[str, str]]:
    """A turn in typed parts, text and pictures, as vision-language models' templates read it."""
    texts = content.split(PLACEHOLDER) if has_images else [content]
    parts: list[dict[str, str]] = []
    for number, text in enumerate(texts):
        if number:
            parts.append({"type": "image"})
        if text:
            parts.append({"type": "text", "text": text})
    return parts


def _image_token_ids(folder: Path, trust_code: bool) -> tuple[int, ...]:
    from transformers import AutoConfig

    from rlcs.model.loading import image_token_ids, load_part

    try:
        config = load_part(AutoConfig, folder, trust_code=trust_code, local_files_only=True)
    except (OSError, ValueError):  # the learner and the engines report it
        return ()
    return image_token_ids(config)


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


def _load_tokenizer(folder: Path, trust_code: bool) -> Any:
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


def _load_processor(folder: Path, trust_code: bool) -> Any | None:
    """The folder's processor, None where there is none or it cannot be built here."""
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


def _eos_token_ids(folder: Path, tokenizer: Any) -> tuple[int, ...]:
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
