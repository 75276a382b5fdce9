"""Problems as token ids, by the model's own chat template.

The template is the processor's where the model folder has a processor that can be built
here, and the tokenizer's otherwise.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rewards.extraction import THINK_OPEN
from rlcs.config import ImageTokensSection, ModelSection
from rlcs.data.cache import digest_of_file, key_of
from rlcs.data.images import PLACEHOLDER
from rlcs.data.messages import list_problems
from rlcs.data.model_files import (
    context_tokens,
    eos_token_ids,
    find_model_folder,
    load_config,
    load_processor,
    load_tokenizer,
)
from rlcs.data.picture_tokens import PictureTokens
from rlcs.data.probe import PROBE_TEXT, probe_problem
from rlcs.data.templates import Refusal, TemplateProcess
from rlcs.data.videos import PLACEHOLDER as VIDEO_PLACEHOLDER
from rlcs.errors import DatasetError, ModelError
from rlcs.types import Image, Problem, Prompt, Video

KINDS = {Image: (PLACEHOLDER, "image"), Video: (VIDEO_PLACEHOLDER, "video")}
"""What stands for a picture and a video in a turn's text, and what a chat template calls it."""
MEASURED_AT_ONCE = 1_000
"""Problems whose prompts are held at once."""
READ = (".json", ".jinja", ".model", ".txt", ".py")
"""Endings of a model folder's files from which prompts are made."""


class Renderer:
    """Turns problems into prompts for one model; make it with ``Renderer.load``."""

    def __init__(
        self,
        *,
        tokenizer: Any,
        processor: Any | None,
        template_owner: Any,
        pictures: PictureTokens,
        eos_token_ids: tuple[int, ...],
        max_prompt_tokens: int,
        context_tokens: float,
        folder: Path,
        loaded_by: Mapping[str, Any],
    ) -> None:
        self.tokenizer = tokenizer
        self.eos_token_ids = (*eos_token_ids, *pictures.token_ids)
        """Ids that end a completion; the first is the one a demonstration ends with. A token that
        stands for a picture is among them, because a completion has none to show."""
        self.pad_token_id: int = (
            eos_token_ids[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        )
        self.max_prompt_tokens = max_prompt_tokens
        self.loaded_by = loaded_by
        """The arguments of :meth:`load` that made it, for another process."""
        self._processor = processor
        self._template_owner = template_owner
        self._pictures = pictures
        self._context_tokens = context_tokens
        self._folder = folder
        self._template = TemplateProcess(
            functools.partial(
                template_owner.apply_chat_template, add_generation_prompt=True, tokenize=False
            ),
            str(folder),
        )

    @classmethod
    def of_model(cls, model: ModelSection, max_prompt_tokens: int) -> Renderer:
        """The renderer of a configuration's ``model``; see :meth:`load`."""
        return cls.load(
            model.path,
            max_prompt_tokens,
            trust_code=model.trust_code,
            image_tokens=model.image_tokens,
        )

    @classmethod
    def load(
        cls,
        model_path: str,
        max_prompt_tokens: int,
        *,
        trust_code: bool = False,
        image_tokens: ImageTokensSection | None = None,
    ) -> Renderer:
        """Read the tokenizer and chat template of a model folder or hub id.

        Raises:
            ModelError: there is no such model, no tokenizer, no chat template or no end token.
            ConfigError: its pictures cannot be made ``image_tokens``.
            UntrustedCodeError: only code of the folder can load them, without ``trust_code``.
        """
        folder = find_model_folder(model_path)
        tokenizer = load_tokenizer(folder, trust_code)
        processor = load_processor(folder, trust_code, image_tokens)
        config = load_config(folder, trust_code)
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
            pictures=PictureTokens(processor, tokenizer, config),
            eos_token_ids=eos_token_ids(folder, tokenizer),
            max_prompt_tokens=max_prompt_tokens,
            context_tokens=context_tokens(config),
            folder=folder,
            loaded_by={
                "model_path": model_path,
                "max_prompt_tokens": max_prompt_tokens,
                "trust_code": trust_code,
                "image_tokens": image_tokens,
            },
        )

    def identity(self) -> str:
        """A key of all that decides which tokens a problem becomes."""
        files = sorted(
            path for path in self._folder.iterdir() if path.suffix in READ and path.is_file()
        )
        return key_of(
            [(path.name, digest_of_file(path)) for path in files],
            repr(self.loaded_by["image_tokens"]),
            self._template_owner.chat_template,
            self._processor is None,
        )

    def render(self, problem: Problem) -> Prompt:
        """The prompt of ``problem``: its turns by the chat template, the model's turn opened."""
        (text,) = self._render_texts([problem])
        (token_ids,) = self._encode([text])
        return self._prompt(problem, token_ids)

    def save(self, folder: Path) -> None:
        """Write tokenizer, chat template and processor beside a model's weights."""
        self.tokenizer.save_pretrained(folder)
        if self._processor is not None:
            self._processor.save_pretrained(folder)

    def probe(self, *, with_image: bool = True) -> Prompt:
        """A prompt to compare models by.

        It has a picture where that is wanted, the model takes one and it fits.
        """
        if with_image and self._pictures.sees:
            prompt = self.render(probe_problem())
            *_, end = np.flatnonzero(np.isin(prompt.token_ids, self._pictures.token_ids))
            if end < self.max_prompt_tokens:
                assert prompt.template_ids is not None
                over = max(0, len(prompt.token_ids) - self.max_prompt_tokens)
                kept = len(prompt.template_ids) - over
                return replace(
                    prompt,
                    token_ids=prompt.token_ids[: self.max_prompt_tokens],
                    template_ids=prompt.template_ids[:kept],
                )
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
            DatasetError: pictures do not fit to the model; the message names each row.
        """
        problems = list(problems)
        prompts = self._prompts(problems, self._render_texts(problems))
        return {prompt.problem_id: prompt for prompt in prompts}

    def measure(self, problems: Sequence[Problem]) -> list[dict[str, Any]]:
        """How many ``tokens`` each problem's prompt has and how many of them are
        ``picture_tokens``, or the ``fault`` why it has none."""
        rendered = self._template.render([self._turns(problem) for problem in problems])
        encoded = iter(self._encode([text for text in rendered if isinstance(text, str)]))
        measured: list[dict[str, Any]] = []
        for problem, text in zip(problems, rendered, strict=True):
            if isinstance(text, Refusal):
                measured.append({"fault": _refusal(problem, text)})
                continue
            try:
                prompt = self._prompt(problem, next(encoded))
            except DatasetError as error:
                measured.append({"fault": str(error).removeprefix(f"{problem.where}: ")})
                continue
            of_pictures = (
                int(np.isin(prompt.token_ids, self._pictures.token_ids).sum())
                if problem.images
                else 0
            )
            measured.append({"tokens": len(prompt.token_ids), "picture_tokens": of_pictures})
        return measured

    @property
    def most_tokens(self) -> float:
        """The tokens of the longest prompt that the run takes and the model reads."""
        return min(self.max_prompt_tokens, self._context_tokens)

    def check_lengths(self, problems: Iterable[Problem]) -> None:
        """Check that each prompt can be made, and fits.

        Raises:
            DatasetError: some cannot, or do not; the message names them.
        """
        faults: list[str] = []
        too_long: list[tuple[str, int, int]] = []
        rest = iter(problems)
        while part := list(itertools.islice(rest, MEASURED_AT_ONCE)):
            for problem, size in zip(part, self.measure(part), strict=True):
                if size.get("fault"):
                    faults.append(f"{problem.where}: {size['fault']}")
                elif size["tokens"] > self.most_tokens:
                    told = f"{problem.where}: {length_of(size['tokens'], size['picture_tokens'])}"
                    too_long.append((told, size["tokens"], size["picture_tokens"]))
        if faults:
            raise DatasetError(list_problems("in the prompts", faults))
        if too_long:
            lines, lengths, of_pictures = zip(*too_long, strict=True)
            raise self.too_long(
                lines, number=len(lines), longest=max(lengths), with_pictures=any(of_pictures)
            )

    def too_long(
        self, lines: Sequence[str], *, number: int, longest: int, with_pictures: bool
    ) -> DatasetError:
        """The error that ``number`` prompts, up to ``longest`` tokens, are too long; ``lines`` name
        the first of them."""
        what = f"with prompts over max_prompt_tokens = {self.max_prompt_tokens}"
        advice = [f"Raise rollout.max_prompt_tokens to {longest}"]
        if longest > self._context_tokens:
            what = f"with prompts over the {self.most_tokens:.0f} tokens that the model can read"
            advice = ["Use a model that reads more"]
        if with_pictures:
            advice.append("make fewer tokens of each picture (model.image_tokens.max)")
        listed = list_problems(what, lines, number)
        return DatasetError(f"{listed}\n{', '.join(advice)}, or take these rows out.")

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
        prompts, refused = [], []
        for problem, token_ids in zip(problems, self._encode(texts), strict=True):
            try:
                prompts.append(self._prompt(problem, token_ids))
            except DatasetError as error:
                refused.append(str(error))
        if refused:
            raise DatasetError(list_problems("with pictures", refused))
        return prompts

    def _prompt(self, problem: Problem, token_ids: np.ndarray) -> Prompt:
        return Prompt(
            problem_id=problem.problem_id,
            token_ids=self._pictures.spread(problem, token_ids) if problem.images else token_ids,
            images=problem.images,
            template_ids=token_ids if problem.images else None,
        )

    def _render_texts(self, problems: Sequence[Problem]) -> list[str]:
        """The turns of each problem by the chat template, which is not trusted."""
        rendered = self._template.render([self._turns(problem) for problem in problems])
        return [_accepted(problem, text) for problem, text in zip(problems, rendered, strict=True)]

    def _turns(self, problem: Problem) -> list[dict[str, Any]]:
        if self._template_owner is self.tokenizer and not problem.images:
            return [dict(turn) for turn in problem.messages]
        # A processor's template may read typed parts alone, and skip a plain text in silence.
        kinds = dict(KINDS[type(each)] for each in problem.images)
        parts = [_typed_parts(turn["content"], kinds) for turn in problem.messages]
        placed = {part["type"] for turn in parts for part in turn}
        shown = (KINDS[type(each)][1] for each in problem.images)
        parts[-1][:0] = [{"type": kind} for kind in shown if kind not in placed]
        return [
            {"role": turn["role"], "content": content}
            for turn, content in zip(problem.messages, parts, strict=True)
        ]

    def _encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        if not texts:
            return []
        # The template has written the special tokens that belong here.
        if not self.tokenizer.is_fast:
            encoded = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
            return [np.array(ids, dtype=np.int64) for ids in encoded]
        # transformers takes twice as long around this, for masks and places that nobody reads.
        backend = self.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        found = backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(each.ids, dtype=np.int64) for each in found]


def _accepted(problem: Problem, text: str | Refusal) -> str:
    if isinstance(text, Refusal):
        raise DatasetError(f"{problem.where}: {_refusal(problem, text)}")
    return text


def _refusal(problem: Problem, refusal: Refusal) -> str:
    roles = ", ".join(turn["role"] for turn in problem.messages)
    return (
        "expected turns that the model's chat template accepts, "
        f"found the roles {roles}: {refusal.reason}"
    )


def length_of(tokens: int, picture_tokens: int) -> str:
    """The length of a prompt for a message."""
    return f"{tokens} tokens" + (f", {picture_tokens} of them pictures" if picture_tokens else "")


def _response(problem: Problem, *, opened: bool) -> str:
    """The demonstrated response; ``opened`` where the prompt ends in opened thinking."""
    if problem.demonstration is None:
        raise DatasetError(
            f"{problem.where}: expected a response to imitate, found none. Name the "
            "column that holds it under columns.response or columns.thinking."
        )
    return problem.demonstration.removeprefix(THINK_OPEN if opened else "")


def _typed_parts(content: str, kinds: Mapping[str, str]) -> list[dict[str, str]]:
    """A turn in typed parts, text and pictures, as vision-language models' templates read it.

    ``kinds`` are what the placeholders in the text stand for.
    """
    pattern = "|".join(map(re.escape, kinds))
    parts: list[dict[str, str]] = []
    for text in re.split(f"({pattern})", content) if kinds else [content]:
        if text in kinds:
            parts.append({"type": kinds[text]})
        elif text:
            parts.append({"type": "text", "text": text})
    return parts
