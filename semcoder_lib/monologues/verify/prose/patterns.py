"""The sentence patterns of prose, over shapes (`tokens`)."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.prose.tokens import CODE, EQUATION, LABEL, MARKS, VALUE

C, V, E, L = CODE, VALUE, EQUATION, LABEL
ANY = f"[{C}{V}]"
# words that may stand between a verb and its value without changing what is said
_FILL = (
    r"(?:[ ,]*\b(?:the|a|an|now|still|also|again|then|thus|therefore|initially|currently|just"
    r"|simply|only|equal(?: to)?|value|values|list|string|tuple|set|dictionary|dict|number|integer"
    r"|float|boolean|character|result|new|final|modified|updated|sorted|reversed|single|same"
    r"|following|empty|original|resulting|of|exactly|back|to|as|left|unchanged|at|in total)\b)*[ :,]*"
)
_ADVERB = r"(?:[ ,]+(?:now|then|still|also|again|therefore|thus|finally|currently|initially|simply|itself|here))*"
_PARTICIPLE = (
    r"(?:set|updated|assigned|initiali[sz]ed|incremented|decremented|increased|decreased|reduced"
    r"|changed|reset|evaluated|calculated|computed|converted|transformed|replaced|bound|extended"
    r"|left|modified|made|turned|defined|equal|sorted|reversed|split|stored|created|given|trimmed"
    r"|rebound|raised|lowered|bumped|brought|found|determined|passed)"
)
COPULA = (
    rf"(?:(?:is|are|was|were|gets?|has been|will be|being|be) (?:\w+ly |now |then |still |also |again )*{_PARTICIPLE}"
    r"(?: (?:to|as|at|in place|into|with|from|by|becoming|giving|resulting in|yielding|in))*"
    r"|is|are|was|were|becomes?|became|equals?|evaluates? to|results? in|returns?|gives?(?: us)?"
    r"|yields?|produces?|remains?|stays?|will be(?:come)?|now holds?|holds?|now contains?"
    r"|contains|has the value|has value|turns? into|goes to|starts?(?: out)?(?: at| as| with)?|comes? to"
    r"|ends? up(?: as| at)?|ends? at|drops? to|rises? to|grows? to|keeps? (?:its value|the value)?"
    r"|amounts? to|works? out (?:to|as)|simplifies to|stands? at|==?|:=|→|->|=>)"
)
SUBJECT_VALUE = re.compile(
    rf"([{C}])(?:'s value)?(?: \([^()]*\))?{_ADVERB}\s*(?:{COPULA}){_FILL}([{V}])(?! (?:times|more|less|greater|positions?|elements?|items?|characters? long))"
)
HOLDS = re.compile(
    rf"([{C}])(?: \([^()]*\))?{_ADVERB} (holds|is met|is satisfied|is true|succeeds|is truthy|passes"
    rf"|fails|is not met|is not satisfied|is false|does not hold|doesn't hold|is falsy|is not true|is untrue)\b"
)
CHECK = re.compile(
    rf"\b(?:check(?:s|ed|ing)?|test(?:s|ed|ing)?|ask(?:s|ed)?|see(?:s|ing)?|verif(?:y|ies)|condition)\b[^{MARKS}.;]*\b(?:if|whether|that|for|is)?\b"
)
SINCE = re.compile(
    rf"\b(?:since|because|as|so|therefore|thus|here|where)\b(?: the condition)? ([{C}])(?=[,.;)]|$| (?:and|so|we|the)\b)",
    re.I,
)
_NOT = r"(?P<not> not|n't| never| no longer)?"
RELATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?P<a>{ANY})(?: \([^()]*\))?,? (?:{words}) (?:the )?(?:\w+ )?(?P<b>{ANY})"), code)
    for words, code in (
        (rf"(?:is|are|was|were){_NOT} (?:(?:strictly )?greater than or equal to|at least|no less than)", "({a}) >= ({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:less than or equal to|at most|no more than|no greater than)", "({a}) <= ({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:(?:strictly )?greater than|larger than|more than|bigger than|above|longer than)", "({a}) > ({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:(?:strictly )?less than|smaller than|below|shorter than|under)", "({a}) < ({b})"),
        (r"(?:exceeds)(?P<not>\Z)?", "({a}) > ({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:(?:equal to|the same as|identical to|equivalent to))", "({a}) == ({b})"),
        (rf"(?:does|do|did){_NOT} (?:equal|match)", "({a}) == ({b})"),
        (r"(?:matches|equals)(?P<not>\Z)?", "({a}) == ({b})"),
        (r"(?:differs from|is different from)(?P<not>\Z)?", "({a}) != ({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:already |yet |also |currently |even )?(?:in|present in|found in|contained in|part of|among|inside|a key in|a key of|an element of|a member of|one of|a substring of)", "({a}) in ({b})"),
        (rf"(?:does|do|did){_NOT} (?:appear|occur|exist) in", "({a}) in ({b})"),
        (r"(?:appears in|occurs in|exists in)(?P<not>\Z)?", "({a}) in ({b})"),
        (rf"(?:does|do|did){_NOT} (?:contain|include|have|hold)", "({b}) in ({a})"),
        (r"(?:starts with|begins with)(?P<not>\Z)?", "({a}).startswith({b})"),
        (r"(?:ends with)(?P<not>\Z)?", "({a}).endswith({b})"),
        (rf"(?:does|do|did){_NOT} (?:start|begin) with", "({a}).startswith({b})"),
        (rf"(?:does|do|did){_NOT} end with", "({a}).endswith({b})"),
        (rf"(?:is|are|was|were){_NOT} (?:divisible by|a multiple of)", "({a}) % ({b}) == 0"),
    )
)  # fmt: skip
NOT_VALUE = re.compile(rf"([{C}])(?:,)? (?:is|was|are) not (?:equal to )?([{V}])(?! (?:times|in))")
_STOP = (
    r"(?:if|when|unless|because|since|as|after|by|for|from|with|containing|without|where|so|then|based"
    r"|whether|only|not|must|should|occurrences|indices|positions|the same|in which|once|until|input|index|position|length|number)"
)
RETURNS = re.compile(
    rf"\b(?P<verb>returns?|returning|will return|returned|return(?:ed)? value(?: of the function)? (?:is|will be)"
    rf"|(?:expected |final )?output(?: of the (?:function|call))? (?:is|will be|becomes)"
    rf"|final (?:result|answer|value)(?: of the function)?(?: that is returned)? (?:is|will be)"
    rf"|result of the (?:function|call) is|(?:is|gets) returned is)"
    rf"(?P<words>(?:[ ,]*\b(?!{_STOP}\b)[\w-]+)*?[ ,:(]*(?:(?P<named>[{C}]),? ?(?:(?:which|that|and it) (?:is|equals|contains|holds|now)|,|:| as| =| →| \()?(?: now| the| a| an| list| string| value| tuple| of| dictionary| integer| boolean| empty| number| set| simply| therefore| currently)*[ :]*)?)(?P<v>[{V}])",
    re.I,
)
RETURNED = re.compile(
    rf"(?P<v>[{V}])(?:,)? (?:is|gets|will be) (?:then |finally |what is )?returned"
)
ORDINALS = {
    w: n
    for n, w in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"], 1,
    )
}  # fmt: skip
NUMBERS = {
    w: n
    for n, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
} | {"once": 1, "twice": 2, "thrice": 3, "a single": 1, "no": 0}
ORDINAL = "|".join(ORDINALS) + r"|\d+(?:st|nd|rd|th)"
ITERATION = re.compile(
    rf"\b(?:(?P<word>{ORDINAL}|last|final) (?:\w+ )?(?:iteration|pass|round|time (?:through|around)|turn|trip)\b"
    rf"|(?:iteration|pass|round|turn|loop|step|trip) (?:#|number |no\. )?(?P<number>[{V}])(?=\W*[:(,.\-–—]|\W*$| (?:with|where|has|starts|begins|takes|sees|sets)))",
    re.I,
)
COUNT = re.compile(
    rf"\b(?:loop|body|it)\b[^{MARKS}.;]*? (?:will )?(?:runs?|iterates?|executes?|repeats?|goes around|loops?|performs|makes|completes|takes|is (?:entered|executed|run))(?: for)?(?: a total of| exactly| only| just| through)? "
    rf"(?:(?P<v>[{V}])|(?P<w>once|twice|thrice|one|two|three|four|five|six|seven|eight|nine|ten|no))"
    rf"(?(v)(?: full| more)? (?:times?|iterations?|passes|rounds?|turns?)|(?: times?| iterations?| passes| rounds?| turns?)?)",
    re.I,
)
COUNT_AFTER = re.compile(
    rf"(?:\b(?:after|in|for|total of|makes|there are)\b) (?:all |a total of |exactly )?(?:(?P<v>[{V}])|(?P<w>one|two|three|four|five|six|seven|eight|nine|ten)) (?:iterations?|passes|rounds)\b",
    re.I,
)
NEVER_RUNS = re.compile(
    rf"\b(?:loop|body|block|[{C}])\b[^{MARKS}.;]*(?:is never entered|never runs|does not (?:execute|run|start)|is not (?:entered|executed)|never executes|is skipped)",
    re.I,
)
HYPOTHETICAL = re.compile(
    r"(?:^|: )\W*(?:if|unless|suppose|assum|were\b|had\b)|\b(?:would|could|should|might|e\.g\.|for example|for instance|in general|may|any \w+ (?:that|which)|whenever|"
    r"(?:only|except|even) if|if (?:the|it|a|an|any|there|no|we|you)|can be|will be if|until|before|otherwise)\b",
    re.I,
)
MUST = re.compile(
    rf"([{C}])(?: \([^()]*\))? (?P<modal>must|should|has to|needs? to|can|could|might) (?:also |then |therefore )?(?:be|have been|equal|be set to|be equal to){_FILL}([{V}])(?=\W*(?:$|[.,;:)]| (?:and|because|since|so|for|to|in|as)\b))"
)
CHOOSE = re.compile(
    rf"\b(?:choose|pick|take|use|set|let|assign|with|try|have|select|choosing|setting|using)\b[^{MARKS}.;]*([{C}])(?: \([^()]*\))? ?(?:to be|to|as|be|=|is|equal to|:|of)?{_FILL}([{V}])",
    re.I,
)
INDIRECT = re.compile(
    rf"\b(?P<what>(?!value of|contents? of|state of)\w+)(?: [{C}{V}])? (?:of|in|at|for|from|between|over)(?: the| each| this)?(?: \w+)? ?$",
    re.I,
)
CONDITION = re.compile(
    rf"\b(?:condition|check|test|comparison|expression)\b[^{MARKS}.;]*(?:is|evaluates to|returns|becomes|gives|holds as|:)(?: now| therefore| thus| also| still)? ?(?P<v>[{V}])",
    re.I,
)
CONDITION_WORDS = re.compile(
    r"\b(?:condition|check|test)\b (?:is|was|does|evaluates)?(?: now| therefore| thus| also)? ?(?P<w>true|false|met|satisfied|not met|not satisfied|not true|not hold|holds|fails|passes|succeeds|to true|to false)\b",
    re.I,
)
AFTER_LOOP = re.compile(
    r"\b(?:after (?:the|all|both|this|completing|finishing|exiting|every)[^.]{0,40}?(?:loop|iterations?|passes)|end of (?:the )?loop|loop (?:ends|is done|terminates|finishes|completes|exits|stops|is over)|exit(?:s|ing)? the loop|once the loop)",
    re.I,
)
FINALLY = re.compile(
    r"\b(?:finally|in the end|eventually|at the end|ends? up|final|when it is over)\b", re.I
)
NOW = re.compile(r"\b(?:now|becomes?)\b", re.I)
BECOMES = re.compile(
    r"\b(?:becomes?|became|updated|incremented|decremented|now|set|assigned|changes?|turns into|reset|goes)\b|→|->|=>",
    re.I,
)
NO_EFFECT = re.compile(
    rf"\b(?:do(?:es)? nothing|nothing (?:happens|is done|changes)|no (?:action|change|update|operation)s?\b|(?:remains?|stays?|is left|leav\w+)(?: [^{MARKS}]*)? unchanged"
    rf"|condition (?:is|was|evaluates to|is not|was not) ?(?:false|not met|met|{V}))",
    re.I,
)
# said of what does not happen
NEGATED = re.compile(
    r"\b(?:(?:without|not|never|instead of|rather than|avoid(?:s|ing)?|before|n't)\W+(?:\w+ ){0,2}"
    r"|conditions? (?:for|of|to) )$",
    re.I,
)
NEITHER = re.compile(r"\b(?:neither|nor|none|no)\b[^,.;]*$", re.I)
# a condition that follows is said of these, not of what they are in
PART_OF = re.compile(
    rf"\b(?:characters?|letters?|elements?|items?|words?|keys?|values?|numbers?|part|substring|rest)\b[^{MARKS},.]*"
    r"\b(?:of|in|after|before|from)(?: the| each| this)?(?: \w+)? ?$",
    re.I,
)
# asked, not stated
ASKED = re.compile(r"\b(?:if|whether|where|when)\b[^,.:]*$")
SKIPS = re.compile(
    r"\b(?:not (?:be |get |been )?(?:executed|run|reached|entered|taken|visited|evaluated)|skipp(?:ed|ing|s)|skip|never (?:runs?|reached|executed)|does not (?:execute|run|reach)|ignored)\b",
    re.I,
)
