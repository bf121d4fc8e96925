"""Word lists of the entities stage: what joins, opens, follows and ends names."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
