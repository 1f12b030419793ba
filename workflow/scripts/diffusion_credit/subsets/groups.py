"""Groups of contributors, for credit in two levels."""

from collections import Counter

from diffusion_credit.base.errors import UserError


def group_numbers(contributors: list[str], groups: dict[str, list[str]]) -> list[int]:
    """For each contributor the number of its group. Raises UserError unless each is in exactly one."""
    listed = Counter(name for names in groups.values() for name in names)
    for name in contributors:
        if listed[name] != 1:
            raise UserError(f"groups: found contributor {name!r} {listed[name]} times, expected once")
    unknown = sorted(set(listed) - set(contributors))
    if unknown:
        raise UserError(f"groups: found {unknown[0]!r}, expected one of the {len(contributors)} contributors")
    where = {name: number for number, names in enumerate(groups.values()) for name in names}
    return [where[name] for name in contributors]
