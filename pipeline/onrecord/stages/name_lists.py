"""Word lists of the entities stage: what joins, opens, follows and ends names."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The inside of a character class of capital letters, which ``re`` cannot name: Latin, Greek,
# Cyrillic and Armenian, and the Latin letters of Vietnamese.
CAPITALS = "".join(c for c in map(chr, (*range(0x590), *range(0x1E00, 0x1F00))) if c.isupper())

CONNECTORS = _words(
    """of the and for in on de la le du des del dos da do das di y e und van von der den bin binti
    bint ibn al el ul ur a an à aux & - – / . , ' ’ st to against without with under at as o"""
)
INNER = _words(
    """of for de la le du des del dos da do das di van von der den bin binti ibn al el & o"""
)
POSTNOMINALS = _words("""KC QC SC MP MPs MEP MLA MNA TD MD PhD CBE OBE MBE""")
AFTER_HYPHEN = _words(
    """led based backed born style run funded owned made era like wide related controlled linked
    type held trained sponsored registered listed appointed affiliated dominated friendly area bound
    supported educated inspired brokered mediated aligned occupied ruled elect"""
)
OPENING_WORDS = _words(
    """The A An He She It They We I You This That These Those His Her Its Their Our My Your In On At
    But And Or So If When While As After Before Since For From With By To There Then Here Now
    However Although Though Because What Who Whom Whose Why How Where Which Some Many Most All
    Both Neither Either Each Every Another Other Others Not No Nor Yes Yet According Meanwhile
    Also Still Even Once Under Over During Despite Instead Last Earlier Later Moreover More Much
    Until Unless Within Without Among Amid Against About Across Along Around Between Through
    Throughout Did Do Does Is Are Was Were Can Could Would Should Has Have Had Nobody Nothing
    Everyone Someone Anyone Several Few Only Just Perhaps Maybe Indeed Thus Therefore Hence
    Furthermore Additionally Such Two Three Four Five Six Seven Eight Nine Ten Let Of Mr Mrs Ms Dr
    One First Second Next Today Yesterday Tomorrow Monday Tuesday Wednesday Thursday Friday
    Saturday Sunday January February March April June July August September October November
    December Nevertheless Nonetheless Finally Like Unlike Upon Whether Whatever Whenever Well Oh
    Please Thank Thanks Being Having Asked Given Read Photo Image Video Source Editor By
    Reporting"""
)
# What may follow a name that is a noun phrase by itself; a noun there would make it an attribute.
AFTER_PHRASE = _words(
    """of in on at to for from with by as and or but nor that which who whose when while where if
    than then so yet since until after before during under over about against between into through
    amid among within without towards toward upon via per not also only even still already never
    always often once again now today yesterday tomorrow is are was were be been being has have
    had does do did will would can could may might must shall should said says say told tells
    announced asked added denied agreed accused warned wants wanted called calls made took takes
    gave gives refused rejected ruled voted plans planned continues continued remains became
    becomes because though although however itself themselves it they he she we this these there
    instead both"""
)
LOC_WORDS = _words(
    """sea ocean river lake bay gulf strait island islands isle peninsula mountain mountains mount
    hills valley desert basin delta coast cape canyon forest range plateau archipelago reef
    channel point falls glacier volcano region continent hemisphere rio cordillera"""
)
FAC_WORDS = _words(
    """airport bridge road street avenue highway boulevard lane square station port harbour harbor
    stadium arena hall building tower dam canal tunnel park palace prison plant mosque temple
    church cathedral museum hospital hotel gate fort castle library theatre theater base house
    route freeway motorway expressway terminal room market cemetery monument pier wharf plaza mall"""  # noqa: E501
)
BODY_WORDS = _words(
    """ministry department bureau agency authority board commission committee council court tribunal
    parliament congress senate assembly cabinet government army navy police force forces guard
    party movement front alliance coalition league union federation confederation association
    society club foundation institute institution university college school academy centre center
    bank fund trust capital partners holdings group corp corporation company inc ltd limited llc
    plc industries enterprises foods motors airlines airways energy power electric oil gas
    petroleum mining steel media news times post press agency network television tv radio magazine
    journal herald gazette tribune telecom technologies technology systems software labs
    laboratories pharmaceuticals insurance securities investments logistics shipping railways rail
    trains transit stores brands studios pictures records entertainment orchestra band team fc
    united hospital clinic church ngo watch amnesty international network organisation
    organization office secretariat service services nations"""
)
# Given names common enough to be one wherever they stand, a title-case heading included. Left out
# are those that are ordinary words or verbs there: "Will Trump", "Mark Johnson", "Grant".
GIVEN_NAMES = _words(
    """aaron abdul abdullah abigail adam adriana ahmed aisha alan albert alberto alejandro alex
    alexander alexandra alexei alexis alfred ali alice alicia alison allan allen amanda amina amit
    amy ana andrea andreas andrei andrew andy angela anita anna anne annie anthony antonio antony
    anwar arjun arnold arthur ashley ashraf audrey barack barbara barry beatrice ben benjamin
    bernard bernie beth betty bill billy bob bobby boris brenda brendan brian bruce bruno bryan
    caitlin camilla carl carla carlos carly carmen carol caroline carolyn catherine cecilia
    charles charlie charlotte cheryl chris christian christina christine christopher claire
    claudia colin connor craig cristina cynthia daniel daniela danielle danny darren dave david
    deborah debbie denis dennis derek diana diane diego dimitri dmitri dominic donald donna
    dorothy doug douglas duncan dwight ed eddie edgar eduardo edward edwin eileen elaine eleanor
    elena elijah elizabeth ellen elon emily emma emmanuel enrique eric erik erin ernest esther
    ethan eugene eva evan evelyn fatima felipe felix fernando fiona florence frances francesco
    francis francisco franklin fred frederick gabriel gareth gary gavin geoff geoffrey george
    gerald gerard gertrude giorgia gloria gordon graham greg gregory gretchen guillermo gustavo
    hannah hans harold harriet harry hassan hector heidi helen helena henry herbert hilary hillary
    howard hugh hugo hussein ian ibrahim ignacio igor imran ingrid irene isaac isabel isabella
    ivan ivana ivanka jackie jacob jacqueline jake james jamie jan jane janet janice jared jason
    javier jean jeb jeff jeffrey jennifer jenny jeremy jerry jesse jessica jill jim jimmy joan
    joanna joao jody joe joel johan johannes john johnny jon jonathan jordan jorge jose josef
    joseph josh joshua juan juana judith judy julia julian julie juliet justin kamala karen karim
    karin karl kate katherine kathleen kathy katie keir keith kelly ken kenneth kevin khalid kim
    kimberly kirsten klaus kofi kristen kurt kwame kyle lars laura lauren laurence lawrence leah
    lena leo leon leonard leslie liam lila linda lindsey lisa liz lloyd lois lorenzo lorraine louis
    louise lucas lucia lucy luis luke lydia lynn madeleine mahmoud malcolm manuel marcel marcia
    marco marcus margaret maria marie marina marine mario marion marjorie markus martha martin
    mary matt matteo matthew maureen max megan mehmet melania melissa michael michel michelle
    miguel mikhail miriam mitch mitt mohamed mohammad mohammed moses muhammad mustafa nadia nancy
    narendra natalie natasha nathan neil nelson nicholas nick nicola nicolas nigel nikki nikolai
    nina noah noel nora norman olaf oleg olga oliver olivia omar oscar owen pablo pamela patricia
    patrick paul paula pauline pedro penelope perry peter phil philip philippe phillip phyllis
    pierre priya rachel rafael rajesh ralph ramon randy raul raymond rebecca recep reginald rex
    ricardo richard rick rishi rita robert roberto rodney roger roland ron ronald rosa rosemary ross
    roy rudy rupert russell ruth ryan sabrina salman sam samantha samir samuel sandra sanjay sara
    sarah sean sebastian serge sergei sergey sergio shannon sharon sheila shirley sidney silvio
    simon sofia sonia sophie stacey stanley stella stephanie stephen steve steven stuart susan
    suzanne sven sylvia tamara tania tanya tara ted teresa terry theodore theresa thomas tim
    timothy tina todd tom tommy tony tracy trevor tyler ulrich ursula valerie vanessa veronica
    vicky victoria vincent viktor virginia vladimir volodymyr walter wanda warren wayne wendy
    wilhelm william willem wolfgang xavier yasmin yolanda yusuf yvette yvonne zachary zoe"""
)
PARTY_WORDS = _words(
    """labour conservative tory republican democratic democrat liberal green socialist communist
    nationalist libertarian independent lib dem gop snp ukip dup"""
)
# States of the US as news writes them in brackets: letters of no body.
STATE_LETTERS = _words("""nc sc nd sd ny nj nh nm ri dc wv va pa ga la md ma ct""")
# The one noun of a body that is named by it: a body "Supreme Court" is whole, "Hofstra" is not.
HEAD_NOUNS = _words(
    """ministry department bureau agency authority board commission committee subcommittee council
    court tribunal parliament congress senate assembly cabinet government army navy police force
    forces movement alliance coalition league union federation confederation association society
    foundation institute institution university college school academy centre center bank fund
    trust corporation company network organisation organization office nations house party
    administration"""
)
# What ends the name of a body that is not the larger body or company its first words name.
OWN_HEADS = _words(
    """committee subcommittee council commission commissioner caucus association coalition panel
    board division unit court tribunal office bureau agency center centre institute school news
    television radio network team union society federation forum program programme foundation
    fund service services investigations force command mission secretariat trust campaign"""
)
# Such a noun is no mere rest of the name even by itself: "Homeland Security Investigations".
DIVISIONS = _words("""subcommittee caucus investigations division unit team command campaign""")
BROADCAST = _words("""news television tv radio network""")
