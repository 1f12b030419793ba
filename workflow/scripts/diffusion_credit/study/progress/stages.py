"""The stages of a study, and how many files or entries of each are done, in work, out of date and missing."""

import time
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

from diffusion_credit.base.collection import SECONDS, announced, finished, provenance_of
from diffusion_credit.base.files import MANIFEST, being_prepared, read_json
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
from diffusion_credit.study.progress.pending import Job, Pending
from diffusion_credit.study.subset_lists import batch_names, game, lists, rows_of

SILENT_SECONDS = 120.0  # a job writes a line to its log every ten, unless a step takes longer
MEASURED = 500  # entries whose seconds are averaged; each is a file to read


@dataclass
class Stage:
    """Number of files or of entries of collections, and the collections whose jobs have been silent, with minutes.

    outdated: there, and made again. unsure: there, and kept by the next run if what they are made from comes out as it
    was. unneeded: deleted, and not made again. seconds: files with the seconds of those that are done, one by one.
    """

    name: str
    pending: Pending
    total: int = 0
    done: int = 0
    running: int = 0
    outdated: int = 0
    unsure: int = 0
    unneeded: int = 0
    silent: dict[str, float] = field(default_factory=dict)
    seconds: list[Iterator[Path]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return self.total - self.done - self.running - self.outdated - self.unsure - self.unneeded

    def count_files(self, files: list[Path]) -> None:
        self.total += len(files)
        for file in files:
            if file.is_file():
                outdated = str(file) in self.pending.job_of
                self.outdated += outdated
                self.done += not outdated

    def count_collections(self, results: Path, kind: str, rows: dict[str, int]) -> None:
        for collection, count in rows.items():
            self._count_collection(results, f"{kind}/{collection}", count)

    def _count_collection(self, results: Path, collection: str, rows: int) -> None:
        folder = results / collection
        manifest = folder / MANIFEST
        job = self.pending.job_of.get(str(manifest))
        self.total += rows
        if manifest.is_file():
            if job is None:
                self.done += rows
                self.seconds.append(folder.glob(f"[!.]*/{SECONDS}"))
                return
            count = min(rows, len(announced(folder)))
            if str(manifest) in self.pending.differing:
                self.outdated += count
            elif str(manifest) in self.pending.resized:
                self.done += count
                self.seconds.append(folder.glob(f"[!.]*/{SECONDS}"))
            else:
                self.unsure += count
            return
        if not (folder.exists() or job or self.pending.unknown):
            self.unneeded += rows
            return
        entries = finished(folder)
        there = [name for name, complete in entries.items() if complete]  # as the job that was cut, or runs, wants it
        kept = [name for name in there if job is None or self._keeps(job, folder / name)]
        done = min(rows, len(kept))  # there are fewer rows after an edit of the batch size
        outdated = min(rows - done, len(there) - len(kept))
        self.done += done
        self.outdated += outdated
        self.seconds.append(folder / name / SECONDS for name in kept)
        in_work = sum(not complete and being_prepared(folder / name) for name, complete in entries.items())
        if not in_work:
            return
        silent = _seconds_since(results / "logs" / f"{collection}.log")
        if silent < SILENT_SECONDS:
            self.running += min(in_work, rows - done - outdated)
        else:
            self.silent[collection] = silent / 60

    def _keeps(self, job: Job, entry: Path) -> bool:
        """Whether a job keeps an entry as far as can be told before it runs."""
        provenance = provenance_of(entry)
        return provenance is not None and job.makes(provenance) and self.pending.differing.isdisjoint(job.inputs)

    def mean_seconds(self) -> float | None:
        """Of one of those that are done; None where none is, or none says."""
        files = islice((file for file in chain(*self.seconds) if file.is_file()), MEASURED)
        return fmean(found) if (found := [float(read_json(file)) for file in files]) else None


def _seconds_since(log: Path) -> float:
    try:
        return time.time() - log.stat().st_mtime
    except FileNotFoundError:
        return inf


def stages(study: Study, results: Path, pending: Pending) -> list[Stage]:
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

    autoencoders = [name for name, section in study.weights.items() if section.autoencoder]
    found = [Stage("index", pending), Stage("designs", pending)]
    found[0].count_files([results / "index/index.json"])
    for name, count in rows.items():
        found[1].count_files([results / f"designs/{name}/{batch}.csv" for batch in batch_names(count, size)])
    found.append(Stage("autoencoders", pending))
    found[-1].count_files([results / f"autoencoders/{name}/{MANIFEST}" for name in autoencoders])
    for kind, pairs in (("models", made), ("images", [pair for pair in made if pair not in judging])):
        for regime in dict.fromkeys(regime for regime, _ in pairs):
            found.append(Stage(f"{kind}, {regime}", pending))
            found[-1].count_collections(results, kind, batches([pair for pair in pairs if pair[0] == regime]))
    found.append(Stage("losses", pending))
    found[-1].count_collections(results, "losses", batches(judging))
    valued = {name: [("data", "everyone"), *single, *measured(study, name)] for name in properties}
    of_property = {name: batches(pairs) for name, pairs in valued.items()}
    for extractor in study.extractors:
        found.append(Stage(f"features, {extractor}", pending))
        users = [
            batches([model_of(*pair) for pair in pairs])
            for name, pairs in valued.items()
            if properties[name].reads == "features" and properties[name].extractor == extractor
        ]
        found[-1].count_collections(results, f"features/{extractor}", dict(ChainMap(*users)))
    for name, collections in of_property.items():
        found.append(Stage(f"properties, {name}", pending))
        found[-1].count_collections(results, f"properties/{name}", collections)
    found.append(Stage("bounds", pending))
    for name, baseline in study.baselines.items():
        if played := baseline.needs_game():
            pairs = [("full", "everyone"), (study.games[played].regime, game(played))]
            found[-1].count_collections(results, f"bounds/{name}", batches(pairs))
    gradients = [f"gradients/{name}/{MANIFEST}" for name in study.gradients]
    tables = {"attribution": attributions, "evaluation": evaluations, "report": reports}
    if study.local:
        tables = {"attribution": local_tables}
    for name, files in {"gradients": gradients, **{name: of(study) for name, of in tables.items()}}.items():
        found.append(Stage(name, pending))
        found[-1].count_files([results / file for file in files])
    return found
