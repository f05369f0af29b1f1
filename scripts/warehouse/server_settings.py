"""Settings of the embedded server, sized for the machine it starts on."""

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


def render(machine: Machine, port: int) -> str:
    """Return the settings file of an instance, each setting with its reason."""
    memory, cores = machine.memory, machine.cores
    lines: list[tuple[str, object, str]] = [
        ("listen_addresses", "127.0.0.1", "this machine only"),
        ("port", port, ""),
        ("unix_socket_directories", "", "loopback is the only way in, with SCRAM"),
        ("password_encryption", "scram-sha-256", ""),
        ("timezone", "UTC", "every time is stored and shown in UTC"),
        ("log_timezone", "UTC", ""),
        (
            "shared_buffers",
            f"{between(128, memory // 4, 2048)}MB",
            "a quarter of memory; above 2 GB the page cache serves a batch warehouse as well",
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
        ("max_worker_processes", between(8, 2 * cores, 64), ""),
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
        ("logging_collector", "off", "stderr goes to logs/postgres.log"),
        ("log_line_prefix", "%m [%p] %a ", ""),
    ]
    if machine.shared_memory is not None and machine.shared_memory < 512:
        reason = "shared memory is small here (containers: 64 MB): parallel queries would fail"
        lines.append(("dynamic_shared_memory_type", "mmap", reason))
    text = "# Written by `warehouse up`; your own settings go to postgresql.local.conf beside it.\n"
    for name, value, reason in lines:
        setting = f"{name} = '{value}'"
        text += f"{setting:<50} # {reason}\n" if reason else f"{setting}\n"
    return text
