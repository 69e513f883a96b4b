"""Signed addresses: a picture that another page may embed, without a cookie or a token.

The signature covers the path, every parameter, and the time in which the address is valid. Whoever
has the address sees that picture until then, and nothing else.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from detector.web.access.signing import Period, Signer

SIGNABLE_PATHS = ("/stream.mjpg", "/snapshot.jpg")
MOST_HOURS = 24 * 366
_PURPOSE = "address"
_SINCE, _UNTIL, _SIGNATURE = "since", "until", "signature"
_OWN = frozenset((_SINCE, _UNTIL, _SIGNATURE))
_MOST_PARAMETERS = 8


class AddressSigner:
    """Signs addresses, and checks those that come back.

    Args:
        signer: The key.
        clock: Seconds since the epoch.
    """

    def __init__(self, signer: Signer, clock: Callable[[], float]) -> None:
        self._signer = signer
        self._clock = clock

    def sign(self, address: str, length_s: float) -> tuple[str, Period]:
        """Return an address with its signature, and the time in which it is valid.

        Args:
            address: Path and parameters, such as "/stream.mjpg?source=1".
            length_s: Seconds from now.

        Raises:
            ValueError: Another path than `SIGNABLE_PATHS`, or a parameter of the signature's own.
        """
        path, query = urlsplit(address).path, urlsplit(address).query
        parameters = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        if path not in SIGNABLE_PATHS or not address.startswith(path):
            raise ValueError(f"Only {' and '.join(SIGNABLE_PATHS)} can be signed.")
        if _OWN & dict(parameters).keys():
            raise ValueError(f"{', '.join(sorted(_OWN))} belong to the signature. Leave them out.")
        now = int(self._clock())
        period = Period(now, now + max(1, round(length_s)))
        parameters += [(_SINCE, str(period.begins_at)), (_UNTIL, str(period.ends_at))]
        signature = self._signer.sign(_PURPOSE, _text_of(path, parameters))
        return f"{path}?{urlencode([*parameters, (_SIGNATURE, signature)])}", period

    def is_meant(self, method: str, path: str, query: str) -> bool:
        """Return True for a request that relies on a signature, right or wrong."""
        return method in ("GET", "HEAD") and path in SIGNABLE_PATHS and f"{_SIGNATURE}=" in query

    def check(self, path: str, query: str) -> tuple[Period | None, str]:
        """Return the time of a signed address, or None and the reason why it is refused."""
        try:
            parameters = parse_qsl(
                query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS + len(_OWN)
            )
        except ValueError:
            return None, "This address has too many parameters."
        given = [value for name, value in parameters if name == _SIGNATURE]
        rest = [(name, value) for name, value in parameters if name != _SIGNATURE]
        if len(given) != 1 or not self._signer.is_signed(_PURPOSE, _text_of(path, rest), given[0]):
            return None, (
                "The signature of this address does not fit: the address was changed, or the "
                "token or password of the program was. Make a new one."
            )
        times = dict(rest)
        period = Period(int(times[_SINCE]), int(times[_UNTIL]))
        fault = period.find_fault(self._clock())
        return (period, "") if fault is None else (None, f"This address {fault}. Make a new one.")


def _text_of(path: str, parameters: list[tuple[str, str]]) -> str:
    """Return what is signed: the order of the parameters does not count."""
    return f"{path}\n{urlencode(sorted(parameters))}"
