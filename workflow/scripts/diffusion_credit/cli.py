"""The command `diffusion-credit`."""

import argparse
import sys
from pathlib import Path

from diffusion_credit.attribution import read_attribution
from diffusion_credit.errors import UserError


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
