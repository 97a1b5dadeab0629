"""Decide where messages may go: to public addresses, by HTTPS, unless the installation says else."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from compliance.refusals import Refused

MOST = 500


class AddressRefused(Refused):
    """The address is none that messages may be sent to."""

    code = "address-refused"
    status = 422


@dataclass(frozen=True)
class Target:
    """A receiver: its name for TLS and Host, and the path with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return name if self.port == usual else f"{name}:{self.port}"


def parse(url: str) -> Target:
    """Return the receiver that a URL names, or raise `AddressRefused`."""
    if len(url) > MOST or not url.isascii() or any(c.isspace() or ord(c) < 33 for c in url):
        raise AddressRefused(f"an address has up to {MOST} visible ASCII characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"no address: {error}") from error
    schemes = ("https", "http") if settings.WEBHOOK_HTTP else ("https",)
    if parts.scheme not in schemes:
        raise AddressRefused(
            f"an address begins with {' or '.join(f'{one}://' for one in schemes)}"
        )
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise AddressRefused("an address has a host, and neither a user nor a fragment")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path
    )


def resolve(target: Target) -> str:
    """Return the one IP address to connect to; raise `AddressRefused` when any is not public.

    The caller connects to exactly this address: a name that answers otherwise a moment later
    leads nowhere else.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{target.host} has no address: {error}") from error
    addresses = [str(one[4][0]).split("%")[0] for one in found]
    if not settings.WEBHOOK_PRIVATE:
        for address in addresses:
            if not is_public(address):
                raise AddressRefused(f"{target.host} is {address}, which is no public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the internet, also behind IPv6 forms of IPv4."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner:
            return is_public(str(inner))
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
