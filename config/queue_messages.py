"""Describe the queues as they go over the wire."""

from rest_framework import serializers

from compliance.wire import Out


class QueueClaimOut(Out):
    what = serializers.CharField()
    worker = serializers.CharField(help_text="host/process; empty where the record does not say.")
    renewed_at = serializers.DateTimeField(allow_null=True)
    has_run_out = serializers.BooleanField()


class QueueWorkOut(Out):
    """What one kind of record asks of a queue; `due` counts leases that ran out too."""

    kind = serializers.CharField()
    due = serializers.IntegerField()
    oldest_due_at = serializers.DateTimeField(allow_null=True)
    claimed = serializers.IntegerField()
    ran_out = serializers.IntegerField()
    refused = serializers.IntegerField(help_text="Due, but no worker can do it.")
    claims = QueueClaimOut(many=True)


class QueueOut(Out):
    name = serializers.CharField()
    messages = serializers.IntegerField(
        allow_null=True, help_text="Waiting at the broker; null when it does not say in time."
    )
    messages_said = serializers.CharField(help_text="The same in words.")
    is_stuck = serializers.BooleanField()
    waits_since = serializers.DateTimeField(allow_null=True)
    stuck_after_s = serializers.IntegerField()
    work = QueueWorkOut(many=True)
