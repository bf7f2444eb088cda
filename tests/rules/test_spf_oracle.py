"""SPF by another's reading: pyspf on the same records and the same DNS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import spf as pyspf
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.spf import Spf, SpfResult, evaluate
from rules.spf_zone import Records, Zone

CLIENT, CLIENT6 = "192.0.2.3", "2001:db8::3"
REVERSES = ("3.2.0.192.in-addr.arpa", "3." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa")
# Those that a client is called: about them the two disagree when DNS fails (section 5.5: we go on).
HOSTS = tuple(f"{letter}.example" for letter in "abc")
DOMAINS = (*HOSTS, "d.example", "e.d.example", "f.example")
HELO = "a.example"


@dataclass(frozen=True)
class Opinion:
    result: str
    problem: str


def ask_pyspf(names: Mapping[str, Records], client: str, sender: str) -> Opinion:
    def look_up(name: str, kind: str, *_: object) -> list[tuple[tuple[str, str], object]]:
        records = names.get(name, {})
        if kind not in records and "FAIL" in records:
            raise pyspf.TempError("SERVFAIL")
        return [((name, kind), _native(kind, record)) for record in records.get(kind, ())]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyspf, "DNSLookup", look_up)
        query = pyspf.query(i=client, s=sender, h=HELO)
        result, _, _ = query.check()
    return Opinion(result, getattr(query, "prob", ""))


def _native(kind: str, record: str) -> object:
    if kind == "TXT":
        return (record.encode(),)
    if kind == "MX":
        preference, _, host = record.partition(" ")
        return int(preference), host
    return record


def known_difference(ours: Spf, theirs: Opinion, records: str) -> str:
    """Say why we differ, where we mean to. Sections are those of RFC 7208."""
    return next(iter(_known_differences(ours, theirs, records)), "")


def _known_differences(ours: Spf, theirs: Opinion, records: str) -> Iterator[str]:
    if "Too many DNS lookups" in theirs.problem and "redirect=" in records:
        yield "4.6.4 counts what is evaluated; they count a redirect that is not reached"
    if "Void lookup limit" in theirs.problem:
        yield "4.6.4 counts terms; they count each host of an mx and each name of the client too"
    if "trivial recursion" in theirs.problem:
        yield "4.6.4 lets a record that includes itself decide before it gets there"
    if theirs.result == "temperror" and "mx" in records.lower():
        yield "5.4 wants any host of an mx to match; they want to hear of all of them first"
    if "terms that ask" in ours.problem and "%{p" in records:
        yield "4.6.4 counts the macro p as a term; they do not"


ADDRESSES = [CLIENT, "192.0.2.77", "198.51.100.1"]
ADDRESSES6 = [CLIENT6, "2001:db8:0:1::7", "2001:db9::1"]
SPECS = st.sampled_from(
    [
        *DOMAINS,
        "none.example",
        "D.Example.",
        "%{d}",
        "%{d2}",
        "%{o}",
        "%{h}",
        "%{p}",
        "e.%{d}",
        "%{l}.example",
        "%{lr-}.example",
        "%{l1-}.%{o2}",
        "%{ir}.%{v}.list.example",
        "%{i1r}.%{S}.d.example",
    ]
)
LENGTHS = st.sampled_from(["", "", "/24", "/16", "/0", "//64", "//0", "/24//32"])
NETWORKS = st.sampled_from(
    [f"ip4:{ip}{length}" for ip in ADDRESSES for length in ("", "/24", "/8", "/32")]
    + [f"ip6:{ip}{length}" for ip in ADDRESSES6 for length in ("", "/64", "/16", "/128")]
)
WITHOUT_NAME = st.sampled_from(["all", "a", "mx", "ptr", "a/24", "mx//64", "A", "MX/24"])
WITH_NAME = st.tuples(st.sampled_from(["include", "exists", "ptr", "a", "mx", "Include"]), SPECS)
NEAR_NAME = st.tuples(st.sampled_from(["a", "mx"]), SPECS, LENGTHS)
MECHANISMS = (
    NETWORKS
    | WITHOUT_NAME
    | WITH_NAME.map(":".join)
    | NEAR_NAME.map(lambda parts: f"{parts[0]}:{parts[1]}{parts[2]}")
)
DIRECTIVES = st.tuples(st.sampled_from(["", "", "+", "-", "~", "?"]), MECHANISMS).map("".join)
BROKEN = st.sampled_from(
    ["moo", "ip4:1.2.3", "a:", "all:b", "ptr/24", "a/33", "exists", "include:b", "x=%", "ip6:::g"]
)
MODIFIERS = st.sampled_from(["exp=why.example", "x=1", "x-y.z=%{d}/"])
REDIRECTS = SPECS.map(lambda spec: f"redirect={spec}")


@st.composite
def sprinkled(draw: st.DrawFn) -> str:
    """A record, which may have modifiers anywhere, and seldom an error."""
    terms = draw(st.lists(DIRECTIVES, max_size=6))
    for extra, chance in ((MODIFIERS, 4), (REDIRECTS, 2), (BROKEN, 12)):
        if not draw(st.integers(0, chance)):
            terms.insert(draw(st.integers(0, len(terms))), draw(extra))
    return " ".join(["v=spf1", *terms])


def some(records: list[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(records), max_size=most, unique=True)


@st.composite
def zones(draw: st.DrawFn) -> dict[str, Records]:
    names: dict[str, Records] = {}
    for name in DOMAINS:
        records = {
            "A": draw(some(ADDRESSES, 2)),
            "AAAA": draw(some(ADDRESSES6, 2)),
            "MX": [f"10 {host}" for host in draw(some([*DOMAINS, "none.example"], 3))],
            "TXT": [draw(sprinkled())],
        }
        names[name] = {kind: found for kind, found in records.items() if found}
        if name not in HOSTS and not draw(st.integers(0, 8)):
            names[name] = {"FAIL": [""]} | {"TXT": records["TXT"]}
    for reverse in REVERSES:
        names[reverse] = {"PTR": draw(some([*HOSTS, "none.example"], 3))}
    names["3.2.0.192.in-addr.list.example"] = {"A": ["127.0.0.2"]}
    return names


@pytest.mark.slow
@given(
    zones(),
    st.sampled_from([CLIENT, CLIENT6]),
    st.sampled_from(["ann@f.example", "jo-ann@e.d.example", "a@d.example", "", "d@none.example"]),
)
def test_the_other_reads_the_same(names: dict[str, Records], client: str, sender: str) -> None:
    ours = Zone(names).run(evaluate(client, sender, HELO))
    theirs = ask_pyspf(names, client, sender)
    records = " ".join(text for records in names.values() for text in records.get("TXT", ()))

    if not known_difference(ours, theirs, records):
        assert ours.result == theirs.result


# Each known difference, on its own.


@pytest.mark.parametrize(
    ("record", "ours"),
    [
        ("v=spf1" + " a:a.example" * 9 + " a:a.example all redirect=b.example", SpfResult.PASS),
        ("v=spf1 mx ptr all", SpfResult.PASS),
        ("v=spf1 +all include:f.example", SpfResult.PASS),
        ("v=spf1 mx:b.example -all", SpfResult.PASS),
        ("v=spf1 a:%{p}.b.example" + " a:a.example" * 9 + " +all", SpfResult.PERMERROR),
    ],
)
def test_where_we_mean_to_differ(record: str, ours: SpfResult) -> None:
    names: dict[str, Records] = {
        "f.example": {"TXT": [record], "MX": ["1 x.example", "2 y.example", "3 z.example"]},
        "a.example": {"A": ["198.51.100.1"]},
        "b.example": {"A": [CLIENT], "MX": ["1 b.example", "2 silent.example"]},
        "silent.example": {"FAIL": [""]},
    }
    said = Zone(names).run(evaluate(CLIENT, "ann@f.example", HELO))
    theirs = ask_pyspf(names, CLIENT, "ann@f.example")

    assert said.result is ours
    assert theirs.result != ours
    assert known_difference(said, theirs, record)
