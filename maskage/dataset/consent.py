"""That a person agreed to be photographed: on what basis, since when, and until when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from maskage.errors import UsageError

SELF_SUBJECT = "me"
"""Pseudonym of someone who photographs themselves and gives none."""

SELF_BASIS = "self"
"""The basis of someone who photographs themselves."""

SOON_DAYS = 30
"""A consent that ends within as many days ends soon: time to ask for another."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True)
class Consent:
    """One subject's consent. No names: the signed form is kept elsewhere, and `basis` tells where.

    Attributes:
        subject: Pseudonym.
        basis: The basis of the consent, such as "form 12" or "self".
        given_on: First day of the consent.
        expires_on: The last day it holds; None for no end.
        is_minor: Somebody had to agree in the subject's place.
        guardian: The person who agreed for a minor: a role such as "mother", not a name.
    """

    subject: str
    basis: str
    given_on: date
    expires_on: date | None = None
    is_minor: bool = False
    guardian: str | None = None

    def __post_init__(self) -> None:
        if not self.basis.strip():
            raise ValueError("A consent says what it rests on, such as 'form 12'; found nothing.")
        if self.is_minor and not self.guardian:
            raise ValueError(
                f"{self.subject} is a minor: say who agreed, as a role ('mother'), not a name."
            )
        if self.expires_on is not None and self.expires_on < self.given_on:
            raise ValueError(
                f"A consent ends after it begins; found {self.given_on} to {self.expires_on}."
            )

    def holds_on(self, day: date) -> bool:
        """Return whether the subject may be photographed on this day."""
        return self.given_on <= day and (self.expires_on is None or day <= self.expires_on)


def find_objection(subject: str | None, consents: Mapping[str, Consent], today: date) -> str | None:
    """Return why a person may not be photographed today, in a few words, or None."""
    if subject is None:
        return "nobody is named"
    consent = consents.get(subject)
    if consent is None:
        return f"no consent of {subject} on record"
    if consent.holds_on(today):
        return None
    if today < consent.given_on:
        return f"consent of {subject} begins on {consent.given_on}"
    return f"consent of {subject} ended on {consent.expires_on}"


def describe_state(consent: Consent | None, today: date) -> str:
    """Describe the state of a consent in a few words; None stands for no consent."""
    if consent is None:
        return "none on record"
    if today < consent.given_on:
        return f"begins on {consent.given_on}"
    if consent.expires_on is None:
        return "valid"
    if not consent.holds_on(today):
        return f"ended on {consent.expires_on}"
    is_soon = (consent.expires_on - today).days < SOON_DAYS
    return f"{'ends soon, on' if is_soon else 'valid to'} {consent.expires_on}"


def is_pseudonym(text: str) -> bool:
    """Return whether this can be a subject: see `check_subject`."""
    return _SUBJECT.fullmatch(text) is not None


def check_subject(text: str) -> str:
    """A subject is a pseudonym: letters, digits, `.`, `_`, `-`; at most 40.

    Raises:
        UsageError: It is not.
    """
    subject = text.strip()
    if not is_pseudonym(subject):
        raise UsageError(
            f"A subject is a pseudonym of up to 40 letters, digits, '.', '_' and '-', such as p07; "
            f"found {subject!r}."
        )
    return subject


def parse_day(text: str) -> date:
    """A day as 2026-11-24.

    Raises:
        UsageError: It is none.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as fault:
        raise UsageError(f"A day is written as 2026-11-24; found {text!r}.") from fault
