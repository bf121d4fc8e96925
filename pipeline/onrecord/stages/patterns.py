"""Word tables shared by the deterministic stages: verbs of saying, function words, roles.

The verbs are sorted by what they take, since that decides where a statement starts: a clause
("said that"), a person and then a clause ("told reporters that"), a noun phrase ("criticized the
plan"), or an infinitive ("vowed to").
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Form = Literal["base", "third", "past", "gerund"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Speech that takes a clause on its right, or follows its own statement: "..., he said".
SAY = _words(
    """say add write note suggest argue announce tweet claim declare explain acknowledge reveal
report insist state conclude stress emphasize emphasise assert contend maintain allege admit concede
recall reply respond quip joke muse remark observe comment boast brag complain lament predict warn
caution reiterate repeat confirm deny indicate hint imply propose continue ask wonder shout yell
cry chant interject testify vow pledge promise estimate forecast speculate clarify affirm reaffirm
proclaim recount post counter retort disclose mention elaborate object protest advise urge order
recommend rule signal underscore swear whisper mutter charge read begin bemoan decry advocate
assure predict project opine theorize joke answer explain agree tell call"""
)
TELL = _words("tell remind inform assure notify convince persuade reassure email text")
# States of mind and findings that reporters ascribe; they do not follow their own statement.
THINK = _words(
    """think believe know feel hope fear find show worry doubt learn realize realise recognize
recognise understand decide assume suspect imagine expect see hold determine"""
)
# Acts done by speaking that take a noun phrase.
ACT = _words(
    """accuse criticize criticise praise defend blame cite describe denounce condemn blast
    mock reject
dismiss question endorse express urge discuss quote portray characterize characterise label dub
applaud hail tout voice reference invoke highlight echo deride rebuke assail lambast lambaste
chide rebut ridicule liken credit thank congratulate champion bash challenge envision dispute
downplay disavow retweet outline detail recite relish propose favor favour request demand deem
view repudiate berate castigate commend scold belittle disparage decry bemoan stress repeat
announce confirm call"""
)
INFINITIVE = _words(
    """vow pledge promise refuse decline threaten offer agree hope want plan seek expect
decide propose prefer intend swear ask claim aim resolve volunteer"""
)

# Verbs that make a cue only with one of these particles; the particle belongs to the cue.
PARTICLES: dict[str, frozenset[str]] = {
    lemma: frozenset(particles.split())
    for lemma, particles in {
        "accord": "to",
        "allude": "to",
        "balk": "at",
        "brush": "off aside",
        "hint": "at",
        "lash": "out",
        "lay": "out",
        "point": "out to",
        "rail": "against at about",
        "rattle": "off",
        "refer": "to",
        "speak": "about",
        "talk": "about up",
        "vouch": "for",
        "call": "for on",
        "worry": "about",
        "complain": "about of",
        "boast": "about of",
        "brag": "about",
        "warn": "of about against",
        "respond": "to",
        "push": "for",
        "apologize": "for",
        "apologise": "for",
        "argue": "for against",
        "dwell": "on",
        "lobby": "for against",
        "single": "out",
        "ask": "about for",
        "joke": "about",
        "caution": "against",
        "inquire": "about",
        "react": "to",
    }.items()
}
ONLY_WITH_PARTICLE = _words(
    "allude balk brush lash lay point rail rattle refer speak talk vouch push apologize "
    "apologise dwell lobby single inquire react"
)
# Verbs whose statement starts only at "that" or a quotation: too common in other senses.
ONLY_WITH_THAT = _words(
    "recognize recognise seek prefer pledge maintain address know see feel decide expect "
    "continue agree hold order rule begin read find understand learn "
    "assume state charge project counter object post determine"
)
# Forms that are more often nouns; they are cues only right after a subject pronoun or name.
NOUN_LIKE = _words(
    "claim claims report reports call calls note notes question questions attack attacks demand "
    "demands hope hopes fear fears vow vows pledge pledges promise promises offer offers estimate "
    "estimates doubt doubts worry worries comment comments remark remarks remark show shows plan "
    "plans support view views forecast forecasts concern concerns address request requests project "
    "projects propose list lists name names label labels blame praise charge charges order orders "
    "rule rules state states signal signals post posts text texts email emails tweet tweets cry "
    "cries chant chants press challenge challenges challenger aim aims love echo echoes quote "
    "quotes "
    "counter object objects objects read reads favor favors voice voices detail details outline "
    "thought finding findings read seek sought back backs answer answers boast boasts"
)

_IRREGULAR: dict[str, tuple[str, ...]] = {
    "say": ("said",),
    "tell": ("told",),
    "write": ("wrote", "written"),
    "think": ("thought",),
    "know": ("knew", "known"),
    "feel": ("felt",),
    "find": ("found",),
    "show": ("showed", "shown"),
    "see": ("saw", "seen"),
    "hold": ("held",),
    "speak": ("spoke", "spoken"),
    "swear": ("swore", "sworn"),
    "understand": ("understood",),
    "seek": ("sought",),
    "read": ("read",),
    "begin": ("began", "begun"),
    "lay": ("laid",),
    "forecast": ("forecast",),
    "learn": ("learned", "learnt"),
    "quip": ("quipped",),
    "plan": ("planned",),
    "slam": ("slammed",),
    "chat": ("chatted",),
    "dub": ("dubbed",),
    "brag": ("bragged",),
    "refer": ("referred",),
    "rebut": ("rebutted",),
    "prefer": ("preferred",),
    "admit": ("admitted",),
}
_DOUBLING = _words("quip plan slam dub brag refer rebut prefer admit begin")
_NO_DOUBLING_VOWELS = "aeiou"


class VerbForm(NamedTuple):
    """One inflected form of a verb of saying."""

    lemma: str
    form: Form


def _inflect(lemma: str) -> dict[str, Form]:
    stem = lemma[:-1] if lemma.endswith("e") else lemma
    doubled = lemma + lemma[-1] if lemma in _DOUBLING else stem
    consonant_y = lemma.endswith("y") and lemma[-2] not in _NO_DOUBLING_VOWELS
    third = lemma[:-1] + "ies" if consonant_y else lemma + _third_ending(lemma)
    past = lemma[:-1] + "ied" if consonant_y else doubled + "ed"
    gerund = (lemma if lemma.endswith("ee") else doubled) + "ing"
    forms: dict[str, Form] = {lemma: "base", third: "third", gerund: "gerund"}
    for word in _IRREGULAR.get(lemma, (past,)):
        forms[word] = "past"
    return forms


def _third_ending(lemma: str) -> str:
    return "es" if lemma.endswith(("s", "sh", "ch", "x", "z")) else "s"


def _verb_table() -> dict[str, VerbForm]:
    lemmas = {*SAY, *TELL, *THINK, *ACT, *INFINITIVE, *ONLY_WITH_PARTICLE}
    return {
        word: VerbForm(lemma, form)
        for lemma in sorted(lemmas)
        for word, form in _inflect(lemma).items()
    }


VERBS: dict[str, VerbForm] = _verb_table()

AUXILIARIES = _words(
    "is are was were be been being am 's 're has have had having do does did will would shall "
    "should "
    "can could may might must 'll 've 'd isn't aren't wasn't weren't hasn't haven't hadn't don't "
    "doesn't didn't won't wouldn't can't couldn't shouldn't cannot ca wo n't"
)
PASSIVE = _words("is are was were be been being 's 're am")
ADVERBS_IN_GROUP = _words(
    "also then later again not never still just even now once long often since first only always "
    "n't further so too soon earlier since instead most more ever"
)
SUBJECT_PRONOUNS = _words("i he she it we they you who which one")
CLAUSE_WORDS = _words(
    "that which who whom whose because if when while whereas as although though since after before "
    "until unless where why how what whether but so than once and or nor yet"
)
PREPOSITIONS = _words(
    "in on at by for from with about against during after before under over into through between "
    "among without within since upon despite like unlike amid across around outside inside near "
    "toward towards until following as per throughout besides beyond"
)
DETERMINERS = _words(
    "a an the this that these those his her its their our my your some any many several few most "
    "all both no each every another other one two three four five dozens hundreds thousands"
)
POSSESSIVES = _words("his her its their our my your")
DAYS = _words(
    "monday tuesday wednesday thursday friday saturday sunday yesterday today tonight mon tue wed "
    "thu fri sat sun"
)
TIMES = _words(
    "morning afternoon evening night week month year last early late earlier later recently "
    "january february march april june july august september october november december"
)
# Finite verbs that end a noun phrase to their left; verbs of saying are added to them.
COMMON_VERBS = _words(
    """is are was were has have had does did will would shall should can could may might must
    went came made got took gave became left ran won lost met held kept sent paid stood sat
    led began grew fell rose drew put set let goes comes makes gets takes gives becomes
    brought bought caught fought built spent faces remains wins loses shook wore drove rode
    sang hung threw broke chose woke froze stole rang sank began shrank sprang tore bent
    bled bound dealt dug fed fled hid hurt laid lent lit slept slid stuck struck swept swung
    taught wept wound looks points knows runs sits stands"""
)
# Where things are said: "in an interview", "on Twitter".
SPEECH_PLACES = _words(
    """interview statement speech release email e-mail telephone phone conference briefing
    letter tweet post memo report rally twitter facebook cnn msnbc fox abc nbc cbs npr
    debate address remarks call message meeting hearing event video appearance testimony op-
    ed column blog article"""
)
# After a comma, what ends a reported clause, and what ends a noun phrase that is reported.
CLAUSE_BREAKS = _words("while although though according but")
PHRASE_BREAKS = CLAUSE_BREAKS | _words(
    "and as after when who which because even with where so if despite including"
)

# Labels before a colon that are no speakers.
LABELS_OF_NOBODY = _words(
    "breaking look boom wow watch update updated video exclusive opinion analysis editorial latest "
    "related note read listen photo photos source sources developing live alert recap quiz poll "
    "review timeline correction factbox explainer more also then here"
)
HEARERS = _words(
    "reporters journalists lawmakers voters supporters parents delegates investors members viewers "
    "readers police me us him them"
)
# What may open an adverbial after a source: "said Smith in an interview".
ADJUNCT_OPENERS = _words("in on at during after as when before while")

# Titles and roles: short forms and sisters of one word, so that "Sen." answers to "the senator".
ROLE_FORMS: dict[str, str] = {
    form: role
    for role, forms in {
        "senator": "sen senators",
        "governor": "gov",
        "representative": "rep congressman congresswoman lawmaker legislator mp",
        "president": "pres",
        "professor": "prof",
        "doctor": "dr physician surgeon neurosurgeon",
        "general": "gen",
        "candidate": "nominee contender front-runner frontrunner hopeful standard-bearer",
        "spokesperson": "spokesman spokeswoman",
        "chairperson": "chairman chairwoman chair",
        "businessperson": (
            "businessman businesswoman mogul billionaire tycoon developer entrepreneur"
        ),
        "officer": "policeman policewoman sheriff",
        "republican": "gop",
        "democrat": "democratic",
        "judge": "justice",
        "lawyer": "attorney barrister solicitor",
        "minister": "secretary",
        "premier": "pm",
        "executive": "ceo",
    }.items()
    for form in forms.split()
}
# General words for people in a role: "the leader" may be any of these.
HYPERNYMS: dict[str, frozenset[str]] = {
    "leader": _words(
        "president premier minister chancellor governor king queen chairperson secretary head "
        "chief mayor candidate speaker executive"
    ),
    "politician": _words(
        "president premier minister senator representative governor mayor candidate"
    ),
    "boss": _words("executive director chairperson founder chief head manager owner"),
    "executive": _words("director chairperson founder chief head boss"),
    "official": _words("secretary minister director commissioner head chief deputy"),
    "scientist": _words("professor doctor researcher"),
    "academic": _words("professor lecturer"),
    "expert": _words("professor analyst researcher economist scientist"),
    "premier": _words("minister"),
}
# What kind of body a name tells by one of its words: "the agency" is the Budget Office.
_COMPANY = _words(
    "inc corp corporation ltd plc llc ag sa gmbh co company group holdings industries motors oil "
    "energy gas steel airlines airways bank systems technologies pharmaceuticals foods stores labs "
    "petroleum electric media entertainment"
)
_OFFICE = _words(
    "agency office bureau administration department service authority commission council board "
    "institute centre center directorate investigations"
)
_SOCIETY = _words(
    "association foundation trust alliance coalition council society federation campaign network "
    "institute action watch union rights international fund aid league movement front group "
    "congress project centre center forum initiative"
)
_PRESS = _words(
    "times post guardian journal herald news daily telegraph tribune gazette mail mirror sun "
    "independent observer express star standard chronicle globe today weekly review press echo "
    "magazine morning evening courier inquirer monitor politico breitbart buzzfeed reuters"
)
_AIR = _words("tv television radio bbc cnn nbc msnbc abc cbs fox channel network broadcasting news")
_PARTY = _words(
    "party labour conservatives democrats republicans liberals tories greens congress front league "
    "movement union alliance coalition"
)
_TEAM = _words("united city fc club rovers athletic town rangers county wanderers")
BODY_KINDS: dict[str, frozenset[str]] = {
    kind: names
    for kinds, names in (
        ("agency office body department bureau regulator watchdog authority board", _OFFICE),
        ("panel", _OFFICE | _words("committee panel tribunal")),
        ("ministry", _words("ministry department office treasury")),
        ("commission inquiry", _words("commission inquiry tribunal panel")),
        ("court", _words("court tribunal circuit")),
        (
            "company firm corporation giant manufacturer carmaker automaker retailer startup "
            "utility insurer chain publisher studio conglomerate developer supplier operator",
            _COMPANY,
        ),
        ("airline", _words("air airlines airways")),
        ("lender", _words("bank")),
        (
            "group charity organization organisation association foundation nonprofit coalition "
            "movement alliance think-tank",
            _SOCIETY,
        ),
        ("union", _words("union workers teachers association federation congress guild")),
        ("party opposition", _PARTY),
        ("newspaper paper magazine outlet publication website site", _PRESS | _AIR),
        ("network channel station broadcaster", _AIR),
        ("team club side", _TEAM),
        ("university college school", _words("university college academy")),
        ("hospital", _words("hospital clinic infirmary medical")),
        ("league federation", _words("league association federation union")),
        ("force", _words("police constabulary force")),
        ("parliament assembly house", _words("parliament assembly house congress senate")),
        ("army", _words("army military forces")),
    )
    for kind in _words(kinds)
}
MASCULINE = _words(
    "mr sir lord king prince duke baron father brother son husband boy man uncle grandfather "
    "businessman congressman chairman spokesman policeman fireman actor widower mogul "
    "pope monsignor "
    "nephew grandson patriarch statesman councilman assemblyman anchorman"
)
FEMININE = _words(
    "ms mrs miss lady dame queen princess duchess baroness mother sister daughter wife girl woman "
    "aunt grandmother businesswoman congresswoman chairwoman spokeswoman policewoman actress widow "
    "niece granddaughter mum mom councilwoman assemblywoman"
)
# Singular nouns for bodies ("the company"), for people by role, and for things that are issued by
# somebody ("the statement").
BODY_NOUNS = _words(
    "company firm agency group organization organisation department ministry bank newspaper paper "
    "magazine network university college school party committee commission court council union "
    "association foundation institute center centre board bureau outlet campaign administration "
    "government army navy police federation coalition charity regulator watchdog airline "
    "manufacturer carmaker automaker retailer club league station channel website site publication "
    "corporation giant startup utility lender insurer chain broadcaster publisher studio museum "
    "hospital church parliament congress assembly senate militia movement alliance bloc "
    "body office "
    "service authority pac think-tank nonprofit nation country state city kingdom republic"
)
PLACE_NOUNS = _words("nation country state city town province region kingdom republic")
ISSUED_NOUNS = _words(
    "statement tweet letter email e-mail post message speech remarks comments remark comment memo "
    "release report poll survey study analysis article editorial op-ed ad advertisement video book "
    "film documentary interview testimony lawsuit complaint filing ruling decision order document "
    "resolution plan proposal website page story piece column blog account announcement press note "
    "transcript pictures images footage bulletin briefing presentation figures data numbers "
    "findings words language headline research review paper "
    "communique declaration"
)
PLURAL_STARTS = _words(
    "many some several few most both all two three four five six seven eight nine ten dozens "
    "hundreds thousands other others these those various numerous more half neither none"
)
PERSON_NOUNS = _words(
    "president senator governor representative mayor candidate leader minister premier chancellor "
    "businessperson judge lawyer general admiral colonel professor doctor director chairperson "
    "spokesperson executive republican democrat king queen prince pope bishop coach player actor "
    "actress singer author writer journalist host anchor reporter commentator pollster strategist "
    "adviser advisor analyst economist scientist researcher activist man woman official ambassador "
    "diplomat envoy lady speaker politician conservative liberal socialist independent prosecutor "
    "commissioner star celebrity veteran investor philanthropist founder wife husband "
    "mother father "
    "son daughter brother sister widow driver teacher student victim suspect defendant head chief "
    "commander officer pastor priest imam rabbi former incumbent rival opponent"
)
# What stands before a name and is no part of it.
ROLE_WORDS_IN_NAMES = _words(
    "mr mrs ms dr sen rep gov gen lt col sgt capt president senator governor representative judge "
    "justice secretary minister prime king queen prince princess sir lord lady dame former "
    "republican democratic democrat attorney general mayor chief executive professor prof rev "
    "congressman congresswoman pastor ambassador chairman the a an"
)
# Between a head noun and a name that only qualifies it: "officials in Ohio".
QUALIFYING = _words(
    "of at for in with to on against near like including across within around about among under "
    "who that which whose between behind"
)
