"""The probe under fire: it talks or closes, and what it heard is evidence; it never raises."""

from collections.abc import Sequence
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.conclude import conclude
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import Plan
from ringback.values.endpoint import Endpoint
from ringback.values.evidence import Fault, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
PLANS = st.builds(
    Plan,
    st.just(BOOK),
    st.sampled_from(["ann@mx.example", "jürgen@mx.example", ""]),
    st.just("anna.waldell@mx.example"),
    st.sampled_from(["", "postmaster@mx.example"]),
    st.sampled_from(["", "probe@ours.example"]),
    st.booleans(),
    st.booleans(),
)
LINES = st.sampled_from(
    [
        b"220 mx ESMTP\r\n",
        b"250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
        b"250-mx\r\n250 SMTPUTF8\r\n",
        b"250 2.1.0 Ok\r\n",
        b"250 Ok\r\n",
        b"252 maybe\r\n",
        b"450 4.2.0 Greylisted, try again in 300 seconds\r\n",
        b"530 5.7.0 Must issue a STARTTLS command first\r\n",
        b"550\r\n",
        b"550 5.1.1 no\r\n",
        b"550 5.7.1 blocked\r\n",
        b"421 bye\r\n",
        b"221 bye\r\n",
        b"354 go\r\n",
        b"25",
        b"0",
        b"\r\n",
    ]
)
EVENTS = st.one_of(LINES, LINES, LINES, st.binary(max_size=20), st.sampled_from(Fault))


@given(PLANS, st.sampled_from(TlsPolicy), st.lists(EVENTS, max_size=40), st.booleans())
def test_any_host_ends_in_evidence_that_concludes(
    plan: Plan, tls: TlsPolicy, events: Sequence[bytes | Fault], handshake: bool
) -> None:
    probe = Probe(Endpoint("mx.example", "192.0.2.1", 25), 1, "probe.example", tls, plan)
    probe.connected(at=0.0)
    sent = list[bytes]()
    for event in events:
        if isinstance(event, Fault):
            probe.lose(event, "gone", at=1.0)
        else:
            sent.append(probe.receive(event, at=1.0))
        if probe.stage is Stage.TLS and not probe.closed and handshake:
            probe.secured("TLSv1.3", at=1.0)

    conclusion = conclude(probe.transcript)

    assert b"DATA" not in b"".join(sent)
    assert conclusion == conclude(probe.transcript)
    assert all((said.code is None) or (said.fault is None) for said in probe.transcript)
