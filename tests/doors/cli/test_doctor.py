"""`ringback doctor` as a shell runs it, against the lab."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

OWN_DOMAINS = 'own_domains = ["lab.example"]'
CONTACT = 'contact = "postmaster@lab.example"'


def change(settings: Path, old: str, new: str) -> None:
    written = settings.read_text()
    assert old in written
    settings.write_text(written.replace(old, new))


@pytest.fixture
def doctor(run: Run, lab_settings: Path) -> Run:
    change(lab_settings, OWN_DOMAINS, "")  # the contact's host is to be asked

    def examine(*arguments: str) -> tuple[object, str, str]:
        return run("doctor", "--config", str(lab_settings), *arguments)

    return examine


def test_the_lab_is_fit(doctor: Run) -> None:
    status, out, err = doctor()
    lines = out.splitlines()

    assert (0, "") == (status, err)
    assert "ok       complaints go to postmaster@lab.example" == lines[0]
    assert (
        "ok       127.0.0.1 is verify.lab.example, and verify.lab.example leads back to it" in lines
    )
    assert "ok       postmaster@lab.example takes mail" in lines
    assert "Fit: callouts may be made." == lines[-1]
    assert "fatal" not in out


def test_each_finding_is_an_object_in_json(doctor: Run) -> None:
    status, out, _ = doctor("--json")
    told = json.loads(out)

    assert (0, True) == (status, told["fit"])
    assert {"what", "severity", "subject", "text", "remedy"} == set(told["findings"][0])
    assert {
        "contact",
        "source",
        "reverse_name",
        "helo_name",
        "spf",
        "own_mail",
        "dns",
        "contact_mail",
        "port",
        "clock",
    } == {found["what"] for found in told["findings"]}


def test_what_is_fatal_is_told_with_its_remedy(doctor: Run, lab_settings: Path) -> None:
    change(lab_settings, 'helo_name = "verify.lab.example"', 'helo_name = "nobody.lab.example"')
    status, out, _ = doctor()
    lines = out.splitlines()

    fatal = lines.index("fatal    nobody.lab.example leads to no such address, not to 127.0.0.1")
    assert 1 == status
    assert (
        "         publish an address record that leads from identity.helo_name" in lines[fatal + 1]
    )
    assert "Unfit: no callouts are made until this is mended." == lines[-1]
    assert "takes mail" not in out


def test_who_calls_all_the_same_is_told_so(doctor: Run, lab_settings: Path) -> None:
    change(
        lab_settings,
        'helo_name = "verify.lab.example"',
        'helo_name = "nobody.lab.example"\nrequire_fit = false',
    )
    status, out, _ = doctor()

    assert 1 == status
    assert "callouts are made all the same" in out.splitlines()[-1]
    assert "ok       postmaster@lab.example takes mail" in out


def test_without_a_contact_nothing_helps(doctor: Run, lab_settings: Path) -> None:
    change(lab_settings, CONTACT, "require_fit = false")
    status, out, _ = doctor()

    assert 1 == status
    assert "Unfit: no callouts are made" in out


def test_a_name_that_was_left_to_be_found_and_was_not_is_a_finding(
    doctor: Run, lab_settings: Path
) -> None:
    change(
        lab_settings,
        'helo_name = "verify.lab.example"',
        'public_addresses = ["192.0.2.99"]',
    )
    status, out, _ = doctor()

    assert 1 == status
    assert "fatal    there is no HELO name" in out
    assert "fatal    192.0.2.99 has no reverse name (PTR record)" in out


@pytest.mark.parametrize(
    ("contact", "told"),
    [
        ("nobody@shop.example", "warning  nobody@shop.example does not take mail"),
        ("ann@down.example", "warning  no connection to mx.down.example"),
        ("ann@blocklisted.example", "warning  mx.blocklisted.example refuses us"),
    ],
)
def test_what_the_contacts_host_says_is_told(
    contact: str, told: str, doctor: Run, lab_settings: Path
) -> None:
    change(lab_settings, CONTACT, f'contact = "{contact}"')
    status, out, _ = doctor()

    assert 0 == status
    assert told in out


def test_mail_that_comes_to_us_is_not_asked_for(doctor: Run, lab_settings: Path) -> None:
    change(lab_settings, "[policy]", f"[policy]\n{OWN_DOMAINS}")
    _, out, _ = doctor()

    assert "ok       postmaster@lab.example is not asked for" in out


def test_a_mistake_in_the_settings_is_not_a_finding(doctor: Run, lab_settings: Path) -> None:
    change(lab_settings, "[policy]", "[polcy]")
    status, out, err = doctor()

    assert (2, "") == (status, out)
    assert "polcy" in err


def test_a_host_without_a_name_server_is_unfit(
    doctor: Run, lab_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_DNS__NAMESERVERS", "127.0.0.1:1")  # nobody listens there
    status, out, _ = doctor()
    lines = out.splitlines()

    fatal = lines.index("fatal    no name server gives an answer of use (127.0.0.1:1)")
    assert 1 == status
    assert "         name resolvers that answer in dns.nameservers" in lines[fatal + 1]
    assert (
        "Unfit: the DNS gives no answer of use; callouts come to nothing until it does."
        == (lines[-1])
    )


def test_without_a_name_server_a_contact_is_wanted_as_well(
    doctor: Run, lab_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_DNS__NAMESERVERS", "127.0.0.1:1")
    change(lab_settings, CONTACT, "")
    _, out, _ = doctor()

    assert "Unfit: no callouts are made until this is mended." == out.splitlines()[-1]
