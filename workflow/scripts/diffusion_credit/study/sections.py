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
        default=None, min_length=1, description="A folder that holds them; relative to where the workflow is run."
    )
    hub: Annotated[str, _like(r"[\w.-]+/[\w.-]+", "owner/name")] | None = Field(
        default=None, description="Instead of a folder, the repository: owner/name."
    )
    revision: Annotated[str, _like(r"[0-9a-f]{40}", "the hash of a commit, 40 digits")] | None = Field(
        default=None, description="Of the repository: the hash of a commit, 40 digits."
    )
    files: list[str] = Field(
        default=[f"*{suffix}" for suffix in WEIGHTS_SUFFIXES],
        description="Patterns of the names of the files to take, * for anything, / too; none that could hold code.",
    )
    sha256: dict[str, Annotated[str, _like(r"[0-9a-f]{64}", "64 digits from 0 to f")] | None] = Field(
        default={},
        description="Digests that files must have, by name below the folder, or null where you trust a file unchecked;"
        " a file that could hold code has to be named here.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if (self.folder is None) == (self.hub is None):
            raise ValueError(f"folder: found {self.folder!r} beside hub {self.hub!r}, expected one of the two")
        if (self.hub is None) != (self.revision is None):
            raise ValueError(f"revision: found {self.revision}, expected the hash of a commit for a hub, and only then")
        for pattern in self.files:
            if not pattern.endswith(WEIGHTS_SUFFIXES):
                raise ValueError(
                    f"files: found {pattern!r}, expected an end like {' '.join(WEIGHTS_SUFFIXES)}; any other file has"
                    " to be named in sha256"
                )
        return self


class Diffusion(Section):
    """The noising process that training and sampling share."""

    timesteps: int = Field(default=1000, ge=2, description="Number of noise levels.")
    schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = Field(
        default="linear", description="How noise grows with the timestep (diffusers' names)."
    )
    beta_start: float = Field(default=0.0001, gt=0, description="First noise variance; unused by squaredcos_cap_v2.")
    beta_end: float = Field(default=0.02, gt=0, description="Last noise variance; unused by squaredcos_cap_v2.")
    prediction: Literal["epsilon", "v_prediction", "sample"] = Field(
        default="epsilon", description="What the network predicts: the noise, the velocity, or the clean image."
    )


class Training(Section):
    """One training with AdamW, warm-up, gradient clipping and weight averaging."""

    steps: int = Field(ge=1, description="Optimiser steps.")
    batch_size: int = Field(ge=1, description="Images a step.")
    learning_rate: float = Field(gt=0, description="Highest learning rate.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps in which the rate rises linearly.")
    decay: Literal["cosine", "constant"] = Field(
        default="cosine", description="The rate after the warm-up: falling to zero, or as it is."
    )
    optimizer: Literal["adamw", "adamw_8bit"] = Field(
        default="adamw", description="AdamW, or with its moments in 8 bits to save memory (needs bitsandbytes)."
    )
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's decoupled weight decay.")
    gradient_clip: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this L2 norm.")
    ema_decay: float = Field(
        default=0.999, ge=0, lt=1, description="Decay a step of the weights' average, started anew in every training."
    )
    flip: bool = Field(default=False, description="Mirror half of the images left to right.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the forward pass.")
    checkpoints: int = Field(
        default=0, ge=0, description="Averaged weights kept along the way, evenly spaced, for gradients of checkpoints."
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

    gradients: int = Field(ge=1, description="Mini-batch gradients that the Fisher matrix is made of.")
    batch_size: int = Field(ge=1, description="Images a gradient.")
    draws: int = Field(default=1, ge=1, description="Timesteps and noises drawn for each image that is left out.")
    damping: float = Field(gt=0, description="Added to the Fisher matrix's diagonal; larger steps less far.")


class Pruning(Section):
    """Structural magnitude pruning of the full model, and its re-fit on everyone's images."""

    ratio: float = Field(
        gt=0, lt=1, description="Share of each layer's channels to remove, or of each adapter's ranks; rounded."
    )
    time_embedding: bool = Field(default=False, description="Prune the widths of a U-Net's time embedding as well.")
    refit: Training = Field(description="Training of the pruned model on everyone's images.")


class Regimes(Section):
    """How a subset's model is made, one training per regime."""

    sparse: Training = Field(description="From the re-fitted pruned model: sparsified fine-tuning.")
    retrain: Training = Field(description="From scratch and unpruned: the truth that the others are judged by.")
    finetune: Training | None = Field(default=None, description="From the full model; needed only where it is used.")
    gradient_ascent: Training | None = Field(
        default=None, description="From the full model, climbing the loss of the images left out; likewise."
    )
    influence: Influence | None = Field(default=None, description="From the full model, by influence; likewise.")
    conditional: Training | None = Field(
        default=None,
        description="One model of everyone that is told each image's contributor; a subset's images are those of its"
        " contributors (SurrogateSHAP). Needed only by a game of this regime.",
    )


class Target(Section):
    """When to stop adding subsets: stated before the run, looked at after whole batches only."""

    standard_error: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="Largest standard error that any contributor's value may have, by property, in its units.",
    )
    estimator: str = Field(description="Name of the estimator whose standard errors count.")
    maximum: int = Field(ge=1, description="Number of subsets at which to stop in any case; a multiple of batch_size.")


class Game(Section):
    """Further subsets in a regime of their own, for estimators that name it; judged beside the design in the league."""

    kind: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        description="How subsets are drawn, as in `design`."
    )
    alpha: float = Field(default=0.5, gt=0, lt=1, description="As in `design`, for `datamodel` alone.")
    subsets: int = Field(
        ge=1,
        description="Number of subsets; of leave-one-out and add-one-in the contributors, times the trainings of each.",
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain", "conditional"] = Field(
        description="The regime of the models, and of the game's own F(everyone) and F(empty)."
    )


class Gradients(Section):
    """Per-image gradients of a network's output by its learned weights, projected, for the baselines that use them."""

    output: Literal["loss", "squared_l2", "mean", "l1", "l2", "linf"] = Field(
        description="Of what: the training loss (TRAK), or the mean square (D-TRAK), mean or norm of the prediction."
    )
    models: Literal["full", "checkpoints", "retrained"] = Field(
        default="full",
        description="Of which: the full model, that and the `checkpoints` of its training (TracIn), or the retrained"
        " models of everyone (an ensemble).",
    )
    timesteps: int = Field(default=10, ge=1, description="Noise levels that gradients are summed over, one noise each.")
    spacing: Literal["even", "cumulative"] = Field(
        default="even", description="Evenly spaced from 0, or the first ones, of the lowest noise."
    )
    projection: int | None = Field(
        default=4096,
        ge=4,
        multiple_of=4,
        description="Numbers that a gradient is projected to; none: no projection, for very small networks.",
    )
    path: bool = Field(
        default=False, description="Also at the clean images that are predicted along the sampling path."
    )
    memory: float = Field(default=2.0, gt=0, description="GiB that gradients may take; bounds the images at once.")
    batch_size: int = Field(
        default=64, ge=1, description="Noised images in one pass of the network; bounds what it keeps to go back."
    )


class Design(Section):
    """Which subsets are evaluated, and how many share a job."""

    kind: Literal[tuple(DESIGNS)] = Field(  # type: ignore[valid-type]
        default="paired-stratified", description="How subsets are drawn; each estimator says which designs it can use."
    )
    alpha: float = Field(
        default=0.5, gt=0, lt=1, description="Share of the contributors in every subset; used by `datamodel` alone."
    )
    subsets: int = Field(
        ge=1,
        description="Number of sampled subsets, ten times the contributors or more; a multiple of batch_size. With a"
        " target, the number at which the standard error is first looked at.",
    )
    target: Target | None = Field(default=None, description="Add batches until the values are sure enough.")
    batch_size: int = Field(ge=1, description="Subsets a job; jobs are aligned, so a larger design only adds jobs.")
    anchors: int = Field(default=5, ge=2, description="Training seeds of F(everyone) and of F(empty).")
    empty: Literal["untrained", "base"] = Field(
        description="What F(empty) is: `untrained`, the regime's own architecture at random initialisation, or, with"
        " adapters (lora), `base`, the base model without them."
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain"] = Field(
        default="sparse", description="The regime whose utilities the Shapley values divide."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.subsets % self.batch_size:
            raise ValueError(f"subsets: found {self.subsets}, expected a multiple of batch_size = {self.batch_size}")
        if self.target and (self.target.maximum % self.batch_size or self.target.maximum < self.subsets):
            raise ValueError(
                f"target.maximum: found {self.target.maximum}, expected a multiple of batch_size = {self.batch_size},"
                f" not below subsets = {self.subsets}"
            )
        return self


class Generation(Section):
    """Images generated from every model, from the same noise."""

    images: int = Field(ge=2, description="Images a model.")
    solver: Literal["dpm_solver++", "ddim", "pndm"] = Field(default="ddim", description="Sampler; ddim is unclipped.")
    steps: int = Field(default=100, ge=1, description="Network evaluations an image.")
    guidance: float = Field(
        default=1.0,
        ge=1,
        description="Classifier-free guidance away from the empty prompt, for networks with a prompt; 1: none.",
    )
    batch_size: int = Field(default=256, ge=1, description="Images at once; bounds the memory.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the network.")


class Lds(Section):
    """Linear datamodeling score against retrained models on held-out subsets."""

    alphas: list[Annotated[float, Field(ge=0.001, lt=1)]] = Field(
        min_length=1, description="Sizes of held-out subsets, as shares of the contributors."
    )
    subsets: int = Field(ge=4, description="Held-out subsets for each alpha; at most half of all of that size.")
    replicates: int = Field(
        default=2, ge=2, description="Training seeds of each held-out subset; two give the noise floor."
    )
    regimes: list[Literal["sparse", "finetune", "gradient_ascent", "influence"]] = Field(
        default=["sparse"], description="Regimes compared with `retrain` on the held-out subsets (fidelity)."
    )


class Counterfactual(Section):
    """Retraining without the top contributors, and with only them."""

    share: float = Field(default=0.4, gt=0, lt=1, description="Share of the contributors that are the top.")
    replicates: int = Field(default=3, ge=2, description="Training seeds of each retrained model.")
    estimator: str = Field(description="Name of the estimator whose values decide who is on top.")
    every_method: bool = Field(
        default=False,
        description="Also retrain without the top of every other estimator and baseline, for the league:"
        " `replicates` models trained from scratch for each of them and each property.",
    )


class Tuning(Section):
    """Subsets on which baselines choose their variant and lambda; never one that is held out."""

    alpha: float = Field(default=0.5, ge=0.001, lt=1, description="Their size, as a share of the contributors.")
    subsets: int = Field(default=24, ge=4, description="Their number; models of the design's regime.")


class Evaluation(Section):
    """The proof that the values are good."""

    lds: Lds | None = Field(
        default=None,
        description="Held-out subsets that judge the values; left out, nothing does, and none is reserved.",
    )
    tuning: Tuning | None = Field(
        default=None, description="Needed by baselines, as `lds` is; `{}` takes what follows."
    )
    counterfactual: Counterfactual


class Payout(Section):
    """An amount of money, divided by the values of one property to the cent."""

    amount: float = Field(
        gt=0, le=1e12, description="What is divided, in `currency`; with two decimals at most, as every payment."
    )
    currency: str = Field(min_length=1, max_length=20, description="Its name, such as EUR; only shown.")
    property: Name = Field(description="Name of the property whose values decide.")
    estimator: Name = Field(
        description="Name of the estimator whose values they are; baselines have no unit to pay by."
    )
    negative: Literal["clip", "keep", "refuse"] = Field(
        description="Who harms the property: gets nothing, and the others divide the amount (`clip`); owes, and the"
        " others get more (`keep`); or then nobody is paid (`refuse`)."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if round(self.amount, 2) != self.amount:
            raise ValueError(f"amount: found {self.amount}, expected whole cents")
        return self


class Regeneration(Section):
    """Retraining without the images that a method says made a generated image, and drawing it again from its noise."""

    images: int = Field(ge=2, description="Generated images that are drawn again, the first ones.")
    removed: int = Field(ge=1, description="Training images removed for each: those with the highest scores.")
    extractor: str = Field(description="Name of the extractor in whose features the two images are compared.")


class Local(Section):
    """Which training images made an image: every training image is a player, whoever owns it."""

    validation: int = Field(
        ge=2, description="Images kept from every training, drawn at random; explained like generated ones."
    )
    training: int | None = Field(
        default=None, ge=2, description="Images of every training, drawn at random from the others; none: all others."
    )
    generated: int = Field(ge=2, description="Images of the full model that are explained, the first ones.")
    batch_size: int = Field(ge=1, description="Subsets a job.")
    retrain: Training | None = Field(default=None, description="A subset's training from scratch; none: as `training`.")
    alpha: float = Field(default=0.5, ge=0.001, lt=1, description="Share of the training images in every subset.")
    subsets: int = Field(default=64, ge=4, description="Held-out subsets that scores are judged by (LDS).")
    replicates: int = Field(default=3, ge=1, description="Training seeds of each.")
    tuning: int = Field(default=16, ge=4, description="Further subsets, one training each, on which lambda is chosen.")
    timesteps: int = Field(
        default=10,
        ge=1,
        description="Evenly spaced noise levels that an image's loss is averaged over, one noise each.",
    )
    regeneration: Regeneration | None = Field(default=None, description="The counterfactual; left out, none is made.")
    shown: int = Field(
        default=8, ge=1, description="Training images listed and drawn at either end of an image's scores."
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
    generation: float = Field(default=10, gt=0, description="One model's images.")
    features: float = Field(default=5, gt=0, description="One model's features, of one extractor.")
    gradients: float = Field(default=240, gt=0, description="All gradients of one name.")
    scores: float = Field(default=60, gt=0, description="All scores of one baseline.")
    losses: float = Field(default=10, gt=0, description="The losses of single images under one model (local).")


class Limits(Section):
    """Time limits of a cluster's jobs: start + batch x minutes, and as much again at every further attempt.

    They change no result. A job that runs into its limit keeps what it made, and its next attempt goes on from there.
    """

    start: float = Field(default=10, gt=0, description="Minutes that a job may take before its first model.")
    minutes: ModelMinutes = ModelMinutes()
    longest: int = Field(default=1440, ge=1, description="Minutes that no job may ask for more than.")
