"""Small real things that the data tests share: row files and a tokenizer folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

CHAT_TEMPLATE = r"""{%- for turn in messages %}
{%- if turn.role not in ['system', 'user', 'assistant'] %}
{{- raise_exception('no such role') }}
{%- endif %}
{{- '<|im_start|>' + turn.role + '\n' }}
{%- if turn.content is string %}{{ turn.content }}{% else %}
{%- for part in turn.content %}{{ part.text }}{% endfor %}{% endif %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
"""

RowFile = Callable[..., str]


@pytest.fixture
def row_file(tmp_path: Path) -> RowFile:
    """Writes rows (objects, or lines as they are) as JSONL and returns the path."""

    def write(*rows: Any, name: str = "rows.jsonl") -> str:
        path = tmp_path / name
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)

    return write


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and three special tokens, with a chat template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
    )


@pytest.fixture
def tokenizer_folder(tmp_path: Path) -> Path:
    """A model folder as far as rendering needs one."""
    folder = tmp_path / "model"
    make_tokenizer().save_pretrained(folder)
    return folder
