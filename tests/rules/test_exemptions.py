"""Exemptions, the local opt-out list, and the contact that callouts need."""

import pytest

from ringback.rules.exemptions import Exemptions, Names, Networks, Refusal
from ringback.rules.gates import Gate
from ringback.values.query import Client, Purpose, Query
from ringback.values.settings import (
    Etiquette,
    Identity,
    Policy,
    Recipient,
    RecipientRoute,
    Settings,
)
from ringback.values.verdict import Reason

IDENTITY = Identity(contact="postmaster@verify.example")
STRANGER = Client("198.51.100.7", "mail.stranger.example", "mail.stranger.example")


def made(etiquette: Etiquette | None = None, **sections: object) -> Exemptions:
    identity = sections.get("identity", IDENTITY)
    policy = sections.get("policy", Policy())
    recipient = Recipient(route=(RecipientRoute("ours.example", ("10.0.0.1",)),))
    assert isinstance(identity, Identity)
    assert isinstance(policy, Policy)
    return Exemptions.parse(
        Settings(
            identity=identity,
            etiquette=etiquette or Etiquette(),
            policy=policy,
            recipient=recipient,
        )
    )


def asked(address: str, client: Client | None = STRANGER) -> Query:
    return Query(address, Purpose.SENDER, client, "bob@ours.example")


def judge(exemptions: Exemptions, query: Query) -> Refusal | None:
    """What comes of a query that the store has no answer to."""
    return exemptions.exempt(query) or exemptions.forbid(query)


def not_asked(gate: str) -> Refusal:
    return Refusal(Reason.NOT_ASKED, Gate(gate))


def test_an_ordinary_sender_may_be_called_back() -> None:
    assert judge(made(), asked("ann@shop.example")) is None


@pytest.mark.parametrize("sender", ["", "<>"])
def test_the_null_sender_is_never_called(sender: str) -> None:
    assert judge(made(), asked(sender)) == not_asked("null_sender")


def test_who_has_logged_in_is_not_doubted() -> None:
    user = Client("203.0.113.9", authenticated=True)

    assert judge(made(), asked("ann@shop.example", user)) == not_asked("authenticated_client")


@pytest.mark.parametrize(
    ("address", "exempt"),
    [
        ("192.0.2.255", True),
        ("::ffff:192.0.2.1", True),
        ("192.0.3.0", False),
        ("203.0.113.5", True),
        ("203.0.113.6", False),
        ("2001:db8:1::25", True),
        ("2001:db9::25", False),
        ("127.0.0.1", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_exempt_clients_are_addresses_and_networks(address: str, exempt: bool) -> None:
    networks = ("192.0.2.0/24", "203.0.113.5", "2001:db8::/32")
    exemptions = made(Etiquette(exempt_clients=networks))

    said = judge(exemptions, asked("ann@shop.example", Client(address)))

    assert said == (not_asked("exempt_client") if exempt else None)


def test_loopback_clients_are_not_exempt_unless_named() -> None:
    local = asked("ann@shop.example", Client("127.0.0.1"))
    named = made(Etiquette(exempt_clients=("127.0.0.0/8", "::1")))

    assert judge(made(), local) is None
    assert judge(named, local) == not_asked("exempt_client")


def test_the_whole_of_ipv4_does_not_hold_ipv6() -> None:
    networks = Networks.parse(["0.0.0.0/0"])

    assert "192.0.2.1" in networks
    assert "2001:db8::1" not in networks


def test_a_network_with_bits_beyond_its_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="host bits"):
        Networks.parse(["192.0.2.5/24"])


def test_senders_of_own_domains_are_not_called_but_recipients_there_are() -> None:
    exemptions = made(policy=Policy(own_domains=("ours.example",)))
    recipient = Query("bob@ours.example", Purpose.RECIPIENT, STRANGER)

    assert judge(exemptions, asked("bob@OURS.example")) == not_asked("own_domain")
    assert judge(exemptions, asked("bob@sub.ours.example")) is None
    assert judge(exemptions, recipient) is None


@pytest.mark.parametrize(
    ("sender", "exempt"),
    [
        ("ann@shop.example", True),
        ("Ann@Shop.Example", True),
        ("bob@shop.example", False),
        ("anyone@partner.example", True),
        ("anyone@sub.partner.example", False),
        ("anyone@tree.example", True),
        ("anyone@deep.sub.tree.example", True),
        ("anyone@nottree.example", False),
        ("anyone@müller.example", True),
        ("not an address", False),
    ],
)
def test_exempt_senders_are_addresses_domains_and_trees(sender: str, exempt: bool) -> None:
    entries = ("ann@shop.example", "partner.example", ".tree.example", "xn--mller-kva.example")
    exemptions = made(Etiquette(exempt_senders=entries))

    said = judge(exemptions, asked(sender))

    assert said == (not_asked("exempt_sender") if exempt else None)


def test_replies_to_our_own_probes_are_not_called() -> None:
    identity = Identity(contact="x@verify.example", probe_sender="probe@verify.example")

    said = judge(made(identity=identity), asked("probe@verify.example"))

    assert said == not_asked("exempt_sender")


@pytest.mark.parametrize(
    "sender", ["postmaster@shop.example", "PostMaster@shop.example", "postmaster"]
)
def test_postmaster_is_never_called_back(sender: str) -> None:
    assert judge(made(), asked(sender)) == not_asked("postmaster")


def test_a_tag_does_not_make_postmaster_somebody_else() -> None:
    tagged = asked("prvs=1234567890=postmaster@shop.example")

    assert judge(made(), tagged) == not_asked("postmaster")


def test_postmaster_is_asked_for_as_a_recipient() -> None:
    assert judge(made(), Query("postmaster@ours.example", Purpose.RECIPIENT)) is None


@pytest.mark.parametrize(
    ("sender", "refused"),
    [
        ("ann@quiet.example", True),
        ("ann@sub.quiet.example", True),
        ("ann@loud.example", False),
    ],
)
def test_a_local_opt_out_covers_all_below_a_domain(sender: str, refused: bool) -> None:
    exemptions = made(Etiquette(opted_out=("quiet.example",)))

    said = judge(exemptions, asked(sender, client=None))

    assert said == (Refusal(Reason.OPTED_OUT, Gate.OPTED_OUT_DOMAIN) if refused else None)


def test_a_recipient_without_a_route_is_not_asked_for() -> None:
    assert judge(made(), Query("bob@other.example", Purpose.RECIPIENT)) == not_asked("no_route")


def test_a_recipient_that_no_address_can_be_is_left_to_its_syntax() -> None:
    assert judge(made(), Query("b..b@ours.example", Purpose.RECIPIENT)) is None


def test_an_identity_without_a_contact_may_ask_its_own_hosts() -> None:
    assert judge(made(identity=Identity()), Query("bob@ours.example", Purpose.RECIPIENT)) is None


@pytest.mark.parametrize(
    ("client", "is_ours"),
    [
        (Client("127.0.0.1", helo="Verify.example.net"), True),
        (Client("192.0.2.25", helo="verify.example.net"), True),
        (Client("198.51.100.7", helo="verify.example.net"), False),
        (Client("127.0.0.1", helo="other.example"), False),
    ],
)
def test_a_route_that_leads_back_to_us_ends_here(client: Client, is_ours: bool) -> None:
    identity = Identity(helo_name="verify.example.net", source_addresses=("192.0.2.25",))
    said = judge(made(identity=identity), Query("bob@ours.example", Purpose.RECIPIENT, client))

    assert said == (Refusal(Reason.OUR_TROUBLE, Gate.OWN_CALLOUT) if is_ours else None)


def test_an_opt_out_does_not_keep_us_from_our_own_recipients() -> None:
    exemptions = made(Etiquette(opted_out=("ours.example",)))

    assert judge(exemptions, Query("bob@ours.example", Purpose.RECIPIENT)) is None


@pytest.mark.parametrize(
    ("host", "refused"),
    [("mx1.quiet.example", True), ("MX1.Quiet.Example.", True), ("mx.other.example", False)],
)
def test_who_runs_the_host_may_opt_out_too(host: str, refused: bool) -> None:
    exemptions = made(Etiquette(opted_out=("quiet.example",)))

    said = exemptions.forbid_host(host)

    assert said == (Refusal(Reason.OPTED_OUT, Gate.OPTED_OUT_HOST) if refused else None)


def test_without_a_contact_nobody_is_called() -> None:
    said = judge(made(identity=Identity()), asked("ann@shop.example"))

    assert said == Refusal(Reason.IDENTITY_UNFIT, Gate.NO_CONTACT)


def test_an_exemption_speaks_before_the_missing_contact() -> None:
    assert judge(made(identity=Identity()), asked("")) == not_asked("null_sender")


def test_impossible_syntax_is_left_to_the_verdict() -> None:
    exemptions = made(Etiquette(opted_out=("quiet.example",)))

    assert judge(exemptions, asked("two@@quiet.example")) is None


def test_what_is_remembered_is_not_forbidden_only_the_call() -> None:
    exemptions = made(Etiquette(opted_out=("quiet.example",)))

    assert exemptions.exempt(asked("ann@quiet.example")) is None
    assert exemptions.forbid(asked("ann@quiet.example")) is not None


def test_an_empty_set_of_names_holds_nothing() -> None:
    assert not Names.parse([]).holds_domain("shop.example")
