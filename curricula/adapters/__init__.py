"""A curriculum in other trainers: import the module of yours.

    curricula.adapters.torch_sampler    any loop over a PyTorch DataLoader
    curricula.adapters.trl_trainer      TRL's GRPOTrainer: chooses and selects
    curricula.adapters.trl_callback     TRL's GRPOTrainer, in a trainer of your own: chooses
    curricula.adapters.verl_replay      verl from 0.9, synchronous: chooses and selects
    curricula.adapters.verl_sampler     verl 0.5 and 0.6: chooses
    curricula.adapters.skyrl_trainer    SkyRL: chooses and selects
    curricula.adapters.prime_sampler    prime-rl: chooses, and admits valid groups

Only these modules import torch, transformers, datasets, trl or verl; the rest needs numpy alone.
"""
