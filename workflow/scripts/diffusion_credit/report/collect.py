"""The result files of a study -> the credit document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.collection import entries
from diffusion_credit.base.files import MANIFEST, digest_of, digest_of_file, read_json
from diffusion_credit.base.tables import Subsets, read_csv, read_subsets
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.credit.utilities import split
from diffusion_credit.data.index import Index
from diffusion_credit.report.document import (
    DIFFERS,
    Cell,
    Contributor,
    Credit,
    Division,
    Payment,
    Property,
    Provenance,
    Value,
    Without,
    values_of,
)
from diffusion_credit.version import VERSION

Rows = list[dict[str, Cell]]
LISTED = 100  # numbers of missing contributors, of which single images would have thousands
WORDS = {
    "predictor",
    "without",
    "method",
    "estimator",
    "trained_on",
    "regime",
    "singled_out",
    "stage",
    "images_of",
    "measure",
    "note",
}


def table(path: str | Path) -> Rows:
    """Rows of a CSV by column; numbers as such, empty fields as None."""
    header, rows = read_csv(path)
    return [{key: _cell(key, text) for key, text in zip(header, row, strict=True)} for row in rows]


def _cell(column: str, text: str) -> Cell:
    if column in WORDS:  # a name may look like a number
        return text or None
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if np.isfinite(number) else text


def without(sampled: Subsets, contributor: int) -> int | None:
    """Row of the subset without a contributor that lacks the fewest others, the first of equals.

    None where every subset has the contributor. sampled: the design's rows alone.
    """
    size = np.where(sampled.members[:, contributor], 0, sampled.members.sum(axis=1))
    best = int(size.argmax())
    return best if size[best] else None


def sampled_rows(utilities: Subsets) -> Subsets:
    """The rows of a table of utilities that are not its ends."""
    sizes = utilities.members.sum(axis=1)
    return utilities.rows((sizes > 0) & (sizes < utilities.members.shape[1]))


def collect(
    study: dict[str, Any],
    index: Path,
    attributions: Sequence[str],
    utilities: Sequence[str],
    evaluations: Sequence[str],
    payout: str | None,
    made: Sequence[str],
    higher_is_better: dict[str, bool],
    explained: dict[str, str],
) -> Credit:
    """The document of a finished study.

    study: its options. attributions, utilities: of the main estimator, by property in the study's order. evaluations:
    `<folder>/<property>/<table>.csv`, models.csv, learning.csv and runtime.csv. made: manifests of collections whose
    packages count. explained: property -> what the number is. Raises UserError on a file that is missing or malformed.
    """
    indexed, summary, found = Index(index), read_json(index), _made_with(made)
    names, estimator = list(study["properties"]), study["evaluation"]["counterfactual"]["estimator"]
    evidence: dict[str, dict[str, Rows]] = {name: {} for name in names}
    single: dict[str, Rows] = {}
    for path in map(Path, evaluations):
        if path.parent.name in evidence:
            evidence[path.parent.name][path.stem] = table(path)
        else:
            single[path.stem] = table(path)
    credited: dict[str, list[Value]] = {}
    measured: dict[str, Subsets] = {}
    best: list[int] = []
    properties: dict[str, Property] = {}
    for name, attribution, utility in zip(names, attributions, utilities, strict=True):
        result, every = read_attribution(attribution), read_subsets(utility, valued=True)
        credited[name], measured[name] = values_of(result), sampled_rows(every)
        best = best or [i for part in result.shown for i in part]
        game = split(every, utility)
        properties[name] = Property(
            definition=study["properties"][name],
            explanation=explained[name],
            higher_is_better=higher_is_better[name],
            transform=every.transform,
            everyone=float(game.everyone.mean()),
            empty=float(game.empty.mean()),
            total=game.total,
            subsets=len(measured[name]),
            value_of=result.value_of[0],
            interval_of=result.interval_of[0],
            evidence=evidence[name],
        )
    lacking = _without(measured, best)
    contributors = [
        Contributor(
            number=i + 1,
            name=who,
            images=int(indexed.counts[i]),
            values={name: credited[name][i] for name in names},
            without=lacking.get(i),
        )
        for i, who in enumerate(indexed.contributors)
    ]
    files = [*attributions, *utilities, *evaluations, *([payout] if payout else [])]
    return Credit(
        study=study["study"],
        seed=study["seed"],
        estimator=estimator,
        contributors=contributors,
        properties=properties,
        payout=_division(study["payout"], payout) if payout else None,
        models=single["models"],
        learning=single["learning"],
        runtime=single["runtime"],
        notes=summary["notes"],
        provenance=Provenance(
            config=study,
            config_sha256=digest_of(study),
            data_sha256=indexed.pixels_digest,
            files={path: digest_of_file(path) for path in files},
            versions=found["versions"],
            weights=found["weights"],
        ),
    )


def _without(measured: dict[str, Subsets], shown: list[int]) -> dict[int, Without]:
    """For each of these contributors the subset that tells most of them. measured: the same subsets, by property."""
    first = next(iter(measured.values()))
    found = {}
    for i in shown:
        if (row := without(first, i)) is not None:
            others = [int(other) + 1 for other in np.flatnonzero(~first.members[row]) if other != i]
            found[i] = Without(
                subset=first.names[row],
                missing=len(others),
                also_missing=others[:LISTED],
                values={name: float(table.value[row]) for name, table in measured.items() if table.value is not None},
            )
    return found


def _division(options: dict[str, Any], path: str) -> Division:
    _, rows = read_csv(path)
    payments = [
        Payment(
            number=i,
            share=float(share),
            amount=amount,
            low=low,
            high=high,
            differs_from_equal_amount=DIFFERS[covers],
            note=note,
        )
        for i, (_, share, amount, low, high, covers, note) in enumerate(rows, start=1)
    ]
    return Division(
        amount=f"{options['amount']:.2f}",
        payments=payments,
        **{key: options[key] for key in ("currency", "property", "estimator", "negative")},
    )


def _made_with(made: Sequence[str]) -> dict[str, dict[str, str]]:
    """The versions of packages, and the digests of pretrained weights, that collections say they were made with."""
    versions, weights = {"diffusion-credit": VERSION}, dict[str, str]()
    for manifest in made:
        for folder, _ in entries(manifest).values():
            said = read_json(folder / MANIFEST).get("provenance", {})
            versions |= said.get("versions", {})
            weights |= said.get("weights", {})
            if "given" in said:
                weights["the given model"] = said["given"]
    return {"versions": dict(sorted(versions.items())), "weights": dict(sorted(weights.items()))}
