"""Words that decide whether a full stop ends a sentence: abbreviations, and words that begin one.

The lists hold what news in English uses; an abbreviation is written without its last full stop.
"""

from __future__ import annotations

import re
from typing import Literal

# What the class says of a full stop before a capital or a digit.
#   never    belongs to the word: "Mr. Okoro", "vs. Ghana"
#   digit    belongs to the word only before a digit: "No. 3"
#   final    ends the sentence unless a digit or bracket follows: "etc. The", "Jan. 3"
#   clock    ends the sentence unless a day or time zone follows: "9 a.m. Friday"
#   starter  ends the sentence only before a word that begins sentences: "U.S. Army", "U.S. The"
AbbreviationKind = Literal["never", "digit", "final", "clock", "starter"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words(
    """Mr Mrs Ms Mx Dr Drs Prof Profs Gen Sen Sens Rep Reps Gov Govs Lt Col Capt Sgt Maj Adm Cmdr
    Cdr Cpl Pvt Pfc Rev Hon Messrs Mme Mmes Mlle Brig Msgr Ste Ven Supt Insp Atty Amb Wm Chas Geo
    Thos Jas vs Vs v i.e e.g cf viz c.f Cf f.e incl resp a.k.a f.k.a d.b.a n.b N.B"""
)
_DIGIT = _words(
    "No Nos no nos Nr nr N° p pp vol vols ch para op art fig figs par pt Rs rs Tk ver tel ext ca"
)
_FINAL = _words(
    """etc al govt dept est lb lbs oz hrs hr mins ft yr yrs btw Jan Feb Mar Apr Jun Jul Aug Sep
    Sept Oct Nov Dec"""
)
_CLOCK = _words("a.m p.m A.M P.M am pm")
_STARTER = _words(
    """Inc Corp Ltd Co Cos Bros plc Pty Jr Sr Esq Ph.D PhD Intl Int'l Assn Assoc Asst Dept Univ
    Govt Mfg Natl Nat'l co inc ltd corp jr Ave Blvd Rd Hwy Rte Pkwy Sq Pl Ln Ct Bldg Apt st ave Mgr
    Dist Ctr Inst Acad Soc ed eds Ed Eds trans comp Cie St Mt Ft Fr Br Bro Sis Md Dir Treas Det Det
    Spc Pres Dep Ofc Ald Rt Sra Srta Dna Adj Hr Ens Tech Jos Art Arts Sec Secs Fig Figs Vol Vols Ch
    Chap chap Para Paras Op Ver sec Reg Sch Cl Exh Pt Ex Ext approx med temp min max admin rep gov
    sen gen mgmt misc orig prev avg Mlle LL.B LL.M Bhd Sdn Pvt Pte Pt dr mr mrs ms prof"""
)
_STATES = _words(
    """Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Kans Ky La Mass Md Me Mich Minn Miss Mo
    Mont Neb Nebr Nev Okla Ore Pa Penn Tenn Tex Va Vt Wash Wis Wyo Ont Que Alta Man Sask W.Va"""
)
_CLASSES: tuple[tuple[AbbreviationKind, frozenset[str]], ...] = (
    ("never", _NEVER),
    ("digit", _DIGIT),
    ("clock", _CLOCK),
    ("starter", _STARTER),
    ("final", _FINAL),
)
# "U.S", "J.F.K", "Ph.D", "W": letters with stops between them, or an initial.
_INITIALS = re.compile(r"(?:[A-Za-z]{1,2}\.)*[A-Za-z]|(?:[A-Za-z]{1,3}\.)+[A-Za-z]{1,2}")
# A single letter that is no initial: it names a kind, or is the pronoun.
_LETTER_NAME = re.compile(
    r"(?:\b(?:and|or|than|as|but|did|do|am|was|can|will|have|had) I|\bWar I|"
    r"\b(?:[Pp]lan|[Gg]roup|[Cc]lass|[Tt]ype|[Vv]itamin|[Hh]epatitis|[Pp]art|[Ss]ection|[Tt]itle|"
    r"[Aa]ppendix|[Gg]rade|[Ss]erie|[Ss]chedule|[Ee]xhibit|[Bb]lock|[Pp]oint|[Tt]erminal) [A-Z])$"
)
_STATE_BEFORE = re.compile(r"(?:,\s|[-–(]\s?)\S+$")

_STARTERS = _words(
    """The A An He She It They We I You This That These Those His Her Its Their Our My Your In On
    At But And Or So If When While As After Before Since For From With By To There Then Here Now
    However Although Though Because What Who Whom Whose Why How Where Which Some Many Most All Both
    Neither Either Each Every Another Other Others Not No Nor Yes Yet According Asked Meanwhile
    Also Still Even Once Under Over During Despite Instead Last Earlier Later Moreover More Much
    Until Unless Within Without Among Amid Against About Across Along Around Between Through
    Throughout Did Do Does Is Are Was Were Can Could Would Should Has Have Had Nobody Nothing
    Everyone Everybody Someone Something Anyone Several Few Only Just Perhaps Maybe Indeed Thus
    Therefore Hence Nevertheless Nonetheless Furthermore Additionally Rather Such Two Three Four
    Five Six Ten Millions Thousands Hundreds Dozens Let Don't Officials Critics Experts Analysts
    Yesterday Today Tomorrow Recently Currently Previously Finally Eventually Ultimately Initially
    Originally Suddenly Speaking Like Unlike Given Including Having Being Following Whether
    Whatever Whenever Nearly Almost Half"""
)
_PLAIN_WORD = re.compile(r"[^\W_]+(?:[’']t\b)?")
# Adverbs and participles: "Additionally", "Responding to the report".
_OPENING = re.compile(
    r"[A-Z][a-z]{3,}(?:ally|ently|ately|edly|ously|ively|antly)\b|"
    r"[A-Z][a-z]{3,}ing (?:to|that|the|an?|on|at|from|about|for|with|his|her|its|their)\b"
)
_ZONE = re.compile(r"(?:[A-Z]\.){2,}|(?:[A-Z][\w.]+\s){1,3}[Tt]ime\b")
_AFTER_CLOCK = _words(
    """Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May
    June July August September October November December Jan Feb Mar Apr Aug Sept Oct Nov Dec Mon
    Tue Tues Wed Thu Thurs Fri Sat Sun EST EDT ET CST CDT CT MST MDT MT PST PDT PT GMT UTC BST CET
    CEST IST WAT EAT AEST JST AST ADT AKST HST NZST SAST Eastern Central Pacific Mountain
    Greenwich"""
)
BEFORE_TIME = _words("At By Around About Before After Shortly Just From Until Since")
EXCLAIMED_NAMES = _words("Yahoo Jeopardy")
# The pronoun is capital anywhere, so after an ellipsis it does not show a new sentence.
FIRST_PERSON = re.compile(r"I(?:[’'][a-z]+)?$")
# Names that begin small: al-Assad, iPhone, eBay.
SMALL_NAME = re.compile(r"(?:al|el|ash|as|an|ad|ar|at|bin|ibn)-[A-Z]|[ie]-?[A-Z]")

_ASKING = "asked|asks|wondered|demanded|shouted|inquired|cried|yelled|told|tells"
_SAYING = (
    "said|says|wrote|writes|added|adds|responded|answered|replied|exclaimed|tweeted|continued|"
    "joked|quipped|recalled|declared|remarked"
)
_CUE_CLAUSE = re.compile(
    r"(?:(?:[A-Z][\w.’'-]*|of|the|de|van|von|al|bin|and),?\s+){1,6}?"
    rf"(?:(?P<asking>{_ASKING})|(?:{_SAYING}))\b(?P<rest>[\s,.:;]+[\w’']+|)"
)
# After one of these the verb reports a new statement: ``"Who pays?" Mr Ode said he did not know.``
_REPORT = re.compile(
    r"[\s,]*(?:that|he|she|it|they|we|I|the|his|her|their|there|this|these|those|no|not|an?|if|"
    r"whether|such|some|many|what|how|why)\b|:|"
    r"\s(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)[A-Z]"
)


def classify(word: str, before: str) -> AbbreviationKind | None:
    """The class of the abbreviation that ``word`` is, without its last stop; None if it is none.

    Args:
        word: the run of characters before the full stop.
        before: the sentence so far, up to the full stop, for what only context tells.
    """
    bare = word.rsplit("-", 1)[-1]
    forms = (bare, bare.capitalize()) if bare.isupper() and len(bare) > 1 else (bare,)
    for kind, words in _CLASSES:
        if any(form in words for form in forms):
            return kind
    if bare in _STATES and _STATE_BEFORE.search(before):
        return "starter"
    if _INITIALS.fullmatch(bare) and not _LETTER_NAME.search(before[-24:]):
        return "starter"
    return None


def begins_sentence(after: str) -> bool:
    """Whether the capital word after an abbreviation begins a sentence rather than a name.

    ``after`` is the text from that word on.
    """
    word = _PLAIN_WORD.match(after)
    return bool(word and word.group().replace("’", "'") in _STARTERS) or bool(_OPENING.match(after))


def goes_on_with_clock(after: str) -> bool:
    """Whether ``after`` a time of day a day, a time zone or ``local time`` follows."""
    word = _PLAIN_WORD.match(after)
    return bool(word and word.group() in _AFTER_CLOCK) or bool(_ZONE.match(after))


def is_cue_clause(after: str) -> bool:
    """Whether ``after`` begins with a name and its verb of asking or saying, then goes no further.

    In ``"Why?" Ms Okafor asked.`` they belong to the question before them.
    """
    match = _CUE_CLAUSE.match(after)
    return bool(match and (match["asking"] or not _REPORT.match(match["rest"])))
