"""Hyperparameters that the data allow, each with its weight: what is uncertain about them widens every interval."""

import numpy as np
from scipy.optimize import minimize

from diffusion_credit.base.seeds import generator
from diffusion_credit.credit.process.likelihood import Likelihood

Array = np.ndarray

POINTS = 32
STEPS = 100  # of the search for the mode
STEP = 1e-2  # of the finite differences that the curvature is made of
BOUND = 4  # standard deviations of the prior that the search does not leave


def points(likelihood: Likelihood) -> tuple[Array, Array]:
    """Hyperparameters (points, 17 or more) and their weights (points,), which sum to 1.

    Points are drawn from the Gaussian with the mode and the curvature of the posterior (Laplace's approximation), in
    pairs around the mode, and weighted by importance. Weights are cut off at the root of the number of points times
    their mean, so that no single point decides (E. L. Ionides, doi 10.1198/106186008X320456).
    """
    mode = _mode(likelihood)
    height, _ = likelihood.loss(mode)
    values, vectors = np.linalg.eigh(_curvature(likelihood, mode))
    _, deviation = likelihood.family.prior
    # no wider than the widest prior; symmetric, so that it does not depend on the basis of eigenvalues that are equal
    root = (vectors / np.sqrt(np.maximum(values, deviation.max() ** -2))) @ vectors.T
    half = generator(0, "hyperparameters").standard_normal((POINTS // 2, len(mode)))
    normal = np.concatenate([half, -half])
    found = mode + normal @ root
    losses = np.array([likelihood.loss(each)[0] for each in found])
    logarithm = height - losses + 0.5 * (normal**2).sum(axis=1)
    weight = np.exp(logarithm - logarithm.max())
    weight = np.minimum(weight, np.sqrt(POINTS) * weight.mean())
    kept = weight > 1e-6 * weight.max()
    return found[kept], weight[kept] / weight[kept].sum()


def _mode(likelihood: Likelihood) -> Array:
    mean, deviation = likelihood.family.prior
    bounds = list(zip(mean - BOUND * deviation, mean + BOUND * deviation, strict=True))
    found = minimize(likelihood.loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    return np.asarray(found.x)


def _curvature(likelihood: Likelihood, mode: Array) -> Array:
    rows = []
    for each in np.eye(len(mode)) * STEP:
        rows.append((likelihood.loss(mode + each)[1] - likelihood.loss(mode - each)[1]) / (2 * STEP))
    return (np.array(rows) + np.array(rows).T) / 2
