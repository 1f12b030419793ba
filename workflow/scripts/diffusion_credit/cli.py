"""The command `diffusion-credit`."""

import argparse
import sys
from pathlib import Path

from diffusion_credit.attribution import read_attribution
from diffusion_credit.errors import UserError
from diffusion_credit.tables import read_csv


def show(results: Path) -> None:
    """Print every attribution below a study's results folder, best contributor first."""
    files = sorted(results.glob("attribution/*/*.csv"))
    if not files:
        raise UserError(f"{results}: found no attribution/<property>/<estimator>.csv in it, expected a finished study")
    for file in files:
        result = read_attribution(file)
        print(f"\n{file.parent.name} ({file.stem})  {file}")
        width = min(40, max(len(name) for name in result.contributors))
        for i in result.order:
            name = "".join(letter if letter.isprintable() else " " for letter in result.contributors[i])[:width]
            print(f"  {result.rank[i]:>3}  {name:<{width}}  {result.value[i]:>12.5g}  {result.share[i]:>8.1%}")
        print(f"       {'total':<{width}}  {result.value.sum():>12.5g}")
        for line in lds_lines(results / "evaluation" / file.parent.name / "lds.csv", file.stem):
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
            lines.append(f"LDS at alpha {row['alpha']}: {_score(row)}; a second retraining: {_score(floor)}")
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
    command.add_argument("results", type=Path, help="the study's folder, such as results/digits")
    arguments = parser.parse_args()
    try:
        show(arguments.results)
    except UserError as error:
        sys.exit(f"Error: {error}")
