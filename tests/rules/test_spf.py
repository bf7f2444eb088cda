"""SPF: what its records make of a client. The public test suite: test_spf_suite.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.spf import (
    MAX_HOSTS,
    Spf,
    SpfResult,
    evaluate,
)
from ringback.rules.spf_lookups import MAX_LOOKUP_TERMS, MAX_NAMES, MAX_VOID_TERMS
from ringback.values.dns import Question, RecordType
from rules.spf_zone import Records, Zone

CLIENT, CLIENT6 = "192.0.2.3", "2001:db8::3"
REVERSE = "3.2.0.192.in-addr.arpa"
REVERSE6 = "3." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"
HELO = "mail.example"
DOMAIN = "shop.example"
SENDER = f"ann@{DOMAIN}"

# One name for the client, and hosts that are not the client.
WORLD: dict[str, Records] = {
    "here.example": {"A": [CLIENT], "AAAA": [CLIENT6]},
    "near.example": {"A": ["192.0.99.1"], "AAAA": ["2001:db8:99::1"]},
    "mx.example": {"MX": ["10 ", "20 near.example", "30 here.example"]},
    "silent.example": {"FAIL": [""]},
    REVERSE: {"PTR": ["here.example"]},
    REVERSE6: {"PTR": ["here.example"]},
    HELO: {"A": [CLIENT], "TXT": ["v=spf1 a -all"]},
    "pass.example": {"TXT": ["other", "v=spf1 +all"]},
    "here-only.example": {"TXT": [f"v=spf1 ip4:{CLIENT} -all"]},
    "fail.example": {"TXT": ["v=spf1 -all"]},
    "empty.example": {"TXT": ["other"]},
    "broken.example": {"TXT": ["v=spf1 moo"]},
}


def judge(
    record: str,
    *,
    client: str = CLIENT,
    sender: str = SENDER,
    helo: str = HELO,
    explain: bool = False,
    **more: list[str],
) -> Spf:
    """Evaluate with `record` for the sender's domain; `more` are texts of names below `.example`."""
    texts: dict[str, Records] = {f"{name}.example": {"TXT": said} for name, said in more.items()}
    zone = Zone({**WORLD, **texts, DOMAIN: {"TXT": [record]}})
    return zone.run(evaluate(client, sender, helo, explain=explain, receiver="us.example", now=7.9))


def test_a_pass_names_what_matched_and_where() -> None:
    assert judge("v=spf1 -ip4:198.51.100.0/24 MX:mx.example -all") == Spf(
        SpfResult.PASS, "MX:mx.example", DOMAIN, narrow=True
    )


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1", SpfResult.NEUTRAL),
        ("v=spf1 all", SpfResult.PASS),
        ("v=spf1 -all", SpfResult.FAIL),
        ("v=spf1 ~all", SpfResult.SOFTFAIL),
        ("v=spf1 ?all", SpfResult.NEUTRAL),
        ("v=spf1 ip4:192.0.2.0/24 -all", SpfResult.PASS),
        ("v=spf1 ip6:::/0 -all", SpfResult.FAIL),
        ("v=spf1 a:here.example -all", SpfResult.PASS),
        ("v=spf1 a:near.example -all", SpfResult.FAIL),
        ("v=spf1 a:near.example/16 -all", SpfResult.PASS),
        ("v=spf1 a:silent.example -all", SpfResult.TEMPERROR),
        ("v=spf1 a:b..example -all", SpfResult.FAIL),
        ("v=spf1 a -all", SpfResult.FAIL),
        ("v=spf1 mx -all", SpfResult.FAIL),
        ("v=spf1 mx:mx.example -all", SpfResult.PASS),
        ("v=spf1 mx:silent.example -all", SpfResult.TEMPERROR),
        ("v=spf1 ptr -all", SpfResult.FAIL),
        ("v=spf1 ptr:here.example -all", SpfResult.PASS),
        ("v=spf1 exists:%{ir}.nowhere.example -all", SpfResult.FAIL),
        ("v=spf1 exists:here.example -all", SpfResult.PASS),
        ("v=spf1 include:pass.example -all", SpfResult.PASS),
        ("v=spf1 include:fail.example ~all", SpfResult.SOFTFAIL),
        ("v=spf1 include:empty.example -all", SpfResult.PERMERROR),
        ("v=spf1 include:nowhere.example -all", SpfResult.PERMERROR),
        ("v=spf1 include:broken.example -all", SpfResult.PERMERROR),
        ("v=spf1 include:silent.example -all", SpfResult.TEMPERROR),
        ("v=spf1 redirect=pass.example", SpfResult.PASS),
        ("v=spf1 redirect=pass.example -all", SpfResult.FAIL),
        ("v=spf1 redirect=empty.example", SpfResult.PERMERROR),
        ("v=spf1 redirect=b..example", SpfResult.PERMERROR),
        ("v=spf1 +all moo", SpfResult.PERMERROR),
        ("v=spf2 -all", SpfResult.NONE),
    ],
)
def test_results(record: str, result: SpfResult) -> None:
    assert judge(record).result is result


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:0.0.0.0/0 -all", SpfResult.FAIL),
        ("v=spf1 ip6:2001:db8::/64 -all", SpfResult.PASS),
        ("v=spf1 a:here.example -all", SpfResult.PASS),
        ("v=spf1 a:near.example/0 -all", SpfResult.FAIL),
        ("v=spf1 a:near.example//32 -all", SpfResult.PASS),
        ("v=spf1 mx:mx.example -all", SpfResult.PASS),
        ("v=spf1 ptr:here.example -all", SpfResult.PASS),
        ("v=spf1 exists:here.example -all", SpfResult.PASS),
    ],
)
def test_clients_of_ipv6(record: str, result: SpfResult) -> None:
    assert judge(record, client=CLIENT6).result is result


def test_an_ipv4_client_in_the_clothes_of_ipv6() -> None:
    assert judge("v=spf1 ip4:192.0.2.3 -all", client=f"::ffff:{CLIENT}").result is SpfResult.PASS


def test_a_client_without_an_address_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="unknown"):
        Zone({}).run(evaluate("unknown", SENDER, HELO))


@pytest.mark.parametrize("sender", ["", "<>"])
def test_the_null_sender_is_postmaster_at_the_greeting(sender: str) -> None:
    spf = judge("v=spf1 -all", sender=sender)

    assert spf == Spf(SpfResult.PASS, "a", HELO, narrow=True)


@pytest.mark.parametrize("sender", ["ann@example", "ann@[192.0.2.3]", "ann@a..example", "@"])
def test_a_sender_whose_domain_is_none_is_not_asked_about(sender: str) -> None:
    zone = Zone(WORLD)
    spf = zone.run(evaluate(CLIENT, sender, HELO))

    assert spf == Spf(SpfResult.NONE, problem="no SPF record")
    assert zone.asked == []


def test_silence_and_two_records() -> None:
    silent = Zone(WORLD).run(evaluate(CLIENT, "ann@Silent.example", HELO))
    twice = Zone({DOMAIN: {"TXT": ["v=spf1 -all", "v=spf1 +all"]}})

    assert silent == Spf(
        SpfResult.TEMPERROR, domain="silent.example", problem="TXT of Silent.example: SERVFAIL"
    )
    assert twice.run(evaluate(CLIENT, SENDER, HELO)) == Spf(
        SpfResult.PERMERROR, domain=DOMAIN, problem="more than one SPF record"
    )


def test_questions_are_in_lower_case() -> None:
    zone = Zone({DOMAIN: {"TXT": ["v=spf1 a:Here.Example -all"]}})
    zone.run(evaluate(CLIENT6, "Ann@Shop.Example", HELO))

    assert zone.asked == [
        Question(DOMAIN, RecordType.TXT),
        Question("here.example", RecordType.AAAA),
    ]


# What names somebody, and what lets half the world pass (etiquette.md row 1).


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.0.0/16",
        "v=spf1 a:near.example/16",
        "v=spf1 mx:mx.example/24",
        "v=spf1 ptr:here.example",
        "v=spf1 include:here-only.example",
        "v=spf1 redirect=here-only.example",
        "v=spf1 include:here-only.example +all",
        "v=spf1 exists:%{i}.list.example",
        "v=spf1 exists:%{p}.list.example",
        "v=spf1 a:%{h}.hosts.example/24",
    ],
)
def test_a_pass_that_names_somebody(record: str) -> None:
    names = {
        f"{CLIENT}.list.example": {"A": ["127.0.0.2"]},
        "here.example.list.example": {"A": ["127.0.0.2"]},
        f"{HELO}.hosts.example": {"A": [CLIENT]},
    }
    zone = Zone({**WORLD, **names, DOMAIN: {"TXT": [record]}})
    spf = zone.run(evaluate(CLIENT, SENDER, HELO))

    assert (spf.result, spf.narrow) == (SpfResult.PASS, True)


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 +all",
        "v=spf1 ip4:192.0.0.0/15",
        "v=spf1 a:near.example/15",
        "v=spf1 mx:mx.example/8",
        "v=spf1 include:pass.example",
        "v=spf1 redirect=pass.example",
        "v=spf1 exists:here.example",  # whoever asks
        "v=spf1 exists:%{h}",
        # Names that the client brings along: any client passes who says who he is.
        "v=spf1 a:%{h}",
        "v=spf1 a:%{p}",
        "v=spf1 ptr:%{p}",
        "v=spf1 ptr:%{p1}",
        "v=spf1 ptr:%{d1}",
        "v=spf1 include:%{h}",
        "v=spf1 redirect=%{h}",
        "v=spf1 a:%{l}",
    ],
)
def test_a_pass_that_names_nobody(record: str) -> None:
    spf = judge(record, sender="here.example@shop.example")

    assert (spf.result, spf.narrow) == (SpfResult.PASS, False)


@pytest.mark.parametrize(("prefix", "narrow"), [(32, True), (31, False)])
def test_networks_of_ipv6_are_wider(prefix: int, narrow: bool) -> None:
    for record in (f"v=spf1 ip6:2001:db8::/{prefix}", f"v=spf1 a:near.example//{prefix}"):
        assert judge(record, client=CLIENT6).narrow is narrow


def test_only_a_pass_is_narrow() -> None:
    assert not judge("v=spf1 -ip4:192.0.2.3").narrow
    assert not judge("v=spf1 ?include:here-only.example").narrow


def test_a_redirect_tells_whose_record_decided_and_an_include_what_was_included() -> None:
    redirected = judge("v=spf1 redirect=here-only.example")
    included = judge("v=spf1 include:here-only.example")

    assert (redirected.mechanism, redirected.domain) == (f"ip4:{CLIENT}", "here-only.example")
    assert (included.mechanism, included.domain) == ("include:here-only.example", DOMAIN)


def test_what_is_told_of_a_record_is_short() -> None:
    term = f"exists:{'x.' * 100}example"
    names: dict[str, Records] = {
        DOMAIN: {"TXT": [f"v=spf1 {term}"]},
        term.removeprefix("exists:"): {"A": ["127.0.0.2"]},
    }
    spf = Zone(names).run(evaluate(CLIENT, SENDER, HELO))

    assert spf.mechanism == f"{term[:199]}…"
    assert len(judge(f"v=spf1 moo{'x' * 250}").problem) == 200


# Limits (RFC 7208 section 4.6.4).


def test_so_many_terms_may_ask() -> None:
    allowed = " a:near.example" * MAX_LOOKUP_TERMS

    assert judge(f"v=spf1{allowed} ip4:{CLIENT}").result is SpfResult.PASS
    spf = judge(f"v=spf1{allowed} a:here.example")

    assert spf.result is SpfResult.PERMERROR
    assert "terms that ask" in spf.problem


@pytest.mark.parametrize("loop", ["include:shop.example", "redirect=shop.example", "include:%{d}"])
def test_a_record_that_leads_to_itself_ends(loop: str) -> None:
    zone = Zone({DOMAIN: {"TXT": [f"v=spf1 {loop}"]}})
    spf = zone.run(evaluate(CLIENT, SENDER, HELO))

    assert spf.result is SpfResult.PERMERROR
    assert len(zone.asked) == 1 + MAX_LOOKUP_TERMS


def test_so_many_terms_may_ask_for_nothing() -> None:
    allowed = " a:nowhere.example mx:here.example"  # NXDOMAIN, NODATA
    spf = judge(f"v=spf1{allowed} exists:empty.example")

    assert allowed.count(":") == MAX_VOID_TERMS
    assert judge(f"v=spf1{allowed} ip4:{CLIENT}").result is SpfResult.PASS
    assert spf.result is SpfResult.PERMERROR
    assert "nothing" in spf.problem


def test_hosts_and_names_without_addresses_are_not_void_terms() -> None:
    names: dict[str, Records] = {
        DOMAIN: {"TXT": [f"v=spf1 mx ptr ip4:{CLIENT} -all"], "MX": ["1 a.a", "1 b.b", "1 c.c"]},
        REVERSE: {"PTR": ["a.a", "b.b", "c.c", "silent.example"]},
        "silent.example": {"FAIL": [""]},
    }

    assert Zone(names).run(evaluate(CLIENT, SENDER, HELO)).result is SpfResult.PASS


def test_an_mx_with_too_many_hosts_is_an_error() -> None:
    hosts = [f"{n} near.example" for n in range(MAX_HOSTS + 1)]
    few = Zone({**WORLD, DOMAIN: {"TXT": ["v=spf1 mx -all"], "MX": hosts[1:]}})
    many = Zone({**WORLD, DOMAIN: {"TXT": ["v=spf1 mx -all"], "MX": hosts}})

    assert few.run(evaluate(CLIENT, SENDER, HELO)).result is SpfResult.FAIL
    assert many.run(evaluate(CLIENT, SENDER, HELO)).result is SpfResult.PERMERROR


def test_of_a_clients_names_so_many_are_looked_at_and_once() -> None:
    names: dict[str, Records] = {
        DOMAIN: {"TXT": ["v=spf1 ptr ptr:b.example exists:%{p}.c.example -all"]},
        REVERSE: {"PTR": [f"n{n}.{DOMAIN}" for n in range(MAX_NAMES)] + ["here.example"]},
        "here.example": {"A": [CLIENT]},
    }
    zone = Zone(names)
    spf = zone.run(evaluate(CLIENT, SENDER, HELO))

    assert spf.result is SpfResult.FAIL
    assert Question("here.example", RecordType.A) not in zone.asked
    assert len(zone.asked) == 1 + 1 + MAX_NAMES + 1
    assert zone.asked[-1] == Question("unknown.c.example", RecordType.A)


def test_a_name_that_the_dns_cannot_say_is_nobodys() -> None:
    zone = Zone({**WORLD, REVERSE: {"PTR": ["a\\.b", "here.example"]}})
    zone.names = {**zone.names, DOMAIN: {"TXT": ["v=spf1 ptr:here.example -all"]}}

    assert zone.run(evaluate(CLIENT, SENDER, HELO)).result is SpfResult.PASS


def test_the_macro_p_is_a_term_of_its_own() -> None:
    terms = " a:near.example" * (MAX_LOOKUP_TERMS - 1)

    assert judge(f"v=spf1{terms} a:here.example").result is SpfResult.PASS
    assert judge(f"v=spf1{terms} a:%{{p}}").result is SpfResult.PERMERROR


# Local parts beyond ASCII (RFC 8616 section 4).


def test_a_local_part_beyond_ascii_matches_no_term_that_holds_it() -> None:
    zone = Zone({**WORLD, DOMAIN: {"TXT": ["v=spf1 exists:%{l}.b.example -all"]}})
    spf = zone.run(evaluate(CLIENT, f"é@{DOMAIN}", HELO))

    assert spf.result is SpfResult.FAIL
    assert len(zone.asked) == 1


# Explanations.


def test_an_explanation_is_asked_for_where_it_is_wanted() -> None:
    record = "v=spf1 -all exp=why.example"
    text = ["%{c} is not %{o}'s, says %{r} at %{t} (%{p}, %{L})"]
    told = judge(record, explain=True, why=text)
    untold = judge(record, why=text)

    assert (
        told.explanation == f"{CLIENT} is not {DOMAIN}'s, says us.example at 7 (here.example, ann)"
    )
    assert untold.explanation == ""


@pytest.mark.parametrize(
    "texts", [["one", "two"], ["%{x}"], ["é"], ["%"], [], ["\x1b[2J"]], ids=repr
)
def test_an_explanation_that_cannot_be_had_changes_nothing(texts: list[str]) -> None:
    spf = judge("v=spf1 -all exp=why.example", explain=True, why=texts)

    assert spf == Spf(SpfResult.FAIL, "-all", DOMAIN)


@pytest.mark.parametrize("spec", ["silent.example", "nowhere.example", "b..example", "%{p}.%{h}"])
def test_an_explanation_that_is_not_there_changes_nothing(spec: str) -> None:
    assert judge(f"v=spf1 -all exp={spec}", explain=True).explanation == ""


def test_it_is_the_record_that_decided_which_explains() -> None:
    why, other = ["why"], ["%{d}"]

    redirected = judge(
        "v=spf1 redirect=b.example exp=why.example",
        explain=True,
        why=why,
        other=other,
        b=["v=spf1 -all exp=other.example"],
    )
    included = judge(
        "v=spf1 include:b.example -all exp=why.example",
        explain=True,
        why=why,
        other=other,
        b=["v=spf1 -all exp=other.example"],
    )
    passed = judge("v=spf1 +all exp=why.example", explain=True, why=why)

    assert redirected.explanation == "b.example"
    assert included.explanation == "why"
    assert passed.explanation == ""


def test_an_explanation_is_safe_to_show() -> None:
    spf = judge(
        "v=spf1 -all exp=why.example", sender="\x1b@shop.example", explain=True, why=["%{l}"]
    )

    assert spf.explanation == "\\x1b"


# Under fire: a result, nothing else.

TERMS = st.lists(
    st.sampled_from(
        "a mx ptr all -all ?mx:mx.example include:%{d} redirect=%{d2} exists:%{p}.%{ir}.b.example "
        "exp=%{h}.example a:%{l}.%{s} ip4:0.0.0.0/0 -ip6:::/0 a//0 mx/0 %{d} x=%{o} ptr:%{p} "
        "include:b.example a:%%%_%-.%{H}".split()
    )
)
TEXTS = st.text() | TERMS.map(" ".join)


@pytest.mark.slow
@given(
    st.sampled_from([CLIENT, CLIENT6]),
    st.text() | st.just(SENDER),
    st.text() | st.just(HELO),
    st.lists(TEXTS, min_size=2, max_size=2),
)
def test_whatever_anybody_says_there_is_a_result(
    client: str, sender: str, helo: str, texts: list[str]
) -> None:
    names: dict[str, Records] = {
        DOMAIN: {"TXT": [f"v=spf1 {texts[0]}"], "A": [texts[1]], "MX": [f"1 {texts[1]}"]},
        "b.example": {"TXT": [f"v=spf1 {texts[1]}"], "AAAA": [CLIENT6, "nonsense"]},
        HELO: {"TXT": [texts[1]]},
        REVERSE: {"PTR": [texts[1], "b.example", "here.example"]},
    }
    zone = Zone({**WORLD, **names})
    spf = zone.run(evaluate(client, sender, helo, explain=True))

    assert spf.result in SpfResult
    assert spf.mechanism.isprintable()
    assert spf.explanation.isprintable()
    assert spf.problem.isprintable()
    assert all(question.name.isascii() for question in zone.asked)
    assert len(zone.asked) <= 2 + MAX_LOOKUP_TERMS * (MAX_HOSTS + 1) + 1 + MAX_NAMES
