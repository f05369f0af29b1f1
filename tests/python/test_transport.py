"""TLS and SCRAM on target `server`, against a real server with a certificate where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from warehouse import config, server_files, transport
from warehouse import database as db
from warehouse.errors import WarehouseError

PASSWORD = "not-so-secret"  # noqa: S105
HBA = """
hostssl all careless 127.0.0.1/32 password
hostssl all all 127.0.0.1/32 scram-sha-256
"""
CONF = """
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
password_encryption = scram-sha-256
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
"""


@dataclass
class Tls:
    """A server that takes TLS only; its certificate says `localhost`."""

    port: int
    authority: Path


def programs() -> Path:
    """The programs of a server that has TLS; the embedded wheel has none."""
    named = os.environ.get("WAREHOUSE_TLS_POSTGRES")
    found = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    fit = [path for path in found if (path / "initdb").exists()]
    if not fit or not shutil.which("openssl"):
        pytest.skip(
            "NOT TESTED HERE: TLS needs a PostgreSQL that has it (in /usr/lib/postgresql, or the"
            " folder in WAREHOUSE_TLS_POSTGRES) and openssl; the embedded server has no TLS"
        )
    return fit[-1]


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificates(folder: Path) -> None:
    """Make an authority, a certificate for `localhost`, and an authority of somebody else."""
    for name in ("ca", "other"):
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt")
        openssl(folder, "req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr")
    openssl(folder, "req", *key, "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    made = ("-in", "server.csr", "-extfile", "names", "-out", "server.crt")
    openssl(folder, "x509", "-req", *made, *sign)


@pytest.fixture(scope="module")
def tls(spare_folder: Path) -> Iterator[Tls]:
    """A started server with TLS."""
    bin_folder = programs()
    folder = spare_folder / "tls"
    data, keys = folder / "data", folder / "keys"
    for path in (folder, data, keys):
        path.mkdir()
        server_files.own(path)
    data.chmod(0o700)
    certificates(keys)
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *words: str) -> None:
        identity = {"user": 65534, "group": 65534, "extra_groups": []} if not os.geteuid() else {}
        with (folder / "log").open("a") as log:
            subprocess.run(
                [str(bin_folder / program), *words],
                cwd=folder, check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                **identity,
            )  # fmt: skip

    auth = ("--auth=scram-sha-256", f"--pwfile={secret}", "--username=warehouse")
    run("initdb", f"--pgdata={data}", *auth, "--encoding=UTF8", "--locale=C")
    for name in ("server.crt", "server.key"):
        shutil.copy(keys / name, data / name)
        server_files.own(data / name)
    (data / "server.key").chmod(0o600)
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(f"{CONF}port = {port}\n")
    (data / "pg_hba.conf").write_text(HBA)
    run("pg_ctl", "start", "--wait", f"--pgdata={data}")
    try:
        yield Tls(port, keys / "ca.crt")
    finally:
        run("pg_ctl", "stop", "--mode=immediate", f"--pgdata={data}")


@pytest.fixture
def target(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of target `server` with verified TLS."""
    values = {
        "TARGET": "server", "HOST": "localhost", "PORT": str(tls.port), "USER": "warehouse",
        "PASSWORD": PASSWORD, "DATABASE": "postgres", "SSLMODE": "verify-full",
        "SSLROOTCERT": str(tls.authority),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"WAREHOUSE_{name}", value)
    return monkeypatch


def test_a_session_is_encrypted_and_the_password_is_kept_by_scram(target: object) -> None:
    with db.connect() as session:
        row = session.execute(
            "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
        ).fetchone()
        assert row
        assert row[0] is True
        assert row[1].startswith("TLSv1.")
        kept = session.execute("select bool_and(rolpassword ~ '^SCRAM') from pg_authid"
                               " where rolpassword is not null").fetchone()  # fmt: skip
        assert kept == (True,)
    with psycopg.connect(config.connection().url()) as session:
        assert session.execute("show ssl").fetchone() == ("on",)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SSLROOTCERT", "other", "certificate"),
        ("SSLROOTCERT", "", "certificate"),
        ("HOST", "127.0.0.1", "certificate"),
        ("SSLMODE", "disable", "no encryption|no pg_hba"),
        ("USER", "careless", "authentication method"),
        ("PASSWORD", "wrong", "password authentication failed"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(
    target: pytest.MonkeyPatch, tls: Tls, name: str, value: str, message: str
) -> None:
    if value == "careless":
        with db.connect(autocommit=True) as session:
            session.execute(f"create role careless login password '{PASSWORD}'")
    value = str(tls.authority.with_name("other.crt")) if value == "other" else value
    target.setenv(f"WAREHOUSE_{name}", value)
    if (name, value) == ("SSLMODE", "disable"):
        target.setenv("WAREHOUSE_SSLROOTCERT", "")
    with pytest.raises(WarehouseError, match=message) as told:
        db.connect()
    if "certificate" in message:
        assert "WAREHOUSE_SSLROOTCERT" in told.value.do


def test_dbt_connects_by_tls_and_refuses_another_authority(
    target: pytest.MonkeyPatch, tls: Tls, tmp_path: Path
) -> None:
    with db.connect(autocommit=True) as session:
        session.execute("create role trading_transformer nologin")

    def debug() -> str:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "dbt"), "debug", "--connection",
             "--log-path", str(tmp_path)],
            cwd=config.PROJECT, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "DBT_TARGET_PATH": str(tmp_path)},
        )  # fmt: skip
        return done.stdout

    told = debug()
    assert "OK connection ok" in told
    assert "sslmode: verify-full" in told
    target.setenv("WAREHOUSE_SSLROOTCERT", str(tls.authority.with_name("other.crt")))
    assert "certificate verify failed" in debug()


def test_a_server_without_tls_is_refused(
    home: config.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = home.connection
    for name, value in (
        ("TARGET", "server"), ("HOST", where.host), ("PORT", str(where.port)),
        ("USER", where.user), ("PASSWORD", where.password),
    ):  # fmt: skip
        monkeypatch.setenv(f"WAREHOUSE_{name}", value)
    with db.connect():  # on this machine nobody listens in between
        pass
    monkeypatch.setenv("WAREHOUSE_SSLMODE", "verify-full")
    with pytest.raises(WarehouseError, match="does not support SSL") as told:
        db.connect()
    assert "certificate" in told.value.do


@pytest.mark.parametrize(
    ("host", "chosen", "expected"),
    [
        ("db.example.org", "", "verify-full"),
        ("10.0.0.7", "require", "require"),
        ("db.example.org", "prefer", None),
        ("10.0.0.7", "disable", None),
        ("127.0.0.1", "", "prefer"),
        ("localhost", "disable", "disable"),
        ("::1", "verify-ca", "verify-ca"),
        ("localhost", "sometimes", None),
    ],
)
def test_plain_text_is_for_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, host: str, chosen: str, expected: str | None
) -> None:
    monkeypatch.setenv("WAREHOUSE_SSLMODE", chosen)
    if expected:
        assert transport.sslmode(host) == expected
    else:
        with pytest.raises(WarehouseError, match="WAREHOUSE_SSLMODE"):
            transport.sslmode(host)
