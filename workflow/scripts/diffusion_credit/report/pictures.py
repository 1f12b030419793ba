"""Pictures that live inside a page: strips of images as data, figures as SVG that takes the page's colours."""

import base64
import io
import re
import warnings
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from diffusion_credit.data.images import to_picture
from diffusion_credit.report.figures import INK, grid

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
LARGE, THUMBNAIL = 64, 96  # pixels: images above the first are shown at the second
INKS = (INK, "#000000")  # what becomes the colour of the page's text
IDS = re.compile(r"url\(#(.+?)\)")
FAMILY = re.compile(r"font-family:[^;]*(;\s*|$)")

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def strip(pixels: np.ndarray, columns: int) -> tuple[str, int, int]:
    """Images (images, height, width, channels) uint8 as a grid: the address of a picture, its width and height.

    Small images keep every pixel (PNG); of large ones there are thumbnails (JPEG).
    """
    large = max(pixels.shape[1:3]) > LARGE
    if large:
        pixels = np.stack([_thumbnail(image) for image in pixels])
    picture, stream = Image.fromarray(grid(pixels, columns)), io.BytesIO()
    if large:
        picture.save(stream, "JPEG", quality=85)
    else:
        picture.save(stream, "PNG", optimize=True)
    kind = "jpeg" if large else "png"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}", *picture.size


def _thumbnail(image: np.ndarray) -> np.ndarray:
    picture = to_picture(image)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    found = np.asarray(picture)
    return found if found.ndim == 3 else found[..., None]


def inline(figure: Figure, prefix: str) -> tuple[str, float]:
    """A figure as an SVG element whose text is text, and its width in points. The same figure gives the same bytes.

    prefix: of the ids in it, which must differ between the figures of a page.
    """
    stream = io.BytesIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the reader's fonts draw the text
        empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(stream, format="svg", bbox_inches="tight", transparent=True, metadata=empty)
    plt.close(figure)
    root = ElementTree.fromstring(stream.getvalue())
    for parent in list(root.iter()):
        for node in list(parent):
            if node.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):  # a style would be the whole page's
                parent.remove(node)
    for node in root.iter():
        for key, value in node.attrib.items():
            node.attrib[key] = _attribute(key, value, prefix)
        if node.tag == f"{{{SVG}}}text":  # in the fonts that style.css names
            node.attrib["style"] = FAMILY.sub("", node.attrib["style"])
            node.attrib.setdefault("fill", "currentColor")
    width = float(root.attrib.pop("width").removesuffix("pt"))
    root.attrib.pop("height")
    root.attrib["aria-hidden"] = "true"  # the element around it carries the text alternative
    return ElementTree.tostring(root, encoding="unicode"), width


def _attribute(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == f"{{{XLINK}}}href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    for ink in INKS:
        value = value.replace(ink, "currentColor")
    return IDS.sub(rf"url(#{prefix}-\1)", value)
