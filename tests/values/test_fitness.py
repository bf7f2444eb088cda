"""What fit means: nothing fatal was found."""

import pytest

from ringback.values.fitness import Aspect, Finding, Fitness, Severity


@pytest.mark.parametrize("severity", Severity)
def test_only_what_is_fatal_is_unfit(severity: Severity) -> None:
    fitness = Fitness(
        (Finding(Aspect.CLOCK, Severity.OK, "well"), Finding(Aspect.DNS, severity, ""))
    )

    assert (severity is not Severity.FATAL) is fitness.is_fit


def test_callouts_are_forbidden_by_what_is_fatal_but_for_a_silent_dns() -> None:
    listed = Finding(Aspect.BLOCK_LIST, Severity.FATAL, "listed")
    silent = Finding(Aspect.DNS, Severity.FATAL, "silent")
    warning = Finding(Aspect.SPF, Severity.WARNING, "none")

    assert (listed,) == Fitness((listed, silent, warning)).forbidding
    assert () == Fitness((silent, warning)).forbidding


def test_findings_are_found_by_severity_and_aspect() -> None:
    warning = Finding(Aspect.SPF, Severity.WARNING, "none")
    fitness = Fitness((Finding(Aspect.DNS, Severity.OK, "well"), warning))

    assert (warning,) == fitness.of(Severity.WARNING)
    assert fitness.has(Aspect.SPF, Severity.WARNING)
    assert not fitness.has(Aspect.DNS, Severity.WARNING)
