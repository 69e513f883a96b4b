"""The names and addresses at which other devices of the network reach this machine."""

import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

# RFC 5737: nobody has this address, and nothing is sent to it; only the way there is looked up.
_SOMEWHERE = ("192.0.2.1", 9)
# Bridges between containers and virtual machines: they come and go, and no phone is on them.
_INNER = re.compile(r"(docker|veth|virbr|vmnet|vboxnet)\d*|veth.*|br-[0-9a-f]{12}")
_SIOCGIFADDR = 0x8915
_NAME_BYTES = 15
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class HostNames:
    """What this machine is called in its network.

    Attributes:
        names: Host names, "localhost" among them.
        addresses: IPv4 addresses; the one that others most likely reach comes first.
    """

    names: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def is_alone(self) -> bool:
        """True where no other device can reach this machine."""
        return all(ipaddress.ip_address(each).is_loopback for each in self.addresses)


def find_host_names() -> HostNames:
    """Return what this machine is called now; a name server may be asked, which takes time."""
    own = socket.gethostname().rstrip(".").lower()
    names = ["localhost"]
    if own and all(_LABEL.fullmatch(label) for label in own.split(".")):
        names.append(own)
        if "." not in own:
            # Phones and computers find it so without a name server (mDNS, RFC 6762).
            names.append(f"{own}.local")
    found = [*_main_address(), *_interface_addresses(), *_named_addresses(own)]
    addresses = [each for each in found if not ipaddress.ip_address(each).is_loopback]
    return HostNames(tuple(dict.fromkeys(names)), (*dict.fromkeys(addresses), "127.0.0.1"))


def _main_address() -> Iterator[str]:
    """Yield the address that packets to other networks are sent from."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe, suppress(OSError):
        probe.connect(_SOMEWHERE)
        yield probe.getsockname()[0]


def _interface_addresses() -> Iterator[str]:
    """Yield the address of each network interface; on Linux only."""
    if not sys.platform.startswith("linux"):
        return
    import fcntl

    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        for _, name in socket.if_nameindex():
            if _INNER.fullmatch(name):
                continue
            # netdevice(7): a struct ifreq of 40 bytes, the address at bytes 20 to 23.
            request = struct.pack("40s", name.encode()[:_NAME_BYTES])
            with suppress(OSError):
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                yield socket.inet_ntoa(answer[20:24])


def _named_addresses(name: str) -> Iterator[str]:
    """Yield the addresses that this machine's own name stands for."""
    with suppress(OSError, UnicodeError):
        for entry in socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM):
            yield str(entry[4][0])
