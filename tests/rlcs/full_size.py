"""Published shapes of models of full size; there are no weights of them here."""

from __future__ import annotations

from typing import Any

GLM_9B: dict[str, Any] = {
    "text_config": {
        "vocab_size": 151_552,
        "hidden_size": 4096,
        "intermediate_size": 13_696,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "num_key_value_heads": 2,
        "attention_bias": True,
    },
    "vision_config": {
        "depth": 24,
        "hidden_size": 1536,
        "intermediate_size": 13_696,
        "num_heads": 12,
        "out_hidden_size": 4096,
    },
    "tie_word_embeddings": False,
    "architectures": ["Glm4vForConditionalGeneration"],
}
"""GLM-4.1V-9B."""

QWEN_15B: dict[str, Any] = {
    "vocab_size": 151_936,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "architectures": ["Qwen2ForCausalLM"],
}
"""Qwen2.5-1.5B."""
