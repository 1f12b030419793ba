"""The command `diffusion-credit`."""

import argparse
import sys
from itertools import product
from pathlib import Path

import yaml

from diffusion_credit.attribution import read_attribution
from diffusion_credit.config import read_study
from diffusion_credit.errors import UserError
from diffusion_credit.tables import read_csv


def show(config: Path) -> None:
    """Print every attribution of a study, best contributor first, and what its LDS says of it."""
    try:
        study = read_study(yaml.safe_load(config.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{config}: not a readable YAML file ({error})") from None
    results = Path("results") / study.study
    for name, estimator in product(study.properties, study.estimators):
        file = results / "attribution" / name / f"{estimator}.csv"
        result = read_attribution(file)
        print(f"\n{name} ({estimator})  {file}")
        width = min(40, max(len(contributor) for contributor in result.contributors))
        for i in result.order:
            label = "".join(letter if letter.isprintable() else " " for letter in result.contributors[i])[:width]
            print(f"  {result.rank[i]:>3}  {label:<{width}}  {result.value[i]:>12.5g}  {result.share[i]:>8.1%}")
        print(f"       {'total':<{width}}  {result.value.sum():>12.5g}")
        for line in lds_lines(results / "evaluation" / name / "lds.csv", estimator):
            print(f"  {line}")


def lds_lines(path: Path, estimator: str) -> list[str]:
    """One line for each alpha: the estimator's LDS with its interval, and the noise floor."""
    if not path.exists():
        return []
    header, rows = read_csv(path)
    table = [dict(zip(header, row, strict=True)) for row in rows]
    lines = []
    for row in table:
        if row["predictor"] == estimator:
            (floor,) = [r for r in table if r["alpha"] == row["alpha"] and r["predictor"] == "noise_floor"]
            lines.append(f"LDS at alpha {row['alpha']}: {_score(row)}; noise floor: {_score(floor)}")
            if not row["low"] or float(row["low"]) <= 0:
                lines.append("  no interval above 0: nothing shows yet that these values rank retrained models")
    return lines


def _score(row: dict[str, str]) -> str:
    if not row["lds"]:
        return "not estimable"
    ends = f" [{float(row['low']):.2f}, {float(row['high']):.2f}]" if row["low"] else ""
    return f"{float(row['lds']):.2f}{ends}"


def main() -> None:
    """Entry point: exits 1 with one sentence on a user's mistake."""
    parser = argparse.ArgumentParser(prog="diffusion-credit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("show", help="print the credited contributors of a finished study")
    command.add_argument("config", type=Path, help="the study's configuration, such as config/config.yaml")
    arguments = parser.parse_args()
    try:
        show(arguments.config)
    except UserError as error:
        sys.exit(f"Error: {error}")
