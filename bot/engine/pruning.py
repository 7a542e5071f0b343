"""What is forgotten: rows of workflows that were over long ago. The library has no retention of its own."""

from datetime import UTC, datetime, timedelta

from dbos import DBOSClient

OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
BATCH = 500


def prune(client: DBOSClient, queue: str, age: timedelta) -> int:
    """Delete a queue's workflows that were over more than `age` ago, steps included; return how many."""
    before, pruned = (datetime.now(UTC) - age).isoformat(), 0
    while True:
        old = client.list_workflows(
            queue_name=queue, status=OVER, completed_before=before, limit=BATCH, load_input=False, load_output=False
        )
        if not old:
            return pruned
        client.delete_workflows([workflow.workflow_id for workflow in old])
        pruned += len(old)
