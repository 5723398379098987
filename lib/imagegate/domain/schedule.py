"""When to look next. Pure: time comes in as numbers."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0


def next_wait(elapsed: float, remaining: float) -> int:
    """Whole seconds to wait before the next look.

    `elapsed` is how long the job has run, `remaining` how long it still may (both seconds).
    """
    wait = min(max(FIRST_WAIT, elapsed / 4), LONGEST_WAIT, max(remaining, FIRST_WAIT))
    return round(wait)
