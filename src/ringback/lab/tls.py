"""A throw-away certificate for the lab's STARTTLS, made when it is needed and never kept.

It needs the package `cryptography`, which Ringback itself does not. Not here: the handshake (stream.py).
"""

import datetime
import ssl
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import UsageError

# Longer than any test or demo; the clocks of the two sides may differ by as much.
VALID = datetime.timedelta(days=1)


def throwaway_context(name: str = "mx.lab.example") -> ssl.SSLContext:
    """Return a server's context with a fresh key and a self-signed certificate for `name`.

    Raises UsageError if `cryptography` is not installed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"  # ssl loads files only
        file.write_bytes(throwaway_pem(name))
        context.load_cert_chain(file)
    return context


def throwaway_pem(name: str) -> bytes:
    """Return the key and the certificate themselves, for a server that reads files."""
    x509, hashes, serialization, ec = (
        _part(path)
        for path in (
            "x509",
            "hazmat.primitives.hashes",
            "hazmat.primitives.serialization",
            "hazmat.primitives.asymmetric.ec",
        )
    )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return private + public


def _part(path: str) -> Any:
    try:
        return import_module(f"cryptography.{path}")
    except ImportError as error:
        raise UsageError("the lab's TLS needs the package cryptography; install it") from error
