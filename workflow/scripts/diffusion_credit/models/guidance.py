"""Classifier-free guidance: predictions that lean away from those for nobody, or for the empty text.

Source: Ho and Salimans, arXiv 2207.12598.
"""

from collections.abc import Callable

import torch


def guided(predict: Callable[..., torch.Tensor], guidance: float) -> Callable[..., torch.Tensor]:
    """Predictions by equation 6, where row 0 stands for the empty text, or nobody. predict: takes rows as `labels`."""

    def lean(x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        without, told = predict(x.repeat(2, 1, 1, 1), t, torch.cat([0 * labels, labels])).chunk(2)
        return without + guidance * (told - without)

    return predict if guidance == 1 else lean
