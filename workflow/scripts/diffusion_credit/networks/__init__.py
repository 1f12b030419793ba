"""Denoising networks. To add one: a module here with

- `Options`, its pydantic model (with `kind`), `check(options, size)` and `EMPTY`, what F(empty) is for it;
- `architecture(options, shape)`, what a checkpoint says of a network that denoises tensors of `shape`;
- `build(architecture, seed, weights)`, a randomly initialised network whose learned weights require gradients;
- `reinitialise(model, seed)`, which draws these anew;
- `denoiser(model, architecture, conditions)`, two functions of noised tensors and timesteps that predict: one to train,
  one to sample with;
- `learned(model)` and `load(model, tensors)`, the weights that a checkpoint holds;
- `prune(model, architecture, options)`, which removes some of them in place and returns what the architecture is now;

- where packages beyond the default installation decide the result, `PACKAGES`: package -> extra that brings it;

and its name below. weights: name of an entry of the study's `weights` -> its manifest. conditions: named tensors that
`inputs.encode` computed once.
"""

NETWORKS = ("unet", "lora")
