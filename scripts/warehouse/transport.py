"""How sessions with target `server` are protected: TLS that knows the server, and SCRAM."""

from __future__ import annotations

import ipaddress
import os

from warehouse.errors import WarehouseError

STRONG = ("verify-full", "verify-ca", "require")
"""Modes of libpq that never fall back to plain text."""

WEAK = ("prefer", "allow", "disable")
"""Modes that may: only for a server on this machine, where nobody listens in between."""

SCRAM = "scram-sha-256"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its name or address alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.startswith("/")


def sslmode(host: str) -> str:
    """Return the mode for a host: verify-full, unless WAREHOUSE_SSLMODE or loopback says less.

    Raises WarehouseError for a mode that could send everything in plain text over a network.
    """
    mode = os.environ.get("WAREHOUSE_SSLMODE") or ("prefer" if is_loopback(host) else STRONG[0])
    if mode not in STRONG + WEAK:
        raise WarehouseError(
            f"WAREHOUSE_SSLMODE is {mode!r}.", do=f"pick one: {', '.join(STRONG + WEAK)}"
        )
    if mode in WEAK and not is_loopback(host):
        raise WarehouseError(
            f"WAREHOUSE_SSLMODE={mode} would allow plain text over the network to {host}.",
            do="unset it (verify-full), and name the server's CA by WAREHOUSE_SSLROOTCERT",
        )
    return mode


def sslrootcert(mode: str) -> str:
    """Return the file of the CA: WAREHOUSE_SSLROOTCERT, or the CAs that the system trusts."""
    named = os.environ.get("WAREHOUSE_SSLROOTCERT", "")
    # libpq takes `system` with verify-full only.
    return named or ("system" if mode == "verify-full" else "")


def advice(told: str) -> str | None:
    """Return what to do about a connection that was refused for its protection."""
    if "does not support SSL" in told:
        return (
            "give the server a certificate (ssl = on); on this machine alone:"
            " WAREHOUSE_SSLMODE=prefer"
        )
    if "certificate" in told:
        return (
            "name the file of the CA that signed the server's certificate by WAREHOUSE_SSLROOTCERT,"
            " and the host by the name in that certificate"
        )
    if "authentication method requirement" in told:
        return "store its password by SCRAM: set password_encryption, the password, and pg_hba.conf"
    return None
