"""Whether another producer took over: to be taken for a failure would be to take it back."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    InvalidProducerEpoch,
    KafkaError,
    ProducerFenced,
    for_code,
)
from aiokafka.protocol.transaction import EndTxnRequest

ASKING = 3.0
"""Seconds for the coordinator to say who owns a transactional id."""
_AGAIN = 0.01
"""Seconds between two questions to a coordinator that is busy with a takeover."""

_FENCED = (ProducerFenced, InvalidProducerEpoch)
_BUSY = (ConcurrentTransactions, CoordinatorLoadInProgressError)


async def is_fenced(producer: AIOKafkaProducer, error: Exception) -> bool:
    """Tell whether a batch failed because somebody else took over.

    While a coordinator is busy with a takeover it answers the old producer in other words
    (INVALID_TXN_STATE, UNKNOWN_SERVER_ERROR), so what a broker did answer is asked about. A broker
    that answers nothing is not asked: then it is the group that tells who owns the partition.
    """
    if any(isinstance(each, _FENCED) for each in (error, *_heard(producer))):
        return True
    return isinstance(error, KafkaError) and await _says_the_coordinator(producer)


def _heard(producer: AIOKafkaProducer) -> list[BaseException | None]:
    """Return what aiokafka's own tasks learned while their caller heard something else."""
    tasks = (producer._sender.sender_task, producer._txn_manager._transaction_waiter)
    return [
        task.exception()
        for task in tasks
        if task is not None and task.done() and not task.cancelled()
    ]


async def _says_the_coordinator(producer: AIOKafkaProducer) -> bool:
    """Abort what is open, as is to be done anyway: whoever was taken over is refused."""
    try:
        async with asyncio.timeout(ASKING):
            while True:
                answer = await _abort(producer)
                if answer not in _BUSY:
                    return answer in _FENCED
                await asyncio.sleep(_AGAIN)
    except (KafkaError, OSError, TimeoutError):
        return False


async def _abort(producer: AIOKafkaProducer) -> Any:
    """Return the class of the coordinator's answer; beside aiokafka, whose own task may be dead."""
    sender, transaction = producer._sender, producer._txn_manager
    coordinator = await sender._find_coordinator(
        CoordinationType.TRANSACTION, transaction.transactional_id
    )
    answer = await producer.client.send(
        coordinator,
        EndTxnRequest(
            transaction.transactional_id,
            transaction.producer_id,
            transaction.producer_epoch,
            False,
        ),
        group=ConnectionGroup.COORDINATION,
    )
    return for_code(answer.error_code)
