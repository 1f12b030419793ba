"""The study's configuration as a whole; only the Snakefile reads it, scripts receive the few plain values they use."""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="valid-type,attr-defined,assignment"

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import Section
from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.options import TrainedOrGiven
from diffusion_credit.study import config_checks
from diffusion_credit.study.complaints import sentence, with_numbers
from diffusion_credit.study.sections.changes import Change
from diffusion_credit.study.sections.design import Design, Game
from diffusion_credit.study.sections.diffusion import Diffusion, Generation
from diffusion_credit.study.sections.evaluation import Evaluation
from diffusion_credit.study.sections.gradients import Gradients
from diffusion_credit.study.sections.limits import Limits
from diffusion_credit.study.sections.local import Local
from diffusion_credit.study.sections.names import Name, like
from diffusion_credit.study.sections.payout import Payout
from diffusion_credit.study.sections.pruning import Pruning
from diffusion_credit.study.sections.regimes import Regimes
from diffusion_credit.study.sections.registered import Baseline, Estimator, Extractor, Network, Property, Source
from diffusion_credit.study.sections.weights import Weights


class Study(Section):
    """A study: data, model, regimes, properties, estimators and evaluation."""

    study: Name = Field(
        description="Name of the study and of its folder below results/. It is made of a-z, A-Z, 0-9 and _."
    )
    seed: int = Field(ge=0, description="The seed that every random draw of the study is derived from.")
    weights: dict[Name, Weights] = Field(default={}, description="Pretrained weights, by a name of your own.")
    data: Source = Field(description="The training images and who owns them.")
    model: Network = Field(description="The denoising network.")
    diffusion: Diffusion
    training: TrainedOrGiven = Field(
        description="Training of the full model on everyone's images; or `from`, a model that exists already."
    )
    pruning: Pruning = Field(
        default=None,
        description="How the full model is pruned. Every study that credits contributors needs this section.",
    )
    regimes: Regimes = Field(
        default=None,
        description="How the models of subsets are trained. Every study that credits contributors needs this section.",
    )
    design: Design = Field(
        default=None, description="Which subsets are sampled. Every study that credits contributors needs this section."
    )
    generation: Generation
    extractors: dict[Name, Extractor] = Field(default={}, description="Feature extractors, by a name of your own.")
    properties: dict[Name, Property] = Field(
        default={},
        description="Properties to credit, by a name of your own. Every study that credits contributors"
        " needs at least one.",
    )
    estimators: dict[Name, Estimator] = Field(
        default={},
        description="Estimators, by a name of your own. Every study that credits contributors needs at least one.",
    )
    games: dict[Name, Game] = Field(
        default={},
        description="Further lists of subsets, by a name of your own, whose estimators are compared with the design's.",
    )
    gradients: dict[Name, Gradients] = Field(
        default={}, description="Gradients that baselines compare, by a name of your own."
    )
    baselines: dict[Name, Baseline] = Field(
        default={}, description="Methods that credit without utilities, by a name of your own."
    )
    groups: dict[str, list[str]] = Field(
        default={},
        description="Groups of contributors by name. Each contributor is in one group. Only the estimator"
        " and the design `owen` need groups.",
    )
    changes: list[Change] = Field(
        default=[],
        description="Who left and who joined after the study began, the oldest change first. Retrained models of"
        " held-out subsets that a change leaves right are kept (docs/changes.md).",
    )
    evaluation: Evaluation = Field(
        default=None, description="How the values are tested. Every study that credits contributors needs this section."
    )
    payout: Payout | None = Field(
        default=None, description="An amount of money to divide. Without this section no money is divided."
    )
    local: Local | None = Field(
        default=None,
        description="A study with this section does not credit contributors. It finds the training images"
        " that made single generated images.",
    )
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="Device of training, generation and extraction.")
    limits: Limits = Limits()
    scale: Name = Field(
        default="full",
        description="`full`, or the name of one of `scales`. Results of a scale go to results/<study>_<scale>.",
    )
    scales: dict[Name, dict[str, Any]] = Field(
        default={},
        description="Smaller versions of the study by name. Each lists the options in which it differs from the study.",
    )
    tables: bool = Field(
        default=False, description="Whether the study also takes the options below `with_tables`, which cost more."
    )
    with_tables: dict[str, Any] = Field(
        default={},
        description="Options that `tables: true` adds to the study, or takes instead of the study's own: what a paper"
        " compares with.",
    )
    published: Annotated[str, like(r"[^{}]+", "the path of a file, without braces")] | None = Field(
        default=None,
        description="A table (CSV) of published numbers, which `evaluation/paper/` puts beside the study's own.",
    )

    @model_validator(mode="before")
    @classmethod
    def as_chosen(cls, config: Any) -> Any:
        """The options of the chosen scale instead of the study's own, and then those of the tables, if asked for."""
        if not isinstance(config, dict):
            return config
        config = _at_scale(config)
        more = config.get("with_tables", {})
        if config.get("tables") is not True or not isinstance(more, dict):
            return config
        if not more:
            raise ValueError("with_tables: found nothing, expected options, because tables is true")
        for key in ("study", "scale", "scales", "tables", "with_tables"):
            if key in more:
                raise ValueError(f"with_tables: found {key}, expected other options, because these choose the study")
        return _merged(config, more)

    @model_validator(mode="after")
    def check(self) -> Self:
        config_checks.check(self)
        return self

    def game_of(self, estimator: Any) -> Any:
        """The subsets that an estimator credits from: a game's section, or the design's."""
        return self.games[estimator.game] if estimator.game else self.design


def _at_scale(config: dict[str, Any]) -> dict[str, Any]:
    """The options of the chosen scale. Raises ValueError where there is no such scale."""
    scale, scales = config.get("scale", "full"), config.get("scales", {})
    if scale == "full":
        return config
    if not isinstance(scale, str) or not isinstance(scales, dict) or not isinstance(scales.get(scale, {}), dict):
        return config  # the fields themselves complain
    if scale not in scales:
        raise ValueError(f"scale: found {scale!r}, expected one of {['full', *scales]}")
    return {**_merged(config, scales[scale]), "study": f"{config.get('study', '')}_{scale}"}


def _merged(options: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Options with those of `other` instead, section by section."""
    merged = dict(options)
    for key, value in other.items():
        inner = isinstance(value, dict) and isinstance(options.get(key), dict)
        # a given model and a training have no key in common: the one replaces the other
        inner = inner and ("from" in value) == ("from" in options[key])
        merged[key] = _merged(options[key], value) if inner else value
    return merged


def read_study(config: dict[str, Any], told: Mapping[str, Any] | None = None) -> Study:
    """Validate a configuration. Raises UserError: one sentence on the first thing that is wrong.

    told: the part of it that comes from the command line, where Snakemake reads the numbers in a section as text.
    """
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        if told and (mended := with_numbers(error, config, told)):
            return read_study(mended)
        raise UserError(sentence(error, config, Study.model_validate)) from None


def recipe(study: Study) -> dict[str, Any]:
    """The options that make the same study again, whatever scale, tables and defaults they came from."""
    chosen = {"scale": "full", "scales": {}, "tables": False, "with_tables": {}}
    found = study.model_dump(mode="json", exclude_computed_fields=True)
    return {key: value for key, value in found.items() if value is not None} | chosen


def read_options(package: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Validated options of one registered module. Raises UserError."""
    check = module_of(package, kind).Options.model_validate
    options = {"kind": kind, **options}
    try:
        return plain(check(options))
    except ValidationError as error:
        raise UserError(sentence(error, options, check).replace("config: ", f"{kind}: ", 1)) from None


def plain(section: BaseModel | None) -> dict[str, Any]:
    """A section as the plain dict that a script receives."""
    return {} if section is None else section.model_dump(mode="json")
