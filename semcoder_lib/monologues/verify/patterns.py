"""Turns a line of prose into words with one mark for each piece of code, value, equation or label,
so that sentence patterns need not know what values look like; and these patterns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from semcoder_lib.monologues.evaluator import literal, parse_expression
from semcoder_lib.monologues.forms import mask

CODE, VALUE, EQUATION, LABEL, FRAGMENT = "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
MARKS = CODE + VALUE + EQUATION + LABEL + FRAGMENT
_MAX_VALUE = 4_000  # characters of a value without quotes round it
_MAX_DEPTH = 40
# what states something: marks, and words that do more than connect
_WORD = re.compile(
    rf"\b(?!(?:and|but|so|then|the|an?|which|that|this|therefore|thus|also|now|here|we|it)\b)[^\W\d_]+"
    rf"|[{CODE}{VALUE}{EQUATION}{FRAGMENT}]",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\s+[—–]\s+|;")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line that is not words. `left`, `right` split an equation."""

    mark: str
    text: str
    start: int
    end: int
    left: str = ""
    right: str = ""
    ticked: bool = False  # was in backticks

    @property
    def code(self) -> str:
        """The token as an expression."""
        if self.mark == EQUATION:
            return f"({self.left}) == ({self.right})"
        return self.left or self.text  # `if x > 3:` -> x > 3


@dataclass(slots=True)
class Sentence:
    """Words and marks: `at[i]` is the token whose mark is at place `i` of `text`, which stands at
    `origin[i]` in the whole text. `used` are marks that a claim was made of."""

    text: str
    at: dict[int, Token]
    origin: list[int]
    used: set[int] = field(default_factory=set)

    def add_words(self, words: str, start: int) -> None:
        """Put words that start at `start` at the end; marks of emphasis are left out."""
        self.text += words.replace("*", "")
        self.origin += [start + i for i, letter in enumerate(words) if letter != "*"]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of `text` stands in the whole text."""
        if start >= end:
            return (self.origin[0], self.origin[0]) if self.origin else (0, 0)
        last = self.at.get(end - 1)
        size = last.end - last.start if last else 1
        return self.origin[start], self.origin[end - 1] + size

    def parts(self) -> Iterator[Sentence]:
        """The sentences of a line."""
        begin = 0
        for end, after in [*(m.span() for m in _SENTENCE.finditer(self.text)), (len(self.text), 0)]:
            tokens = {i - begin: t for i, t in self.at.items() if begin <= i < end}
            yield Sentence(self.text[begin:end], tokens, self.origin[begin:end])
            begin = after

    def unclaimed(self, claims: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The places of stretches that stand outside the places of claims and state something."""
        claimed = {o for a, b in claims for o in range(a, b)}
        free = [o not in claimed for o in self.origin]
        begin = 0
        for inside, group in itertools.groupby(free):
            end = begin + len(list(group))
            part = self.text[begin:end]
            if inside and _WORD.search(part):
                yield self.place(begin + len(part) - len(part.lstrip()), begin + len(part.rstrip()))
            begin = end


_COPULA_AHEAD = (
    r"(?=\s*(?:=|:=|→|->)|\s+(?:is|was|becomes?|became|equals?|goes|remains?|stays?|gets|has|holds?"
    r"|starts?|ends?|now|turns|keeps|drops|rises|grows|and \w+ (?:are|become))\b)"
)
# Any name: whether it is one of the program's is looked up, since a pattern for each program's
# names takes longer to compile than a text to read.
_NAME = rf"(?<![\w.\[`'\"])[^\W\d]\w*\b(?:\[[\w'\":-]+\])?{_COPULA_AHEAD}".replace(" ", r"\ ")
_NUMBER = r"-?\d+(?:\.\d+)?"
_PATTERN = re.compile(
    rf"""
 (?P<tick>``[^`\n]+``|`[^`\n]+`)
 |(?P<label>\[L\d{{1,9}}\]|(?<!\w)L\d{{1,9}}(?![\w\]])|(?<!\w)[Ll]ines?\ \d{{1,9}}(?!\w))
 |(?P<value>(?<![\w\]])(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(?!\w))
 |(?P<bracket>(?<![\w`])[\[({{])
 |(?P<sum>(?<![\w.`\])]){_NUMBER}(?:\s*(?:\*\*|//|[-+*/%])\s*{_NUMBER})+\s*=\s*{_NUMBER}(?!\w|\.\d))
 |(?P<plain>(?<![\w.]){_NUMBER}(?:[eE]-?\d+)?(?![\w%]|\.\d)|\b(?:True|False|None)\b)
 |(?P<empty>\b(?:an\ )?empty\ (?:string|list|dict|tuple|set)(?:ionary)?\b
    (?!\s*[,:]?\s*[`"'(\[{{]|\ \w+\ `|\ called|\ named))
 |(?P<name>{_NAME})
""",
    re.X,
)
# `the current x is 3` is not about x
_ADJECTIVE = re.compile(
    r"\b(?:the|an?|its|each|this|that|first|second|last|next|new|final|original|current|previous|every"
    r"|input|output|same|other|another|of|in|only|one|no|any|some|more) $",
    re.I,
)
_EMPTY = {"string": "''", "list": "[]", "dict": "{}", "tuple": "()", "set": "set()"}


def shape(line: str, names: frozenset[str], start: int) -> Sentence:
    """A line, which starts at `start` in the whole text, as words and marks. `names` are variables
    that may stand without backticks."""
    sentence = Sentence("", {}, [])
    done = position = 0
    while match := _PATTERN.search(line, position):
        token = _token(line, match, names)
        position = match.start() + 1 if token is None else token.end
        if token is None:
            continue
        name, between = sentence.at.get(len(sentence.text) - 1), line[done : token.start]
        bare = name and name.mark == CODE and token.mark == VALUE
        if name and bare and not (name.ticked or token.ticked) and between.strip("* ") in _SIGNS:
            # `n = 1` without backticks
            whole = line[name.start : token.end]
            token = Token(EQUATION, whole, name.start, token.end, name.text, token.text)
            sentence.text = sentence.text[:-1]
            sentence.origin.pop()
        else:
            sentence.add_words(between, start + done)
        sentence.at[len(sentence.text)] = token
        sentence.add_words(token.mark, start + token.start)
        done = token.end
    sentence.add_words(line[done:], start + done)
    return sentence


_SIGNS = ("=", "==", ":=")


def _token(line: str, match: re.Match[str], names: frozenset[str]) -> Token | None:
    kind, text, (start, end) = match.lastgroup, match.group(), match.span()
    if kind in ("tick", "sum"):
        text = text.strip("`").strip() if kind == "tick" else text
        mark, left, right = classify(text)
        return Token(mark, text, start, end, left, right, kind == "tick")
    if kind == "label":
        return Token(LABEL, re.sub(r"\D", "", text), start, end)
    if kind == "name":
        before = line[max(0, start - 20) : start]
        known = text.partition("[")[0] in names and not _ADJECTIVE.search(before)
        return Token(CODE, text, start, end) if known else None
    if kind == "bracket":
        end = _closing(line, start)
        text = line[start:end] if end > 0 else ""
        if text[:1] == "(" and not text.endswith(",)") and "," not in text:
            return None
    elif kind == "empty":
        text = _EMPTY[text.rsplit(" ", 1)[1].removesuffix("ionary")]
    return Token(VALUE, text, start, end) if literal(text) is not None else None


_STRING_OR_BRACKET = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[\[\](){}]")


def _closing(line: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`, or -1."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(line, start, start + _MAX_VALUE):
        depth += (token[0] in "[({") - (token[0] in "])}")
        if depth == 0:
            return token.end()
        if depth > _MAX_DEPTH:
            break
    return -1


def last_of(text: str, separator: str) -> int:
    """The last place of a separator outside quotes and brackets, or -1."""
    return (mask(text) or "").rfind(separator)


@lru_cache(maxsize=16384)
def classify(code: str) -> tuple[str, str, str]:
    """What a piece of code is: a literal, an expression, an equation (with its two sides) or a
    fragment."""
    if not code:
        return FRAGMENT, "", ""
    if literal(code) is not None:
        return VALUE, "", ""
    if parse_expression(code) is not None:
        return CODE, "", ""
    for sign in (" = ", " → ", " -> ", " := ", "="):
        cut = last_of(code, sign)
        if cut > 0 and code[cut - 1] not in "<>!+-*/%&|^=:" and code[cut + 1 : cut + 2] != "=":
            return EQUATION, code[:cut].strip(), code[cut + len(sign) :].strip()
    head = re.match(r"(?:el)?(?:if|while)\s+(.*?):?$", code, re.S)
    if head and parse_expression(head.group(1)) is not None:
        return CODE, head.group(1), ""
    return FRAGMENT, "", ""


C, V, E, L = CODE, VALUE, EQUATION, LABEL
ANY = f"[{C}{V}]"


def _compile(pattern: str) -> re.Pattern[str]:
    """A pattern without its line breaks and the four spaces after each; any case fits."""
    return re.compile(pattern.replace("\n    ", ""), re.I)


# --- where the text is ----------------------------------------------------------------------------

_ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"""
ORDINALS = {word: n for n, word in enumerate(_ORDINALS.split(), 1)} | {"last": -1, "final": -1}
_NUMBERS = "no one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {w: n for n, w in enumerate(_NUMBERS.split())} | {"once": 1, "twice": 2, "thrice": 3}
_ORDINAL = "|".join(ORDINALS) + r"|\d{1,9}(?:st|nd|rd|th)"
ITERATION = _compile(
    rf"""\b(?:(?P<word>{_ORDINAL}) (?:\w+ ){{0,2}}(?:iteration|pass|round|time (?:through|around)|turn)\b
    |(?P<kind>iteration|pass|round|turn|loop|step) (?:#|number |no\. )?(?P<number>{V})
    (?=\W*[:(,.\-–—]|\W*$| (?:with|where|has|starts|begins|takes|sees|sets)))"""
)
_HEAD = rf"""^\W*(?:(?:at|on|in|line|step|then|next|now|{_ORDINAL}|and|finally|back|to|start(?:ing)?|the|for|if
    |execut(?:e|ing)|when|with|case|take|consider|processing|element|item|character|key|index)[ ,:]+)*"""
LEADING_LABEL, WITH_BINDING = _compile(_HEAD + L), _compile(_HEAD + E)
AFTER_LOOP = _compile(
    r"""\b(?:(?:after|end of|exit(?:s|ing)?|once) (?:the|all|both|this)[^.]{0,30}?(?:loop|iterations)\b
    |loop (?:ends|is done|terminates|finishes|exits|stops|is over))"""
)
# A line that is named to say that it, or anything on it, is not done.
IDLE = _compile(
    rf"""\b(?:(?:does|do) nothing|nothing (?:happens|is done|changes)|unchanged|skip\w*|ignored
    |(?:no|not|never) (?:\w+ )?(?:action|change|update|execute|run|reach|enter|taken|visit)\w*
    |condition (?:is|was|evaluates to) ?(?:false|not met|{V}))"""
)

# --- what is stated -------------------------------------------------------------------------------

# words that may stand between a verb and its value without changing what is said
_FILL = r"""(?:[ ,]*\b(?:the|an?|now|still|also|again|then|thus|therefore|initially|currently|just|simply
    |only|equal(?: to)?|values?|list|string|tuple|set|dict(?:ionary)?|number|integer|float|boolean
    |character|result|new|final|modified|updated|sorted|reversed|single|same|following|empty|original
    |resulting|of|exactly|back|to|as|left|unchanged|at|in total)\b)*[ :,]*"""
_ADVERB = r"(?:[ ,]+(?:\w+ly|now|then|still|also|again|therefore|thus|itself|here))*"
_COPULA = r"""(?:(?:is|are|was|were|gets?|been|be|being)(?: \w+ly| now| then| still| also| again)*
     (?:\w+ed|set|reset|bound|left|made|split|given|brought|found)
    (?: (?:to|as|at|in place|into|with|from|by|becoming|giving|resulting in|yielding|in))*
    |changes from V to|is|are|was|were|(?:will )?be(?:comes?)?|became|equals?|evaluates? to|results? in|returns?
    |gives?(?: us)?|yields?|produces?|remains?|stays?|holds?|contains?|has(?: the)? value
    |(?:turns?|goes|starts?|comes?|ends?|drops?|rises?|grows?|stands?)(?: out| up)?(?: (?:in)?to| at| as)?
    |keeps?(?: its value)?|==?|:=|→|->|=>)""".replace("V", V)
SUBJECT_VALUE = _compile(
    rf"""(?P<x>{C})(?:'s value)?(?: \([^()]*\))?{_ADVERB}\s*{_COPULA}{_FILL}(?P<v>{V})
    (?! (?:times|more|less|greater|positions?|elements?|items?|characters? long))"""
)
BECOMES = _compile(
    r"\b(?:becomes?|became|now|\w+mented|updated|re?set|assigned|change|goes)\b|→|[-=]>"
)
_STOP = r"""(?:if|when|unless|because|since|as|after|by|for|from|with|containing|without|where|so|then
    |based|whether|only|not|must|should|occurrences|indices|positions|the same|in which|once|until
    |input|index|position|length|number|we|like|of the (?:entire|whole|original|given))"""
RETURNS = _compile(
    rf"""(?:(?:\bthe (?:function|program|code) |{C} )?\b(?P<verb>return(?:s|ed|ing)?
    |(?:return(?:ed)? value|output|final (?:result|answer|value)|result(?= of the (?:function|call)))
    (?: of the (?:function|call))?
    (?: that is returned)? (?:is|will be|becomes))(?:[ ,]*\b(?!{_STOP}\b)[\w-]+)*?[ ,:(]*
    (?:(?P<named>{C}),? ?(?:(?:which|that|and it) (?:is|equals|contains|holds|now)|,|:| as| =| →| \()?{_FILL})?
    (?P<v>{V}))|(?P<first>{V}),? (?:is|gets|will be) (?:then |finally )?returned"""
)
COUNT = _compile(
    rf"""\b(?:loop|body)\b[^{MARKS}.;]*? (?:(?P<never>(?:is |does )?(?:never|not)
     (?:runs?|executed?s?|entered|started?)|is skipped)\b|(?:\w+s|run|(?:is|be) (?:entered|executed|run))
    (?: for)?(?: a total of| exactly| only| just| through)?
     (?:(?P<w>once|twice|thrice)\b|(?P<v>{V}|{"|".join(NUMBERS)}) (?:(?:full|more) )?
    (?:times?|iterations?|passes|rounds?|turns?)\b))"""
)

# --- conditions -----------------------------------------------------------------------------------

# what is claimed ; words after a form of "be" or "do" ; verbs that need neither
_RELATIONS = r"""
({a}) >= ({b})       ; (?:strictly )?greater than or equal to|at least|no less than ;
({a}) <= ({b})       ; (?:strictly )?less than or equal to|at most|no (?:more|greater) than ;
({a}) > ({b})        ; (?:strictly )?(?:greater|larger|more|bigger|longer) than|above ; exceeds
({a}) < ({b})        ; (?:strictly )?(?:less|smaller|shorter) than|below|under ;
({a}) == ({b})       ; equal(?: to)?|the same as|identical to|equivalent to|match ; matches|equals
({a}) != ({b})       ; different from ; differs from
({a}) in ({b})       ; (?:\w+ )?in|part of|among|inside|(?:an? (?:element|item|member|key|value|character|letter)|one) of ; (?:appears|occurs) in
({b}) in ({a})       ; contain|include|have|hold ;
({a}).startswith({b}) ; (?:start|begin) with ; (?:starts|begins) with
({a}).endswith({b})  ; end with ; ends with
({a}) % ({b}) == 0   ; divisible by|a multiple of ;
({a}) != ({b})       ; not(?= V) ; (?:is|was|are) not(?= V)
"""


def _relation(row: str) -> tuple[re.Pattern[str], str]:
    code, words, verbs = (cell.strip() for cell in row.replace("V)", f"{V})").split(" ;"))
    stated = (
        r"(?:is|are|was|were|does|do|did)(?P<not> not|n't| never| no longer)?"
        rf" (?:(?:already|yet|also|currently|even) )?(?:{words})"
    )
    verb = f"(?:{stated}|{verbs})" if verbs else stated
    return _compile(rf"(?P<a>{ANY})(?: \([^()]*\))?,? {verb} (?:the )?(?:\w+ )?(?P<b>{ANY})"), code


RELATIONS = tuple(map(_relation, _RELATIONS.strip().split("\n")))

# --- what keeps a sentence from stating it --------------------------------------------------------

HYPOTHETICAL = _compile(
    r"""(?:^|: )\W*(?:if|unless|suppose|assum|were\b|had\b)|\b(?:would|could|should|might|e\.g\.
    |for (?:example|instance)|in general|may|any \w+ (?:that|which)|whenever|(?:only|even) if
    |if (?:the|it|an?|any|there|no|we|you)|(?:can|will) be(?: if)?|until|otherwise)\b"""
)
_ASKED = rf"\b(?:if|whether|where|when|(?:check|test|ask|verif)\w*|sees?|seeing)\b[^,.:{MARKS}]*$"
ASKED = _compile(_ASKED)
INDIRECT = _compile(
    rf"""\b(?P<what>(?!value of|contents? of|state of)\w+)(?: {ANY})?
     (?:of|in|at|for|from|between|over)(?: the| each| this)?(?: \w+)? ?$"""
)
# a condition that follows is said of these, not of what they are in
PART_OF = _compile(
    rf"""\b(?:neither|nor|none|no)\b[^,.;]*$|\b(?:characters?|letters?|elements?|items?|words?|keys?
    |values?|part|rest)\b[^{MARKS},.]*\b(?:of|in|after|before|from)(?: the| each| this)?(?: \w+)? ?$"""
)
# What stands before or inside `x is V` where V is not said of x: V is asked for, the amount
# of a change or a size; x is combined with another, or made into V.
ANOTHER_BEFORE = _compile(
    rf"""{_ASKED}|\b(?:multipl|divid|add|subtract|concatenat|combin)\w*\b[^,.;]*
    \b(?:by|to|with|and|from) (?:the )?$|\b(?:substring|slice|part|characters?|items?)\b.*\bto $"""
)
ANOTHER_INSIDE = _compile(
    r"""\bnot\b|n't|\bin\b(?! (?:total|place))|\bindex\b|\bcalled\b|\bby $
    |\b(?:list|tuple|string|array|dictionary|set|sequence) (?:of|with|containing) $
    |\b(?:is|are|was|gets?) (?:\w+ly |now |then )*(?:join|convert|turn|transform|combin|concatenat
    |split|chang|format|encod|decod)(?:\w*ed)?\b"""
)
NOT_RETURNED = _compile(
    r"""\b(?:(?:without|not|never|instead of|rather than|avoid\w*|before|n't)\W+(?:\w+ ){0,2}
    |conditions? (?:for|of|to) )$"""
)
# Who is said to return, by the words since the last code; and what is one part of the output.
OTHER = _compile(
    r"\b(?:they|these|those|both)(?: values)?\W*(?:\w+ly |will )?$|\b(?:method|call|slice|condition)\b"
)
IT = _compile(r"\b(?:it|this|that|which)\W*(?:\w+ly )?$")
FUNCTION = _compile(r"\b(?:function|program|statement|code|we|recursion|execution|so)\b[^.]*$")
FOR_CHECK = _compile(r"\W*for (?:the|this|that) (?:check|condition|test)\b")
PART_BEFORE = _compile(
    r"\b(?:in|of|from|input\b[^.]*)(?: the| this| each| desired| given| expected)* ?$"
)
PART_AFTER = _compile(r"[- ]*(?:characters?|elements?|items?|times|pairs?|key)")
