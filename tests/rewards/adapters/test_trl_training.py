"""TRL's own trainer runs a step with our reward function."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewards.adapters.trl import TrlReward

trl = pytest.importorskip("trl")


@pytest.mark.long
def test_a_step_of_grpo(tmp_path: Path) -> None:
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    characters = ["<pad>", "<eos>", *"0123456789+-= \\boxed{}"]
    vocabulary = {c: i for i, c in enumerate(dict.fromkeys(characters))}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="<eos>", padding_side="left"
    )
    config = Qwen2Config(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        eos_token_id=1,
    )
    rows = [{"prompt": f"{n}+1=", "reference": str(n + 1)} for n in range(4)]
    reward = TrlReward("math")
    trainer = trl.GRPOTrainer(
        model=Qwen2ForCausalLM(config),
        reward_funcs=reward,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=6,
            report_to=[],
            use_cpu=True,
            bf16=False,
        ),
    )
    trainer.train()
    assert trainer.state.global_step == 1
    assert "rewards/math_reward/mean" in trainer.state.log_history[0]
