"""Tables of forms that users of quotation extractors report as missed, one table a form.

The texts are written for these tests in the manner of news. ``content`` lists the pieces of the
statement as they stand in the text, marks included; ``source`` is the whole source phrase. The
rules and the trained stage are both held to them.
"""

from __future__ import annotations

from typing import NamedTuple


class Pattern(NamedTuple):
    """A mini article and the one statement to be found in it."""

    text: str
    content: tuple[str, ...]
    source: str


# One speech over several paragraphs: every paragraph opens with a mark, only the last one closes.
MULTI_PARAGRAPH = (
    Pattern(
        "“We walked every metre of that embankment in March,” said Ingrid Solheim, who runs the "
        "county’s flood office. “We told the ministry the clay was gone.\n\n"
        "“Nobody came. In June the water did.”",
        (
            "“We walked every metre of that embankment in March,”",
            "“We told the ministry the clay was gone.",
            "“Nobody came. In June the water did.”",
        ),
        "Ingrid Solheim, who runs the county’s flood office",
    ),
    Pattern(
        "The chairman, Teodor Balan, read from a prepared text:\n\n"
        '"The board has considered the offer with care.\n\n'
        '"It does not reflect what this company is worth, and it does not reflect the work of the '
        "four thousand people who are employed here.\n\n"
        '"We have therefore rejected it."',
        (
            '"The board has considered the offer with care.',
            '"It does not reflect what this company is worth, and it does not reflect the work of '
            "the four thousand people who are employed here.",
            '"We have therefore rejected it."',
        ),
        "The chairman, Teodor Balan",
    ),
    Pattern(
        "Mbeki-Lowe said: “I have been asked whether I will resign. I will not.\n\n"
        "“I was elected by the members, and it is the members who will decide.”",
        (
            "“I have been asked whether I will resign. I will not.",
            "“I was elected by the members, and it is the members who will decide.”",
        ),
        "Mbeki-Lowe",
    ),
    Pattern(
        '"The nets came up empty for eleven days," the skipper said. "On the twelfth we turned '
        "south.\n\n"
        '"By then the others had gone home."',
        (
            '"The nets came up empty for eleven days,"',
            '"On the twelfth we turned south.',
            '"By then the others had gone home."',
        ),
        "the skipper",
    ),
    Pattern(
        "In a letter to parents the headteacher, Oluchi Adeyemi, wrote: “There will be no "
        "lessons on "
        "Thursday or Friday.\n\n"
        "“Children who rely on school meals can collect a lunch at the side gate from noon.\n\n"
        "“We are sorry for the short notice.”",
        (
            "“There will be no lessons on Thursday or Friday.",
            "“Children who rely on school meals can collect a lunch at the side gate from noon.",
            "“We are sorry for the short notice.”",
        ),
        "the headteacher, Oluchi Adeyemi",
    ),
    Pattern(
        'Judge Renata Okafor told the jury: "You have heard that Mr Lindqvist was in Malmö that '
        "night. You have also heard that his telephone was not.\n\n"
        '"It is for you, and for you alone, to say what follows from that."',
        (
            '"You have heard that Mr Lindqvist was in Malmö that night. You have also heard that '
            "his "
            "telephone was not.",
            '"It is for you, and for you alone, to say what follows from that."',
        ),
        "Judge Renata Okafor",
    ),
    Pattern(
        "“They promised us a clinic in 2011,” said Ruth Namukasa, a midwife in the lakeside "
        "district.\n\n"
        "“They promised it again in 2016, and they brought a ribbon that time.”",
        (
            "“They promised us a clinic in 2011,”",
            "“They promised it again in 2016, and they brought a ribbon that time.”",
        ),
        "Ruth Namukasa, a midwife in the lakeside district",
    ),
    Pattern(
        "The statement from the five unions said: «We did not seek this strike.\n\n"
        "«We have offered to meet every day since 4 May, and every day the ministry has "
        "declined.\n\n"
        "«The trains will stop at midnight.»",
        (
            "«We did not seek this strike.",
            "«We have offered to meet every day since 4 May, and every day the ministry has "
            "declined.",
            "«The trains will stop at midnight.»",
        ),
        "The statement from the five unions",
    ),
    Pattern(
        "“You cannot negotiate with a clock on the table,” Ambassador Farid Haddad told reporters "
        "on the steps of the hotel. “Take it away and we will talk.\n\n"
        "“Leave it there and we will talk about the clock.”",
        (
            "“You cannot negotiate with a clock on the table,”",
            "“Take it away and we will talk.",
            "“Leave it there and we will talk about the clock.”",
        ),
        "Ambassador Farid Haddad",
    ),
    Pattern(
        "Asked what went wrong, Castellanos replied: “Everything you can see from this window.\n\n"
        "“The turbines were two years late. The cable was the wrong cable. And then it snowed.”",
        (
            "“Everything you can see from this window.",
            "“The turbines were two years late. The cable was the wrong cable. And then it "
            "snowed.”",
        ),
        "Castellanos",
    ),
    Pattern(
        '"I never signed that paper," Ms Wetherby said under oath. "I had never seen it before the '
        "police laid it in front of me.\n\n"
        '"If my name is on it, somebody else wrote it there."',
        (
            '"I never signed that paper,"',
            '"I had never seen it before the police laid it in front of me.',
            '"If my name is on it, somebody else wrote it there."',
        ),
        "Ms Wetherby",
    ),
    Pattern(
        "The bishop’s sermon was short. He said: “We buried nine of our neighbours this week.\n\n"
        "“I have no words that are large enough, so I will read you their names.”",
        (
            "“We buried nine of our neighbours this week.",
            "“I have no words that are large enough, so I will read you their names.”",
        ),
        "He",
    ),
    Pattern(
        "‘It was a good offer in October,’ said Graham Pell, the club’s finance director. ‘It is "
        "not "
        "a good offer now.\n\n"
        "‘Prices have moved, and so have we.’",
        (
            "‘It was a good offer in October,’",
            "‘It is not a good offer now.",
            "‘Prices have moved, and so have we.’",
        ),
        "Graham Pell, the club’s finance director",
    ),
    Pattern(
        "Foreign minister Anneli Saar added: “We are a small country and we have a long memory.\n\n"
        "“Nobody in this region should mistake our patience for consent.”",
        (
            "“We are a small country and we have a long memory.",
            "“Nobody in this region should mistake our patience for consent.”",
        ),
        "Foreign minister Anneli Saar",
    ),
    Pattern(
        '"My grandmother sold yams on that corner, and my mother sold telephones there," said '
        'Blessing Osei. "Now they tell me I need a licence.\n\n'
        '"A licence to stand where I was born?"',
        (
            '"My grandmother sold yams on that corner, and my mother sold telephones there,"',
            '"Now they tell me I need a licence.',
            '"A licence to stand where I was born?"',
        ),
        "Blessing Osei",
    ),
    Pattern(
        'Dr Yusuf Karim, who leads the trial, explained: "The first group improved within a '
        "month. "
        "The second did not improve at all.\n\n"
        '"That is what an honest result looks like, and we will publish both."',
        (
            '"The first group improved within a month. The second did not improve at all.',
            '"That is what an honest result looks like, and we will publish both."',
        ),
        "Dr Yusuf Karim, who leads the trial",
    ),
)

# A name with an apposition, an age, a party or a relative clause between it and its verb.
APPOSITION = (
    Pattern(
        "Hugh Merriman, a doctor at the harbour clinic, said the first patients arrived before "
        "dawn.",
        ("the first patients arrived before dawn",),
        "Hugh Merriman, a doctor at the harbour clinic",
    ),
    Pattern(
        "“The bridge was never inspected,” Paolo Ferretti, an engineer who worked on the original "
        "survey, said on Tuesday.",
        ("“The bridge was never inspected,”",),
        "Paolo Ferretti, an engineer who worked on the original survey",
    ),
    Pattern(
        "Leila Barzani, 34, a teacher from the northern suburbs, told the inquiry that the alarm "
        "did "
        "not sound.",
        ("that the alarm did not sound",),
        "Leila Barzani, 34, a teacher from the northern suburbs",
    ),
    Pattern(
        '"There is no plan B," said Senator Wade Hollis (R-Mont.), the committee\'s ranking '
        "member.",
        ('"There is no plan B,"',),
        "Senator Wade Hollis (R-Mont.), the committee's ranking member",
    ),
    Pattern(
        "The finance minister, Katarzyna Wilk, warned that the budget could not absorb another "
        "rate "
        "rise.",
        ("that the budget could not absorb another rate rise",),
        "The finance minister, Katarzyna Wilk",
    ),
    Pattern(
        "Dong Minh Chau, whose family has farmed the delta for five generations, says the salt now "
        "reaches his well.",
        ("the salt now reaches his well",),
        "Dong Minh Chau, whose family has farmed the delta for five generations",
    ),
    Pattern(
        "Rep. Alma Fuentes, D-Ariz., argued that the bill would leave rural hospitals with "
        "nothing.",
        ("that the bill would leave rural hospitals with nothing",),
        "Rep. Alma Fuentes, D-Ariz.",
    ),
    Pattern(
        "“We sold out in forty minutes,” said Kwame Asante, co-founder of the festival and its "
        "director since 2009.",
        ("“We sold out in forty minutes,”",),
        "Kwame Asante, co-founder of the festival and its director since 2009",
    ),
    Pattern(
        "Britt-Marie Ekdahl, the ombudsman, has suggested that the agency apologise in writing.",
        ("that the agency apologise in writing",),
        "Britt-Marie Ekdahl, the ombudsman",
    ),
    Pattern(
        "Her lawyer, Simon Achterberg, denied that any payment had been made.",
        ("that any payment had been made",),
        "Her lawyer, Simon Achterberg",
    ),
    Pattern(
        "Colonel Idriss Maïga, a spokesman for the transitional council, announced that the border "
        "would reopen on Monday.",
        ("that the border would reopen on Monday",),
        "Colonel Idriss Maïga, a spokesman for the transitional council",
    ),
    Pattern(
        "“Nothing about this river is natural any more,” says Hannah Greaves, an ecologist.",
        ("“Nothing about this river is natural any more,”",),
        "Hannah Greaves, an ecologist",
    ),
    Pattern(
        "Tomasz Zieliński — the only member of the panel to vote against — insisted that the "
        "samples "
        "had been mixed up.",
        ("that the samples had been mixed up",),
        "Tomasz Zieliński — the only member of the panel to vote against",
    ),
    Pattern(
        'Marguerite Dubois (no relation to the mayor) said she had "never been inside the '
        'building."',
        ('she had "never been inside the building."',),
        "Marguerite Dubois (no relation to the mayor)",
    ),
    Pattern(
        "A second witness, bus driver Neil Agnew, recalled that both men were wearing orange "
        "jackets.",
        ("that both men were wearing orange jackets",),
        "A second witness, bus driver Neil Agnew",
    ),
    Pattern(
        "“The vaccine is not the problem, the road is,” Fatoumata Keita, the district’s chief "
        "nurse, "
        "told a visiting delegation.",
        ("“The vaccine is not the problem, the road is,”",),
        "Fatoumata Keita, the district’s chief nurse",
    ),
)

# The cue in the middle of the statement.
MID_SENTENCE = (
    Pattern(
        "“If the pumps fail,” he said, “we have six hours.”",
        ("“If the pumps fail,”", "“we have six hours.”"),
        "he",
    ),
    Pattern(
        '"The contract," Ms Abara said, "was signed by three people, and two of them are dead."',
        ('"The contract,"', '"was signed by three people, and two of them are dead."'),
        "Ms Abara",
    ),
    Pattern(
        "“My father built this shop,” said Enzo Rinaldi, “and I will not be the one to close it.”",
        ("“My father built this shop,”", "“and I will not be the one to close it.”"),
        "Enzo Rinaldi",
    ),
    Pattern(
        "“No,” the minister replied. “That would be illegal.”",
        ("“No,”", "“That would be illegal.”"),
        "the minister",
    ),
    Pattern(
        "The dam, engineers said, had been leaking for a decade.",
        ("The dam", "had been leaking for a decade"),
        "engineers",
    ),
    Pattern(
        '"Ask yourself," Professor Linde wrote in her reply, "who gains from the delay."',
        ('"Ask yourself,"', '"who gains from the delay."'),
        "Professor Linde",
    ),
    Pattern(
        "‘It is a small sum,’ Mr Prentice told the tribunal, ‘but it was not his to spend.’ The "
        "hearing continues. ‘We shall see,’ he added.",
        ("‘It is a small sum,’", "‘but it was not his to spend.’"),
        "Mr Prentice",
    ),
    Pattern(
        "“We are not asking for charity,” she added, “we are asking to be paid.”",
        ("“We are not asking for charity,”", "“we are asking to be paid.”"),
        "she",
    ),
    Pattern(
        '"That the ship was insured," counsel for the owners argued, "proves nothing at all."',
        ('"That the ship was insured,"', '"proves nothing at all."'),
        "counsel for the owners",
    ),
    Pattern(
        "“Every village has a pump,” the governor explained in an interview, “and every pump has a "
        "queue.”",
        ("“Every village has a pump,”", "“and every pump has a queue.”"),
        "the governor",
    ),
    Pattern(
        "“They came at four,” Mrs Hakimi recalled. “By five we had nothing.”",
        ("“They came at four,”", "“By five we had nothing.”"),
        "Mrs Hakimi",
    ),
    Pattern(
        "The talks, according to two diplomats, will resume in Muscat next week.",
        ("The talks", "will resume in Muscat next week"),
        "two diplomats",
    ),
    Pattern(
        '"What we need," Torres said on Friday, "is a ceasefire that both sides can afford."',
        ('"What we need,"', '"is a ceasefire that both sides can afford."'),
        "Torres",
    ),
    Pattern(
        "“Winter,” says Aino Lehtonen, “is when you find out who your neighbours are.”",
        ("“Winter,”", "“is when you find out who your neighbours are.”"),
        "Aino Lehtonen",
    ),
    Pattern(
        "“I read the report twice,” Okonjo told MPs, “and I still cannot tell you who approved the "
        "payment.”",
        ("“I read the report twice,”", "“and I still cannot tell you who approved the payment.”"),
        "Okonjo",
    ),
    Pattern(
        "« Nous partons », the banner read, but the coach was in no doubt. “We are staying up,” he "
        "insisted, “whatever the table says.”",
        ("“We are staying up,”", "“whatever the table says.”"),
        "he",
    ),
)

# A quotation that stands alone; the sentence before it shows who speaks.
SOURCE_BEFORE = (
    Pattern(
        "Delgado shook her head. “Nobody from the company has called us.”",
        ("“Nobody from the company has called us.”",),
        "Delgado",
    ),
    Pattern(
        'The coach shrugged off the result. "We play again on Sunday and we will play better."',
        ('"We play again on Sunday and we will play better."',),
        "The coach",
    ),
    Pattern(
        "President Amara Diallo looked straight into the camera. “There will be no second round.”",
        ("“There will be no second round.”",),
        "President Amara Diallo",
    ),
    Pattern(
        "Ms Petrov points to a stain at the height of her shoulder. “That is where the river was.”",
        ("“That is where the river was.”",),
        "Ms Petrov",
    ),
    Pattern(
        "He paused for a long time. “I would do it again, and I would do it sooner.”",
        ("“I would do it again, and I would do it sooner.”",),
        "He",
    ),
    Pattern(
        "Lord Ashcombe was unrepentant. “I asked the question because nobody else would.”",
        ("“I asked the question because nobody else would.”",),
        "Lord Ashcombe",
    ),
    Pattern(
        "Baker Samir Nouri has raised his prices three times this year. “Flour costs what sugar "
        "used "
        "to cost.”",
        ("“Flour costs what sugar used to cost.”",),
        "Baker Samir Nouri",
    ),
    Pattern(
        "The prosecutor turned to the jury. “Look at the date on that receipt.”",
        ("“Look at the date on that receipt.”",),
        "The prosecutor",
    ),
    Pattern(
        "Nakamura laughed when she was shown the figures. “Somebody has moved the decimal point.”",
        ("“Somebody has moved the decimal point.”",),
        "Nakamura",
    ),
    Pattern(
        'Her brother was less forgiving. "They had ten years to fix that roof."',
        ('"They had ten years to fix that roof."',),
        "Her brother",
    ),
    Pattern(
        "Kelechi Eze remembers the night of the fire well. “The sky was the colour of a brick.”",
        ("“The sky was the colour of a brick.”",),
        "Kelechi Eze",
    ),
    Pattern(
        "Chancellor Brandt was blunt in her assessment. “This pact is finished, and both of us "
        "know "
        "it.”",
        ("“This pact is finished, and both of us know it.”",),
        "Chancellor Brandt",
    ),
    Pattern(
        "Mayor Greg Tolland opened the meeting himself. “We are here because the water is not safe "
        "to drink.”",
        ("“We are here because the water is not safe to drink.”",),
        "Mayor Greg Tolland",
    ),
    Pattern(
        "Sister Immaculata runs the shelter with four volunteers. “Some nights we turn away more "
        "people than we take in.”",
        ("“Some nights we turn away more people than we take in.”",),
        "Sister Immaculata",
    ),
    Pattern(
        "Ortega had no doubt who was to blame. “They cut the inspectors first and the budget "
        "after.”",
        ("“They cut the inspectors first and the budget after.”",),
        "Ortega",
    ),
    Pattern(
        "She lifts the lid of the hive with two fingers. “Last spring there were forty of these.”",
        ("“Last spring there were forty of these.”",),
        "She",
    ),
)

# Signed quotations, labelled speakers and headlines of releases, transcripts and live blogs.
PRESS_RELEASE = (
    Pattern(
        '"This partnership brings clean water to two hundred schools." - Maria Keller, chief '
        "executive, Aquaterra",
        ('"This partnership brings clean water to two hundred schools."',),
        "Maria Keller, chief executive, Aquaterra",
    ),
    Pattern(
        "“Our members voted, and our members have been heard.”\n— Des Fallon, general secretary",
        ("“Our members voted, and our members have been heard.”",),
        "Des Fallon, general secretary",
    ),
    Pattern(
        '"We could not be prouder of the team in Tromsø." -Lars Nygaard',
        ('"We could not be prouder of the team in Tromsø."',),
        "Lars Nygaard",
    ),
    Pattern(
        "Governor Inslee Park: “Today we turn the page on a decade of neglect.”",
        ("“Today we turn the page on a decade of neglect.”",),
        "Governor Inslee Park",
    ),
    Pattern(
        "Mayor: No new taxes before the spring election",
        ("No new taxes before the spring election",),
        "Mayor",
    ),
    Pattern(
        "“The grant lets us keep the night bus running.” – Councillor Sunita Rao",
        ("“The grant lets us keep the night bus running.”",),
        "Councillor Sunita Rao",
    ),
    Pattern(
        "A hard winter is coming.\n\n"
        "INTERVIEWER: Did you know about the second account?\n\n"
        "BERGSTROM: I learned of it from your newspaper, like everybody else.",
        ("I learned of it from your newspaper, like everybody else.",),
        "BERGSTROM",
    ),
    Pattern(
        '"Patients come first, and today the regulator agreed." ― Dr Naomi Feld, medical director',
        ('"Patients come first, and today the regulator agreed."',),
        "Dr Naomi Feld, medical director",
    ),
    Pattern(
        "Statement from Harbour Trust chair Colin Mbeya: “The sale is off. We wish the bidders "
        "well.”",
        ("“The sale is off. We wish the bidders well.”",),
        "Harbour Trust chair Colin Mbeya",
    ),
    Pattern(
        "From Elaine Voss, president of the growers’ league: “We feed this state, and we expect "
        "to be "
        "asked.”",
        ("“We feed this state, and we expect to be asked.”",),
        "Elaine Voss, president of the growers’ league",
    ),
    Pattern(
        "Rector Paula Nunes: “The university will not hand over student records.”",
        ("“The university will not hand over student records.”",),
        "Rector Paula Nunes",
    ),
    Pattern(
        "“We are recalling every unit sold since March.” — Otto Reinholt, Nordwerk AG",
        ("“We are recalling every unit sold since March.”",),
        "Otto Reinholt, Nordwerk AG",
    ),
    Pattern(
        "Pope: Migrants are not pawns on a chessboard",
        ("Migrants are not pawns on a chessboard",),
        "Pope",
    ),
    Pattern(
        "The mood in the hall changed.\n\n"
        "Q: Will you stand again in May?\n\n"
        "Abdi Warsame: Ask me in April.",
        ("Ask me in April.",),
        "Abdi Warsame",
    ),
    Pattern(
        '"An important day for every family that was told to wait." -- Rep. Lucille Tran',
        ('"An important day for every family that was told to wait."',),
        "Rep. Lucille Tran",
    ),
    Pattern(
        "Ombudsman: Prison phone charges broke the law",
        ("Prison phone charges broke the law",),
        "Ombudsman",
    ),
)

# Marks that quote nobody, and reporting that attributes nothing.
NOT_STATEMENTS = (
    "The new “smart” motorway opened in June without a hard shoulder.",
    'Her second novel, "The Salt Ledger", won the national prize in 2018.',
    "The vote came two days after the so-called “Super Sunday” of regional contests.",
    "Police closed the road near the ‘Three Crowns’ pub for most of the night.",
    'The group played "Northern Line" and "Paper Boats" before the rain stopped the show.',
    "Traffic on the “Old Bridge” has doubled since the tunnel closed.",
    "The ship, nicknamed “the Bathtub”, has carried cars to the island since 1974.",
    'He starred in "Harbour Lights" for nine seasons and then retired to Devon.',
    "The programme is aimed at the “squeezed middle” in towns with fewer than 50,000 people.",
    'Shares in the "Big Four" banks fell by 3 percent on Thursday.',
    "A sign with the word “Closed” hung on the door of the embassy all week.",
    'The exhibition "Maps of Nowhere" runs until 12 September and admission is free.',
    "Two of the “Magnificent Seven” stocks ended the day lower.",
    "The ‘Beast from the East’ brought snow to the south coast in March.",
    'The term "gerrymander" dates from 1812.',
    "Workers painted a white line where the “temporary” fence had stood for eleven years.",
    "The museum’s “Blue Room” reopened after repairs that took four years and cost €2 million.",
)

TABLES: dict[str, tuple[Pattern, ...]] = {
    "multi-paragraph": MULTI_PARAGRAPH,
    "apposition": APPOSITION,
    "mid-sentence": MID_SENTENCE,
    "source before": SOURCE_BEFORE,
    "press release": PRESS_RELEASE,
}
