"""The sections of a study's configuration: every option with its type, default, unit and one sentence."""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="valid-type"

import re
from typing import Annotated, Any, Literal, Self, Union

from pydantic import AfterValidator, Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.base.plugins import module_of
from diffusion_credit.baselines.methods import BASELINES
from diffusion_credit.credit.estimators import ESTIMATORS
from diffusion_credit.data.sources import SOURCES
from diffusion_credit.measuring.extractors import EXTRACTORS
from diffusion_credit.measuring.properties import PROPERTIES
from diffusion_credit.models.networks import NETWORKS
from diffusion_credit.subsets.draws import DESIGNS


def _slug(name: str) -> str:
    if not name or not all(c.isascii() and (c.isalnum() or c == "_") for c in name):
        raise ValueError("a name made of a-z, A-Z, 0-9 and _, because folders are named after it")
    return name


def _like(pattern: str, words: str) -> AfterValidator:
    """Text that matches a pattern, which a complaint says in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(words)
        return text

    return AfterValidator(check)


WEIGHTS_SUFFIXES = (".safetensors", ".json", ".txt", ".model")  # formats that hold no code

Name = Annotated[str, AfterValidator(_slug)]


def _options(package: str, names: tuple[str, ...], key: str) -> Any:
    """The union of the registered modules' Options, told apart by `key`."""
    models = tuple(module_of(package, name).Options for name in names)
    return Annotated[Union[models], Field(discriminator=key)]  # noqa: UP007 - built from a tuple


Source = _options("sources", SOURCES, "source")
Network = _options("networks", NETWORKS, "kind")
Extractor = _options("extractors", EXTRACTORS, "kind")
Property = _options("properties", PROPERTIES, "kind")
Estimator = _options("estimators", ESTIMATORS, "kind")
Baseline = _options("baselines", BASELINES, "kind")


class Weights(Section):
    """Pretrained weights, in a local folder or a repository of the Hugging Face hub."""

    folder: str | None = Field(
        default=None,
        min_length=1,
        description="The local folder that holds the files, relative to where the workflow is run.",
    )
    hub: Annotated[str, _like(r"[\w.-]+/[\w.-]+", "owner/name")] | None = Field(
        default=None, description="The repository on the hub, as owner/name. Give either this or `folder`."
    )
    revision: Annotated[str, _like(r"[0-9a-f]{40}", "the hash of a commit, 40 digits")] | None = Field(
        default=None, description="The commit of the repository, as a hash of 40 digits. `hub` needs it."
    )
    files: list[str] = Field(
        default=[f"*{suffix}" for suffix in WEIGHTS_SUFFIXES],
        description="Patterns for the names of the files to take. `*` stands for anything, / included. No"
        " pattern may match files that can hold code.",
    )
    sha256: dict[str, Annotated[str, _like(r"[0-9a-f]{64}", "64 digits from 0 to f")] | None] = Field(
        default={},
        description="Digests by file name below the folder. A file must have its digest; null trusts the"
        " file unchecked. A file that can hold code has to be named here.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if (self.folder is None) == (self.hub is None):
            raise ValueError(
                f"folder: found {self.folder!r} together with hub {self.hub!r}, expected exactly one of them"
            )
        if (self.hub is None) != (self.revision is None):
            raise ValueError(
                f"revision: found {self.revision}, expected the hash of a commit with a hub, and none with a folder"
            )
        for pattern in self.files:
            if not pattern.endswith(WEIGHTS_SUFFIXES):
                raise ValueError(
                    f"files: found {pattern!r}, expected a pattern that ends in one of {' '.join(WEIGHTS_SUFFIXES)};"
                    " name any other file in sha256"
                )
        return self


class Diffusion(Section):
    """The noising process that training and sampling share."""

    timesteps: int = Field(default=1000, ge=2, description="Number of noise levels.")
    schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = Field(
        default="linear", description="How noise grows with the timestep (diffusers' names)."
    )
    beta_start: float = Field(
        default=0.0001, gt=0, description="First noise variance. squaredcos_cap_v2 does not use it."
    )
    beta_end: float = Field(default=0.02, gt=0, description="Last noise variance. squaredcos_cap_v2 does not use it.")
    prediction: Literal["epsilon", "v_prediction", "sample"] = Field(
        default="epsilon", description="What the network predicts: the noise, the velocity, or the clean image."
    )


class Training(Section):
    """One training with AdamW, warm-up, gradient clipping and weight averaging."""

    steps: int = Field(ge=1, description="Optimiser steps.")
    batch_size: int = Field(ge=1, description="Images in each step.")
    learning_rate: float = Field(gt=0, description="Highest learning rate.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps in which the rate rises linearly.")
    decay: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="The learning rate after the warm-up: it falls to zero (`cosine`) or stays as it is (`constant`).",
    )
    optimizer: Literal["adamw", "adamw_8bit"] = Field(
        default="adamw",
        description="AdamW, or AdamW with its moments in 8 bits, which saves memory and needs bitsandbytes.",
    )
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's decoupled weight decay.")
    gradient_clip: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this L2 norm.")
    ema_decay: float = Field(
        default=0.999,
        ge=0,
        lt=1,
        description="Decay of the average of the weights at each step. Every training starts a new average.",
    )
    flip: bool = Field(default=False, description="Mirror half of the images left to right.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the forward pass.")
    checkpoints: int = Field(
        default=0,
        ge=0,
        description="Number of averaged weights to keep along the way, evenly spaced. Gradients of"
        " `models: checkpoints` use them.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.checkpoints >= self.steps:
            raise ValueError(f"checkpoints: found {self.checkpoints}, expected fewer than steps = {self.steps}")
        return self


class Influence(Section):
    """One Newton step away from the images that are left out (WoodFisher), without any training.

    Keeps `gradients` copies of the weights in memory.
    """

    gradients: int = Field(ge=1, description="Number of mini-batch gradients that the Fisher matrix is made of.")
    batch_size: int = Field(ge=1, description="Images in each of these gradients.")
    draws: int = Field(default=1, ge=1, description="Timesteps and noises drawn for each image that is left out.")
    damping: float = Field(
        gt=0, description="Number added to the diagonal of the Fisher matrix. A larger one makes a shorter step."
    )


class Pruning(Section):
    """Structural magnitude pruning of the full model, and its re-fit on everyone's images."""

    ratio: float = Field(
        gt=0,
        lt=1,
        description="Share of each layer's channels to remove, or of each adapter's ranks. It is rounded"
        " to what the layer allows.",
    )
    time_embedding: bool = Field(default=False, description="Prune the widths of a U-Net's time embedding as well.")
    refit: Training = Field(description="Training of the pruned model on everyone's images.")


class Regimes(Section):
    """How a subset's model is made, one training per regime."""

    sparse: Training = Field(
        description="The re-fitted pruned model is fine-tuned on the subset (sparsified fine-tuning)."
    )
    retrain: Training = Field(
        description="An unpruned model is trained from scratch on the subset. It is the truth that other"
        " regimes are judged by."
    )
    finetune: Training | None = Field(
        default=None,
        description="The full model is fine-tuned on the subset. Needed only by a study that uses this regime.",
    )
    gradient_ascent: Training | None = Field(
        default=None,
        description="The full model climbs the loss of the images left out. Needed only by a study that"
        " uses this regime.",
    )
    influence: Influence | None = Field(
        default=None,
        description="The full model takes one Newton step away from the images left out. Needed only by a"
        " study that uses this regime.",
    )
    conditional: Training | None = Field(
        default=None,
        description="One model of everyone is told each image's contributor. A subset's images are those"
        " that it draws for the subset's contributors (SurrogateSHAP). Needed only by a game"
        " of this regime.",
    )


class Target(Section):
    """When to stop adding subsets. It is stated before the run and looked at after whole batches only."""

    standard_error: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="For each property, the largest standard error that any contributor's value may have,"
        " in the property's units.",
    )
    estimator: str = Field(description="Name of the estimator whose standard errors count.")
    maximum: int = Field(
        ge=1, description="Number of subsets at which the study stops in any case. It is a multiple of batch_size."
    )


class Game(Section):
    """A further list of subsets, in a regime of its own, for estimators to be compared with the design's."""

    kind: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        description="How the game's subsets are drawn; the names are those of `design.kind`."
    )
    alpha: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Share of the contributors in every subset. Only the kind `datamodel` uses it.",
    )
    subsets: int = Field(
        ge=1,
        description="Number of subsets. Leave-one-out and add-one-in need one for each contributor and training seed.",
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain", "conditional"] = Field(
        description="The regime of the game's models, and of its own F(everyone) and F(empty)."
    )


class Gradients(Section):
    """Projected gradients of a network's output for single images, by its learned weights. Baselines compare them."""

    output: Literal["loss", "squared_l2", "mean", "l1", "l2", "linf"] = Field(
        description="What the gradients are of: the training loss (TRAK), or of the prediction the mean"
        " square (`squared_l2`, D-TRAK), the mean, or a norm."
    )
    models: Literal["full", "checkpoints", "retrained"] = Field(
        default="full",
        description="Which models the gradients are of: the full model, the full model with the"
        " `checkpoints` of its training (TracIn), or the retrained models of everyone (an"
        " ensemble).",
    )
    timesteps: int = Field(
        default=10, ge=1, description="Number of noise levels that gradients are summed over, with one noise at each."
    )
    spacing: Literal["even", "cumulative"] = Field(
        default="even",
        description="Which noise levels are taken: levels evenly spaced from 0 (`even`), or the first"
        " ones, with the least noise (`cumulative`).",
    )
    projection: int | None = Field(
        default=4096,
        ge=4,
        multiple_of=4,
        description="Number of numbers that a gradient is projected to. Without it gradients are not"
        " projected, which suits very small networks only.",
    )
    path: bool = Field(
        default=False,
        description="Whether gradients are also taken at the clean images that are predicted along the sampling path.",
    )
    memory: float = Field(
        default=2.0, gt=0, description="GiB that gradients may take. It bounds the number of images at once."
    )
    batch_size: int = Field(
        default=64,
        ge=1,
        description="Noised images in one pass of the network. It bounds the memory that the pass keeps"
        " for its backward pass.",
    )


class Design(Section):
    """Which subsets are sampled, and how many share a job."""

    kind: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        default="paired-stratified",
        description="How subsets are drawn. Each estimator needs certain designs: see docs/estimators.md.",
    )
    alpha: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Share of the contributors in every subset. Only the kind `datamodel` uses it.",
    )
    subsets: int = Field(
        ge=1,
        description="Number of sampled subsets: ten times the contributors or more, and a multiple of"
        " batch_size. With a target, it is the number at which the standard error is looked"
        " at first.",
    )
    target: Target | None = Field(default=None, description="Add batches until the values are sure enough.")
    batch_size: int = Field(
        ge=1, description="Subsets that share a job. Batches are aligned, so a larger design only adds jobs."
    )
    anchors: int = Field(default=5, ge=2, description="Number of training seeds of F(everyone), and of F(empty).")
    empty: Literal["untrained", "base"] = Field(
        description="What F(empty) is measured on. `untrained` is the regime's own architecture at random"
        " initialisation. With adapters (lora), `base` is the base model without them."
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain"] = Field(
        default="sparse", description="The regime of the models that the credit is made from."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.subsets % self.batch_size:
            raise ValueError(f"subsets: found {self.subsets}, expected a multiple of batch_size = {self.batch_size}")
        if self.target and (self.target.maximum % self.batch_size or self.target.maximum < self.subsets):
            raise ValueError(
                f"target.maximum: found {self.target.maximum}, expected a multiple of batch_size = {self.batch_size}"
                f" that is at least subsets = {self.subsets}"
            )
        return self


class Generation(Section):
    """Images generated from every model, from the same noise."""

    images: int = Field(ge=2, description="Number of images that each model generates.")
    solver: Literal["dpm_solver++", "ddim", "pndm"] = Field(
        default="ddim", description="The sampler. ddim does not clip."
    )
    steps: int = Field(default=100, ge=1, description="Network evaluations for each image.")
    guidance: float = Field(
        default=1.0,
        ge=1,
        description="Strength of classifier-free guidance away from the empty prompt, for networks with a"
        " prompt. 1 means none.",
    )
    batch_size: int = Field(default=256, ge=1, description="Images at once. It bounds the memory.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the network.")


class Lds(Section):
    """Linear datamodeling score against retrained models on held-out subsets."""

    alphas: list[Annotated[float, Field(ge=0.001, lt=1)]] = Field(
        min_length=1, description="Sizes of held-out subsets, as shares of the contributors."
    )
    subsets: int = Field(
        ge=4, description="Number of held-out subsets for each alpha. It is at most half of all subsets of that size."
    )
    replicates: int = Field(
        default=2,
        ge=2,
        description="Number of training seeds for each held-out subset. Two or more give the noise floor.",
    )
    regimes: list[Literal["sparse", "finetune", "gradient_ascent", "influence"]] = Field(
        default=["sparse"], description="Regimes that are compared with `retrain` on the held-out subsets (fidelity)."
    )


class Counterfactual(Section):
    """Retraining without the top contributors, and with only them."""

    share: float = Field(default=0.4, gt=0, lt=1, description="Share of the contributors that counts as the top.")
    replicates: int = Field(default=3, ge=2, description="Number of training seeds for each retrained model.")
    estimator: str = Field(description="Name of the estimator whose values decide who is on top.")
    every_method: bool = Field(
        default=False,
        description="Whether models are also retrained without the top of every other estimator and"
        " baseline, for the league. That takes `replicates` models for each of them and each"
        " property.",
    )


class Tuning(Section):
    """Subsets on which baselines choose their variant and lambda. None of them is held out."""

    alpha: float = Field(
        default=0.5, ge=0.001, lt=1, description="Size of the tuning subsets, as a share of the contributors."
    )
    subsets: int = Field(
        default=24, ge=4, description="Number of tuning subsets. Their models are of the design's regime."
    )


class Evaluation(Section):
    """How the values are tested."""

    lds: Lds | None = Field(
        default=None,
        description="Held-out subsets that judge the values. Without this section nothing judges them,"
        " and no subset is reserved.",
    )
    tuning: Tuning | None = Field(
        default=None,
        description="Subsets on which baselines choose their variant. Baselines need this section and"
        " `lds`. `{}` takes the defaults.",
    )
    counterfactual: Counterfactual


class Payout(Section):
    """An amount of money, divided by the values of one property to the cent."""

    amount: float = Field(
        gt=0,
        le=1e12,
        description="The amount to divide, in `currency`. It has two decimals at most, and so has every payment.",
    )
    currency: str = Field(
        min_length=1, max_length=20, description="Name of the currency, such as EUR. It is only shown."
    )
    property: Name = Field(description="Name of the property whose values decide.")
    estimator: Name = Field(
        description="Name of the estimator whose values divide the amount. A baseline cannot, because its"
        " values have no unit."
    )
    negative: Literal["clip", "keep", "refuse"] = Field(
        description="What happens with contributors who harm the property. `clip`: they get nothing, and"
        " the others divide the amount. `keep`: they owe money, and the others get more."
        " `refuse`: nobody is paid."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if round(self.amount, 2) != self.amount:
            raise ValueError(f"amount: found {self.amount}, expected two decimals at most")
        return self


class Regeneration(Section):
    """A generated image, drawn again from its noise by a model without the images that a method says made it."""

    images: int = Field(ge=2, description="Number of generated images that are drawn again. The first ones are taken.")
    removed: int = Field(
        ge=1, description="Number of training images that are removed for each of them: those with the highest scores."
    )
    extractor: str = Field(description="Name of the extractor whose features compare the old and the new image.")


class Local(Section):
    """Which training images made a generated image. Every training image is a player, whoever owns it."""

    validation: int = Field(
        ge=2,
        description="Number of images that are kept from every training. They are drawn at random, and"
        " explained like generated ones.",
    )
    training: int | None = Field(
        default=None,
        ge=2,
        description="Number of training images, drawn at random from the others. Without it all others are taken.",
    )
    generated: int = Field(
        ge=2, description="Number of images of the full model that are explained. The first ones are taken."
    )
    batch_size: int = Field(ge=1, description="Subsets that share a job.")
    retrain: Training | None = Field(
        default=None,
        description="How a model of a subset is trained from scratch. Without it the options of `training` are taken.",
    )
    alpha: float = Field(default=0.5, ge=0.001, lt=1, description="Share of the training images in every subset.")
    subsets: int = Field(default=64, ge=4, description="Number of held-out subsets that judge the scores (LDS).")
    replicates: int = Field(default=3, ge=1, description="Number of training seeds for each held-out subset.")
    tuning: int = Field(
        default=16, ge=4, description="Number of further subsets, with one training each, on which lambda is chosen."
    )
    timesteps: int = Field(
        default=10,
        ge=1,
        description="Number of evenly spaced noise levels that an image's loss is averaged over, with one"
        " noise at each.",
    )
    regeneration: Regeneration | None = Field(
        default=None, description="The counterfactual for single images. Without this section none is made."
    )
    shown: int = Field(
        default=8,
        ge=1,
        description="Number of training images that are listed and drawn for the highest scores of an"
        " image, and for the lowest.",
    )


class ModelMinutes(Section):
    """Minutes that one model may take at most, by regime, and one model's images."""

    full: float = Field(default=240, gt=0, description="The full model's training.")
    refit: float = Field(default=240, gt=0, description="The pruned model's re-fit.")
    sparse: float = Field(default=10, gt=0, description="A subset's sparsified fine-tuning.")
    finetune: float = Field(default=10, gt=0, description="A subset's fine-tuning from the full model.")
    gradient_ascent: float = Field(default=10, gt=0, description="A subset's unlearning by gradient ascent.")
    influence: float = Field(default=10, gt=0, description="A subset's unlearning by influence.")
    retrain: float = Field(default=240, gt=0, description="A subset's training from scratch.")
    conditional: float = Field(default=240, gt=0, description="The training of the model that is told contributors.")
    generation: float = Field(default=10, gt=0, description="The images of one model.")
    features: float = Field(default=5, gt=0, description="The features of one model's images, by one extractor.")
    gradients: float = Field(default=240, gt=0, description="All gradients of one entry of `gradients`.")
    scores: float = Field(default=60, gt=0, description="All scores of one entry of `baselines`.")
    losses: float = Field(
        default=10, gt=0, description="The losses of single images under one model, in a study with a section `local`."
    )


class Limits(Section):
    """Time limits of a cluster's jobs. A job may take start + batch x minutes, and each further attempt as much again.

    They change no result. A job that runs into its limit keeps what it made, and its next attempt goes on from there.
    """

    start: float = Field(default=10, gt=0, description="Minutes that a job may take before its first model.")
    minutes: ModelMinutes = ModelMinutes()
    longest: int = Field(default=1440, ge=1, description="No job asks for more minutes than this.")
