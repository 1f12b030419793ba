"""The credit document and pictures -> report.html, one page that needs nothing else, and card.md."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from diffusion_credit.base.names import printable
from diffusion_credit.credit.attribution import ENDS, FEW, Attribution
from diffusion_credit.evaluation.removal import LEFT_OUT
from diffusion_credit.report import figures, letters, words
from diffusion_credit.report.document import Cell, Contributor, Credit, Payment, Property, told_apart
from diffusion_credit.report.pictures import inline, strip

COLUMNS = 12  # images in a row of a strip
NUMBERED = re.compile(r"\(no\. \d+\)$")
NAME = re.compile("\u2068(.*?)\u2069")  # as words.isolated marks one
SEEN = 40  # pixels of the screen that an image is wide, or more
SAMPLES, SHEET = 12, 36  # images of a contributor, and of a model in the sheets

Titled = Sequence[tuple[str, np.ndarray]]  # titles, and images (images, height, width, channels) uint8


@dataclass(frozen=True)
class Pictures:
    """What the page shows of images.

    own: contributor's number -> some of their training images. without: number -> images of a model of everyone and of
    one without the contributor. models: of the models of everyone. counterfactuals: property -> of the models retrained
    on everyone, without the top, with only the top. All models draw from the same noise.
    """

    own: Mapping[int, np.ndarray]
    without: Mapping[int, Titled]
    models: Titled
    counterfactuals: Mapping[str, Titled]


def render_page(credit: Credit, results: dict[str, Attribution], pictures: Pictures) -> str:
    """The page. results: attributions of the main estimator, by property."""
    drawings, names = Drawings(), labels([each.name for each in credit.contributors])
    named = {key: replace(result, contributor=names) for key, result in results.items()}
    views = {key: _view(credit, key, named[key], pictures, drawings) for key in credit.properties}
    people = shown(credit)
    payments = {each.number: each for each in credit.payout.payments} if credit.payout else {}
    panels = [
        {
            "who": who,
            "own": _sheet("Training images", pictures.own[who.number], SAMPLES),
            "pair": [_sheet(*each, SAMPLES) for each in pictures.without.get(who.number, [])],
            "payment": payments.get(who.number),
            "at_odds": [
                views[key]["title"]
                for key, prop in credit.properties.items()
                if words.expects(credit)
                and not views[key]["at_odds"]
                and words.at_odds(prop, who.number, who.values[key])
            ],
        }
        for who in people
    ]
    page = (
        environment()
        .get_template("page.html")
        .render(
            credit=credit,
            properties=views,
            panels=panels,
            names=names,
            numbers=[who.number for who in people],
            hidden=len(credit.contributors) - len(people),
            paid=paid(credit),
            models=[_sheet(*each, SHEET) for each in pictures.models],
        )
    )
    return page.replace("<style>\n", "<style>\n" + letters.faces(page), 1)


def render_card(credit: Credit) -> str:
    """A data card in Markdown."""
    ranked = {key: shown(credit, key) for key in credit.properties}
    names = labels([each.name for each in credit.contributors])
    return environment().get_template("card.md").render(credit=credit, ranked=ranked, names=names, paid=paid(credit))


def shown(credit: Credit, prop: str | None = None) -> list[Contributor]:
    """The contributors that people see, by rank for a property (the first one): all, or of many the ends."""
    key = prop or next(iter(credit.properties))
    return ends(sorted(credit.contributors, key=lambda each: each.values[key].rank))


def paid(credit: Credit) -> list[Payment]:
    """The payments that people see, the largest first: all, or of many the ends."""
    return ends(sorted(credit.payout.payments, key=lambda each: -each.share)) if credit.payout else []


def ends(order: list[Any]) -> list[Any]:
    """All, or of many the first and the last ones."""
    return order if len(order) <= FEW else order[:ENDS] + order[-ENDS:]


def not_apart(credit: Credit, prop: str, who: Contributor) -> list[Contributor]:
    """The contributors of whom the evidence does not say whether they are worth more or less than `who`."""
    own = who.values[prop]
    return [c for c in credit.contributors if c.number != who.number and not told_apart(own, c.values[prop])]


def _view(credit: Credit, key: str, result: Attribution, pictures: Pictures, drawings: "Drawings") -> dict[str, Any]:
    """What the page says of one property."""
    prop, title = credit.properties[key], words.credited(key, credit.properties[key])
    order, values = result.order, [each.values[key] for each in credit.contributors]
    top = next(row["contributors"] for row in prop.evidence["counterfactual"] if row["trained_on"] == "only_top")
    ends = [f"{result.contributor[i]} {words.number(float(result.value[i]))}" for i in (order[0], order[-1])]
    alt = f"Bars of the values for {title}, best first, from {ends[0]} to {ends[1]}; all are in the table after it."
    return {
        "key": key,
        "prop": prop,
        "title": title,
        "bars": [drawings.add(figures.attribution_bars(result, "", prop.higher_is_better), alt)],
        "rows": [(who, who.values[key], not_apart(credit, key, who)) for who in shown(credit, key)],
        "total": words.total(prop, values),
        "spread": words.spread(prop),
        "at_odds": words.mostly_at_odds(credit, key),
        "certainty": words.certainty(values),
        "verdict": words.verdicts(credit, key, credit.estimator),
        "figures": _evidence(prop, title, drawings),
        "top": _named(top, dict(zip([each.name for each in credit.contributors], result.contributor, strict=True))),
        "sheets": [_sheet(*each, SHEET) for each in pictures.counterfactuals[key]],
    }


def _named(top: Cell, labels: dict[str, str]) -> list[str]:
    """The contributors of a row of counterfactual.csv, which lists them as JSON; of very many it has the number."""
    found = json.loads(str(top)) if isinstance(top, str) else []
    return [labels[name] for name in found]


def _evidence(prop: Property, title: str, drawings: "Drawings") -> dict[str, list["Drawing"]]:
    """Table -> its figures, for the tables of the evaluation that have some here."""
    found: dict[str, list[Drawing]] = {}
    rows = {key: [_blank(row.values()) for row in table] for key, table in prop.evidence.items()}
    if scored := [row for row in rows.get("lds", []) if row[4] != ""]:
        alt = "; ".join(f"{words.label(row[1])} {words.number(row[4])} {words.sizes(row[0])}" for row in scored)
        found["lds"] = [drawings.add(figures.lds_intervals(scored), f"LDS for {title}: {alt}.")]
    if changed := [row for row in rows["counterfactual"] if row[5] != ""]:
        change, low, high = (np.array([row[column] for row in changed], dtype=float) for column in (5, 6, 7))
        figure = figures.change_bars([words.label(row[0]) for row in changed], change, low, high, "")
        alt = "; ".join(f"{words.label(row[0])} {words.number(row[5])} percent" for row in changed)
        found["counterfactual"] = [drawings.add(figure, f"Change of the {title}: {alt}.")]
    expected = rows.get("removal", [])
    if any(row[5] != "" for row in expected):
        figure = figures.removal(expected, len(expected) - len(LEFT_OUT), "")
        alt = f"The change of the {title} that is expected without each contributor."
        found["removal"] = [drawings.add(figure, alt)]
    if rows.get("league") and rows.get("cost"):
        alpha = rows["league"][0][1]
        panels = figures.league(rows["league"], rows["cost"], alpha).apart()
        alts = (f"LDS of every method for {title}.", f"LDS of every method for {title} by what it cost.")
        found["league"] = [drawings.add(*each) for each in zip(panels, alts, strict=True)]
    target = next((row[3] for row in rows["budget"] if row[3] != ""), None)
    panels = figures.budget_curve(rows["budget"], target).apart()
    alts = (f"The largest standard error for {title}, by subsets.", f"The LDS for {title}, by subsets.")
    found["budget"] = [drawings.add(*each) for each in zip(panels, alts, strict=True)]
    return found


def _blank(cells: Iterable[Cell]) -> list[Any]:
    """A row as the figures take it: empty text for nothing to say."""
    return ["" if cell is None else cell for cell in cells]


@dataclass(frozen=True)
class Drawing:
    """A figure: SVG, its width in points, and what it shows in words."""

    svg: Markup
    width: float
    alt: str


class Drawings:
    """The figures of one page, each with ids of its own."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, figure: Figure, alt: str) -> Drawing:
        self.count += 1
        svg, width = inline(figure, f"figure{self.count}")
        return Drawing(Markup(svg), width, alt)  # the XML library has escaped its text


def _sheet(title: str, pixels: np.ndarray, most: int) -> dict[str, Any]:
    """The first images as one picture."""
    columns = min(COLUMNS, len(pixels))
    address, width, height = strip(pixels[:most], columns)
    scale = max(1.0, SEEN * columns / width)
    alt = f"{title}: {len(pixels[:most])} images"
    return {"title": title, "address": address, "width": int(width * scale), "height": int(height * scale), "alt": alt}


def labels(names: Sequence[str]) -> list[str]:
    """Contributors' names, each on one line, all different.

    With their number where several differ by case, by Unicode's form, or in the middle of a long name alone, or where a
    name is empty or ends like such a number itself.
    """
    lines = [" ".join(printable(name).split()) for name in names]
    alike = Counter(map(_looks, lines))
    return [
        f"{line} (no. {i})".strip() if alike[_looks(line)] > 1 or not line or NUMBERED.search(line) else line
        for i, line in enumerate(lines, start=1)
    ]


def _looks(line: str) -> str:
    return unicodedata.normalize("NFKC", figures.shorten(line)).casefold()


def markdown(text: object) -> str:
    """Text that Markdown, and the HTML in it, take for nothing but text."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:@/])", r"\\\1", printable(str(text)))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sentence(text: str) -> str:
    """A sentence of ours for Markdown: of it only the names of contributors are escaped."""
    return NAME.sub(lambda found: markdown(found[1]), text)


def environment() -> Environment:
    """Jinja2 with everything in a page escaped: names are text wherever they stand."""
    found = Environment(
        loader=PackageLoader("diffusion_credit", "report"),
        autoescape=lambda template: template != "card.md",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {
        "title": words.title,
        "line": printable,
        "number": words.number,
        "percent": words.percent,
        "label": words.label,
        "md": markdown,
        "sentence": sentence,
        "yaml": lambda value: yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100),
    }
    found.globals |= {"words": words, "shorten": figures.shorten}
    return found
