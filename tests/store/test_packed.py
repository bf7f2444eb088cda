"""Entries in little room."""

import msgspec
import pytest

from ringback.rules.freshness import Entry
from ringback.store.packed import pack, unpack
from ringback.values.verdict import Reason


def test_every_field_comes_back(entry: Entry) -> None:
    bare = Entry("a@b", Reason.ACCEPTED, False, "", 1.0, 2.0)
    full = entry.but(settled=True, tried_at=3.0, rest_ends_at=4.0)

    assert [bare, full] == [unpack(pack(bare)), unpack(pack(full))]


def test_a_dialogue_of_some_kilobytes_takes_a_fraction(entry: Entry) -> None:
    long = entry.but(evidence=entry.evidence * 5)

    assert len(pack(long)) < len(msgspec.json.encode(long)) / 4


def test_half_a_surrogate_pair_is_refused(entry: Entry) -> None:
    with pytest.raises(UnicodeEncodeError):
        pack(entry.but(key="\ud800"))
