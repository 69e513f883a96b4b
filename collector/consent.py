"""That a person agreed to be photographed: on what basis, since when, and until when."""

from dataclasses import dataclass
from datetime import date

SELF_BASIS = "self"
"""The basis of someone who photographs themselves."""


@dataclass(frozen=True)
class Consent:
    """One subject's consent. No names: the signed form is kept elsewhere, and `basis` tells where.

    Attributes:
        subject: Pseudonym.
        basis: What it rests on, such as "form 12" or "self".
        given_on: From when it holds.
        expires_on: The last day it holds; None for no end.
        is_minor: Whether somebody had to agree in the subject's place.
        guardian: Who agreed for a minor: a role such as "mother", not a name.
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
        """Whether the subject may be photographed on this day."""
        return self.given_on <= day and (self.expires_on is None or day <= self.expires_on)
