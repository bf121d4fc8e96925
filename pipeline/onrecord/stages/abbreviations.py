"""Words that decide whether a full stop ends a sentence: abbreviations, and words that begin one.

Abbreviations fall into classes by what may follow them. Lists hold what news in English uses;
forms are written without their last full stop.
"""

from __future__ import annotations

import re
from typing import Literal

# What the class says of the full stop after the word, if the next word begins with a capital:
# never ends a sentence / ends it unless a digit follows / ends it before a sentence starter
# (title: only for saints and streets) / ends it / depends on the clock / only before a starter.
AbbreviationKind = Literal["never", "digit", "title", "final", "clock", "starter"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAINTS = _words("St Mt Ft Sr Jr")
_TITLES = _words(
    """Mr Mrs Ms Mx Dr Drs Prof Profs Gen Sen Sens Rep Reps Gov Govs Lt Col Capt Sgt Maj Adm Cmdr
    Cdr Cpl Pvt Pfc Spc Rev Hon Fr Pres Supt Det Insp Amb Atty Messrs Mme Mmes Mlle Brig Msgr Br
    Md Bro Sis Asst Assoc Dep Vice-Pres Ald Ofc Cllr Rt Sra Srta Dna St Ste Mt Ft Ven Esq Adj Hr
    Sec-Gen Dir Treas Comdr Ens Tech Wm Chas Geo Thos Jas Jos"""
)
_NUMBERED = _words(
    """No Nos no nos Art Arts Sec Secs Fig Figs fig figs p pp P pp vol vols Vol Vols ch Ch Chap
    chap Para para Paras Op op Rs rs Tk Vol Ver ver Sec sec Reg Sch Cl Exh Pt pt Ex Nr nr N° Br
    art par Sq tel Tel ext Ext"""
)
_NEVER = _words(
    """vs Vs v i.e e.g ie eg cf viz approx ca c.f Cf f.e resp incl esp aka a.k.a fka f.k.a d.b.a
    n.b N.B"""
)
_MONTHS = _words("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec")
_FINAL = _words("etc al govt dept est lb lbs oz hrs hr mins ft yr yrs approx btw med")
_COMPANIES = _words(
    """Inc Corp Ltd Co Cos Bros LLC L.L.C plc PLC Pty Jr Sr Esq Ph.D PhD M.D B.A M.A B.Sc M.Sc
    D.D.S J.D Ed.D LL.B LL.M M.B.A Intl Int'l Assn Assoc Dept Univ Govt Mfg Natl Nat'l co inc ltd
    corp jr Ave Blvd Rd Hwy Rte Pkwy Dr Sq Pl Ln Ct Bldg Apt st ave Mgr Dist Ctr Inst Acad Soc
    Yahoo ed eds Ed Eds trans comp Cie S.A S.p.A S.A.S N.V B.V A.G"""
)
_STATES = _words(
    """Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Kans Ky La Mass Md Me Mich Minn Miss Mo
    Mont Neb Nebr Nev Okla Ore Pa Penn Tenn Tex Va Vt Wash Wis Wyo Ont Que Alta Man Sask W.Va"""
)
_CLOCK = _words("a.m p.m A.M P.M am pm")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_SINGLE = re.compile(r"[A-Z]")

STARTERS = _words(
    """The A An He She It They We I You This That These Those His Her Its Their Our My Your In On
    At But And Or So If When While As After Before Since For From With By To There Then Here Now
    However Although Though Because What Who Whom Whose Why How Where Which Some Many Most All Both
    Neither Either Each Every Another Other Others Not No Nor Yes Yet According Asked Meanwhile
    Also Still Even Once Under Over During Despite Instead Last Earlier Later Moreover More Much
    Until Unless Within Without Among Amid Against About Across Along Around Between Through
    Throughout Did Do Does Is Are Was Were Can Could Would Should Has Have Had Nobody Nothing
    Everyone Everybody Someone Something Anyone Several Few Only Just Perhaps Maybe Indeed Thus
    Therefore Hence Nevertheless Nonetheless Furthermore Additionally Rather Such Two Three Four
    Five Six Ten Let Let's It's It’s He's He’s She's She’s They're They’re We're We’re I'm I’m
    That's That’s There's There’s Don't Don’t I've I’ve We've We’ve I'll I’ll Officials Critics
    Police People Experts Analysts Investigators Authorities Researchers Supporters Reporters
    Republicans Democrats Yesterday Today Tomorrow Recently Currently Previously Finally
    Eventually Ultimately Initially Originally Suddenly Asked Speaking Like Unlike Given Including
    Having Being Following Whether Whatever Whenever Nearly Almost Half"""
)
AFTER_CLOCK = _words(
    """Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May
    June July August September October November December Jan Feb Mar Apr Aug Sept Oct Nov Dec Mon
    Tue Tues Wed Thu Thurs Fri Sat Sun EST EDT ET CST CDT CT MST MDT MT PST PDT PT GMT UTC BST CET
    CEST IST Eastern Central Pacific Mountain Greenwich Local London Paris Moscow Beijing Tokyo"""
)
BEFORE_TIME = _words("At By Around About Before After Shortly Just From Until Since")
EXCLAIMED_NAMES = _words("Yahoo Jeopardy Yum")

# Names that begin small: al-Assad, iPhone, eBay, e-Residency.
SMALL_NAME = re.compile(r"(?:(?:al|el|ash|as|an|ad|ar|at|de|la|bin|ibn)-[A-Z]|[ie]-?[A-Z])")

NAME_WORD = r"[A-Z][\w.’'-]*|of|the|de|van|von|al|bin|and"
ASKING = _words("asked wondered demanded shouted inquired cried yelled exclaimed replied asks")
CUES = "|".join(
    sorted(
        ASKING
        | _words(
            """said says wrote writes added adds told tells responded answered tweeted continued
            joked quipped recalled declared"""
        )
    )
)
# After one of these the verb reports a new statement: ``"Who pays?" Mr Ode said he did not know.``
REPORTED_STARTS = _words(
    "that he she it they we i the his her their there this these those no not a an if whether"
)


def classify(word: str, before: str) -> AbbreviationKind | None:
    """The class of the abbreviation that ``word`` is, without its last stop; None if it is none.

    Args:
        word: the run of characters before the full stop.
        before: the sentence so far, up to the full stop, for what only context tells.
    """
    bare = word.rsplit("-", 1)[-1] if "-" in word else word
    for kind, words in _CLASSES:
        if word in words or bare in words:
            return kind
    if bare in _STATES and re.search(r"(?:,\s|[-–(])\S+$", before):
        return "starter"
    if _INITIALS.fullmatch(bare):
        return "starter"
    if _SINGLE.fullmatch(bare):
        return "starter"
    return None


_CLASSES: tuple[tuple[AbbreviationKind, frozenset[str]], ...] = (
    ("never", _NEVER),
    ("title", _TITLES),
    ("digit", _NUMBERED),
    ("clock", _CLOCK),
    ("starter", _COMPANIES),
    ("final", _FINAL | _MONTHS),
)
