"""The workers that scan the photos of a dataset."""

from dataclasses import dataclass

from maskage.errors import UsageError


@dataclass(frozen=True)
class Workers:
    """Threads, processes, or a cluster.

    Attributes:
        count: Threads or processes; None for one each core.
        use_processes: Processes instead of threads.
        scheduler: Address of a Dask scheduler whose workers look instead: "tcp://host:8786".

    Raises:
        UsageError: No number of workers, or two places for them.
    """

    count: int | None = None
    use_processes: bool = False
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise UsageError(f"--workers is 1 or more; found {self.count}.")
        if self.scheduler is not None and (self.use_processes or self.count is not None):
            raise UsageError(
                "--scheduler has its own workers: leave --workers and --processes out."
            )
