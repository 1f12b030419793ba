"""The commands for tables made elsewhere: credit one, draw subsets to measure, score values on held-out rows."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError, naming
from diffusion_credit.base.names import look_alike, printable
from diffusion_credit.base.parquet import need_pyarrow
from diffusion_credit.base.scale import COLUMN, Transform, changed, measured, transformed
from diffusion_credit.base.tables import (
    KEY,
    Subsets,
    concatenate,
    ids_of,
    read_csv,
    read_subsets,
    write_subsets,
    write_table,
)
from diffusion_credit.credit import spread
from diffusion_credit.credit.attribution import (
    credit,
    estimate,
    read_attribution,
    write_attribution,
)
from diffusion_credit.credit.movement import HEADER as MOVED
from diffusion_credit.credit.movement import movement
from diffusion_credit.credit.printed import print_attribution, print_movement
from diffusion_credit.credit.regression import PAIRS_NEEDED
from diffusion_credit.credit.utilities import noise_rows, split
from diffusion_credit.evaluation.lds import HEADER, TEXT, references, scores
from diffusion_credit.study.config import read_options
from diffusion_credit.subsets import design
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.held_out import reserve
from diffusion_credit.subsets.history import History

OF_STUDIES = {"game", "cheap"}  # options that name the tables of a study


def check_outputs(outputs: Sequence[Path | None], inputs: Sequence[Path | None]) -> None:
    """Raises UserError when a file cannot be written, or would be overwritten by what is made from it.

    Tables of either kind need pyarrow where they are Parquet.
    """
    need_pyarrow(*outputs, *inputs)
    written = [output for output in outputs if output]
    for at, output in enumerate(written):
        if output.is_dir():
            raise UserError(f"{output}: found a folder, expected the name of a file to write")
        if not output.parent.is_dir():
            raise UserError(f"{output.parent}: not found, expected the folder that {output.name} is to be written to")
        for other in filter(None, [*inputs, *written[:at]]):
            if output.resolve() == other.resolve():
                raise UserError(
                    f"{output}: found the same file twice in the command, expected another one for the output"
                )


def score_text(row: dict[str, str]) -> str:
    if not row["lds"]:
        return "not estimable"
    ends = f" [{float(row['low']):.2f}, {float(row['high']):.2f}]" if row["low"] else ""
    return f"{float(row['lds']):.2f}{ends}"


def attribute(a: argparse.Namespace) -> None:
    """Credit the contributors of any table of utilities."""
    for key in OF_STUDIES & dict(a.option).keys():
        raise UserError(
            f"--option: found {key}, which is an option of studies: a table is one game; expected none of it"
        )
    options = read_options("estimators", a.estimator, dict(a.option))
    check_outputs([a.output, a.figure], [a.table, a.groups])
    table = _read(a.table, a.transform)
    if a.groups:
        options["groups"] = read_groups(a.groups)
    elif a.estimator == "owen":
        raise UserError("--groups: not found, expected a CSV of contributor and group, which owen credits first")
    game = split(table, a.table)
    if not 1 <= a.top < game.n:
        raise UserError(f"--top: found {a.top}, expected between 1 and {game.n - 1} for {game.n} contributors")
    try:
        found = estimate(game, options)
    except UserError as error:
        text = str(error)
        raise UserError(f"{a.groups}: {text}" if text.startswith("groups: ") else f"{a.table}: {text}") from None
    result = credit(game.contributors, game.total, found, not a.lower_is_better, a.top, game.transform)
    write_attribution(a.output, result)
    print_attribution(result)
    value = dict(zip(result.contributor, result.value, strict=True))
    for group, inside in options.get("groups", {}).items():
        total = sum(value[name] for name in inside if name in value)
        print(f"  group {printable(group)}: {total:.5g}")
    for name, rows, _, _, deviation, _, note in noise_rows(game)[:3]:
        print(f"  noise, {name}: " + (note or f"standard deviation {deviation:.4g} between replicates, {rows} rows"))
    for text in (spread.warning(game), look_alike(game.contributors)):
        if text:
            print(f"  note: {text}")
    if a.figure:
        from diffusion_credit.report import figures

        figures.save(figures.attribution_bars(result, a.table.stem, not a.lower_is_better), a.figure)


def _read(path: Path, transform: Transform) -> Subsets:
    """A table of utilities, or of their logarithms where these are asked for. Raises UserError where it has none."""
    table = read_subsets(path, valued=True)
    if transform == "log" == table.transform:
        raise UserError(f"{path}: found logarithms (the column log_value), expected no `--transform log` for these")
    return _logarithm(table, path) if transform == "log" else table


def _logarithm(table: Subsets, path: Path) -> Subsets:
    assert table.value is not None
    lines = [f"row {number}" for number in range(2, len(table) + 2)]  # as `read_subsets` counts them
    with naming(path):
        return replace(table, value=transformed(table.value, "log", lines), transform="log")


def predict(a: argparse.Namespace) -> None:
    """Say what F is expected to be without some sets of contributors."""
    from diffusion_credit.credit import prediction  # scipy takes its time

    check_outputs([a.output], [a.table])
    game = split(_read(a.table, a.transform), a.table)
    members = np.ones((len(a.without), game.n), dtype=bool)
    for row, text in zip(members, a.without, strict=True):
        row[_places(text, game.contributors)] = False
        if not row.any():
            raise UserError(f"--without: found all {game.n} contributors in {text!r:.80}, expected some to be left")
    with naming(a.table):
        found = prediction.predict(game, members)
    print(f"with everyone: {measured(game.everyone.mean(), game.transform):.5g}")
    of_level, of_change = prediction.NUMBERS[:3], prediction.NUMBERS[3:]
    unit = "%" if game.transform == "log" else ""
    for at, text in enumerate(a.without):
        if found.note[at]:
            print(f"without {printable(text)}: {found.note[at]}")
            continue
        level = [f"{measured(float(getattr(found, name)[at]), game.transform):.5g}" for name in of_level]
        change = [f"{changed(float(getattr(found, name)[at]), game.transform):+.4g}{unit}" for name in of_change]
        print(f"without {printable(text)}: {level[0]} [{level[1]}, {level[2]}]", end="")
        print(f", a change of {change[0]} [{change[1]}, {change[2]}]")
    if a.output:
        numbers = zip(*(found.cells(at) for at in range(len(a.without))), strict=True)
        table: dict[str, Sequence[Any]] = {"without": a.without, **dict(zip(prediction.NUMBERS, numbers, strict=True))}
        table |= {"transform": [game.transform] * len(a.without), "note": found.note}
        write_table(a.output, table, {"without", "transform", "note"})


def _places(text: str, contributors: list[str]) -> list[int]:
    """Which contributors a text names: the one of this name, or several with commas between them."""
    place = {name: i for i, name in enumerate(contributors)}
    names = [text] if text in place else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in place:
            raise UserError(f"--without: found {name!r:.80}, expected the name of a contributor in the table")
    return [place[name] for name in names]


def read_groups(path: Path) -> dict[str, list[str]]:
    """Group -> contributors, from a CSV with the columns contributor and group."""
    header, rows = read_csv(path)
    if header != ["contributor", "group"]:
        raise UserError(f"{path}: found the header {','.join(header)[:80]}, expected contributor,group")
    groups: dict[str, list[str]] = {}
    for name, group in rows:
        groups.setdefault(group, []).append(name)
    return groups


def make_design(a: argparse.Namespace) -> None:
    """Write subsets to be evaluated elsewhere: the anchors, then the sampled ones."""
    check_outputs([a.output, a.held_out], [a.contributors, a.groups])
    try:
        names = a.contributors.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(
            f"{a.contributors}: found something that is not text in UTF-8, expected one name a line"
        ) from None
    names = [name.strip() for name in names if name.strip()]
    wrong = sorted({name for name, count in Counter(names).items() if count > 1 or name in (*KEY, *COLUMN)})
    if wrong or len(names) < 2:
        found = repr(wrong[0]) + (" twice" if names.count(wrong[0]) > 1 else "") if wrong else f"{len(names)} name(s)"
        raise UserError(
            f"{a.contributors}: found {found}, expected two names or more, one a line, each once, none of them"
            f" {', '.join([*KEY, *COLUMN])}"
        )
    for path in (a.output, a.held_out):
        if path and path.exists():
            raise UserError(f"{path}: found a file, expected a new name: measured values in it would be lost")
    for key, value in (("alpha", a.alpha), *(("held-out-alphas", alpha) for alpha in a.held_out_alphas)):
        if not 0 < value < 1:
            raise UserError(f"--{key}: found {value}, expected a share between 0 and 1")
    for key, least in (("subsets", 1), ("anchors", 1), ("held_out_subsets", 4), ("held_out_replicates", 1)):
        if getattr(a, key) < least:
            raise UserError(f"--{key.replace('_', '-')}: found {getattr(a, key)}, expected at least {least}")
    alphas = a.held_out_alphas if a.held_out else []
    history = History([names])
    keys = ("--held-out-alphas", "--held-out-subsets")
    sizes, reserved = reserve(history, alphas, a.held_out_subsets, a.seed, keys)
    if a.design == "owen" and not a.groups:
        raise UserError("--groups: not found, expected a CSV of contributor and group, which the design owen draws")
    options = {"alpha": a.alpha, "groups": read_groups(a.groups) if a.groups else {}}
    sampled = design.sampled(names, a.design, a.subsets, frame_of(names, a.seed, reserved, options))
    write_subsets(a.output, concatenate([design.anchors(names, a.seed, a.anchors), sampled]))
    different = len({min(row.tobytes(), (~row).tobytes()) for row in sampled.members})
    if text := look_alike(names):
        print(f"  note: {text}")
    print(f"{a.output}: {2 * a.anchors} rows of everyone and of no one, {a.subsets} subsets")
    needed = PAIRS_NEEDED * len(names)
    print(f"  {different} differ when a subset counts as its complement; intervals of ridge need {needed}")
    if a.held_out:
        held = [
            design.held_out(history, a.seed, size, a.held_out_subsets, a.held_out_replicates, reserved)
            for size in sizes.values()
        ]
        write_subsets(a.held_out, concatenate(held))


def compare(a: argparse.Namespace) -> None:
    """Say how far values moved between two attributions."""
    check_outputs([a.output], [a.before, a.after])
    before, after = read_attribution(a.before), read_attribution(a.after)
    with naming(a.before):
        found = movement(before, after)
    print_movement(before, after, found)
    if a.output:
        first, *rest = MOVED
        numbers = {name: ["" if np.isnan(x) else x for x in getattr(found, name).tolist()] for name in rest}
        write_table(a.output, {first: found.contributor, **numbers}, {first})


def lds(a: argparse.Namespace) -> None:
    """Score an attribution against held-out rows."""
    check_outputs([a.output], [a.attribution, a.held_out, a.table])
    result, table = read_attribution(a.attribution), read_subsets(a.held_out, valued=True)
    ids, replicate = ids_of(table.members)  # by who is in, whatever the rows are called
    table = replace(table, subset=ids, replicate=replicate)
    if sorted(result.contributor) != sorted(table.contributors):
        raise UserError(f"{a.held_out}: found other contributors than in {a.attribution}, expected the same ones")
    n, sizes = len(table.contributors), table.members.sum(axis=1)
    if not len(sizes) or ((sizes == 0) | (sizes == n)).any():
        raise UserError(f"{a.held_out}: found no rows, or a row of everyone or of no one, expected proper subsets")
    if a.table:
        sampled = read_subsets(a.table, valued=True)
        where = {name: i for i, name in enumerate(sampled.contributors)}
        order = [where[name] for name in table.contributors if name in where]
        if len(order) == n == len(sampled.contributors):
            with naming(a.held_out):
                design.assert_disjoint(sampled.members[:, order], table.members)
        else:
            raise UserError(f"{a.table}: found other contributors than in {a.held_out}, expected the same ones")
    if result.transform[0] == "log" != table.transform:
        table = _logarithm(table, a.held_out)
    elif result.transform[0] != table.transform:
        raise UserError(f"{a.held_out}: found the column log_value, expected value as {a.attribution} credits it")
    place = {name: i for i, name in enumerate(result.contributor)}
    values = result.value[[place[name] for name in table.contributors]]
    tables = {f"{size / n:g}": table.rows(sizes == size) for size in sorted(set(sizes.tolist()))}
    best, worst = result.value[result.order[0]], result.value[result.order[-1]]
    alone = references(n, None, higher_is_better=bool(best >= worst))
    with naming(a.held_out):
        rows = scores(tables, {"attribution": values, **alone}, a.seed)
    for row in rows:
        found = dict(zip(HEADER, map(str, row), strict=True))
        print(f"  alpha {row[0]}, {row[1]:<12} {score_text(found)}  ({row[2]} subsets x {row[3]} seeds) {row[-1]}")
    if a.output:
        write_table(a.output, dict(zip(HEADER, zip(*rows, strict=True), strict=True)), TEXT)
