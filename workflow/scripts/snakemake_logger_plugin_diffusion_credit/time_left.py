"""How long a run still takes, from the jobs that it has finished."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean, median


class TimeLeft:
    """Jobs of a rule take as long as those before them; of a rule not seen yet, as long as the median rule."""

    def __init__(self, jobs: Mapping[str, int]) -> None:
        """jobs: rule -> number of jobs that the run starts with."""
        self.todo = Counter(jobs)
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def finished(self, rule: str, seconds: float) -> None:
        self.seconds[rule].append(seconds)
        self.todo[rule] -= 1

    def estimate(self, running: Iterable[tuple[str, float]], elapsed: float) -> float | None:
        """Seconds until the end; None while most of the jobs that remain belong to rules that were not seen yet.

        running: the rule of each job at work, and the seconds since it began.
        elapsed: seconds since the run began. As many jobs will run at once as have done so far.
        """
        todo = {rule: count for rule, count in self.todo.items() if count > 0}
        known = sum(count for rule, count in todo.items() if rule in self.seconds)
        if elapsed <= 0 or not self.seconds or 2 * known < sum(todo.values()):
            return None
        means = {rule: fmean(seconds) for rule, seconds in self.seconds.items()}
        unknown = median(means.values())
        running = list(running)
        work = sum(count * means.get(rule, unknown) for rule, count in todo.items())
        work -= sum(min(seconds, means.get(rule, unknown)) for rule, seconds in running)
        spent = sum(map(sum, self.seconds.values())) + sum(seconds for _, seconds in running)
        return work * elapsed / spent if spent else None


def in_words(seconds: float) -> str:
    """Rounded as an estimate is: to minutes, or hours and minutes."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
