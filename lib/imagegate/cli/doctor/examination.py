"""Which checks are made of what, and in which order."""

from collections.abc import Iterator, Sequence

from imagegate.adapters.aws_errors import in_words
from imagegate.cli.doctor import (
    alarms,
    bucket,
    clock,
    concurrency,
    credentials,
    gateway,
    ports,
    presigned,
    providers,
    python,
    region,
    signing,
    stack,
    state_folder,
    table,
    webhook_key,
)
from imagegate.cli.doctor.finding import Check, Finding, Level, error, skipped
from imagegate.cli.doctor.subject import Subject
from imagegate.domain.errors import ImagegateError

_DEPLOYED = (table.CHECK, bucket.CHECK, presigned.CHECK, providers.CHECK, webhook_key.CHECK, signing.CHECK)
LOCAL = (python.CHECK, ports.CHECK, state_folder.CHECK, clock.CHECK, gateway.EMBEDDED, *_DEPLOYED)
STAGE = (
    *(python.CHECK, region.CHECK, credentials.CHECK, clock.CHECK, concurrency.CHECK, stack.CHECK, alarms.CHECK),
    *_DEPLOYED,
)
URL = (python.CHECK, gateway.CHECK, clock.CHECK)
_STOPS = (Level.ERROR, Level.SKIPPED)


def checks_of(subject: Subject) -> Sequence[Check]:
    """The checks of what is examined."""
    if subject.connection:
        return URL
    return LOCAL if subject.local else STAGE


def examine(subject: Subject, checks: Sequence[Check]) -> Iterator[tuple[Check, Finding]]:
    """Each check's findings. A check whose precondition failed is skipped."""
    without: set[str] = set()
    for check in checks:
        missing = next((name for name in check.needs if name in without), None)
        found = [skipped(f"Needs '{missing}'.")] if missing else _findings(check, subject)
        if missing or any(finding.level in _STOPS for finding in found):
            without.add(check.name)
        yield from ((check, finding) for finding in found)


def _findings(check: Check, subject: Subject) -> list[Finding]:
    found: list[Finding] = []
    try:
        with in_words():
            found.extend(check.run(subject))
    except ImagegateError as failure:
        found.append(error(str(failure), check.remedy))
    except Exception as failure:  # the others may still tell what is wrong
        found.append(error(f"The check itself failed: {failure!r}", "This is an error in imagegate; please report it."))
    return found
