"""The feed of changes: CloudEvents in the order of the sealed log."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import changes
from batches.exchange.changes import Filter
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.scopes import Scope
from compliance.wire import In, Out, Text

MOST = 1000


class ChangesIn(In):
    after = Text(
        max_length=40, required=False, help_text="Id of the last event that was read, or `cursor`."
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=100)
    kind = Text(
        max_length=500, required=False,
        help_text="Tables, or tables with an operation, separated by commas: "
        "`execution_batch,laboratory_result.insert`.",
    )  # fmt: skip
    record = Text(
        max_length=120, required=False, help_text="As in `subject`: `execution_batch/12`."
    )


class CloudEventOut(Out):
    """CloudEvents 1.0, JSON format; `sequence` is the index of its leaf in the log."""

    specversion = serializers.CharField()
    id = serializers.CharField(help_text="Take it as the next `after`.")
    source = serializers.CharField(help_text="Origin of the log.")  # type: ignore[assignment]
    type = serializers.CharField(help_text="gmp.<table>.<insert, update or delete>")
    subject = serializers.CharField()
    time = serializers.CharField()
    datacontenttype = serializers.CharField()
    sequence = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]


class OmittedOut(Out):
    filtered = serializers.IntegerField(help_text="Not asked for.")
    withheld = serializers.IntegerField(help_text="The caller may not read them.")
    unavailable = serializers.IntegerField(help_text="Archived: the log has their hash only.")


class ChangesOut(Out):
    events = CloudEventOut(many=True)
    cursor = serializers.CharField(help_text="Ask for `after` this.")
    has_more = serializers.BooleanField(help_text="There is more that is sealed already.")
    first = serializers.IntegerField(allow_null=True, help_text="First leaf of this answer.")
    last = serializers.IntegerField(allow_null=True)
    omitted = OmittedOut(help_text="Events and omitted ones add up to last - first + 1.")
    tree_size = serializers.IntegerField()


class Changes(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.CHANGES_READ}

    @extend_schema(operation_id="feed_read", parameters=[ChangesIn], responses={200: ChangesOut})
    def get(self, request: Request) -> Response:
        """Read what changed after a cursor, in the order of the log, with nothing left out unsaid."""
        asked = ChangesIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        kinds = [one.strip() for one in said.get("kind", "").split(",") if one.strip()]
        page = changes.read(
            said.get("after", ""),
            limit=said["limit"],
            wanted=Filter(kinds, said.get("record", "")),
            by=changes.reader(callers.principal(request)),
        )
        omitted = {
            "filtered": page.filtered, "withheld": page.withheld, "unavailable": page.unavailable
        }  # fmt: skip
        return Response(ChangesOut({**vars(page), "omitted": omitted}).data)
