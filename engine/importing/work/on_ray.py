"""Re-indexes an archive on a Ray cluster: each of its processes is a worker as any other. Knows no embedding.

Ray only starts the workers. What each does, and what becomes of the work of one that dies, is up to the leases of the
archive. Ray is imported when it is asked for; it is no dependency of Kindred.
"""

import os
from typing import Any

from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.importing.reindex import reindex_progress
from engine.importing.work.queueing import REINDEX, queue_reindex
from engine.progress import Progress, ignore

LOOK = 2.0
"""Seconds between two looks at how far it is."""


def reindex_on_ray(archive: Archive, bundle: Bundle, cluster: str, progress: Progress = ignore) -> int:
    """Re-index with one worker for each CPU of a cluster, and return the number of embeddings.

    Args:
        archive: on a server that all computers of the cluster reach under the same address. A password is sent to none
            of them: each finds its own (~/.pgpass).
        bundle: the models; a folder that each of them has under the same path, or the starter bundle.
        cluster: the address of the cluster, "auto", or "local" for one on this computer that is started for this.
        progress: called with (embeddings made, embeddings needed, what).

    Raises:
        UserError: Ray is not installed, the cluster cannot be reached, or its workers have left work undone.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a cluster that is started here reports to nobody
    ray = _ray()
    if not any(job.kind == REINDEX and not job.is_over for job in archive.work.jobs()):
        queue_reindex(archive, bundle.id)
    try:
        ray.init(address=None if cluster == "local" else cluster, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, ValueError) as error:
        raise UserError(f"The Ray cluster {cluster} cannot be reached; check its address.") from error
    try:
        start = ray.remote(num_cpus=1, max_retries=2)(_work)
        number = max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = [start.remote(str(archive.place), str(bundle.folder)) for _ in range(number)]
        while waiting:
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=LOOK)
            state = reindex_progress(archive, bundle.id)
            progress(state.done, state.total, "Re-indexing")
    finally:
        ray.shutdown()
    state = reindex_progress(archive, bundle.id)
    if not state.complete:
        raise UserError(
            f"The workers on {cluster} have left work undone; `kindred work --archive {archive.where}` says why."
        )
    return state.total


def _work(address: str, folder: str) -> int:
    """In a process of the cluster: do what is queued, and return the number of units."""
    from engine.importing.work.worker import work

    with Archive.open(address) as archive:
        return work(archive, Bundle.open(folder)).units


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UserError("--ray needs Ray on this computer and in the cluster: pip install ray.") from None
    return ray
