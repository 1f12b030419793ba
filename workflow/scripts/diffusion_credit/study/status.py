"""How far a study is: what is done, in work and missing at each stage, from the files alone.

Nothing is written or locked, so it can be asked while jobs run, on any machine that sees the files. Whether what is
done is still up to date only a dry run knows.
"""

import time
from collections import ChainMap
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from diffusion_credit.base.collection import finished
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import MANIFEST, being_prepared
from diffusion_credit.study.config import Study
from diffusion_credit.study.plan import (
    SINGLE,
    attributions,
    evaluations,
    lists_so_far,
    local_tables,
    measured,
    model_of,
    reports,
    used,
)
from diffusion_credit.study.subset_lists import batch_names, lists, rows_of

SILENT_SECONDS = 120.0  # a job writes a line to its log every ten, unless a step takes longer
WIDTH = 30


@dataclass
class Stage:
    """Number of files or of entries of collections, and the collections whose jobs have been silent, with minutes."""

    name: str
    total: int = 0
    done: int = 0
    running: int = 0
    silent: dict[str, float] = field(default_factory=dict)

    def count_files(self, files: list[Path]) -> None:
        self.total += len(files)
        self.done += sum(file.is_file() for file in files)

    def count_collections(self, results: Path, kind: str, rows: dict[str, int]) -> None:
        for collection, count in rows.items():
            self._count_collection(results, f"{kind}/{collection}", count)

    def _count_collection(self, results: Path, collection: str, rows: int) -> None:
        folder = results / collection
        self.total += rows
        if (folder / MANIFEST).is_file():
            self.done += rows
            return
        entries = finished(folder)
        done = min(rows, sum(entries.values()))  # there are fewer rows after an edit of the batch size
        self.done += done
        in_work = sum(not complete and being_prepared(folder / name) for name, complete in entries.items())
        if not in_work:
            return
        silent = _seconds_since(results / "logs" / f"{collection}.log")
        if silent < SILENT_SECONDS:
            self.running += min(in_work, rows - done)
        else:
            self.silent[collection] = silent / 60


def _seconds_since(log: Path) -> float:
    try:
        return time.time() - log.stat().st_mtime
    except FileNotFoundError:
        return inf


def stages(study: Study, results: Path) -> list[Stage]:
    """Every stage in the order of the work, models and images by regime."""
    rows, size = lists_so_far(study, results), (study.local or study.design).batch_size
    single = [(regime, "everyone") for regime in (["full"] if study.local else SINGLE)]
    made = [*single, *used(study)]
    judging = [("retrain", name) for name, each in lists(study).items() if each.by_losses]
    properties: dict[str, Any] = study.properties or {}

    def batches(pairs: list[tuple[str, str]]) -> dict[str, int]:
        return {
            f"{regime}/{name}/{batch}": rows_of(batch, rows[name], size)
            for regime, name in pairs
            for batch in batch_names(rows[name], size)
        }

    found = [Stage("index"), Stage("designs")]
    found[0].count_files([results / "index/index.json"])
    for name, count in rows.items():
        found[1].count_files([results / f"designs/{name}/{batch}.csv" for batch in batch_names(count, size)])
    for kind, pairs in (("models", made), ("images", [pair for pair in made if pair not in judging])):
        for regime in dict.fromkeys(regime for regime, _ in pairs):
            found.append(Stage(f"{kind}, {regime}"))
            found[-1].count_collections(results, kind, batches([pair for pair in pairs if pair[0] == regime]))
    found.append(Stage("losses"))
    found[-1].count_collections(results, "losses", batches(judging))
    valued = {name: [("data", "everyone"), *single, *measured(study, name)] for name in properties}
    of_property = {name: batches(pairs) for name, pairs in valued.items()}
    for extractor in study.extractors:
        found.append(Stage(f"features, {extractor}"))
        users = [
            batches([model_of(*pair) for pair in pairs])
            for name, pairs in valued.items()
            if getattr(properties[name], "extractor", None) == extractor
        ]
        found[-1].count_collections(results, f"features/{extractor}", dict(ChainMap(*users)))
    for name, collections in of_property.items():
        found.append(Stage(f"properties, {name}"))
        found[-1].count_collections(results, f"properties/{name}", collections)
    gradients = [f"gradients/{name}/{MANIFEST}" for name in study.gradients]
    tables = {"attribution": attributions, "evaluation": evaluations, "report": reports}
    if study.local:
        tables = {"attribution": local_tables}
    for name, files in {"gradients": gradients, **{name: of(study) for name, of in tables.items()}}.items():
        found.append(Stage(name))
        found[-1].count_files([results / file for file in files])
    return found


def print_status(study: Study, results: Path) -> None:
    """A line with a bar for each stage, then the batches whose jobs say nothing. Raises UserError without results."""
    if not results.is_dir():
        raise UserError(f"{results}: not found, expected the results of the study, in the folder where it runs")
    found = [stage for stage in stages(study, results) if stage.total]
    width = max(len(stage.name) for stage in found)
    digits = max(len(str(stage.total)) for stage in found)
    print(results)
    for stage in found:
        missing = stage.total - stage.done - stage.running
        notes = [f"{count} {what}" for count, what in ((stage.running, "running"), (missing, "missing")) if count]
        count = f"{stage.done:>{digits}} of {stage.total:<{digits}}"
        print(f"{stage.name:<{width}}  {bar(stage)} {count}  {', '.join(notes)}".rstrip())
    for stage in found:
        for collection, minutes in stage.silent.items():
            print(f"{collection}: begun, but its log has been silent for {minutes:.0f} min")


def bar(stage: Stage) -> str:
    """What is done, in work and missing; rounded down, so that only what is finished looks so."""
    done, begun = (WIDTH * n // stage.total for n in (stage.done, stage.done + stage.running))
    return f"[{'#' * done}{'>' * (begun - done)}{'.' * (WIDTH - begun)}]"
