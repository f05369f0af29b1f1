"""Where things are: the project, the home of the embedded instance, the target server."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode

from warehouse import transport
from warehouse.errors import WarehouseError

PROJECT = Path(__file__).resolve().parents[2]
"""Root of the dbt project (the package is always installed in place, by make)."""

DATABASE = "warehouse"
OWNER = "warehouse"


@dataclass(frozen=True)
class Connection:
    """How to reach one database."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    dbname: str = DATABASE
    sslmode: str = ""
    """As libpq has it; empty for the embedded server, which has no TLS and listens on loopback."""
    sslrootcert: str = ""

    def url(self, scheme: str = "postgresql", **parameters: str) -> str:
        """Return the connection as a URL, password included: never log it."""
        secret = quote(self.password, safe="")
        where = f"{quote(self.user)}:{secret}@{self.host}:{self.port}/{self.dbname}"
        tls = {"sslmode": self.sslmode, "sslrootcert": self.sslrootcert}
        query = urlencode({k: v for k, v in {**tls, **parameters}.items() if v}, quote_via=quote)
        return f"{scheme}://{where}" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Home:
    """One embedded instance: data, settings and logs in one folder."""

    path: Path

    @classmethod
    def current(cls) -> Home:
        """Return the home named by WAREHOUSE_HOME, or `.warehouse` in the project."""
        named = os.environ.get("WAREHOUSE_HOME")
        return cls(Path(named).expanduser().resolve() if named else PROJECT / ".warehouse")

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.path / "data"

    @property
    def logs(self) -> Path:
        """Logs of the server, of dbt and of the gate."""
        return self.path / "logs"

    @property
    def settings_file(self) -> Path:
        """Port and password of this instance; readable by its owner only."""
        return self.path / "instance.json"

    @property
    def reports(self) -> Path:
        """HTML reports and the data docs of the gate."""
        return self.path / "reports"

    @property
    def connection(self) -> Connection:
        """Connection to the embedded server.

        Raises WarehouseError when the instance was never created.
        """
        try:
            stored = json.loads(self.settings_file.read_text(encoding="utf-8"))
            return Connection(**stored)
        except FileNotFoundError:
            raise WarehouseError(
                "There is no embedded warehouse yet.",
                where=str(self.path),
                do="create and start it with `warehouse up`",
            ) from None
        except (ValueError, TypeError) as error:
            raise WarehouseError(
                f"The settings of the embedded warehouse cannot be read: {error}",
                where=str(self.settings_file),
                do="restore the file, or move the folder away and run `warehouse up` again",
            ) from None

    def store(self, connection: Connection) -> None:
        """Write port and password, readable by the owner only."""
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = self.settings_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(connection), indent=2) + "\n", encoding="utf-8")
        fresh.replace(self.settings_file)


TARGET_VARIABLES = ("WAREHOUSE_HOST", "WAREHOUSE_PORT", "WAREHOUSE_USER", "WAREHOUSE_PASSWORD")


def target() -> str:
    """Return the dbt target in force: `embedded` (default) or `server`."""
    name = os.environ.get("WAREHOUSE_TARGET", "embedded")
    if name not in ("embedded", "server"):
        raise WarehouseError(
            f"WAREHOUSE_TARGET is {name!r}.", do="set it to `embedded` or `server`, or unset it"
        )
    return name


def connection() -> Connection:
    """Return the connection of the target in force."""
    dbname = os.environ.get("WAREHOUSE_DATABASE") or DATABASE
    if target() == "embedded":
        return replace(Home.current().connection, dbname=dbname)
    missing = [name for name in TARGET_VARIABLES if not os.environ.get(name)]
    if missing:
        raise WarehouseError(
            f"Target `server` needs {', '.join(missing)}.",
            where="environment variables",
            do="export them, or use the embedded server: unset WAREHOUSE_TARGET",
        )
    mode = transport.sslmode(os.environ["WAREHOUSE_HOST"])
    return Connection(
        host=os.environ["WAREHOUSE_HOST"],
        port=int(os.environ["WAREHOUSE_PORT"]),
        user=os.environ["WAREHOUSE_USER"],
        password=os.environ["WAREHOUSE_PASSWORD"],
        dbname=dbname,
        sslmode=mode,
        sslrootcert=transport.sslrootcert(mode),
    )
