"""Messages between the trusted parent and a zygote, and the records that a child writes.

Parent to zygote: a frame (32-bit length, then bytes) holding `marshal` data, which is safe in this
direction because the parent is trusted. Zygote to parent: a frame for each process that ran, a
fixed binary header and opaque byte strings; the parent takes them apart with `struct` and believes
nothing in them. Imported by both sides, so it imports next to nothing.
"""

from __future__ import annotations

import struct

LENGTH = struct.Struct("<I")
# job number, 1 if more processes of this job follow, how it ended (below), signal or exit status,
# cpu s, wall s, peak KiB, lengths of the nonce and records and of the output
RUN = struct.Struct("<QBBiddQII")

ENDED_EXIT = 0  # exited by itself; the value is the exit status
ENDED_SIGNAL = 1  # killed by a signal that the zygote did not send
ENDED_CPU = 2  # killed for processor time
ENDED_WALL = 3  # killed for wall time
ENDED_THREADS = 4  # killed for the number of its threads
ENDED_BROKEN = 5  # the zygote could not start it
ENDED_LOST = 6  # the zygote started it and lost hold of it

NONCE_BYTES = 8
# records: tag, length, bytes
RECORD = struct.Struct("<cI")
# before the bytes of a call's record: position in the output, cpu seconds, wall seconds
CALL = struct.Struct("<Qdd")
CLOCKS = struct.Struct("<dd")  # in BEGUN: processor and monotonic seconds
LOAD_ERROR = b"X"
VALUE = b"V"
TEXT = b"T"  # a value that is a string, as it is: neither side need write or read a literal
RAISED = b"E"
UNSERIALIZABLE = b"U"
PAYLOAD = b"P"
FULL = b"F"  # the result file is full; this call and the later ones were not recorded
BEGUN = b"B"
END = b"Z"
