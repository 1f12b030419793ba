"""The command `diffusion-credit`: a finished study at a glance, and credit for tables made elsewhere."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

import yaml

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import printable
from diffusion_credit.base.yaml_files import one_line, read_yaml
from diffusion_credit.credit.estimators import ESTIMATORS
from diffusion_credit.models.options import Given
from diffusion_credit.own_tables import attribute, compare, lds, make_design, predict
from diffusion_credit.show import print_tables
from diffusion_credit.study import cleaning
from diffusion_credit.study.config import Study, read_study
from diffusion_credit.study.progress.pending import Pending, ask, command_of
from diffusion_credit.study.progress.status import print_status
from diffusion_credit.study.sections.changes import said
from diffusion_credit.subsets.draws import ACTIVE, DESIGNS


def show(config: Path, scale: str) -> None:
    """Print a study's credit."""
    print_tables(*_asked(config, scale))


def status(config: Path, scale: str) -> None:
    """Print how far a study is."""
    print_status(*_asked(config, scale))


def clean(config: Path, scale: str, contributor: str | None, yes: bool) -> None:
    """Say what a study has made, or from a contributor, and remove it where that is asked for."""
    if yes:
        cleaning.finish(_study(config, scale)[1])
    study, results = _results(config, scale)
    cleaning.require_ours(study.model_dump(mode="json"), results)
    if results.is_symlink():
        print(f"{results} leads to {results.resolve()}")
    if contributor is not None:
        _clean_of(study, results, contributor, command_of(config, scale), yes)
        return
    found = cleaning.sizes(results)
    for name, (files, size) in found.items():
        print(f"{name:<16}{size / 1e6:>12,.1f} MB  {files:>7,} files")
    total = sum(size for _, size in found.values()) / 1e6
    if not yes:
        print(f"Nothing was removed. With --yes, {results} is removed with all {total:,.1f} MB in it.")
        return
    cleaning.remove(results, Path(".snakemake"))
    print(f"Removed {results}, {total:,.1f} MB. The images that were handed in are untouched.")
    print(f"All of it runs again with: {command_of(config, scale)}")


def _clean_of(study: Study, results: Path, contributor: str, command: str, yes: bool) -> None:
    """Say what came from a contributor, and remove it where that is asked for."""
    if study.local:
        raise UserError("--contributor: found a study of single images, expected `clean` without this option for it")
    if (results / "autoencoders").is_dir():
        raise UserError(
            f"--contributor: found {results}/autoencoders, which was trained on everyone, so that no model is without"
            " them; expected `clean` without this option"
        )
    contributor = cleaning.named(results, contributor)
    kept, name = cleaning.made_without(results, contributor), printable(contributor)
    lists = Counter(entry.relative_to(results).parts[:3] for entry in kept)
    for parts, count in sorted(lists.items()):
        print(f"{'/'.join(parts):<60}  {count:>5} without {name}")
    if not yes:
        print(f"Nothing was removed. With --yes, all in {results} is removed but these, and pretrained weights.")
        return
    cleaning.remove_others(results, Path(".snakemake"), kept)
    print(f"Removed all in {results} but {'these' if kept else 'pretrained weights'}.")
    print("The images that were handed in are untouched. Take this contributor's out of the data and say in the study:")
    print(f"  changes: {one_line([*map(said, study.changes), {'left': [contributor]}])}")
    if isinstance(study.training, Given):
        print("The full model was handed in. If it was trained on these images, it needs another one, too.")
    print(f"Then run: {command}")


def _asked(config: Path, scale: str) -> tuple[Study, Path, Pending, str]:
    """A study, the folder of its results, what the next run has to do, and the command of that run."""
    return *_results(config, scale), ask(config, scale), command_of(config, scale)


def _results(config: Path, scale: str) -> tuple[Study, Path]:
    """A study and the folder of its results. Raises UserError where there is none."""
    study, results = _study(config, scale)
    if not results.is_dir():
        raise UserError(f"{results}: not found, expected the results of the study, in the folder where it runs")
    return study, results


def _study(config: Path, scale: str) -> tuple[Study, Path]:
    """A study and where its results are or would be."""
    study = read_study({**read_yaml(config), "scale": scale})
    return study, Path("results") / study.study


def option(text: str) -> tuple[str, object]:
    key, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected key=value")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected key=value with a number or a word") from None


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="diffusion-credit", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], None], text: str, *parents: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, parents=parents)
        one.set_defaults(run=run)
        return one

    study = argparse.ArgumentParser(add_help=False)
    study.add_argument("config", type=Path, help="the study's configuration, such as config/config.yaml")
    study.add_argument("--scale", default="full", help="one of its `scales` (default: full)")
    text = "print a study's credit, and which of its tables are out of date"
    command("show", lambda a: show(a.config, a.scale), text, study)
    text = "print how far a study is and what is out of date; also while jobs run"
    command("status", lambda a: status(a.config, a.scale), text, study)
    text = "say what a study has made, and with --yes remove it: models, images, tables, Snakemake's records"
    c = command("clean", lambda a: clean(a.config, a.scale, a.contributor, a.yes), text, study)
    c.add_argument("--contributor", metavar="NAME", help="keep retrained models of subsets without this contributor")
    c.add_argument("--yes", action="store_true", help="remove it")

    c = command("attribute", attribute, "credit the contributors of a table of utilities, whatever was measured")
    c.add_argument("table", type=Path, help="CSV or .parquet: a 0/1 column a contributor, value; replicate, seed")
    c.add_argument("--estimator", choices=ESTIMATORS, default="gaussian-process", help="default: gaussian-process")
    c.add_argument("--option", type=option, action="append", default=[], metavar="KEY=VALUE", help="of the estimator")
    c.add_argument("--output", type=Path, required=True, metavar="OUT.csv", help="the attribution")
    c.add_argument("--figure", type=Path, metavar="OUT.png", help="bars with intervals")
    c.add_argument("--groups", type=Path, metavar="GROUPS.csv", help="columns contributor and group, for owen")
    c.add_argument("--lower-is-better", action="store_true", help="rank by rising value")
    c.add_argument("--transform", choices=("none", "log"), default="none", help="log: credit the logarithm of `value`")
    c.add_argument("--top", type=int, default=1, help="chance to be among the best so many (default: 1)")

    c = command("design", make_design, "write subsets to be evaluated elsewhere; a longer design begins with a shorter")
    c.add_argument("--contributors", type=Path, required=True, metavar="NAMES.txt", help="one name a line")
    c.add_argument("--subsets", type=int, required=True, help="sampled subsets")
    c.add_argument("--seed", type=int, required=True)
    c.add_argument("--output", type=Path, required=True, metavar="DESIGN.csv")
    c.add_argument(
        "--design",
        choices=[x for x in DESIGNS if x != ACTIVE],
        default="paired-stratified",
        help="default: paired-stratified",
    )
    c.add_argument("--anchors", type=int, default=5, help="rows of everyone and of no one (default: 5 each)")
    c.add_argument("--alpha", type=float, default=0.5, help="share of contributors, for datamodel (default: 0.5)")
    c.add_argument("--groups", type=Path, metavar="GROUPS.csv", help="columns contributor and group, for owen")
    c.add_argument("--held-out", type=Path, metavar="HELD_OUT.csv", help="also held-out subsets, kept from the design")
    c.add_argument("--held-out-alphas", type=float, nargs="+", default=[0.5], help="their sizes (default: 0.5)")
    c.add_argument("--held-out-subsets", type=int, default=24, help="their number for each size (default: 24)")
    c.add_argument("--held-out-replicates", type=int, default=2, help="rows of each (default: 2)")

    c = command("predict", predict, "say what is expected without some contributors, from a table of utilities")
    c.add_argument("table", type=Path, help="as for `attribute`")
    c.add_argument(
        "--without",
        action="append",
        required=True,
        metavar="NAMES",
        help="contributors to leave out, with commas between them; once for each set",
    )
    c.add_argument("--transform", choices=("none", "log"), default="none", help="log: predict by the logarithm")
    c.add_argument("--output", type=Path, metavar="OUT.csv")

    c = command("compare", compare, "say how far values moved from one attribution to another of the same property")
    c.add_argument("before", type=Path, help="an attribution of a study, or what `attribute` wrote")
    c.add_argument("after", type=Path, help="likewise")
    c.add_argument("--output", type=Path, metavar="OUT.csv")

    c = command("lds", lds, "score an attribution against retrained held-out subsets")
    c.add_argument("attribution", type=Path, help="what `attribute` wrote")
    c.add_argument("held_out", type=Path, help="table of held-out subsets with values; two rows or more of each")
    c.add_argument("--table", type=Path, help="the table behind the attribution, to check that none of it is held out")
    c.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    c.add_argument("--output", type=Path, metavar="OUT.csv")
    return top


def main() -> None:
    """Entry point: exits 1 with one sentence on a user's mistake."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that has no letters for a name shows them as \u5f20
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args()
    try:
        arguments.run(arguments)
    except UserError as error:
        sys.exit(f"Error: {error}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe has seen enough
    except OSError as error:
        sys.exit(f"Error: {error.filename}: {error.strerror}")
