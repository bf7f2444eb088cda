"""A reply that refuses callouts in words is told from one that says how our own sender was verified."""

from importlib.resources import files

import pytest

from ringback.rules.classify import classify
from ringback.rules.lessons import OPT_OUT_RULE
from ringback.rules.phrase_table import decode_table
from ringback.values.evidence import Meaning, Stage
from ringback.wire.reply import Reply

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
STAGES = [Stage.GREETING, Stage.MAIL, Stage.RCPT]

UNWANTED = """
    Callouts are not welcome here
    No callouts, please
    Sender verification is not allowed here
    Sender callout verification refused
    Callback verification rejected
    We refuse callbacks
    sender verify callouts are not permitted
    Address verification probes are not accepted
    Do not use sender callbacks
    Your server does sender callouts, which we consider abuse
    We do not accept sender verify callouts
    mx no sender address verification please
    callout verification attempts are prohibited, see https://mx.example
    sender address verification (SAV) unwanted
    User unknown (we do not allow callouts)
    We don't accept sender address verification
    Sender address verification is abuse
    Sender callouts are considered abuse
    We do not accept callbacks from your server
    This server does not permit sender address verification
    Stop verifying our addresses
    Please stop probing our users
    Your IP is blocked for doing sender callouts
    Blacklisted because of callback verification
    SMTP call-backs not wanted
    We reject all sender verification callouts
    Sender-Callouts sind hier nicht erwünscht
    Wir akzeptieren keine Callouts
    Bitte keine Absenderverifikation
    Callbacks werden von uns abgelehnt
    Absenderprüfungen sind unerwünscht
    Wir lehnen Callbacks ab
    Adressprüfungen sind auf diesem Server verboten
    Les callouts ne sont pas autorisés
    Nous refusons les callbacks
    La vérification d'adresse n'est pas autorisée ici
    Nous n'acceptons pas la vérification de l'expéditeur
    Pas de callouts SMTP
    Callouts zijn niet toegestaan
    Adresverificatie is hier niet toegestaan
    Wij accepteren geen callouts
    Geen callbacks alstublieft
    Wij weigeren adresverificatie
    Callouts worden geweigerd
    No aceptamos callouts
    La verificación del remitente no está permitida
    Los callbacks están prohibidos
    No se permiten verificaciones de direcciones
    Weryfikacja nadawcy jest zabroniona
    Nie akceptujemy weryfikacji adresów
    Callouty są niedozwolone
    Nie zezwalamy na weryfikację nadawcy
    Non accettiamo callouts
    La verifica del mittente non è consentita
    Não aceitamos callbacks
    Проверка отправителя запрещена
    Callout verification is not permitted on this server
    SAV is abuse
    We consider sender address verification to be abuse
    This site does not allow callback verification
    Sender callout rejected. Callouts are abuse.
    Please disable sender address verification for our domains
    Please do not use callouts against our servers
    Unsolicited sender verification is forbidden
    No sender verification allowed
    No sender callbacks allowed
    Null sender probes are not accepted here
    Probing for valid addresses is not allowed
    We dont accept verification probes
    Sender address verification probes will be rejected
    Go away with your callbacks
    Your host is listed for callout abuse
    Turn off sender verification callouts
    callout = abuse
    smtp callback verification considered harmful
    Access denied: sender verify callouts are not allowed by policy
    Ihre Server macht Callouts, das ist Missbrauch
    Callouts unerwünscht
    Keine Adressverifikation bei uns
    Wir dulden keine Callback-Verifizierung
    Callbacks interdits
    Les vérifications d'adresses par rappel sont interdites
    Merci de ne pas faire de callouts
    Geen callouts
    Callouts ongewenst
    Wij staan geen adresverificatie toe
    Prohibido hacer callouts
    Las verificaciones de remitente no son bienvenidas
    No hagan callouts
    Prosimy nie stosować callbacków
    Zakaz callouts
    Nie pozwalamy na callouts
    Zakaz weryfikacji nadawcy
"""
# Most of these are what others say who verify us.
VERIFIED = """
    Sender verify failed
    Sender address verification failed, check your MX
    Callout verification failed: 550 User unknown
    Verification failed for <a@b.example>
    Could not complete sender verify callout
    Rejected by sender address verification
    Sender callback verification failed
    unable to verify sender
    Sender address verification in progress
    Reject: sender verification failed
    recipient verification failed
    address verification error
    Sender address rejected: unverified address: Address verification in progress
    Sender address rejected: undeliverable address
    Your address could not be verified
    Sender rejected: callback failed
    Callback setup failed while verifying <a@b.example>
    Sender verification error
    Verification server loop! Trying to verify user@example.com against myself!
    Cannot verify user
    We verify all senders, and yours was refused
    We do not accept mail from unverified senders
    We do not accept mail that fails sender verification
    no such user, please verify the address
    Rejected: sender callout failed
    Blocked: sender verification failed
    Sender verification by callout failed
    your server rejected our callout
    your server refused our sender callout
    Your MX does not accept our callouts
    Your mail server refuses our sender verification
    We could not complete the callback to your server
    This server verifies sender addresses; your server refused the callout
    Your mail server blocks callouts
    Absenderprüfung fehlgeschlagen
    Absenderprüfung fehlgeschlagen, Nachricht abgelehnt
    Absenderadresse konnte nicht verifiziert werden
    La vérification de l'expéditeur a échoué
    La verificación del remitente falló
    Adresverificatie mislukt
    Afzenderverificatie mislukt, bericht geweigerd
    Weryfikacja nadawcy nie powiodła się
    Weryfikacja adresu nadawcy nieudana
    Проверка отправителя не пройдена
    La verifica del mittente è fallita
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("text", lines(UNWANTED))
def test_words_that_refuse_callouts_are_an_opt_out(text: str, stage: Stage) -> None:
    reading = classify(stage, Reply(550, (text,)), BOOK)

    assert reading.meaning is Meaning.CLIENT_BLOCKED
    assert reading.rule.startswith(OPT_OUT_RULE)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("text", lines(VERIFIED))
def test_words_about_our_own_sender_are_none(text: str, stage: Stage) -> None:
    assert not classify(stage, Reply(550, (text,)), BOOK).rule.startswith(OPT_OUT_RULE)
