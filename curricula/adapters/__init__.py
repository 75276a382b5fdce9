"""A curriculum in other trainers: import the module of yours.

    curricula.adapters.torch_sampler    any loop over a PyTorch DataLoader
    curricula.adapters.trl_callback     TRL's GRPOTrainer
    curricula.adapters.verl_sampler     verl, up to 0.6 (later versions have no sampler interface)

Only these modules import torch, transformers, datasets or verl; the rest needs numpy alone.
"""
