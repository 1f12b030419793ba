"""Scores of training images for others, from their projected gradients: similarities and regularised inner products.

With features phi of images, Phi of all training images, and K = Phi' Phi + lambda I:

- `dot`: phi(x)' phi(i); averaged over checkpoints of a training, TracIn (arXiv 2002.08484, without its learning rates);
- `cosine`: the same of unit vectors;
- `trak`: phi(x)' K^-1 phi(i) (TRAK, arXiv 2303.14186; D-TRAK, arXiv 2311.00500, equation 5);
- `relative_if`: that, over the length of K^-1 phi(i) (arXiv 2003.11630);
- `renormalized_if`: that, over the length of phi(i) (arXiv 2208.10108, as in D-TRAK);
- `das`: the square of phi(x)' K^-1 phi(i) r(i) / (1 - h(i)), with r the error of the prediction for i and its leverage
  h(i) = phi(i)' K^-1 phi(i) (arXiv 2410.18639, equation 16, with the gradients summed over timesteps beforehand).
"""

import logging
from collections.abc import Iterator

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpocon

from diffusion_credit.base.errors import UserError

log = logging.getLogger(__name__)

PLAIN = ("dot", "cosine")  # need no lambda
SCORES = (*PLAIN, "trak", "relative_if", "renormalized_if", "das")
ROWS = 64  # of the matrix of scores at once
ILL = 1e12  # a condition number beyond which float64 keeps less than four digits


class Kernel:
    """Phi' Phi of training images, or Phi Phi' where that is smaller, in float64."""

    def __init__(self, features: np.ndarray, error: np.ndarray) -> None:
        """features: (images, dimension). error: (images,) of the predictions for them."""
        self.features, self.error = features.astype(np.float64), error.astype(np.float64)
        images, dimension = features.shape
        self.dual = images < dimension
        self.matrix = self.features @ self.features.T if self.dual else self.features.T @ self.features
        self.scale = float(np.trace(self.matrix)) / len(self.matrix)  # the mean of its eigenvalues
        if self.scale == 0:
            raise UserError("gradients: found only zeros, expected a network whose output depends on its weights")

    def solved(self, damping: float) -> tuple[np.ndarray, float]:
        """K^-1 phi(i) of every training image (images, dimension), and K's condition number in the 1-norm, estimated.

        damping: lambda in units of the kernel's mean eigenvalue. Raises UserError when it is too small for float64.
        """
        regular = self.matrix.copy(order="F")
        regular[np.diag_indices_from(regular)] += damping * self.scale
        norm = float(max(np.abs(column).sum() for column in regular.T))
        try:
            factor = cho_factor(regular, lower=True, overwrite_a=True)
        except LinAlgError:
            raise UserError(
                f"damping: found {damping:g}, with which the kernel is singular in float64, expected a larger one"
            ) from None
        reciprocal, _ = dpocon(factor[0], norm, uplo="L")
        # (Phi' Phi + lambda I)^-1 Phi' = Phi' (Phi Phi' + lambda I)^-1
        inner = cho_solve(factor, self.features if self.dual else self.features.T)
        return inner if self.dual else inner.T, 1 / max(float(reciprocal), np.finfo(float).tiny)

    def weighted(self, kind: str, damping: float | None) -> tuple[np.ndarray, float | None]:
        """What a score is the inner product with, for every training image (images, dimension); the condition of K."""
        if kind in PLAIN:
            return (self.features if kind == "dot" else unit(self.features)), None
        assert damping is not None
        solved, condition = self.solved(damping)
        if condition > ILL:
            log.warning("damping %g: the kernel's condition number is %.1e; few digits are right", damping, condition)
        if kind == "relative_if":
            solved = unit(solved)
        elif kind == "renormalized_if":
            solved = solved / _lengths(self.features)
        elif kind == "das":
            leverage = (solved * self.features).sum(axis=1)
            solved = solved * (self.error / (1 - leverage))[:, None]
        return solved, condition


def scores(kind: str, queries: np.ndarray, weighted: np.ndarray) -> Iterator[np.ndarray]:
    """Scores of all training images for the queries (some, images), some queries after the other."""
    for start in range(0, len(queries), ROWS):
        part = queries[start : start + ROWS].astype(weighted.dtype)
        found = (unit(part) if kind == "cosine" else part) @ weighted.T
        yield found**2 if kind == "das" else found


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; rows of zeros stay."""
    return rows / _lengths(rows)


def _lengths(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 0, length, 1.0)
