"""The orders of a function of subsets, and how alike two subsets are at each.

A covariance that no renaming of contributors changes depends on two subsets S and T by their sizes s and t and by
c = |S and T| alone. At each size the functions of subsets split into orders j = 0, 1, ..., min(s, n - s): constants,
contributors one by one, pairs beyond these, and so on (the irreducible representations of the symmetric group; P.
Delsarte, An algebraic approach to the association schemes of coding theory, 1973, section 4.2). By Schur's lemma such
a covariance is the sum over j of A_j(s, t) z_j(s, t, c), with a positive semidefinite matrix A_j over the sizes and
the fixed functions z_j of this module.
"""

from math import comb

import numpy as np

Array = np.ndarray


def harmonic(n: int, j: int, s: Array, t: Array, c: Array) -> Array:
    """z_j, which is 1 where S = T, and 0 at sizes that have no order j. s, t, c: of one shape, which the result has."""
    s, t, c = (np.asarray(each, dtype=float) for each in (s, t, c))
    total = np.zeros(np.broadcast(s, t, c).shape)
    for i in range(j + 1):
        alike = choose(s - i, j - i) * choose(t - i, j - i) / comb(n - i - j + 1, j - i) * choose(c, i)
        total += alike if (j - i) % 2 == 0 else -alike
    own = choose(s, j) * choose(n - s, j) * choose(t, j) * choose(n - t, j)
    return np.divide(total * choose(np.array(n - j + 1.0), j), np.sqrt(own), out=np.zeros_like(total), where=own > 0)


def choose(a: Array, k: int) -> Array:
    """a choose k, 0 where a is less than k."""
    found = np.ones_like(a)
    for i in range(k):
        found = found * np.maximum(a - i, 0) / (i + 1)
    return found
