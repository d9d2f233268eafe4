"""Strings cross to the parent as they are, not as literals."""

from __future__ import annotations

import pytest

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox, judge, wire


@pytest.mark.parametrize(
    "text", ["", "plain", 'it\'s "so"', "\0\n\t\\x00", "é€😀", "\ud800 and \udc80", "'" * 3, "None"]
)
def test_a_string_comes_back_exactly(text: str) -> None:
    with Sandbox(workers=1) as box:
        outcome = box.call("def f(x): return x", "f", (text,))
    assert (outcome.status, outcome.value, outcome.text) == (Status.OK, text, repr(text))


def test_only_exact_strings_within_the_bound_do() -> None:
    lying = "class S(str):\n    def encode(self, *_): return b'right'\ndef f(): return S('wrong')"
    with Sandbox(workers=1) as box:
        assert box.call(lying, "f", ()).status is Status.UNSERIALIZABLE
        long = Job("def f(n): return 'x' * n", "f", [(90,), (101,)], Limits(value_bytes=100))
        (outcomes,) = box.map([long])
    assert [o.status for o in outcomes] == [Status.OK, Status.UNSERIALIZABLE]


def test_a_forged_record_is_a_claim_that_must_decode() -> None:
    body = wire.CALL.pack(0, 0.0, 0.0) + b"\xff\xfe"
    records = (
        wire.RECORD.pack(wire.TEXT, len(body)) + body + wire.RECORD.pack(wire.END, 8) + b"n" * 8
    )
    run = judge.Run(0, False, wire.ENDED_EXIT, 0, 0.0, 0.0, 0, b"n" * 8, records, b"")
    (outcome,) = judge.judge(run, Limits(), 1, judge.Room.of(Limits()))
    assert outcome.status is Status.UNSERIALIZABLE
    assert outcome.note.startswith("not a value")
