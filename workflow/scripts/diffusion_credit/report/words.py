"""What the numbers of a credit document say, in words; the page and the card share these."""

from bisect import bisect_right
from collections.abc import Sequence

from diffusion_credit.report.document import Cell, Credit, Property, Value

NAMED = 6  # contributors that a sentence lists by name


def number(value: Cell) -> str:
    """Four digits that count; a dash for nothing."""
    if value is None or isinstance(value, str):
        return value or "–"
    return f"{value:.4g}".replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}".replace("-", "−")


def interval(low: Cell, high: Cell) -> str:
    return "not estimable" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def label(name: str) -> str:
    """A name from the configuration as people read it."""
    return " ".join(word.upper() if word in ("fid", "kid", "lds") else word for word in name.split("_"))


def title(name: str) -> str:
    """The same at the beginning of a line."""
    text = label(name)
    return text[:1].upper() + text[1:]


def known(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: "not estimable"}[answer]


def ranks(value: Value) -> str:
    if value.rank_low is None or value.rank_high is None:
        return "not estimable"
    return f"{value.rank_low}" if value.rank_low == value.rank_high else f"{value.rank_low} to {value.rank_high}"


def ordered_pairs(values: Sequence[Value]) -> int:
    """Pairs of contributors of whom the evidence says who is better: those whose possible ranks do not overlap."""
    lowest = sorted(value.rank_low for value in values if value.rank_low is not None)
    return sum(len(lowest) - bisect_right(lowest, value.rank_high) for value in values if value.rank_high is not None)


def certainty(values: Sequence[Value]) -> str:
    """How many contributors can be told from an equal share, and from each other."""
    known = [value for value in values if value.differs_from_equal_share is not None]
    if not known:
        return f"How sure these values are is not estimable: {values[0].note or 'there are no intervals'}."
    n = len(values)
    apart = sum(bool(value.differs_from_equal_share) for value in known)
    return (
        f"{apart:,} of {n:,} contributors can be told from an equal share. Of {n * (n - 1) // 2:,} pairs of"
        f" contributors {ordered_pairs(values):,} can be put in order; of the others the evidence does not say who is"
        " worth more."
    ) + (f" Note: {values[0].note}." if values[0].note else "")


def verdict(prop: Property, estimator: str) -> list[tuple[str, str]]:
    """What the held-out models say of the values: (good, unclear or bad, a sentence), one for each size."""
    rows = prop.evidence.get("lds", [])
    if not rows:
        return [("unclear", "Nothing checks these values: no models were retrained on held-out subsets.")]
    found = []
    for row in (row for row in rows if row["predictor"] == estimator):
        others = {str(r["predictor"]): r for r in rows if r["alpha"] == row["alpha"]}
        where = f"LDS {_score(row)} at alpha {number(row['alpha'])}"
        floor = f"; one retraining ranks another by {_score(others['noise_floor'])}"
        count = others.get("image_count", {})
        floor += f", the number of images alone by {_score(count)}" if count.get("lds") is not None else ""
        if row["lds"] is None:
            level, text = "unclear", "Nothing checks these values"
        elif isinstance(row["high"], float) and row["high"] < 0:
            level, text = "bad", "These values rank retrained models the wrong way round: do not decide by them"
        elif not isinstance(row["low"], float) or row["low"] <= 0:
            level, text = "unclear", "Nothing shows yet that these values rank retrained models"
        else:
            level, text = "good", "These values rank retrained models better than chance"
        found.append((level, f"{text} ({where}{floor})."))
    return found


def _score(row: dict[str, Cell]) -> str:
    if row["lds"] is None:
        return "not estimable"
    lds, low, high = (
        f"{row[key]:.2f}".replace("-", "−") if row[key] is not None else "" for key in ("lds", "low", "high")
    )
    return lds + (f" [{low}, {high}]" if low else "")


def compute(credit: Credit) -> str:
    """Hours of training and generation."""
    seconds: dict[str, float] = {}
    models = 0.0
    for row in credit.runtime:
        stage = str(row["stage"])
        seconds[stage] = seconds.get(stage, 0.0) + float(row["job_seconds"] or 0)
        models += float(row["models"] or 0) if stage == "training" else 0
    parts = [f"{stage} {duration(time)}" for stage, time in seconds.items()]
    return f"{models:,.0f} models of subsets, on {credit.provenance.config['device']}: {', '.join(parts)}."


def duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.1f} minutes"


def limits(credit: Credit) -> list[str]:
    """What the numbers do not say."""
    many = any("clusters" in p.definition for p in credit.properties.values())
    trained = [name for name, e in credit.provenance.config["extractors"].items() if e["kind"] == "classifier"]
    found = [
        "A value is an average effect on the one number that each property is, for this model, this training recipe and"
        " these contributors. It measures neither the worth of a work nor who owns it.",
        "Values depend on who counts as one contributor: people whose images do the same for the model share the credit"
        " for it, and whoever enters under two names has two values.",
        "Subsets are credited through small, shortly trained models. How well these follow models trained in full is in"
        " the table on fidelity, where there is one.",
        "An interval covers chance in the choice of subsets and in training, 19 times of 20. It does not cover the"
        " choice of the property, of the recipe, or mistakes about whose an image is.",
        "What a model draws without somebody is one training of one model; a second one would draw otherwise.",
    ]
    if trained:
        found.append(
            f"Scores on the features of {', '.join(trained)}, which was trained on these very images, compare models of"
            " this study and no others."
        )
    if many:
        found.append(
            "Diversity is measured by clusters of generated images; what falls into one cluster counts as alike."
        )
    if credit.payout:
        found.append(
            "The division of money follows a rule that somebody chose. That it is fair, or lawful, no measurement says."
        )
    return found


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first ones of many."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
