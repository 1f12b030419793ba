"""What an active choice is offered: different pairs of every size, and nothing that is held out."""

from itertools import product

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.offers import POOL, offers
from diffusion_credit.subsets.reserved import Reserved


@pytest.mark.parametrize(
    ("n", "held"), [(2, ()), (4, (2,)), (6, (3,)), (12, (6, 2)), (13, (6,)), (40, (20, 1)), (2000, ())]
)
def test_offers_are_different_pairs_and_none_is_held_out(n: int, held: tuple[int, ...]) -> None:
    reserved = Reserved(n, held, 3)
    frame = Frame(n, 3, reserved)
    found = offers(frame, 1)
    assert (found[:, 0] == ~found[:, 1]).all()
    assert not any(row in reserved for row in found.reshape(-1, n))
    different = {row.tobytes() for row in found.reshape(-1, n)}
    assert len(different) == 2 * len(found) <= 2 * max(POOL, 2**11)
    assert (found == offers(frame, 1)).all()
    if n <= 12:
        free = sum(np.array(row) not in reserved for row in product([False, True], repeat=n) if 0 < sum(row) < n)
        assert len(different) == free
    else:
        assert {row.tobytes() for row in offers(frame, 2).reshape(-1, n)} != different
        assert {1, n - 1, n // 2} <= set(found.sum(axis=2).ravel())


def test_there_must_be_something_to_offer() -> None:
    class Everything(Reserved):
        def __contains__(self, members: np.ndarray) -> bool:
            return True

    with pytest.raises(UserError, match="all subsets are held out"):
        offers(Frame(3, 0, Everything(3, [1], 0)), 0)
