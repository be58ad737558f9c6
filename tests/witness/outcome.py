"""What a check found: figures (N of N), the first differences in words, and whether that is enough to pass."""

EXAMPLES = 8
LINE_LIMIT = 500


class Figure:
    """One thing counted: how many were compared, how many were right, and examples of those that were not."""

    def __init__(self, minimum):
        self.minimum = minimum
        self.right = self.total = 0
        self.examples = []

    def check(self, is_right, what):
        """`what` is a function, so that no words are made for the millions of comparisons that are right."""
        self.total += 1
        if is_right:
            self.right += 1
        elif len(self.examples) < EXAMPLES:
            self.examples.append(what())
        return is_right

    def equal(self, ours, theirs, what):
        return self.check(ours == theirs, lambda: f"{what()}: the tool says {theirs!r}, the witness {ours!r}")

    def add(self, other):
        self.right, self.total = self.right + other.right, self.total + other.total

    def passes(self):
        # Comparing nothing, or less than the check is known to find, is a failure: else it could pass on an empty answer.
        return self.right == self.total >= self.minimum

    def __str__(self):
        short = f" (at least {self.minimum} expected)" if self.total < self.minimum else ""
        return f"{self.right} of {self.total}{short}"


class Outcome:
    """One line of the report. `minimums`: {figure name: how many comparisons there must be at least}."""

    def __init__(self, check, target, program, minimums=None):
        self.check, self.target, self.program = check, target, program
        self.figures = {name: Figure(minimum) for name, minimum in (minimums or {}).items()}
        self.problems, self.notes = [], []
        self.longest = 0  # the longest trace that was compared
        self.share = None  # how much of the machine code has remarks
        self.skipped = None

    def __getitem__(self, name):
        return self.figures[name]

    def problem(self, text):
        self.problems.append(text)

    def note(self, text):
        self.notes.append(text)

    def status(self):
        if self.skipped:
            return "skipped"
        return "passed" if not self.problems and all(f.passes() for f in self.figures.values()) else "failed"

    def line(self):
        parts = [f"{name} {figure}" for name, figure in self.figures.items()] + self.notes
        if self.skipped:
            parts = [self.skipped]
        return f"{self.status():8}{self.target:7}{self.check:14}{self.program:20}{', '.join(parts)}"

    def details(self):
        """The differences, for the reader who has to find their cause."""
        wrong = [f"{name}: {text}" for name, figure in self.figures.items() for text in figure.examples]
        return [f"        {text}"[:LINE_LIMIT] for text in self.problems + wrong]


def skipped(check, target, program, why):
    outcome = Outcome(check, target, program)
    outcome.skipped = why
    return outcome


def failed(check, target, program, why):
    outcome = Outcome(check, target, program)
    outcome.problem(why)
    return outcome


def table(outcomes, targets, columns):
    """Per target the sums of the named figures, as text lines. `columns`: [(heading, check, figure name)]."""
    rows = [["target"] + [heading for heading, _, _ in columns]]
    for target in targets:
        rows.append([target] + [summed(outcomes, target, check, figure) for _, check, figure in columns])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def summed(outcomes, target, check, name):
    figures = [o.figures[name] for o in outcomes if o.target == target and o.check == check and name in o.figures]
    if not figures:
        return "not run"
    return f"{sum(f.right for f in figures)} of {sum(f.total for f in figures)}"
