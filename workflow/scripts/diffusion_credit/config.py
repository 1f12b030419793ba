"""The study's configuration: every option with its type, default, unit and one sentence, and all cross-checks.

Only the Snakefile reads this module; scripts receive the few plain values that they use as params.
"""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="valid-type,attr-defined"

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self, Union

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from diffusion_credit.baselines import BASELINES
from diffusion_credit.draws import DESIGNS
from diffusion_credit.errors import UserError
from diffusion_credit.estimators import ESTIMATORS
from diffusion_credit.extractors import EXTRACTORS
from diffusion_credit.networks import NETWORKS
from diffusion_credit.options import Section
from diffusion_credit.plugins import module_of
from diffusion_credit.properties import PROPERTIES
from diffusion_credit.sources import SOURCES


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

RESERVED_NAMES = {"image_count", "subset_size", "noise_floor", "without_top", "only_top"}

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
    subsets: int = Field(ge=1, description="Number of subsets.")
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
        " `replicates` models each.",
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
    tuning: Tuning | None = Field(default=None, description="Needed by baselines.")
    counterfactual: Counterfactual


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


class Limits(Section):
    """Time limits of a cluster's jobs: start + batch x minutes, and as much again at every further attempt.

    They change no result. A job that runs into its limit keeps what it made, and its next attempt goes on from there.
    """

    start: float = Field(default=10, gt=0, description="Minutes that a job may take before its first model.")
    minutes: ModelMinutes = ModelMinutes()
    longest: int = Field(default=1440, ge=1, description="Minutes that no job may ask for more than.")


class Study(Section):
    """A study: data, model, regimes, properties, estimators and evaluation."""

    study: Name = Field(description="Name of the study and of its folder below results/, made of a-z, A-Z, 0-9 and _.")
    seed: int = Field(ge=0, description="The seed that every random draw of the study is derived from.")
    weights: dict[Name, Weights] = Field(default={}, description="Pretrained weights, by a name of your own.")
    data: Source = Field(description="The training images and who owns them.")
    model: Network = Field(description="The denoising network.")
    diffusion: Diffusion
    training: Training = Field(description="Training of the full model on everyone's images.")
    pruning: Pruning
    regimes: Regimes
    design: Design
    generation: Generation
    extractors: dict[Name, Extractor] = Field(default={}, description="Feature extractors, by a name of your own.")
    properties: dict[Name, Property] = Field(min_length=1, description="Properties, by a name of your own.")
    estimators: dict[Name, Estimator] = Field(min_length=1, description="Estimators, by a name of your own.")
    games: dict[Name, Game] = Field(
        default={}, description="Further games, by a name of your own, for estimators to compare with."
    )
    gradients: dict[Name, Gradients] = Field(default={}, description="Gradients for baselines, by a name of your own.")
    baselines: dict[Name, Baseline] = Field(default={}, description="Baselines, by a name of your own.")
    groups: dict[str, list[str]] = Field(
        default={}, description="Groups of contributors by name, each contributor in one; needed for Owen values alone."
    )
    evaluation: Evaluation
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="Device of training, generation and extraction.")
    limits: Limits = Limits()
    scale: Name = Field(default="full", description="`full`, or one of `scales`; results go to <study>_<scale>.")
    scales: dict[Name, dict[str, Any]] = Field(
        default={}, description="Smaller versions of the study by name: the options in which each differs."
    )

    @model_validator(mode="before")
    @classmethod
    def at_scale(cls, config: Any) -> Any:
        """The options of the chosen scale instead of the study's own."""
        if not isinstance(config, dict) or config.get("scale", "full") == "full":
            return config
        scale, scales = config["scale"], config.get("scales", {})
        if not isinstance(scale, str) or not isinstance(scales, dict) or not isinstance(scales.get(scale, {}), dict):
            return config  # the fields themselves complain
        if scale not in scales:
            raise ValueError(f"scale: found {scale!r}, expected one of {['full', *scales]}")
        return {**_merged(config, scales[scale]), "study": f"{config.get('study', '')}_{scale}"}

    @model_validator(mode="after")
    def check(self) -> Self:
        for path, section in sections(self):
            for name in section.needs_weights():
                if name not in self.weights:
                    key = next((key for key in type(section).model_fields if getattr(section, key) == name), "weights")
                    raise ValueError(
                        f"{path}.{key}: found {name!r}, expected a name below weights: {_listed(self.weights)}"
                    )
            for name, ending in section.needs_digests().items():
                named = [file for file in self.weights[name].sha256 if file.endswith(ending)]
                if len(named) != 1:
                    raise ValueError(
                        f"weights.{name}.sha256: found {named}, expected the digest of the one file ending in {ending}"
                        f" that {path} uses"
                    )
        for name, prop in self.properties.items():
            self._check_property(f"properties.{name}", prop)
        if self.generation.steps > self.diffusion.timesteps:
            raise ValueError(
                f"generation.steps: found {self.generation.steps}, expected at most diffusion.timesteps ="
                f" {self.diffusion.timesteps}"
            )
        for name in RESERVED_NAMES & set(self.estimators):
            raise ValueError(f"estimators: found the name {name}, expected another, because lds.csv uses it itself")
        for name, estimator in self.estimators.items():
            if estimator.game is not None and estimator.game not in self.games:
                raise ValueError(
                    f"estimators.{name}.game: found {estimator.game!r}, expected a name below games:"
                    f" {_listed(self.games)}"
                )
            key = f"games.{estimator.game}" if estimator.game else "design"
            game, designs = self.game_of(estimator), module_of("estimators", estimator.kind).DESIGNS
            if designs and game.kind not in designs:
                raise ValueError(
                    f"{key}.kind: found {game.kind}, expected one of {', '.join(designs)} for the estimator {name}"
                )
            if estimator.kind == "owen" and not self.groups:
                raise ValueError(f"groups: not found, expected the groups that the estimator {name} credits first")
        if "owen" in (self.design.kind, *(game.kind for game in self.games.values())) and not self.groups:
            raise ValueError("groups: not found, expected the groups that the design owen draws")
        self._check_baselines()
        target = self.design.target
        used = {"evaluation.counterfactual": self.evaluation.counterfactual.estimator}
        if target:
            used["design.target"] = target.estimator
            for name in sorted(set(target.standard_error) - set(self.properties)):
                raise ValueError(
                    f"design.target.standard_error: found {name}, expected one of {sorted(self.properties)}"
                )
        for key, name in used.items():
            known = [name for name, of in self.estimators.items() if key != "design.target" or not of.game]
            if name not in known:
                raise ValueError(f"{key}.estimator: found {name!r}, expected one of {sorted(known)}")
        if target and self.estimators[target.estimator].kind in ("datamodel", "surrogate"):
            raise ValueError(f"design.target.estimator: found {target.estimator!r}, which has no standard errors")
        self.model.check_pruning(self.pruning.ratio)
        if self.generation.guidance != 1 and not hasattr(self.model, "prompt"):
            raise ValueError(
                f"generation.guidance: found {self.generation.guidance}, expected 1 for a model of kind"
                f" {self.model.kind}, which has no prompt"
            )
        lds = self.evaluation.lds
        for regime in [
            self.design.regime,
            *(lds.regimes if lds else []),
            *(game.regime for game in self.games.values()),
        ]:
            if getattr(self.regimes, regime) is None:
                raise ValueError(f"regimes.{regime}: not found, expected its options because the regime is used")
        empty = module_of("networks", self.model.kind).EMPTY
        if self.design.empty != empty:
            raise ValueError(
                f"design.empty: found {self.design.empty}, expected {empty} for a model of kind {self.model.kind}"
            )
        if lds and len(set(lds.alphas)) < len(lds.alphas):
            raise ValueError(f"evaluation.lds.alphas: found {lds.alphas}, expected each value once")
        for key, game in {
            "design": self.design,
            **{f"games.{name}": game for name, game in self.games.items()},
        }.items():
            if lds and game.kind == "all":
                raise ValueError(
                    f"{key}.kind: found all, expected no evaluation.lds beside it, which holds subsets out"
                )
        return self

    def game_of(self, estimator: Any) -> Any:
        """The subsets that an estimator credits from: a game's section, or the design's."""
        return self.games[estimator.game] if estimator.game else self.design

    def _check_baselines(self) -> None:
        """Raises ValueError when a baseline, or a game of the conditional regime, lacks what it needs."""
        for name in sorted(set(self.baselines) & ({*self.estimators} | RESERVED_NAMES)):
            raise ValueError(f"baselines: found the name {name}, expected another than an estimator's or lds.csv's own")
        lds = self.evaluation.lds
        if self.baselines and not self.evaluation.tuning:
            raise ValueError("evaluation.tuning: not found, expected the subsets on which baselines choose variants")
        for key, value in {
            "baselines": self.baselines,
            "evaluation.counterfactual.every_method": self.evaluation.counterfactual.every_method,
        }.items():
            if value and not lds:
                raise ValueError(f"{key}: found some without evaluation.lds, whose league is what they are for")
        for name in sorted(set(self.games) - {estimator.game for estimator in self.estimators.values()}):
            raise ValueError(f"games.{name}: found no estimator that names it, expected one: its models are trained")
        if all(estimator.game for estimator in self.estimators.values()):
            raise ValueError(
                "estimators: found only such of games, expected one of the design, whose models are trained"
            )
        for name, baseline in self.baselines.items():
            for key, known in (("extractor", self.extractors), ("gradients", self.gradients)):
                found = getattr(baseline, key, None)
                if found is not None and found not in known:
                    raise ValueError(
                        f"baselines.{name}.{key}: found {found!r}, expected a name below {key.rstrip('s')}s:"
                        f" {_listed(known)}"
                    )
            if hasattr(baseline, "of") and baseline.of not in (given := self.extractors[baseline.extractor].scores()):
                raise ValueError(f"baselines.{name}.of: found {baseline.of!r}, expected a score: {_listed(given)}")
            if getattr(baseline, "along", None) == "path" and not self.gradients[baseline.gradients].path:
                raise ValueError(f"gradients.{baseline.gradients}.path: found false, expected true for {name}")
        for key, section in sections(self):
            if isinstance(section, Training) and section.checkpoints and key != "training":
                raise ValueError(f"{key}.checkpoints: found {section.checkpoints}, expected 0, as for all but training")
        for name, gradients in self.gradients.items():
            if gradients.models == "checkpoints" and not self.training.checkpoints:
                raise ValueError(f"training.checkpoints: found 0, expected some for gradients.{name}")
            if gradients.timesteps > self.diffusion.timesteps:
                raise ValueError(
                    f"gradients.{name}.timesteps: found {gradients.timesteps}, expected at most diffusion.timesteps ="
                    f" {self.diffusion.timesteps}"
                )
        for name, game in self.games.items():
            if game.regime == "conditional" and self.model.kind != "unet":
                raise ValueError(f"games.{name}.regime: found conditional, expected another for {self.model.kind}")

    def _check_property(self, path: str, prop: Any) -> None:
        """Raises ValueError when its extractor is missing or lacks its array, or when there are too few images."""
        if (name := getattr(prop, "extractor", None)) is None:
            return
        if name not in self.extractors:
            raise ValueError(
                f"{path}.extractor: found {name!r}, expected a name below extractors: {_listed(self.extractors)}"
            )
        scored = hasattr(prop, "of")
        wanted = prop.of if scored else prop.array
        given = self.extractors[name].scores() if scored else self.extractors[name].arrays()
        if scored and wanted not in given:
            raise ValueError(f"{path}.of: found {wanted!r}, expected a score of {name}: {_listed(given)}")
        if wanted not in given:
            raise ValueError(f"{path}.extractor: found {name!r}, which gives {given}, expected one that gives {wanted}")
        for key, more in (("clusters", 0), ("splits", 0), ("neighbours", 1)):
            if getattr(prop, key, 0) + more > self.generation.images:
                raise ValueError(
                    f"{path}.{key}: found {getattr(prop, key)}, expected at most {self.generation.images - more}, by"
                    " generation.images"
                )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "there is none"


def _merged(options: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Options with those of `other` instead, section by section."""
    merged = dict(options)
    for key, value in other.items():
        inner = isinstance(value, dict) and isinstance(options.get(key), dict)
        merged[key] = _merged(options[key], value) if inner else value
    return merged


def sections(value: Any, path: str = "") -> Iterator[tuple[str, Section]]:
    """Every section in a value, with its key."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Section):
        yield path, value
        inner = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, part in inner:
        yield from sections(part, f"{path}.{key}".removeprefix("."))


def read_study(config: dict[str, Any]) -> Study:
    """Validate a configuration. Raises UserError: one sentence on the first thing that is wrong."""
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        raise UserError(_sentence(error, config)) from None


def read_options(package: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Validated options of one registered module. Raises UserError."""
    try:
        return plain(module_of(package, kind).Options.model_validate({"kind": kind, **options}))
    except ValidationError as error:
        raise UserError(_sentence(error, options).replace("config: ", f"{kind}: ", 1)) from None


def _sentence(error: ValidationError, config: dict[str, Any]) -> str:
    """The first complaint of a pydantic error as: key, what was found, what was expected."""
    # A misspelt key makes two complaints; the one about the unknown key shows the reader where to look.
    first = min(error.errors(), key=lambda complaint: complaint["type"] != "extra_forbidden")
    key = ".".join(_keys(first["loc"], config, first["type"] in ("extra_forbidden", "missing")))
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        if ": found" in message or ": not found" in message:
            return f"config: {key + '.' if key else ''}{message}"
        return f"config: {key}: found {first['input']!r}, expected {message}"
    if first["type"] == "extra_forbidden":
        return f"config: {key}: found an unknown key, expected only the keys listed in config/README.md"
    if first["type"] in ("missing", "union_tag_not_found"):
        if first["type"] == "union_tag_not_found":
            key += "." + first["ctx"]["discriminator"].strip("'")
        return f"config: {key}: not found, expected a value (see config/README.md)"
    if first["type"] == "union_tag_invalid":
        key += "." + first["ctx"]["discriminator"].strip("'")
        return f"config: {key}: found {first['ctx']['tag']!r}, expected one of {first['ctx']['expected_tags']}"
    if first["type"] in ("dict_type", "model_type", "model_attributes_type"):
        return f"config: {key}: found {first['input']!r}, expected a section of keys and values"
    if first["type"] in ("string_too_short", "too_short"):
        return f"config: {key}: found {first['input']!r}, expected at least one"
    expected = first["msg"].removeprefix("Input should be ")
    if first["type"] == "float_type" and isinstance(first["input"], str):
        expected += " (YAML takes 1e-4 for text; write 1.0e-4)"
    return f"config: {key}: found {first['input']!r}, expected {expected}"


def _keys(loc: tuple[str | int, ...], config: Any, ends_in_key: bool) -> Iterator[str]:
    """The keys of the file: on entering a section, pydantic also names the kind that it was read as."""
    entered = False
    for place, part in enumerate(loc, start=1):
        kinds = (config.get("kind"), config.get("source")) if isinstance(config, dict) else ()
        if entered and part in kinds and not (ends_in_key and place == len(loc)):
            entered = False
            continue
        entered = True
        yield str(part)
        if isinstance(config, dict):
            config = config.get(part)
        elif isinstance(config, list) and isinstance(part, int):
            config = config[part]


def plain(section: BaseModel | None) -> dict[str, Any]:
    """A section as the plain dict that a script receives."""
    return {} if section is None else section.model_dump(mode="json")
