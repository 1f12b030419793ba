"""Penalised linear regression with more contributors than subsets: single images, say.

The table of who is in stays the 0/1 table that it is. All that is asked of it are its products with itself and with a
vector, a block of contributors at a time, so that memory is a few copies of the table in bytes, not in numbers.
"""

from collections.abc import Iterator

import numpy as np

BLOCK = 2_048  # contributors at once
RANK = 1e-10  # of the largest eigenvalue: what is below is rounding
PATH, LEAST = 100, 0.01  # penalties of the lasso: their number, and the last one's share of the first
COARSE, FINE = 1e-4, 1e-6  # duality gaps, as shares of the sum of squares: for cross-validation, for the coefficients


def gram(members: np.ndarray) -> np.ndarray:
    """For each two rows the number of contributors that are in both: (rows, rows) float64, exact."""
    total = np.zeros((len(members), len(members)))
    for start in range(0, members.shape[1], BLOCK):
        block = members[:, start : start + BLOCK].astype(np.float32)  # counts up to 2**24 are exact
        total += block @ block.T
    return total


def transposed_times(members: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """members' vector: (n,). vector: (rows,)."""
    starts = range(0, members.shape[1], BLOCK)
    return np.concatenate([vector @ members[:, start : start + BLOCK] for start in starts])


def ridge(members: np.ndarray, y: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Coefficients (n,) of ridge regression with an intercept, the penalty by leave-one-out cross-validation.

    members: (rows, n) bool. y: (rows,). In the dual form: contributors enter by the rows' principal components alone,
    on which scikit-learn's RidgeCV does what it would do on the contributors.
    """
    from sklearn.linear_model import RidgeCV

    centred = gram(members)
    centred -= centred.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(centred)
    kept = values > RANK * max(values.max(), 1.0)
    if not kept.any():
        return np.zeros(members.shape[1])
    root, vectors = np.sqrt(values[kept]), vectors[:, kept]
    found = RidgeCV(alphas=penalties, gcv_mode="svd").fit(vectors * root, y).coef_
    return transposed_times(members, vectors @ (found / root))


def lasso(members: np.ndarray, y: np.ndarray, folds: int) -> np.ndarray:
    """Coefficients (n,) of the lasso with an intercept, the penalty by cross-validation over `folds` runs of rows.

    members: (rows, n) bool. y: (rows,). Penalties, folds and choice are those of scikit-learn's LassoCV with eps=LEAST.
    """
    from sklearn.model_selection import KFold

    largest = np.abs(transposed_times(members, y - y.mean())).max() / len(y)
    coefficients = np.zeros(members.shape[1])
    if not largest:
        return coefficients
    penalties = largest * np.geomspace(1, LEAST, PATH)
    errors = np.zeros((folds, PATH))
    for fold, (fitted, left) in enumerate(KFold(folds).split(y)):
        for at, (chosen, found, intercept) in enumerate(path(members[fitted], y[fitted], penalties, COARSE)):
            errors[fold, at] = ((y[left] - intercept - members[np.ix_(left, chosen)] @ found) ** 2).mean()
    best = int(np.argmin(errors.mean(axis=0)))
    *_, (chosen, found, _) = path(members, y, penalties[: best + 1], FINE)
    coefficients[chosen] = found
    return coefficients


def path(
    members: np.ndarray, y: np.ndarray, penalties: np.ndarray, gap: float
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Lasso fits from the largest penalty to the smallest: candidate contributors, their coefficients, the intercept.

    scikit-learn solves for the few contributors that the sequential strong rule leaves, and whoever violates the
    conditions of the optimum joins them (doi 10.1111/j.1467-9868.2011.01004.x).
    """
    from sklearn.linear_model import lasso_path

    centred, rows = y - y.mean(), len(y)
    coefficients = np.zeros(members.shape[1])
    slope = np.abs(transposed_times(members, centred)) / rows
    last = penalties[0]
    for penalty in penalties:
        working = (coefficients != 0) | (slope >= 2 * penalty - last)
        violated = np.ones(1, dtype=bool)
        while violated.any():
            chosen = np.flatnonzero(working)
            x = members[:, chosen].astype(float, order="F")
            mean = x.mean(axis=0)
            x -= mean
            found = np.zeros(0)
            if len(chosen):
                start = coefficients[chosen]
                found = lasso_path(x, centred, alphas=[penalty], coef_init=start, tol=gap, max_iter=20_000)[1][:, 0]
            coefficients[chosen] = found
            slope = np.abs(transposed_times(members, centred - x @ found)) / rows
            violated = (slope > penalty) & ~working
            working |= violated
        last = penalty
        yield chosen, found, float(y.mean() - mean @ found)
