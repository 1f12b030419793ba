"""The parts of the report: who is told apart, what is said of the evidence, pictures that keep their pixels, names."""

import base64
import html
import io
import re
from inspect import getdoc
from itertools import combinations
from pathlib import Path

import markdown as reader
import numpy as np
import pytest
from PIL import Image

from diffusion_credit.base.collection import fill
from diffusion_credit.base.files import announce
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import PREDICTION, Subsets, write_csv
from diffusion_credit.measuring.properties import PROPERTIES, own
from diffusion_credit.report import figures
from diffusion_credit.report.collect import _made_with, table, without
from diffusion_credit.report.document import Credit, Property, Value, told_apart
from diffusion_credit.report.page import labels, markdown, render_card
from diffusion_credit.report.pictures import inline, strip
from diffusion_credit.report.words import certainty, mostly_at_odds, ordered_pairs, predictions, removal, verdict, worse
from diffusion_credit.version import VERSION


def value(rank_low: int | None, rank_high: int | None, differs: bool | None = None, note: str = "") -> Value:
    known = dict.fromkeys(Value.model_fields) | {"value": 1.0, "rank": 1}
    return Value(**known | dict(rank_low=rank_low, rank_high=rank_high, differs_from_equal_share=differs, note=note))


def test_pairs_in_order_against_looking_at_every_pair() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        ends = np.sort(rng.integers(1, 20, size=(12, 2)), axis=1).tolist()
        values = [value(low, high) for low, high in ends]
        expected = sum(a[1] < b[0] or b[1] < a[0] for a, b in combinations(ends, 2))
        assert ordered_pairs(values) == expected
        assert sum(told_apart(a, b) for a, b in combinations(values, 2)) == expected


def test_how_sure_the_values_are_in_words() -> None:
    sure = [value(1, 1, True), value(2, 3, False), value(2, 3, False)]
    assert "1 of 3 contributors differ from an equal share" in certainty(sure)
    assert "put at least 2 of 3 pairs of contributors in order" in certainty(sure)
    unknown = [value(None, None, None, "needs 10 pairs")] * 2
    assert certainty(unknown) == "How sure these values are is not estimable: needs 10 pairs."
    assert not told_apart(*unknown)


@pytest.mark.parametrize(
    ("lds", "low", "high", "level", "words"),
    [
        (0.5, 0.2, 0.7, "good", "better than chance (LDS 0.50 [0.20, 0.70] at alpha 0.5; one retraining ranks another"),
        (0.5, -0.1, 0.7, "unclear", "Nothing shows yet"),
        (0.5, None, None, "unclear", "Nothing shows yet"),
        (-0.5, -0.8, -0.1, "bad", "the wrong way round"),
        (None, None, None, "unclear", "Nothing checks these values (LDS not estimable"),
    ],
)
def test_what_is_said_of_held_out_models(
    lds: float | None, low: float | None, high: float | None, level: str, words: str
) -> None:
    floor = {"alpha": 0.5, "predictor": "noise_floor", "lds": 0.9, "low": 0.8, "high": 0.95}
    rows = [{"alpha": 0.5, "predictor": "ridge", "lds": lds, "low": low, "high": high}, floor]
    about = dict(
        definition={}, transform="none", higher_is_better=True, everyone=1, empty=0, total=1, subsets=9,
        value_of="", interval_of="",
    )  # fmt: skip
    ((found, text),) = verdict(Property(**about, evidence={"lds": rows}), "ridge")  # type: ignore[arg-type]
    assert found == level
    assert words in text
    assert "0.90 [0.80, 0.95]" in text
    beaten = [*rows, {**rows[0], "predictor": "image_count", "lds": 0.5}]
    ((found, text),) = verdict(Property(**about, evidence={"lds": beaten}), "ridge")  # type: ignore[arg-type]
    assert found == ("bad" if level == "bad" else "unclear")
    assert ("no better than the number of images alone" in text) == (level == "good")
    # two retrainings of the same subset that need not rank alike show nothing, however high the score
    unlike = [rows[0], {**floor, "lds": 0.1, "low": -0.3, "high": 0.4}]
    ((found, text),) = verdict(Property(**about, evidence={"lds": unlike}), "ridge")  # type: ignore[arg-type]
    assert found == ("bad" if level == "bad" else "unclear")
    assert text.startswith("Two retrainings of the same subset are not shown to rank alike") == (level == "good")
    predicted = [{**rows[0], "predictor": f"process{PREDICTION}"}]
    levels = [
        [each for each, _ in predictions(Property(**about, evidence={"lds": predicted + floors}))]  # type: ignore[arg-type]
        for floors in ([floor], unlike[1:])
    ]
    assert levels == ([[], []] if lds is None else [["good" if level == "good" else "unclear"], ["unclear"]])
    ((found, text),) = verdict(Property(**about, evidence={}), "ridge")  # type: ignore[arg-type]
    assert (found, text) == ("unclear", "Nothing checks these values: no models were retrained on held-out subsets.")


@pytest.mark.parametrize(
    ("higher_is_better", "low", "high", "found"),
    [
        (True, -30, -10, []),  # worse without the best, as it should be
        (False, 10, 30, []),
        (True, 10, 30, ["bad"]),
        (False, -30, -10, ["bad"]),
        (True, -10, 30, ["unclear"]),
        (False, None, None, ["unclear"]),
    ],
)
def test_removal_that_does_not_bear_values_out_is_said(
    higher_is_better: bool, low: float | None, high: float | None, found: list[str]
) -> None:
    about = dict(
        definition={}, transform="none", higher_is_better=higher_is_better, everyone=1, empty=0, total=1, subsets=9,
        value_of="", interval_of="",
    )  # fmt: skip
    row = {"trained_on": "without_top", "change_percent": 20.0, "low": low, "high": high}
    prop = Property(**about, evidence={"counterfactual": [row]})  # type: ignore[arg-type]
    assert [level for level, _ in removal(prop)] == found


@pytest.mark.parametrize("name", sorted({*PROPERTIES} - {"own"}))
def test_every_kind_of_property_is_explained_in_one_sentence(name: str) -> None:
    told = getdoc(module_of("properties", name).Options)
    assert told and told.count(".") == 1 and "\n" not in told


def test_a_property_of_ones_own_is_explained_by_its_docstring(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    rest = "HIGHER_IS_BETTER = True\ndef evaluate(folder):\n    {}\n    return 1.0\n"
    for whole, function, expected in (
        ('"""The file."""\n', '"""Contrast: <b>the\n    spread</b>.\n\n    More."""', "Contrast: <b>the spread</b>."),
        ('"""The file."""\n', "pass", "The file."),
        ("", "pass", f"A number that {file} finds for the generated images."),
    ):
        file.write_text(whole + rest.format(function))
        assert own.Options(kind="own", file=str(file)).explanation() == expected


def test_the_model_without_somebody_lacks_the_fewest_others() -> None:
    members = np.array([[0, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1], [0, 1, 1, 0]], dtype=bool)
    subsets = Subsets(list("abcd"), list("0123"), [0] * 4, [0] * 4, members)
    assert [without(subsets, i) for i in range(4)] == [1, 2, 0, 1]
    assert [without(subsets.rows([2]), i) for i in range(4)] == [None, 0, None, None]


def test_tables_are_read_as_numbers_words_and_nothing(tmp_path: object) -> None:
    path = f"{tmp_path}/table.csv"
    write_csv(path, ["a", "b", "c", "d", "method"], [[1, 0.25, "", "nan", "1e5"]])
    assert table(path) == [{"a": 1.0, "b": 0.25, "c": None, "d": "nan", "method": "1e5"}]


def test_small_images_keep_every_pixel() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(5, 8, 8, 3), dtype=np.uint8)
    address, width, height = strip(pixels, 3)
    kind, data = address.split(",")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert kind == "data:image/png;base64"
    assert picture.shape == (height, width, 3)
    for i, (top, left) in enumerate([(0, 0), (0, 9), (0, 18), (9, 0), (9, 9)]):  # a pixel between them
        assert np.array_equal(picture[top : top + 8, left : left + 8], pixels[i])
    address, width, _ = strip(rng.integers(0, 256, size=(2, 256, 128, 1), dtype=np.uint8), 2)
    assert address.startswith("data:image/jpeg;base64")
    assert width == 2 * 48 + 8  # thumbnails of 48 x 96


def test_figures_of_one_page_share_no_id_and_take_its_colour() -> None:
    hostile = '</text><script>alert(1)</script> id="figure_1" url(#x) #222222'
    one, two = np.array([1.0]), np.array([2.0])
    first, second = (inline(figures.change_bars([hostile], one, one, two, ""), prefix)[0] for prefix in "ab")
    ids = [re.findall(r' id="([^"]+)"', re.sub(r">[^<]*<", "><", text)) for text in (first, second)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for reference in re.findall(r'href="#([^"]+)"|url\(#([^)"]+)\)', re.sub(r">[^<]*<", "><", first)):
        assert set(reference) & set(ids[0])
    assert "<script" not in first
    assert hostile in html.unescape(first)
    assert "currentColor" in first
    assert "<style" not in first
    again, _ = inline(figures.change_bars([hostile], one, one, two, ""), "a")
    assert again == first


def document(n: int) -> Credit:
    """Contributors c1, c2, ... of whom the last is best, each paid a cent."""
    about = dict(
        definition={}, transform="none", higher_is_better=True, everyone=1, empty=0, total=1, subsets=9,
        value_of="", interval_of="",
    )  # fmt: skip
    payments = [dict(number=i, share=1 / n, amount="0.01", low="", high="") for i in range(1, n + 1)]
    options = dict(amount=f"{n / 100:.2f}", currency="EUR", property="fid", estimator="ridge", negative="keep")
    config = {
        "weights": {},
        "data": {"size": 16},
        "training": {"steps": 600},
        "regimes": {"retrain": {"steps": 60}},
        "design": {"regime": "sparse"},
        "generation": {"images": 96},
        "extractors": {},
        "device": "cpu",
    }
    provenance = dict(
        config=config,
        config_sha256="",
        data_sha256="",
        files={},
        versions={},
    )
    return Credit.model_validate(
        dict(
            study="many",
            seed=0,
            estimator="ridge",
            contributors=[
                dict(
                    number=i,
                    name=f"c{i}",
                    images=1,
                    values={"fid": value(None, None).model_copy(update={"rank": n + 1 - i})},
                    without=None,
                )
                for i in range(1, n + 1)
            ],
            properties={"fid": {**about, "definition": {"kind": "fid"}, "evidence": {}}},
            payout={**options, "payments": [{**each, "differs_from_equal_amount": None} for each in payments]},
            models=[],
            learning=[],
            runtime=[],
            notes=["my_images: left out *one*"],
            provenance=provenance,
        )
    )


@pytest.mark.parametrize(
    ("everyone", "full", "empty", "higher", "warned"),
    [
        (3943.0, 3324.0, 3949.0, False, True),  # has learnt nothing, though it is not a quarter worse
        (3500.0, 3324.0, 3949.0, False, False),
        (3650.0, 3324.0, 3949.0, False, True),  # less than half of the way
        (7.0, 10.0, 1.0, True, True),  # most of the way, and more than a quarter worse
        (8.0, 10.0, 1.0, True, False),
        (106.0, 100.0, 110.0, False, False),  # a way that is too short to be half gone
        (0.19, 0.2, 0.8, True, False),  # nobody's model is the best: the way says nothing
    ],
)
def test_retrained_models_that_fall_behind_are_said(
    everyone: float, full: float, empty: float, higher: bool, warned: bool
) -> None:
    credit = document(2)
    prop = credit.properties["fid"].model_copy(update={"empty": empty, "higher_is_better": higher})
    prop.evidence["counterfactual"] = [{"trained_on": "everyone", "mean": everyone}]
    credit = credit.model_copy(update={"properties": {"fid": prop}, "models": [{"images_of": "full", "fid": full}]})
    assert [level for level, _ in worse(credit, "fid")] == (["unclear"] if warned else [])


def test_where_most_expectations_are_at_odds_it_is_said_once() -> None:
    """Of values that all help: models without somebody are expected to be better, for 1, 2 and 3 of four."""
    for odd in (1, 2, 3):
        credit = document(4)
        rows = [{"expected": 1.0, "change": 0.1 if i < odd else -0.1} for i in range(4)]
        prop = credit.properties["fid"].model_copy(update={"evidence": {"removal": rows}})
        for who in credit.contributors:
            who.values["fid"] = who.values["fid"].model_copy(update={"value": 1.0})
        credit = credit.model_copy(update={"properties": {"fid": prop}})
        assert mostly_at_odds(credit, "fid").startswith("For 3 of 4 contributors") == (odd == 3)


def test_of_many_contributors_the_ends_are_shown() -> None:
    few, many = (render_card(document(n)) for n in (60, 61))
    assert re.findall(r"\| (c\d+) \| 1 \|", few) == [f"c{i}" for i in range(60, 0, -1)]
    assert re.findall(r"\| (c\d+) \| 1 \|", many) == [f"c{i}" for i in [*range(61, 41, -1), *range(20, 0, -1)]]
    assert few.count("| 0.01 |") == 60
    assert many.count("| 0.01 |") == 40
    assert [part.count(" only; ") for part in many.split("## Payout")] == [1, 1]
    assert " only; " not in few
    assert r"left out \*one\*" in many
    # who is paid is shown, whatever their rank by the main estimator
    uneven = document(61)
    assert uneven.payout
    uneven.payout.payments[30] = uneven.payout.payments[30].model_copy(update={"share": 0.9, "amount": "0.61"})
    assert "| c31 | 90.00% | 0.61 |" in render_card(uneven)


def test_the_card_says_what_the_page_says_of_the_money() -> None:
    credit = document(2)
    assert credit.payout
    held = {"alpha": 0.5, "lds": -0.5, "low": -0.8, "high": -0.1}
    credit.properties["fid"].evidence["lds"] = [
        {**held, "predictor": "paper"},
        {"alpha": 0.5, "predictor": "noise_floor", "lds": 0.9, "low": 0.8, "high": 0.95},
    ]
    credit.payout.estimator = "paper"
    credit.payout.payments[0].amount = "0.05"
    card = render_card(credit)
    money = card.split("## Payout")[1]
    assert "96 generated images of 16 x 16 pixels" in card
    assert "from scratch for 60 steps, the full model for 600" in card
    assert "the wrong way round: do not decide by them" in money
    assert "gets or owes more than the whole amount" in money
    assert "more than the whole" not in render_card(document(2))


NAMES = [
    "<b>x</b>",
    "a|b",
    "*a* _b_ `c`",
    "[x](http://a.b)",
    "![x](y)",
    "# a",
    "1. a",
    "&amp;",
    "\\",
    "a\nb",
    "~~a~~",
    "$x$",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_a_card_are_text(name: str) -> None:
    """In a table, as an independent reader of Markdown sees it."""
    page = reader.markdown(f"| a |\n|---|\n| {markdown(name)} |\n", extensions=["tables"])
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert "<" not in cells[0]
    # this reader knows no escaped ~ $ | and leaves their backslashes
    shown = re.sub(r"\\([~$|&:/@])", r"\1", html.unescape(cells[0]))
    assert shown == " ".join(name.split())


def test_names_that_look_alike_carry_their_number() -> None:
    long = [f"University of Somewhere, {part}, group (2024)" for part in ("Dept A", "Dept B")]
    found = labels(["Ana", "ana", "Bo", "Jose\u0301", "José", "a\u200bb", "\n", "Ana (no. 1)", *long])
    assert found[:3] == ["Ana (no. 1)", "ana (no. 2)", "Bo"]
    assert found[3:5] == ["Jose\u0301 (no. 4)", "José (no. 5)"]
    assert found[6:8] == ["(no. 7)", "Ana (no. 1) (no. 8)"]
    assert len({figures.shorten(label) for label in found}) == 10


def test_pretrained_weights_and_packages_are_named_with_all_that_was_made(tmp_path: Path) -> None:
    """A given model by the digest of its weights; of two collections each says what it was made with."""
    said = {
        "models": {"versions": {"torch": "2"}, "weights": {"sd": "a1"}, "given": "b2"},
        "features": {"versions": {"transformers": "5"}, "weights": {"clip": "c3"}},
    }
    for stage, provenance in said.items():
        fill(
            tmp_path / stage,
            {"everyone-0": provenance},
            lambda _, folder, __, p=provenance: announce(folder, [], provenance=p),
        )
    found = _made_with([str(tmp_path / f"{stage}/manifest.json") for stage in said])
    assert found["weights"] == {"clip": "c3", "sd": "a1", "the given model": "b2"}
    assert found["versions"] == {"diffusion-credit": VERSION, "torch": "2", "transformers": "5"}
