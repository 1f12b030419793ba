"""How far a study is: what is done, in work and missing at each stage, from the files alone.

Nothing is written or locked, so it can be asked while jobs run, on any machine that sees the files. Whether what is
done is still up to date only `snakemake -n` knows.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diffusion_credit.config import Study
from diffusion_credit.files import MANIFEST, being_prepared
from diffusion_credit.members import finished
from diffusion_credit.plan import SINGLE, attributions, batch_names, evaluations, lists, looks, rows_of, used

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

    def count_collection(self, results: Path, collection: str, rows: int) -> None:
        folder = results / collection
        self.total += rows
        if (folder / MANIFEST).is_file():
            self.done += rows
            return
        entries = finished(folder)
        done = sum(entries.values())
        self.done += done
        in_work = sum(not complete and being_prepared(folder / name) for name, complete in entries.items())
        if not in_work:
            return
        silent = _seconds_since(results / "logs" / f"{collection}.log")
        if silent < SILENT_SECONDS:
            self.running += in_work
        else:
            self.silent[collection] = silent / 60


def _seconds_since(log: Path) -> float:
    try:
        return time.time() - log.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def stages(study: Study, results: Path) -> list[Stage]:
    """Every stage in the order of the work, models and images by regime."""
    size = study.design.batch_size
    rows = lists(study)
    if study.design.target:
        taken = looks(study, results)
        batches = (taken[-1]["next_batches"] or taken[-1]["subsets"] // size) if taken else study.design.subsets // size
        rows["sampled"] = batches * size

    def batches_of(regime: str, name: str) -> Iterator[tuple[str, int]]:
        for batch in batch_names(rows[name], size):
            yield f"{regime}/{name}/{batch}", rows_of(batch, rows[name], size)

    models: dict[str, list[tuple[str, int]]] = {}
    for regime, name in [*((regime, "everyone") for regime in SINGLE), *used(study)]:
        models.setdefault(regime, []).extend(batches_of(regime, name))

    index, designs = Stage("index"), Stage("designs")
    index.count_files([results / "index/index.json"])
    designs.count_files([results / "designs" / name / f"{b}.csv" for name in rows for b in batch_names(rows[name], size)])
    found = [index, designs]
    for kind in ("models", "images"):
        for regime, collections in models.items():
            stage = Stage(f"{kind}, {regime}")
            for collection, count in collections:
                stage.count_collection(results, f"{kind}/{collection}", count)
            found.append(stage)
    everything = [("data/everyone/0000", 1), *(pair for collections in models.values() for pair in collections)]
    measured = [f"features/{name}" for name in study.extractors] + [f"properties/{name}" for name in study.properties]
    for kind in measured:
        stage = Stage(kind.replace("/", ", "))
        for collection, count in everything:
            stage.count_collection(results, f"{kind}/{collection}", count)
        found.append(stage)
    for name, files in (("attribution", attributions(study)), ("evaluation", evaluations(study))):
        stage = Stage(name)
        stage.count_files([results / file for file in files])
        found.append(stage)
    return found


def print_status(study: Study, results: Path) -> None:
    found = stages(study, results)
    width = max(len(stage.name) for stage in found)
    digits = max(len(str(stage.total)) for stage in found)
    print(results)
    for stage in found:
        done, begun = (round(WIDTH * n / stage.total) for n in (stage.done, stage.done + stage.running))
        done = min(done, WIDTH - (stage.done < stage.total))  # a full bar is a finished stage
        bar = "#" * done + ">" * (min(begun, WIDTH) - done) + "." * (WIDTH - max(begun, done))
        missing = stage.total - stage.done - stage.running
        notes = [f"{stage.running} running"] * bool(stage.running) + [f"{missing} missing"] * bool(missing)
        print(f"{stage.name:<{width}}  [{bar}] {stage.done:>{digits}} of {stage.total:<{digits}}  {', '.join(notes)}".rstrip())
    for stage in found:
        for collection, minutes in stage.silent.items():
            print(f"{collection}: begun, but its log has been silent for {minutes:.0f} min")
