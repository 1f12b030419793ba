"""credit.json: everything that a study found about its contributors, in one file with a published schema.

The page and the card say what is in here and nothing else, pictures apart. The schema is docs/credit.schema.json, made
by `python -m diffusion_credit.report.document`.
"""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diffusion_credit.credit.attribution import Attribution

VERSION = 1  # of the schema; higher when a field changes its meaning or goes

DIFFERS = {"yes": False, "no": True, "": None}  # from equality, by whether the interval covers it

Cell = float | str | None  # of a table: a number, a word, or nothing to say


class Part(BaseModel):
    """The base of every part of the document."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Value(Part):
    """What one contributor is worth for one property. What is not estimable is null, and `note` says why."""

    value: float = Field(description="The estimate, in units of the property, or a difference of its logarithms.")
    share: float | None = Field(description="Share of the total, with its sign.")
    rank: int = Field(description="The contributor who helps most has rank 1.")
    standard_error: float | None
    low: float | None = Field(description="Lower end of the 95% interval of this contributor.")
    high: float | None
    simultaneous_low: float | None = Field(
        description="Lower end of the 95% intervals that hold for all contributors at once."
    )
    simultaneous_high: float | None
    rank_low: int | None = Field(
        description="Best rank that the evidence allows, for all contributors at once, with 95%."
    )
    rank_high: int | None = Field(
        description="Worst rank that the evidence allows, for all contributors at once, with 95%."
    )
    differs_from_equal_share: bool | None = Field(
        description="Whether the value differs from an equal share by more than chance."
    )
    note: str = ""


class Contributor(Part):
    """A contributor, under the name that the data give them."""

    number: int = Field(description="Place in the index, from 1. It tells apart names that look alike.")
    name: str
    images: int = Field(description="Number of the contributor's training images.")
    values: dict[str, Value] = Field(description="The values of the study's main estimator, by property.")
    without: "Without | None" = Field(
        description="A model without the contributor. It is looked up for those contributors that the report shows."
    )


class Without(Part):
    """The sampled subset without a contributor that lacks the fewest others, and what was measured of its model."""

    subset: str = Field(description="Name of the subset in the list of sampled subsets.")
    missing: int = Field(description="Number of other contributors that the subset lacks.")
    also_missing: list[int] = Field(
        description="Numbers of these other contributors. If there are many, they are the first ones."
    )
    values: dict[str, float] = Field(
        description="What was measured of the subset's model, from one training, by property, on its scale."
    )


class Property(Part):
    """A property, how its values were made, and how they were judged."""

    definition: dict[str, Any] = Field(description="The options that define the property.")
    explanation: str = Field(default="", description="What the number is, in words.")
    higher_is_better: bool
    transform: Literal["none", "log"] = Field(
        description="The scale that is credited. With `log`, values and what was measured of models are logarithms."
    )
    everyone: float = Field(description="F(everyone), as the mean over seeds, on the scale that is credited.")
    empty: float = Field(description="F(empty), as the mean over seeds, on the scale that is credited.")
    total: float = Field(description="F(everyone) - F(empty), which Shapley values sum to.")
    subsets: int = Field(description="Number of sampled subsets that were measured.")
    value_of: str = Field(description="The fit that the values belong to.")
    interval_of: str = Field(description="The fit that the intervals belong to. Empty if there are no intervals.")
    evidence: dict[str, list[dict[str, Cell]]] = Field(
        description="The rows of the tables of the evaluation. The tables are lds, fidelity,"
        " counterfactual, budget, noise and league."
    )


class Payment(Part):
    """What one contributor is paid."""

    number: int
    share: float
    amount: str = Field(description="A decimal number with two digits. The amounts sum to the stated amount exactly.")
    low: str = Field(
        description="What the lower end of the value's 95% interval would be paid by the same rule, with"
        " the sum of all values taken as known. Empty if it is not estimable. It is not an"
        " interval of the amount."
    )
    high: str
    differs_from_equal_amount: bool | None = Field(
        description="Whether what the value's interval would be paid excludes an equal part."
    )
    note: str = ""


class Division(Part):
    """An amount of money, divided."""

    amount: str
    currency: str
    property: str
    estimator: str
    negative: str = Field(description="The rule for contributors who harm the property: clip, keep or refuse.")
    payments: list[Payment]


class Provenance(Part):
    """What is needed to make the document again."""

    config: dict[str, Any] = Field(description="The study's options, with defaults.")
    config_sha256: str
    data_sha256: str = Field(description="Digest of the indexed pixels.")
    files: dict[str, str] = Field(description="sha256 of the tables that the document was made from, by path.")
    versions: dict[str, str] = Field(
        description="Versions of this software when it made the report, and of the packages that made"
        " models and measurements."
    )
    weights: dict[str, str] = Field(
        default={},
        description="sha256 of the lists of files and digests of pretrained weights, by their names in the study; and"
        " of the weights of the given model, where there is one.",
    )


class Credit(Part):
    """The credit of a study's contributors, the evidence for it, and how it was made."""

    version: int = Field(default=VERSION, description="Version of this schema.")
    study: str
    seed: int
    estimator: str = Field(description="The study's main estimator, which the values come from.")
    contributors: list[Contributor]
    properties: dict[str, Property]
    payout: Division | None = None
    models: list[dict[str, Cell]] = Field(description="Rows of models.csv: parameters and properties of the models.")
    learning: list[dict[str, Cell]] = Field(
        description="Rows of learning.csv: whether the full model uses its training, its texts and its latents."
    )
    runtime: list[dict[str, Cell]] = Field(description="Rows of runtime.csv: seconds by regime and stage.")
    notes: list[str] = Field(
        description="What was left out of the data, pictures that several contributors hold, near copies,"
        " blank images and noise."
    )
    provenance: Provenance


def values_of(result: Attribution) -> list[Value]:
    """The values of an attribution, in the order of its contributors."""

    def number(name: str, i: int) -> float | None:
        found = float(getattr(result, name)[i])
        return None if found != found else found

    numbers = [name for name in Value.model_fields if name not in ("differs_from_equal_share", "note")]
    return [
        Value(
            **{name: number(name, i) for name in numbers},  # type: ignore[arg-type]
            differs_from_equal_share=DIFFERS[result.covers_equal_share[i]],
            note=result.note[i],
        )
        for i in range(len(result.contributor))
    ]


def told_apart(first: Value, second: Value) -> bool:
    """Whether the evidence orders two contributors: whether the ranks that it allows them do not overlap."""
    if None in (first.rank_low, first.rank_high, second.rank_low, second.rank_high):
        return False
    return first.rank_high < second.rank_low or second.rank_high < first.rank_low  # type: ignore[operator]


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "credit.json of diffusion-credit"}
    return {**Credit.model_json_schema(), **about}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1, sort_keys=True))
