"""Results that break whoever reads them."""

from attacks import in_call

ATTACKS = [
    in_call("result whose __eq__ loops", """
class Loop:
    def __eq__(self, other):
        while True: pass
---
return Loop()
""", "unserializable"),
    in_call("result whose __repr__ loops", """
class Loop:
    def __repr__(self):
        while True: pass
---
return Loop()
""", "unserializable"),
    in_call("cyclic list as result", "---\nloop = []\nloop.append(loop)\nreturn loop",
            "unserializable"),
    in_call("5-million-element result", "---\nreturn [0] * 5_000_000", "unserializable"),
    in_call("result nested 100,000 deep", """
---
nest = []
for _ in range(100_000): nest = [nest]
return nest
""", "unserializable", own=True),
    in_call("an infinite iterator", "import itertools\n---\nreturn itertools.count()",
            "unserializable", own=True),
    in_call("a metaclass that lies about its name", """
class Meta(type):
    __name__ = property(lambda cls: 'int')
    def __instancecheck__(cls, other): return True
class Fake(metaclass=Meta): pass
---
return Fake()
""", "unserializable", own=True),
    in_call("a gigantic int", "---\nreturn 1 << 400_000_000", "unserializable", "memory", own=True),
    in_call("a dict whose items change while it is read", """
class Key:
    def __hash__(self): return 1
    def __eq__(self, other): return self is other
---
return {Key(): 1, Key(): 2}
""", "unserializable", own=True),
]  # fmt: skip
