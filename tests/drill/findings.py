"""Findings: what was promised, how often that was looked at, and where it did not hold."""

from collections import Counter, defaultdict

SHOWN = 5


class Findings:
    """Promises by their sentence."""

    def __init__(self) -> None:
        self.looked_at: Counter[str] = Counter()
        self.broken: defaultdict[str, list[str]] = defaultdict(list)

    def look(self, promise: str, holds: object, found: str) -> None:
        """Note that a promise was looked at once; `found` is what is told if it does not hold."""
        self.looked_at[promise] += 1
        if not holds:
            self.broken[promise].append(found)

    def table(self) -> str:
        """Return a line for each promise, and the first of what was found below those that were broken."""
        lines = [f"{'':6} {'looked at':>9} {'broken':>7}  promise"]
        for promise, count in self.looked_at.items():
            found = self.broken.get(promise, [])
            lines.append(f"{'BROKEN' if found else 'kept':6} {count:9} {len(found):7}  {promise}")
            lines += [f"{'':26}{sentence}" for sentence in found[:SHOWN]]
        return "\n".join(lines) + "\n"
