"""The machine's own certificate: kept, private, renewed in time and for a reason."""

import asyncio
import ssl
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from detector.web.lan.addresses import HostNames, find_host_names
from detector.web.lan.certificate import MOST_ADDRESSES, VALID, keep_certificate
from detector.web.lan.renewal import CertificateKeeper
from maskage.errors import EnvironmentProblemError

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOME = HostNames(("localhost", "desk", "desk.local"), ("10.0.0.7", "127.0.0.1"))
CAFE = HostNames(HOME.names, ("172.20.3.4", "127.0.0.1"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "maskage" / "tls" / "own-certificate.pem"


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_is_made_once_and_nobody_else_may_read_it(path: Path) -> None:
    made = keep_certificate(path, HOME, NOW)
    assert made.reason == "there was none yet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept = keep_certificate(path, HOME, NOW + timedelta(days=200))
    assert kept.reason is None
    assert kept.fingerprint == made.fingerprint
    assert len(kept.fingerprint) == 32 * 3 - 1


def test_it_names_the_machine_and_begins_before_a_slow_clock(path: Path) -> None:
    keep_certificate(path, HOME, NOW)
    found = read(path)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "desk", "desk.local"]
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["10.0.0.7", "127.0.0.1"]
    assert found.not_valid_before_utc == NOW - timedelta(days=1)
    assert found.not_valid_after_utc == NOW + VALID
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)


def test_it_is_made_anew_before_it_ends_with_the_same_key(path: Path) -> None:
    keep_certificate(path, HOME, NOW)
    before = read(path)
    almost = NOW + VALID - timedelta(days=30, seconds=1)
    assert keep_certificate(path, HOME, almost).reason is None
    assert keep_certificate(path, HOME, NOW + VALID - timedelta(days=29)).reason == (
        "the last one ends on 2027-12-30"
    )
    assert read(path).public_key() == before.public_key()
    again = keep_certificate(path, HOME, NOW + 3 * VALID)
    assert again.reason is not None
    assert "the last one ended on" in again.reason


def test_a_laptop_that_comes_back_home_keeps_its_certificate(path: Path) -> None:
    keep_certificate(path, HOME, NOW)
    moved = keep_certificate(path, CAFE, NOW)
    assert moved.reason == "the last one does not name 172.20.3.4"
    assert keep_certificate(path, HOME, NOW).fingerprint == moved.fingerprint
    for number in range(MOST_ADDRESSES + 5):
        host = HostNames(HOME.names, (f"10.1.0.{number}", "127.0.0.1"))
        assert keep_certificate(path, host, NOW).reason is not None
    names = read(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert len(names.get_values_for_type(x509.IPAddress)) == MOST_ADDRESSES


def test_a_key_that_others_could_read_is_not_used_again(path: Path) -> None:
    keep_certificate(path, HOME, NOW)
    before = read(path)
    path.chmod(0o644)
    made = keep_certificate(path, HOME, NOW)
    assert made.reason == "other users of this machine could read the key of the last one"
    assert read(path).public_key() != before.public_key()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"not a certificate", b"\xff" * 100])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o600)
    assert keep_certificate(path, HOME, NOW).reason == "the last one cannot be read"


def test_a_file_with_a_foreign_key_is_made_anew(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    keep_certificate(path, HOME, NOW)
    keep_certificate(other, HOME, NOW)
    end = b"-----END CERTIFICATE-----\n"
    mixed = path.read_bytes().partition(end)[0] + end + other.read_bytes().partition(end)[2]
    path.write_bytes(mixed)
    reason = keep_certificate(path, HOME, NOW).reason
    assert reason == "the last one and its key do not belong together"


def test_a_clock_that_is_not_set_is_named(path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match=r"shows 1970-01-01 00:00 UTC.*Set the clock"):
        keep_certificate(path, HOME, datetime(1970, 1, 1, tzinfo=UTC))
    assert not path.exists()
    made = keep_certificate(path, HOME, NOW)
    # It is kept, because the browsers that know it have the right time.
    kept = keep_certificate(path, HOME, NOW - timedelta(days=20))
    assert kept.fingerprint == made.fingerprint
    assert kept.notice is not None
    assert (
        "shows 2026-11-08 12:00 UTC, but its certificate was made after 2026-11-27" in kept.notice
    )


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblemError, match=r"cannot be kept in .*--tls-cert"):
        keep_certificate(tmp_path / "file" / "own.pem", HOME, NOW)


def test_a_running_server_changes_to_the_new_certificate(path: Path) -> None:
    hosts = [HOME]
    keeper = CertificateKeeper(path, lambda: hosts[-1], lambda: NOW)
    assert keeper.refresh() is None
    hosts.append(CAFE)
    renewed = keeper.refresh()
    assert renewed is not None
    assert renewed.fingerprint == keeper.certificate.fingerprint
    assert keeper.host == CAFE


def test_a_running_server_says_where_it_is_reached_now(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("detector.web.lan.renewal.CHECK_EVERY_S", 0.01)
    hosts = [HOME]
    keeper = CertificateKeeper(path, lambda: hosts[-1], lambda: NOW)
    said = ""

    async def watch() -> None:
        nonlocal said
        keeping = asyncio.create_task(keeper.keep(lambda host: f"https://{host.addresses[0]}:1/"))
        async with asyncio.timeout(30):
            hosts.append(CAFE)
            while "has another address" not in said:
                await asyncio.sleep(0.01)
                said += capsys.readouterr().err
            # What cannot be kept is said once, and the server goes on.
            path.parent.rename(path.parent.parent / "moved")
            path.parent.write_text("")
            while "cannot be kept" not in said:
                await asyncio.sleep(0.01)
                said += capsys.readouterr().err
        assert not keeping.done()
        keeping.cancel()

    asyncio.run(watch())
    assert "A new certificate was made, because the last one does not name 172.20.3.4." in said
    assert "Open https://172.20.3.4:1/" in said


def test_this_machine_is_found_under_its_names() -> None:
    host = find_host_names()
    assert host.names[0] == "localhost"
    assert host.addresses[-1] == "127.0.0.1"
    assert len(set(host.addresses)) == len(host.addresses)
    assert HostNames((), ("127.0.0.1",)).is_alone
    assert not HOME.is_alone


def test_a_machine_with_many_addresses_keeps_its_certificate(path: Path) -> None:
    host = HostNames(("localhost",), tuple(f"10.0.0.{number}" for number in range(40)))
    made = keep_certificate(path, host, NOW)
    assert keep_certificate(path, host, NOW) == replace(made, reason=None)
