"""Say which messages of other systems belong to a batch: with their evidence, under no signature.

A message may still be resolved after the batch was reviewed; what lands by it is covered itself.
"""

from django.db.models import QuerySet

from batches.exchange.models.messages import Message
from batches.execution import belongings
from batches.execution.models import Batch


@belongings.register("messages", is_signed=False)
def messages(batch: Batch) -> QuerySet[Message]:
    return Message.objects.filter(batch=batch)
