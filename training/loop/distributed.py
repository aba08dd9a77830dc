"""Contrastive training in several parts and processes, equal to one big batch. Knows no models and no data.

A contrastive loss compares each case of a batch with all others, so adding up the gradients of its parts would be
training on several small batches with fewer negatives. Here the embeddings of all parts of all processes are gathered
first, every process computes the loss of the WHOLE batch, and the gradient is propagated through the parts one at a
time (GradCache, Gao et al. 2021, arXiv 2101.06983). The gradient of the loss with respect to a
process's own embeddings is then complete, so that the SUM over processes of the weights' gradients is the gradient that
one process with the whole batch would have.

Started by torchrun, which sets RANK, WORLD_SIZE and LOCAL_RANK; without it there is one process.
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
TIMEOUT = timedelta(hours=12)
"""How long processes wait for each other: process 0 alone downloads models, caches feature maps and measures the score
scale, which takes hours on large sets; torch would stop after 10 to 30 minutes."""


@contextmanager
def processes() -> Iterator[None]:
    """Join the processes that torchrun started: NCCL where there are GPUs, each process with its own, else gloo."""
    if "RANK" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    group.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=TIMEOUT)
    try:
        yield
    finally:
        group.destroy_process_group()


def rank() -> int:
    """Number of this process; 0 if it is the only one."""
    return group.get_rank() if group.is_initialized() else 0


def world() -> int:
    """Number of processes."""
    return group.get_world_size() if group.is_initialized() else 1


@contextmanager
def first() -> Iterator[None]:
    """Process 0 runs the block before the others, which then find its files on disk."""
    if world() > 1 and rank() > 0:
        group.barrier()
    yield
    if world() > 1 and rank() == 0:
        group.barrier()


def from_first(compute: Callable[[], T]) -> T:
    """The result of process 0, which must be picklable, in every process, so that all take the same decisions."""
    if world() == 1:
        return compute()
    box = [compute() if rank() == 0 else None]
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
    """[n, D] of every process -> [world * n, D] in order of rank; the gradient flows to the own rows only."""
    if world() == 1:
        return mine
    parts = [torch.empty_like(mine) for _ in range(world())]
    group.all_gather(parts, mine.detach().contiguous())
    parts[rank()] = mine
    return torch.cat(parts)


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its sum over the processes, in one message; a missing gradient counts as zero."""
    if world() == 1:
        return
    chosen = list(parameters)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in chosen]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    group.all_reduce(flat)
    for parameter, gradient, total in zip(chosen, gradients, torch.split(flat, [p.numel() for p in chosen])):
        parameter.grad = gradient.copy_(total.view_as(gradient))


def backward(embed: Callable[[int], list[Tensor]], parts: int, loss_of: Callable[[list[Tensor]], Loss]) -> Loss:
    """Compute the gradients of the whole batch's loss on the weights of this process; then call `sum_gradients`.

    Args:
        embed: number of a part -> its embeddings by modality, each float [n, D]. If there are several parts, it is
            called twice for each and must return the same embeddings: its randomness must depend on the part alone.
        parts: parts of this process; the activations of only one are in memory at a time.
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
    gradients = [leaf.grad.chunk(parts) for leaf in leaves if leaf.grad is not None]
    for part in range(parts):
        torch.autograd.backward(outputs[0] if parts == 1 else embed(part), [rows[part] for rows in gradients])
    return loss, values
