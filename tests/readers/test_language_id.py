import pytest

from onrecord.readers import detect_language

ENGLISH = "The dockers' union said on Tuesday that it would not sign the accord. "
FRENCH = "Le syndicat des dockers a déclaré mardi qu'il ne signerait pas l'accord. "


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        ("“No deal,” said Okoye.", "en"),
        ("MPs tout Lords replacement plan", "en"),
        ("Nicolás Maduro, Caracas", "en"),
        ("Kremlin: no talks", "en"),
        ("", "en"),
        ("2024 – 12:30 …", "en"),
        (FRENCH, "fr"),
        ("El sindicato dijo el martes que no firmaría el acuerdo.", "es"),
        ("Die Gewerkschaft sagte am Dienstag, sie werde nicht unterschreiben.", "de"),
        ("O sindicato disse na terça-feira que não vai assinar o acordo.", "pt"),
        ("Профсоюз заявил во вторник, что не подпишет соглашение.", "ru"),
        ("工会周二表示不会签署该协议。", "zh"),
        ("قالت النقابة يوم الثلاثاء إنها لن توقع على الاتفاق.", "ar"),
        # The larger part decides in a long text: neither a foreign start nor a long quotation.
        (FRENCH * 3 + ENGLISH * 300, "en"),
        (ENGLISH * 100 + FRENCH * 20 + ENGLISH * 100, "en"),
        (ENGLISH * 2 + FRENCH * 300, "fr"),
    ],
)
def test_the_language_of_a_text(text, language):
    assert detect_language(text) == language


def test_too_little_to_go_by_is_the_callers_choice():
    assert detect_language("12:30", undecided="und") == "und"
    assert detect_language("Okoye", undecided="und") == "und"


def test_the_librarys_own_identifier_is_left_alone():
    from py3langid import langid

    detect_language(ENGLISH)
    assert any(len(code) > 2 for code in langid._load_identifier().labels)
