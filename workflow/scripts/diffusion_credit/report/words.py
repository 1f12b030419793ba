"""What the numbers of a credit document say, in words; the page and the card share these."""

import inspect
from bisect import bisect_right
from collections.abc import Sequence

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.scale import measured, named
from diffusion_credit.base.tables import PREDICTION
from diffusion_credit.credit.spread import warned
from diffusion_credit.report.document import Cell, Credit, Division, Property, Value
from diffusion_credit.report.figures import shorten

FIDELITY = " How well such models follow ones trained from scratch is in the table on fidelity, where there is one."
LONG = 62  # rows of a table of contributors that is shown as a whole
NAMED = 6  # contributors that a sentence lists by name
LEVELS = {"good": "Supported", "unclear": "Not shown", "bad": "Contradicted"}
FAR = 0.25  # of the full model's property, by which retrained models of everyone are far worse
NEAR = 0.5  # of the way from an untrained to the full model, which retrained models of everyone have gone at least
SOME = 0.1  # of the full model's property: a way that is long enough to be looked at
UNLIKE = "Two retrainings of the same subset are not shown to rank alike, so that nothing shows whether"
ALONE = {"image_count": "the number of images alone", "subset_size": "the number of contributors alone"}
LOGARITHM = "A value is the logarithm of a factor: one of 0.1 multiplies the property by 1.105, one of −0.1 by 0.905."
SHARE_OF_LOGARITHM = (
    "A share is part of a logarithm: whoever changes the property by equal factors, on average, has equal shares."
)
RULES = {  # what becomes of who harms the property
    "clip": "Whose value makes the property worse gets nothing, and the others divide the amount (rule: clip). Chance"
    " in the estimates pays a little to some whose true value is zero, and that much less to those with high values.",
    "keep": "Whose value makes the property worse owes, and the others get more (rule: keep).",
    "refuse": "Had anybody's value made the property worse, nobody would be paid (rule: refuse).",
}


def number(value: Cell) -> str:
    """Four digits that count; a dash for nothing."""
    if value is None or isinstance(value, str):
        return value or "–"
    whole = value.is_integer() and abs(value) < 1e12
    return (f"{value:,.0f}" if whole else f"{value:.4g}").replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}".replace("-", "−")


def own_units(value: float, prop: Property) -> str:
    """A level of the property, or of its logarithm, in units of the property."""
    return number(measured(value, prop.transform))


def credited(key: str, prop: Property) -> str:
    """What is credited: a property, or its logarithm."""
    return label(named(key, prop.transform))


def spread(prop: Property) -> str:
    """What is to be known where subsets of few contributors differ much more than subsets of many; or nothing."""
    return " ".join(
        f"Note: {text}." for text in warned((r["subsets"], r["note"]) for r in prop.evidence.get("noise", []))
    )


def share(value: Value, prop: Property) -> str:
    """A value's share of the total. A dash if all contributors together do harm: the shares would be of the harm."""
    return percent(value.share) if (prop.total > 0) == prop.higher_is_better else "–"


def total(prop: Property, values: Sequence[Value]) -> str:
    """The total of a property, and whether the values divide it."""
    logarithm = prop.transform == "log"
    text = (
        f"With everyone {own_units(prop.everyone, prop)}, with no one {own_units(prop.empty, prop)}: a difference of"
        f"{' logarithms of' if logarithm else ''} {number(prop.total)}, by {prop.subsets:,} subsets."
        f"{f' {LOGARITHM}' if logarithm else ''}"
    )
    whole = sum(value.value for value in values)
    if abs(whole - prop.total) > 1e-6 * max(abs(prop.total), 1e-300) * len(values):
        text += f" The values of this estimator do not divide it: they sum to {number(whole)}."
    if prop.total == 0:
        text += " All contributors together make no difference, so that nobody has a share."
    elif (prop.total > 0) != prop.higher_is_better:
        text += " All contributors together make this property worse, so that nobody has a share."
    if prop.interval_of and prop.interval_of != prop.value_of:
        text += (
            f" Values and intervals belong to two fits: {prop.value_of}, which pulls values together and errs less, and"
            f" {prop.interval_of}, which does not. An interval is widened where the value lies outside."
        )
    return text


def division(pay: Division, prop: Property) -> list[str]:
    """By which rule the money was divided, and what its columns mean. prop: what is paid for."""
    notes = {payment.note for payment in pay.payments if payment.note}
    amounts = [abs(float(payment.amount)) for payment in pay.payments]
    found = [
        RULES[pay.negative],
        "Amounts are rounded to two decimals that sum to the whole exactly.",
        "The interval is that of the value, in money: what its ends would be paid with the sum of everybody's values"
        " taken as known. It is not one of the payment, which may lie outside. Equal parts are compared with it.",
    ]
    if prop.transform == "log":
        found.insert(0, SHARE_OF_LOGARITHM)
    if max(amounts) > float(pay.amount):
        found.append("Somebody gets or owes more than the whole amount, because others owe: look before you pay.")
    return found + [f"Note: {note}." for note in sorted(notes)]


def interval(low: Cell, high: Cell) -> str:
    return "not estimable" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def label(name: str) -> str:
    """A name from the configuration as people read it."""
    return " ".join(
        word.upper() if word in ("fid", "kid", "lds") else word for word in name.replace("_", " ").split(" ")
    )


def isolated(name: str) -> str:
    """A contributor's name within a sentence, whatever direction its letters run in (Unicode's isolates)."""
    return f"\u2068{shorten(name)}\u2069"


def title(name: str) -> str:
    """A name from the configuration, with a capital letter, for the beginning of a line."""
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
    by_chance = f"{n / 20:.0f}" if n >= 30 else "one or two" if n > 15 else "now and then one"
    note = f" Note: {values[0].note}." if values[0].note else ""
    return (
        f"{apart:,} of {n:,} contributors differ from an equal share ({by_chance} would by chance alone, if all were"
        f" equal). The possible ranks put at least {ordered_pairs(values):,} of {n * (n - 1) // 2:,} pairs of"
        f" contributors in order.{note}"
    )


def verdicts(credit: Credit, key: str, estimator: str) -> list[tuple[str, str]]:
    """What was retrained says of an estimator's values for a property; removal is of the main estimator's alone."""
    prop = credit.properties[key]
    found = verdict(prop, estimator) + predictions(prop)
    if estimator == credit.estimator:
        found += removal(prop)
    return found + worse(credit, key) + unlearnt(credit)


def verdict(prop: Property, estimator: str) -> list[tuple[str, str]]:
    """What the held-out models say of the values: (good, unclear or bad, a sentence), one for each size."""
    rows = prop.evidence.get("lds", [])
    if not rows:
        return [("unclear", "Nothing checks these values: no models were retrained on held-out subsets.")]
    found = []
    if estimator not in {row["predictor"] for row in rows}:  # a baseline, which the league judges
        baseline = [row for row in prop.evidence.get("league", []) if row["method"] == estimator]
        rows = rows + [{**row, "predictor": estimator} for row in baseline]
    for row in (row for row in rows if row["predictor"] == estimator):
        others = {str(r["predictor"]): r for r in rows if r["alpha"] == row["alpha"]}
        where = f"LDS {_score(row)} {sizes(row['alpha'])}"
        floor = f"; one retraining ranks another by {_score(others.get('noise_floor', {'lds': None}))}"
        alone = {words: other for key, words in ALONE.items() if _lds(other := others.get(key, {})) is not None}
        floor += "".join(f", {words} by {_score(other)}" for words, other in alone.items())
        one = str(row.get("singled_out") or "")
        if one and isinstance(presence := row["presence"], float):
            alone[f"whether {isolated(one)} takes part"] = {"lds": presence}
            floor += f", whether {isolated(one)} takes part alone by {_score({'lds': presence})}"
        if one and isinstance(row["within"], float):
            within = {"lds": row["within"], "low": row["within_low"], "high": row["within_high"]}
            floor += f"; among subsets with them and among those without, these values rank by {_score(within)}"
        as_good = [words for words, other in alone.items() if (_lds(other) or 0) >= (_lds(row) or 0)]
        if row["lds"] is None:
            level, text = "unclear", "Nothing checks these values"
        elif isinstance(row["high"], float) and row["high"] < 0:
            level, text = "bad", "These values rank retrained models the wrong way round: do not decide by them"
        elif not isinstance(row["low"], float) or row["low"] <= 0:
            level, text = "unclear", "Nothing shows yet that these values rank retrained models"
        elif as_good:
            level, text = "unclear", f"These values rank retrained models no better than {' and '.join(as_good)}"
        elif _unlike(others.get("noise_floor", {})):
            level, text = "unclear", f"{UNLIKE} these values rank retrained models"
        else:
            level, text = "good", "These values rank retrained models better than chance"
        found.append((level, f"{text} ({where}{floor})."))
    return found


def predictions(prop: Property) -> list[tuple[str, str]]:
    """What the held-out models say of predictions from the same subsets, where there are some."""
    found = []
    rows = prop.evidence.get("lds", [])
    floors = {row["alpha"]: row for row in rows if row["predictor"] == "noise_floor"}
    for row in rows:
        if not str(row["predictor"]).endswith(PREDICTION) or row["lds"] is None:
            continue
        score = f"LDS {_score(row)} {sizes(row['alpha'])}"
        if not isinstance(row["low"], float) or row["low"] <= 0:
            level, text = "unclear", "Predictions of models without somebody are not shown to rank retrained models"
        elif _unlike(floors.get(row["alpha"], {})):
            level, text = "unclear", f"{UNLIKE} predictions of models without somebody rank them"
        else:
            level, text = "good", "Predictions of models without somebody rank retrained models better than chance"
        found.append((level, f"{text} ({score})."))
    return found


def _unlike(floor: dict[str, Cell]) -> bool:
    """Is it known that two retrainings of the same subsets are not shown to rank alike?"""
    return isinstance(low := floor.get("low"), float) and low <= 0


def worse(credit: Credit, key: str) -> list[tuple[str, str]]:
    """Whether retrained models of everyone fall far behind the full model, so that the tests are of other models."""
    prop = credit.properties[key]
    full = next((row.get(key) for row in credit.models if row.get("images_of") == "full"), None)
    everyone = [row["mean"] for row in prop.evidence.get("counterfactual", []) if row["trained_on"] == "everyone"]
    if not isinstance(full, float) or not everyone or not isinstance(everyone[0], float):
        return []
    retrained = measured(everyone[0], prop.transform)
    sign = 1 if prop.higher_is_better else -1
    behind, learnt = sign * (full - retrained), sign * (full - measured(prop.empty, prop.transform))
    halfway = learnt <= SOME * abs(full) or behind <= (1 - NEAR) * learnt
    if behind <= FAR * abs(full) and halfway:
        return []
    how = "far worse than the full model" if halfway else "nearer to untrained ones"
    levels = f"{number(retrained)}; the full model {number(full)}, no one {own_units(prop.empty, prop)}"
    text = (
        f"Models retrained on everyone are {how} ({label(key)} {levels}), so what tests these values is another kind of"
        " model. Longer retraining (regimes.retrain.steps) would mend that."
    )
    return [("unclear", text)]


def unlearnt(credit: Credit) -> list[tuple[str, str]]:
    """Where the full model makes nothing of its training, of the images' texts, or of latents of a wrong size."""
    notes = [str(row["note"]) for row in credit.learning if row["note"]]
    return [("unclear", f"{note[:1].upper()}{note[1:]} (learning.csv).") for note in notes]


def removal(prop: Property) -> list[tuple[str, str]]:
    """Where retraining without the best contributors does not bear their values out: (unclear or bad, a sentence).

    That the property gets worse without them is no support yet: it also does without as many others.
    """
    row = next((row for row in prop.evidence.get("counterfactual", []) if row["trained_on"] == "without_top"), None)
    if row is None or not isinstance(change := row["change_percent"], float):
        return []
    by = f"{percent(change / 100)}, interval not estimable"
    if isinstance(low := row["low"], float) and isinstance(high := row["high"], float):
        by = f"{percent(change / 100)} [{percent(low / 100)}, {percent(high / 100)}]"
        worse = (-high, -low) if prop.higher_is_better else (low, high)
        if worse[0] > 0:
            return []
        if worse[1] < 0:
            return [("bad", f"Models retrained without the best are better (the property changes by {by}).")]
    text = f"Models retrained without the best are not shown to be worse (the property changes by {by})."
    return [("unclear", text)]


def sizes(alpha: Cell) -> str:
    """The sizes of held-out subsets, in words."""
    return "pooled over all sizes" if alpha == "pooled" else f"at alpha {number(alpha)}"


def _lds(row: dict[str, Cell]) -> float | None:
    found = row.get("lds")
    return found if isinstance(found, float) else None


def _score(row: dict[str, Cell]) -> str:
    if row["lds"] is None:
        return "not estimable"
    lds, low, high = (
        f"{row[key]:.2f}".replace("-", "−") if row.get(key) is not None else "" for key in ("lds", "low", "high")
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


def expects(credit: Credit) -> bool:
    """Whether the study predicts what models without somebody would be like."""
    removals = [prop.evidence.get("removal", []) for prop in credit.properties.values()]
    return all(rows and all(row["expected"] is not None for row in rows) for rows in removals)


def at_odds(prop: Property, contributor: int, value: Value) -> bool:
    """Whether a value says that a contributor helps and the expectation of a model of all others that they harm."""
    row = prop.evidence["removal"][contributor - 1]
    helps = (value.value > 0) == prop.higher_is_better
    change = row["change"]
    return isinstance(change, float) and change != 0 and helps != ((change < 0) == prop.higher_is_better)


def mostly_at_odds(credit: Credit, key: str) -> str:
    """A sentence where values and expectations point in different directions for most contributors, else nothing.

    Not the contributors are odd then, but the level of the models of everyone that expectations are compared with.
    """
    prop, n = credit.properties[key], len(credit.contributors)
    odd = sum(at_odds(prop, who.number, who.values[key]) for who in credit.contributors) if expects(credit) else 0
    if 2 * odd <= n:
        return ""
    return (
        f"For {odd:,} of {n:,} contributors, the value and the expectation of a model without them point in different"
        " directions. Where this holds for most, the models of everyone came out otherwise than the subsets let expect."
        " Compare expectations with each other, and not with what was measured with everyone."
    )


def expected(prop: Property, contributor: int) -> str:
    """A property of a model of all others, with its interval. contributor: from 1."""
    row = prop.evidence["removal"][contributor - 1]
    level = {key: measured(float(row[key]), prop.transform) for key in ("expected", "low", "high")}  # type: ignore[arg-type]
    return f"{number(level['expected'])} {interval(level['low'], level['high'])}"


def made(credit: Credit) -> str:
    """How each subset's model is made, in a sentence."""
    text = inspect.getdoc(module_of("regimes", credit.provenance.config["design"]["regime"])) or ""
    return text.partition(". ")[0].rstrip(".") + "."


def limits(credit: Credit) -> list[str]:
    """What the numbers do not say."""
    config = credit.provenance.config
    regime, size = config["design"]["regime"], config["data"].get("size")
    of = f" of {size} x {size} pixels" if size else ""
    steps = config["regimes"]["retrain"]["steps"], config["training"].get("steps")
    many = any("clusters" in p.definition for p in credit.properties.values())
    trained = [name for name, e in config["extractors"].items() if e["kind"] == "classifier"]
    found = [
        "A value is an average effect on the one number that each property is, for this model, this training recipe and"
        " these contributors. It measures neither the worth of a work nor who owns it.",
        f"Each property is one number, measured on {config['generation']['images']:,} generated images{of} a model. It"
        " compares models of this study and no others: published scores are of other numbers and sizes of images.",
        "Values depend on who counts as one contributor: people whose images do the same for the model share the credit"
        " for it, and whoever enters under two names has two values.",
        f"{made(credit)[:-1]} (regime {label(regime)})." + ("" if regime == "retrain" else FIDELITY),
        "An interval covers chance in the choice of subsets and in training, 19 times of 20. It does not cover the"
        " choice of the property, of the recipe, or mistakes about whose an image is.",
        "What a model draws without somebody, and what was measured of it, is one training of one model; a second one"
        " would come out otherwise, and a value averages over many.",
    ]
    if steps[0] != steps[1]:
        full = ". The full model was trained elsewhere" if steps[1] is None else f", the full model for {steps[1]:,}"
        found.append(f"The models that check the values were trained from scratch for {steps[0]:,} steps{full}.")
    if any(each.get("autoencoder") for each in config["weights"].values()):
        found.append(
            "The autoencoder was trained on everyone's images and is the same for every subset. What it learnt from"
            " anybody is not credited."
        )
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
