"""The sentence patterns of prose, over words and marks (`tokens`)."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.prose.tokens import CODE, EQUATION, LABEL, MARKS, VALUE

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
    rf"""\b(?:(?P<word>{_ORDINAL}) (?:\w+ )?(?:iteration|pass|round|time (?:through|around)|turn)\b
    |(?P<kind>iteration|pass|round|turn|loop|step) (?:#|number |no\. )?(?P<number>{V})
    (?=\W*[:(,.\-–—]|\W*$| (?:with|where|has|starts|begins|takes|sees|sets)))"""
)
_HEAD = r"""^\W*(?:(?:at|on|in|line|step|then|next|now|first|and|finally|back|to|start(?:ing)?|the|for|if
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
MUST = _compile(
    rf"""(?P<x>{C})(?: \([^()]*\))? (?P<modal>must|should|has to|needs? to|can|could|might)
     (?:also |then |therefore )?(?:be|have been|equal)(?: set to| equal to)?{_FILL}(?P<v>{V})
    (?=\W*(?:$|[.,;:)]| (?:and|because|since|so|for|to|in|as)\b))"""
)
_STOP = r"""(?:if|when|unless|because|since|as|after|by|for|from|with|containing|without|where|so|then
    |based|whether|only|not|must|should|occurrences|indices|positions|the same|in which|once|until
    |input|index|position|length|number)"""
RETURNS = _compile(
    rf"""(?:\b(?P<verb>return(?:s|ed|ing)?
    |(?:return(?:ed)? value|output|final (?:result|answer|value)|result(?= of the (?:function|call)))
    (?: of the (?:function|call))?
    (?: that is returned)? (?:is|will be|becomes))(?:[ ,]*\b(?!{_STOP}\b)[\w-]+)*?[ ,:(]*
    (?:(?P<named>{C}),? ?(?:(?:which|that|and it) (?:is|equals|contains|holds|now)|,|:| as| =| →| \()?{_FILL})?
    (?P<v>{V}))|(?P<first>{V}),? (?:is|gets|will be) (?:then |finally )?returned"""
)
COUNT = _compile(
    rf"""\b(?:loop|body|it)\b[^{MARKS}.;]*? (?:(?P<never>(?:is |does )?(?:never|not)
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
({a}) in ({b})       ; (?:\w+ )?in|part of|among|inside|(?:a \w+|an \w+|one) of ; (?:appears|occurs) in
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
    |if (?:the|it|an?|any|there|no|we|you)|(?:can|will) be(?: if)?|until|before|otherwise)\b"""
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
    r"\b(?:they|these|those|both)(?: values)?\W*(?:\w+ly )?$|\b(?:method|call|slice|condition)\b"
)
IT = _compile(r"\b(?:it|this|that|which)\W*(?:\w+ly )?$")
FUNCTION = _compile(r"\b(?:function|program|statement|code|we|recursion|execution|so)\b[^.]*$")
FOR_CHECK = _compile(r"\W*for (?:the|this|that) (?:check|condition|test)\b")
PART_BEFORE = _compile(
    r"\b(?:in|of|from|input\b[^.]*)(?: the| this| each| desired| given| expected)* ?$"
)
PART_AFTER = _compile(r"[- ]*(?:characters?|elements?|items?|times|pairs?|key)")
# what is said of an input, not of something beside it
DIRECT = _compile(
    r"""(?:^\W*|[,.:;]\s*|\b(?:the|that|then|so|thus|therefore|and|means|original|input|parameter
    |argument|variable|hence|both)\s+)$"""
)
