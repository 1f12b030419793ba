"""Denoising networks. To add one: a module here with

- `Options`, its pydantic model (a NetworkSection with `kind`), `check_size(options, height, width)`, and `EMPTY`, what
  F(empty) is for it;
- `architecture(options, shape)`, what a checkpoint says of a network that denoises tensors of `shape`;
- `conditional(architecture, contributors)`, where it can be told whose image it denoises;
- `build(architecture, seed, weights)`, a randomly initialised network whose learned weights require gradients;
- `reinitialise(model, seed)`, which draws these anew;
- `denoiser(model, conditions, guidance)`, the prediction as a function of noised tensors and timesteps; trained with
  guidance 1;
- `learned(model)` and `load(model, tensors)`, the weights that a checkpoint holds;
- where packages beyond the default installation decide the result, `PACKAGES`: package -> extra that brings it;

a module of the same name in `pruning/`, and its name below. weights: name of an entry of the study's `weights` -> its
manifest. conditions: named tensors that `inputs.encode` computed once.
"""

NETWORKS = ("unet", "lora")
