"""scikit-learn's handwritten digits: 1,797 grey images of 8x8 pixels, one contributor a digit.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, DOI 10.24432/C50P49
(its test part), shipped inside scikit-learn.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import SourceSection
from diffusion_credit.data.images import Images


class Options(SourceSection):
    """scikit-learn's digits. The ten classes, 0 to 9, are the contributors."""

    source: Literal["digits"]
    contributors: list[int] = Field(
        default=list(range(10)), description="The digit classes that take part, each between 0 and 9."
    )

    def contributors_now(self) -> list[str]:
        return [f"digit {digit}" for digit in self.contributors]


def read(options: Options) -> Images:
    """Read the chosen classes. Grey values 0..16 are spread over 0..255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    chosen = np.flatnonzero(np.isin(digits.target, options.contributors))
    return Images(
        contributors=options.contributors_now(),
        owner=np.array([options.contributors.index(label) for label in digits.target[chosen]]),
        source=[f"sklearn.datasets.load_digits[{number}]" for number in chosen],
        pixels=np.rint(digits.images[chosen] * (255 / 16)).astype(np.uint8)[..., None],
    )


def fingerprint(options: Options) -> str:
    """Nothing outside the pinned package can change."""
    return ""
