"""Consents as a table, as a line and as JSON."""

from datetime import date

from maskage.dataset.consent import Consent, describe_state
from maskage.outside_text import shown_text

HEADINGS = ("subject", "photos", "state", "basis", "since", "agreed by")


def consent_row(name: str, photos: int, consent: Consent | None, today: date) -> tuple[str, ...]:
    """Return the cells of one subject's line, in the order of `HEADINGS`."""
    state = describe_state(consent, today)
    if consent is None:
        return name, str(photos), state, "-", "-", "-"
    who = f"{consent.guardian} (minor)" if consent.is_minor else name
    return name, str(photos), state, consent.basis, str(consent.given_on), who


def as_table(rows: list[tuple[str, ...]]) -> str:
    """Lay out rows in columns; the first row holds headings, the second column numbers."""
    rows = [tuple(map(shown_text, row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def describe_consent(consent: Consent) -> str:
    """Describe a consent in one line: its basis, how long it holds, and who agreed."""
    until = f" to {consent.expires_on}" if consent.expires_on else ", with no end"
    minor = f"; a minor, {consent.guardian} agreed" if consent.is_minor else ""
    return f"{consent.basis}, from {consent.given_on}{until}{minor}"


def consent_as_json(subject: str, consent: Consent | None, today: date) -> dict[str, object]:
    """Return a consent and its state as JSON; `consent` is None for a person without one."""
    holds = consent is not None and consent.holds_on(today)
    found = {"subject": subject, "holds": holds, "state": describe_state(consent, today)}
    if consent is None:
        return {**found, "basis": None}
    return {
        **found,
        "basis": consent.basis,
        "given_on": str(consent.given_on),
        "expires_on": str(consent.expires_on) if consent.expires_on else None,
        "is_minor": consent.is_minor,
        "guardian": consent.guardian,
    }
