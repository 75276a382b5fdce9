"""The stand-ins of the contract tests against the packages themselves, which are only read.

What the adapters override or call has to be there, with the parameters they are called by. The
wheels are downloaded without their dependencies and never imported.
"""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPLAY, ROWS = "verl/trainer/ppo/v1/replay_buffer.py", "verl/utils/dataset/rl_dataset.py"
TRAINER, SKYRL = "verl/trainer/ppo/v1/trainer_base.py", "skyrl/train/trainer.py"
INTERFACES = {
    "verl==0.9.1": {
        (REPLAY, "ReplayBuffer"): {
            "__init__": "trainer_mode sampler_kwargs refill_fn",
            "sample": "global_steps partition_id batch_size",
            "_sync_metadata_from_transfer_queue": "",
            "_wait_for_next_poll": "partition_id last_debug_time",
            "_clear_groups": "partition_id uids",
            "_materialize_batch": "partition_id selected_prompt_uids partition_snapshot",
        },
        (ROWS, "RLHFDataset"): {
            "__init__": "data_files tokenizer config processor",
            "__getitem__": "item",
        },
        (TRAINER, "PPOTrainer"): {"_add_prompts_to_generate": "num_prompts", "prepare_step": ""},
    },
    "skyrl==0.3.0": {
        (SKYRL, "RayPPOTrainer"): {
            "__init__": "cfg train_dataset generator",
            "_build_train_dataloader_and_compute_training_steps": "",
            "handle_dynamic_sampling": "generator_output uids",
        },
        ("skyrl/train/dataset/dataset.py", "PromptDataset"): {
            "__getitem__": "item",
            "collate_fn": "item_list",
        },
    },
}
ATTRIBUTES = {
    REPLAY: ("partitions", "pending_keys", "running_keys", "finished_keys", "failure_keys"),
    ROWS: ("dataframe",),
    TRAINER: ("train_dataset", "config"),
    SKYRL: ("train_dataset", "train_dataloader", "total_training_steps"),
}


@pytest.mark.stress
@pytest.mark.parametrize("package", sorted(INTERFACES))
def test_the_real_package_has_what_the_adapter_goes_by(package: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package]
    done = subprocess.run([*command, "-d", str(tmp_path)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot be downloaded here: {done.stderr[-300:]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as parts:
        for (file, name), methods in INTERFACES[package].items():
            text = parts.read(file).decode()
            classes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef)]
            (found,) = [each for each in classes if each.name == name]
            functions = {n.name: n for n in found.body if isinstance(n, ast.FunctionDef)}
            for method, parameters in methods.items():
                arguments = functions[method].args
                known = {each.arg for each in [*arguments.args, *arguments.kwonlyargs]}
                assert set(parameters.split()) <= known, (file, name, method)
            for attribute in ATTRIBUTES.get(file, ()):
                assert f"self.{attribute}" in text, (file, attribute)
