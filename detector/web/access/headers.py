"""The headers of every answer: what a browser may do with it, and which pages may show it."""

from collections.abc import Sequence

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under that a browser sends a form with `Origin: null`, as from elsewhere.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The camera of the visitor's own device, for this page alone.
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
_CONTENT = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors"
)
_NOBODY = "'none'"


def security_headers(
    frame_origins: Sequence[str] = (), is_embedded: bool = False
) -> dict[str, str]:
    """Return the headers of one answer.

    Args:
        frame_origins: Pages that may show it in a frame; none by default.
        is_embedded: True for a picture with a signed address, which any page may show.
    """
    headers = {
        **_HEADERS,
        "Content-Security-Policy": f"{_CONTENT} {' '.join(frame_origins) or _NOBODY}",
        "Cross-Origin-Resource-Policy": "cross-origin" if is_embedded else "same-origin",
    }
    if not frame_origins:
        # For old browsers; it has no form that allows one page.
        headers["X-Frame-Options"] = "DENY"
    return headers
