"""A study's tables at a glance, and which of them are out of date."""

from collections import Counter
from itertools import product
from pathlib import Path

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import PREDICTION, read_csv
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.credit.printed import print_attribution
from diffusion_credit.credit.spread import warned
from diffusion_credit.own_tables import score_text
from diffusion_credit.study.config import Study
from diffusion_credit.study.plan import looks
from diffusion_credit.study.progress.pending import Pending, whys

UP_TO_DATE = "up to date"


def print_tables(study: Study, results: Path, pending: Pending, command: str) -> None:
    """Print every attribution of a study, best contributor first, and what its LDS says of it.

    Where some are not up to date, the first and the last line say so. command: brings the study up to date.
    """
    tables = shown(study, results)
    marks = {table: mark_of(table, pending) for table in tables}
    sentence = verdict(marks, pending, command)
    if sentence:
        print(sentence)
        # the report, which tells all options of a study, is made from every other table
        behind = [str(table) for table in (*tables, results / "report.html")]
        for line in whys(pending.behind(behind), results):
            print(f"changed: {line}")
    if study.local:
        _print_local(tables[0], marks)
    else:
        _print_credit(study, results, marks)
    if sentence:
        print(f"\n{sentence}")


def shown(study: Study, results: Path) -> list[Path]:
    """The tables that are printed."""
    if study.local:
        return [results / "evaluation/local/lds.csv"]
    credited = product(study.properties, study.estimators)
    scores = [results / f"evaluation/{name}/lds.csv" for name in study.properties if study.evaluation.lds]
    return [results / f"attribution/{name}/{estimator}.csv" for name, estimator in credited] + scores


def mark_of(table: Path, pending: Pending) -> str:
    """What is said beside a table."""
    if not table.is_file():
        return "not made yet"
    if pending.unknown:
        return "unknown whether up to date"
    return "out of date" if str(table) in pending.job_of else UP_TO_DATE


def verdict(marks: dict[Path, str], pending: Pending, command: str) -> str:
    """What is to be known of the tables before one reads them; empty where all are up to date."""
    if pending.unknown:
        return f"It is unknown whether these tables are up to date. {pending.unknown}"
    counts = Counter(marks.values())
    parts = [(counts[state], state) for state in ("out of date", "not made yet") if counts[state]]
    said = " and ".join(f"{count} {'is' if count == 1 else 'are'} {state}" for count, state in parts)
    return said and f"Of these {len(marks)} tables, {said}. To bring them up to date: {command}"


def _print_credit(study: Study, results: Path, marks: dict[Path, str]) -> None:
    for taken in looks(study, results)[-1:]:
        for name, reason in taken["reasons"].items():
            print(f"{name}: {taken['subsets']} subsets, {reason}")
    for estimator, name in product(_main_first(study), study.properties):
        file, scores = results / "attribution" / name / f"{estimator}.csv", results / "evaluation" / name / "lds.csv"
        section = study.properties[name]
        better = "" if section.higher_is_better else ", lower is better"
        print(f"\n{named(name, section.transform)} ({estimator}){better}  {file}  ({marks[file]})")
        noise = results / f"evaluation/{name}/noise.csv"
        for line in warned((row[0], row[-1]) for row in read_csv(noise)[1]) if noise.is_file() else []:
            print(f"  note: {line}")
        if file.is_file():
            print_attribution(read_attribution(file))
        if marks.get(scores, UP_TO_DATE) != UP_TO_DATE:
            print(f"  {scores}  ({marks[scores]})")
        for line in lds_lines(scores, estimator):
            print(f"  {line}")
    if (report := results / "report.html").is_file():
        print(f"\nThe report, to be opened in a browser: {report}")


def _main_first(study: Study) -> list[str]:
    """The estimators, the one whose values are tested first."""
    return sorted(study.estimators, key=lambda name: name != study.evaluation.counterfactual.estimator)


def _print_local(path: Path, marks: dict[Path, str]) -> None:
    """Print the LDS of every method of a study of single images; its pictures are beside the scores."""
    print(f"{path}  ({marks[path]})")
    header, rows = read_csv(path) if path.is_file() else ([], [])
    for row in (dict(zip(header, row, strict=True)) for row in rows):
        print(f"{row['images']:<12}{row['method']:<24}{score_text(row)}")


def lds_lines(path: Path, estimator: str) -> list[str]:
    """One line for each alpha: the estimator's LDS with its interval, and the noise floor."""
    if not path.exists():
        return []
    header, rows = read_csv(path)
    table = [dict(zip(header, row, strict=True)) for row in rows]
    lines = []
    for row in table:
        if row["predictor"] == f"{estimator}{PREDICTION}":
            lines.append(f"LDS of its prediction at alpha {row['alpha']}: {score_text(row)}")
        if row["predictor"] == estimator:
            floor, size = (
                next(r for r in table if r["alpha"] == row["alpha"] and r["predictor"] == other)
                for other in ("noise_floor", "subset_size")
            )
            line = f"LDS at alpha {row['alpha']}: {score_text(row)}; noise floor: {score_text(floor)}"
            lines.append(line + (f"; number of contributors alone: {score_text(size)}" if size["lds"] else ""))
            if row["high"] and float(row["high"]) < 0:
                lines.append("  the interval lies below 0: these values rank retrained models the wrong way round")
            elif not row["low"] or float(row["low"]) <= 0:
                lines.append("  the interval is not above 0: nothing shows yet that these values rank retrained models")
            elif any(float(other) >= float(row["lds"]) for other in _alone(row, table)):
                lines.append("  something simpler ranks retrained models as well as these values: see the report")
            elif floor["low"] and float(floor["low"]) <= 0:
                lines.append(
                    "  two retrainings of a subset are not shown to rank alike: nothing shows that these values do"
                )
            else:
                lines.append("  the interval lies above 0: these values rank retrained models better than chance")
    return lines


def _alone(row: dict[str, str], table: list[dict[str, str]]) -> list[str]:
    """The scores of what is simpler than values: counts, and whether one contributor takes part."""
    simple = ("image_count", "subset_size")
    counts = [r["lds"] for r in table if r["alpha"] == row["alpha"] and r["predictor"] in simple]
    return [score for score in (*counts, row.get("presence", "")) if score]
