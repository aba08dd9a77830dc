"""One contrastive step over several parts and processes, equal to one big batch. Knows no models and no data.

A contrastive loss compares every case of a batch with every other, so parts of a batch cannot be trained on one by one
and added up: that would be several small batches, each with fewer negatives. Here the embeddings of all parts of all
processes come together first, every process computes the loss of the WHOLE batch, and the gradient goes back through
the parts one at a time (GradCache, Gao et al. 2021, arXiv 2101.06983). The gradient of the loss with respect to a
process's own embeddings is then complete, so that the SUM over processes of the weights' gradients is the gradient that
one process with the whole batch would have.

Started by torchrun, which sets RANK, WORLD_SIZE and LOCAL_RANK; without it there is one process and no waiting.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as group

T = TypeVar("T")
Loss = tuple[Tensor, dict[str, float]]
PATIENCE = timedelta(hours=12)
"""How long processes wait for one another: process 0 fetches models, keeps maps and calibrates alone, on large sets for
hours, while torch gives up after 10 to 30 minutes."""


@contextmanager
def processes() -> Iterator[None]:
    """Join the processes that torchrun started: NCCL where there are GPUs, each process with its own, else gloo."""
    if "RANK" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    group.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        group.destroy_process_group()


def rank() -> int:
    return group.get_rank() if group.is_initialized() else 0


def world() -> int:
    return group.get_world_size() if group.is_initialized() else 1


@contextmanager
def first() -> Iterator[None]:
    """Process 0 goes through the block before the others, which then find what it left on the disk."""
    if world() > 1 and rank() > 0:
        group.barrier()
    yield
    if world() > 1 and rank() == 0:
        group.barrier()


def from_first(make: Callable[[], T]) -> T:
    """What process 0 makes, in every process: decisions have to be the same everywhere. It must be picklable."""
    if world() == 1:
        return make()
    box = [make() if rank() == 0 else None]
    group.broadcast_object_list(box, src=0)
    return box[0]  # type: ignore[return-value]


def share_weights(model: nn.Module) -> None:
    """Give every process the weights and buffers of process 0."""
    if world() > 1:
        for value in [*model.parameters(), *model.buffers()]:
            whole = value.detach().contiguous()
            group.broadcast(whole, src=0)
            value.detach().copy_(whole)


def gather(mine: Tensor) -> Tensor:
    """[n, D] of every process -> [world * n, D] in order of rank; the gradient flows to one's own rows."""
    if world() == 1:
        return mine
    parts = [torch.empty_like(mine) for _ in range(world())]
    group.all_gather(parts, mine.detach().contiguous())
    parts[rank()] = mine
    return torch.cat(parts)


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its sum over the processes, in one message; a missing one counts as zero."""
    if world() == 1:
        return
    chosen = list(parameters)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in chosen]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    group.all_reduce(flat)
    for parameter, gradient, total in zip(chosen, gradients, torch.split(flat, [p.numel() for p in chosen])):
        parameter.grad = gradient.copy_(total.view_as(gradient))


def backward(embed: Callable[[int], list[Tensor]], parts: int, loss_of: Callable[[list[Tensor]], Loss]) -> Loss:
    """Gradients of the loss of the whole batch, left on the weights of this process (add them up: `sum_gradients`).

    Args:
        embed: one part of this process -> its embeddings by modality, each float [n, D]. Of several parts each is asked
            for twice and must give the same embeddings again: randomness has to depend on the part alone.
        parts: how many parts this process has; only one at a time is held with its activations.
        loss_of: the whole batch's embeddings by modality, each [world * parts * n, D] -> the loss and its named values.
    """
    if parts == 1:
        outputs = [embed(0)]
    else:
        with torch.no_grad():
            outputs = [embed(part) for part in range(parts)]
    leaves = [torch.cat(rows).detach().requires_grad_() for rows in zip(*outputs)]
    loss, values = loss_of([gather(leaf) for leaf in leaves])
    torch.autograd.backward(loss)
    pulls = [leaf.grad.chunk(parts) for leaf in leaves if leaf.grad is not None]
    for part in range(parts):
        torch.autograd.backward(outputs[0] if parts == 1 else embed(part), [rows[part] for rows in pulls])
    return loss, values
