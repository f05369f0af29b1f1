"""Settings of a server, sized for its machine: the embedded one, one of your own, PgBouncer."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@dataclass(frozen=True)
class Machine:
    """What the settings depend on; sizes in MB."""

    memory: int
    cores: int
    free_disk: int
    shared_memory: int | None
    """Size of /dev/shm; None where there is none."""

    @classmethod
    def here(cls, folder: Path) -> Machine:
        """Measure this machine, or the container we run in."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        for limit in CGROUP_LIMITS:
            if limit.exists() and (text := limit.read_text().strip()).isdigit():
                memory = min(memory, int(text))
        affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
        shm = Path("/dev/shm")  # noqa: S108 (only its size is asked for)
        return cls(
            memory=memory // MB,
            cores=len(affinity(0)) if affinity else os.cpu_count() or 1,
            free_disk=shutil.disk_usage(folder).free // MB,
            shared_memory=shutil.disk_usage(shm).total // MB if shm.is_dir() else None,
        )


def between(low: int, value: int, high: int) -> int:
    """Return the value, kept between two bounds."""
    return max(low, min(value, high))


Lines = list[tuple[str, object, str]]
"""Name, value and reason of each setting."""


def _sized(machine: Machine, *, most_shared_buffers: int) -> Lines:
    """Return what follows from memory, cores and disk, whoever else uses the server."""
    memory, cores = machine.memory, machine.cores
    return [
        (
            "shared_buffers",
            f"{between(128, memory // 4, most_shared_buffers)}MB",
            f"a quarter of memory; above {most_shared_buffers // 1024} GB the page cache serves"
            " a batch warehouse as well",
        ),
        ("effective_cache_size", f"{between(256, memory // 2, 65536)}MB", "half: others run here"),
        ("maintenance_work_mem", f"{between(64, memory // 20, 512)}MB", "index builds in memory"),
        (
            "work_mem",
            f"{between(8, memory // 256, 64)}MB",
            "sorts of one instrument's bars in memory; a query takes it several times",
        ),
        ("max_parallel_workers", between(2, cores, 16), "one a core"),
        (
            "max_parallel_workers_per_gather",
            between(1, cores // 2, 4),
            "half the cores: dbt runs two models at once",
        ),
        ("max_parallel_maintenance_workers", between(1, cores, 4), ""),
        (
            "max_wal_size",
            f"{between(512, machine.free_disk // 10, 8192)}MB",
            "a full build writes several GB: no checkpoint storm; a tenth of a small disk",
        ),
        ("checkpoint_timeout", "15min", "as above"),
        ("wal_compression", "pglz", "half the WAL for little CPU"),
        ("summarize_wal", "on", "incremental backups"),
        ("random_page_cost", 1.1, "solid state disks"),
        ("jit", "off", "compiling costs more than it saves on these plans"),
        (
            "client_connection_check_interval",
            "1s",
            "the backend of a killed client ends at once, not after 25 s",
        ),
        ("idle_in_transaction_session_timeout", "10min", "a forgotten shell stalls no vacuum"),
        ("lock_timeout", "60s", "say who is in the way instead of waiting for ever"),
        ("statement_timeout", 0, "builds take what they take; `warehouse roles` limits logins"),
        ("password_encryption", "scram-sha-256", ""),
        ("timezone", "UTC", "every time is stored and shown in UTC"),
        ("log_timezone", "UTC", ""),
    ]


def render(machine: Machine, port: int) -> str:
    """Return the settings file of an embedded instance, each setting with its reason."""
    lines: Lines = [
        ("listen_addresses", "127.0.0.1", "this machine only"),
        ("port", port, ""),
        ("unix_socket_directories", "", "loopback is the only way in, with SCRAM"),
        *_sized(machine, most_shared_buffers=2048),
        ("max_worker_processes", between(8, 2 * machine.cores, 64), ""),
        ("logging_collector", "off", "stderr goes to logs/postgres.log"),
        ("log_line_prefix", "%m [%p] %a ", ""),
    ]
    if machine.shared_memory is not None and machine.shared_memory < 512:
        reason = "shared memory is small here (containers: 64 MB): parallel queries would fail"
        lines.append(("dynamic_shared_memory_type", "mmap", reason))
    return _written(
        "Written by `warehouse up`; your own settings go to postgresql.local.conf beside it.", lines
    )


def render_server(machine: Machine, *, timescale: bool = True) -> str:
    """Return the settings of a server of its own; `timescale`: with that extension."""
    jobs = between(2, machine.cores // 2, 8) if timescale else 0
    lines: Lines = [
        ("listen_addresses", "*", "whom pg_hba.conf lets in, by TLS and SCRAM"),
        ("max_connections", 100, "a backend a core works; many clients go through PgBouncer"),
        *_sized(machine, most_shared_buffers=16384),
        ("huge_pages", "try", "shared_buffers of many GB: fewer entries for each backend to keep"),
        (
            "max_worker_processes",
            between(8, 2 * machine.cores, 64) + jobs + (3 if timescale else 0),
            "those of parallel queries and jobs, a launcher and two schedulers",
        ),
        (
            "max_locks_per_transaction",
            256,
            "a query without a time locks 500 parts and their indexes; 64 is too few",
        ),
        ("effective_io_concurrency", 200, "solid state disks"),
        ("max_slot_wal_keep_size", "16GB", "a replica that is gone does not fill the disk"),
        ("idle_session_timeout", 0, "pools keep sessions; `warehouse roles` ends idle logins"),
        ("tcp_keepalives_idle", "60s", "clients behind a network that went away are noticed"),
        ("log_min_duration_statement", "1s", "ten times the widest budget of a published query"),
        ("log_lock_waits", "on", "who waited for whom"),
        ("log_autovacuum_min_duration", "10s", "tables that vacuum does not keep up with"),
        ("track_io_timing", "on", "reading or computing? explain (analyze, buffers) says"),
    ]
    if timescale:
        lines += [
            ("shared_preload_libraries", "timescaledb", "the extension is loaded at start"),
            ("timescaledb.max_background_workers", jobs, "half the cores pack the columnstore"),
            ("timescaledb.telemetry_level", "off", "a trading firm's server calls nobody"),
        ]
    return _written("Written by `warehouse settings server`: a postgresql.conf.", lines)


def render_pgbouncer(machine: Machine, host: str = "127.0.0.1") -> str:
    """Return the profile of a PgBouncer for readers, who connect often and ask briefly."""
    lines: Lines = [
        ("listen_port", 6432, ""),
        ("pool_mode", "transaction", "a backend is taken for a query, not for a dashboard"),
        ("default_pool_size", between(4, 4 * machine.cores, 64), "four a core: some wait for disk"),
        ("reserve_pool_size", between(2, machine.cores, 16), "for who waited three seconds"),
        ("reserve_pool_timeout", 3, ""),
        ("max_client_conn", 1000, "a client costs it 2 kB, a backend of the server 10 MB"),
        ("max_prepared_statements", 200, "drivers prepare; 0 would break them in this mode"),
        ("query_wait_timeout", 30, "say that the server is busy instead of hanging"),
        ("idle_transaction_timeout", 60, "who forgot to commit holds no backend"),
        ("server_idle_timeout", 300, "backends go after a rush"),
        ("server_lifetime", 3600, "and give back what they cached of thousands of chunks"),
        ("ignore_startup_parameters", "extra_float_digits", "what JDBC sends"),
        ("auth_type", "scram-sha-256", ""),
        ("auth_file", "userlist.txt", "the verifiers of readers, from pg_authid"),
        ("client_tls_sslmode", "require", "as to the server itself"),
        ("server_tls_sslmode", "verify-full", "it knows whom it sends passwords to"),
    ]
    top = (
        "; Written by `warehouse settings pgbouncer`. For readers alone: landing, builds, exports\n"
        "; hold locks and temporary tables of a session, and connect to the server.\n"
        f"[databases]\nwarehouse = host={host} port=5432 dbname=warehouse\n\n[pgbouncer]\n"
    )
    # Its comments are lines of their own.
    told = [
        f"; {why}\n{name} = {value}" if why else f"{name} = {value}" for name, value, why in lines
    ]
    return top + "\n".join(told) + "\n"


def _written(title: str, lines: Lines) -> str:
    """Return lines of a postgresql.conf."""
    text = f"# {title}\n"
    for name, value, reason in lines:
        setting = f"{name} = '{value}'"
        text += f"{setting:<50} # {reason}\n" if reason else f"{setting}\n"
    return text
