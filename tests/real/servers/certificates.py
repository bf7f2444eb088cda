"""Certificates for real servers, by an authority that exists for one test. Not here: who believes it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_AGE = timedelta(days=30)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs what it is asked to."""

    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @classmethod
    def new(cls) -> "Authority":
        return cls(ec.generate_private_key(ec.SECP256R1()), _name("An authority of tests"))

    def write(self, path: Path) -> Path:
        """Write its own certificate, for those who believe it."""
        signed = self._sign(self.name, self.key.public_key(), timedelta(days=30), authority=True)
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, path: Path, host: str, *, expired: bool = False) -> Path:
        """Write a key and a certificate for `host`, as servers want to read them."""
        key = ec.generate_private_key(ec.SECP256R1())
        left = timedelta(days=-1) if expired else timedelta(days=30)
        signed = self._sign(_name(host), key.public_key(), left, authority=False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return path

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        left: timedelta,
        *,
        authority: bool,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        host = str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _AGE)
            .not_valid_after(now + left)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
