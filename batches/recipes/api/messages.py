"""Describe how products and recipes go over the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.recipes import master_recipes
from batches.recipes.api.content_fields import RecipeContent
from batches.recipes.models import MasterRecipe
from compliance.signatures import signing
from compliance.wire import In, Out, Text


class ProductIn(In):
    code = Text(max_length=40)
    name = Text(max_length=200)
    strength = Text(max_length=100, allow_blank=True, default="")
    dosage_form = Text(max_length=100, allow_blank=True, default="")
    shelf_life_months = serializers.IntegerField(
        min_value=1, max_value=1200, allow_null=True, default=None
    )
    markets = serializers.ListField(child=Text(max_length=2), default=list)


class ProductRevisionIn(In):
    name = Text(max_length=200)
    strength = Text(max_length=100, allow_blank=True)
    dosage_form = Text(max_length=100, allow_blank=True)
    shelf_life_months = serializers.IntegerField(min_value=1, max_value=1200, allow_null=True)
    markets = serializers.ListField(child=Text(max_length=2))
    reason = Text(max_length=1000)


class RecipeDraftIn(In):
    product = Text(max_length=40)
    content = RecipeContent()


class RecipeRevisionIn(In):
    content = RecipeContent()
    reason = Text(max_length=1000)


class RecipeLineIn(In):
    """A line as the part's list has it; its members depend on the part."""

    line = serializers.DictField()
    reason = Text(max_length=1000)


class RecipeLineRemovalIn(In):
    key = Text(max_length=250, help_text="`unit procedure/name` of a phase, tag, line number, ...")
    reason = Text(max_length=1000)


class RecipeDocumentIn(In):
    format = Text(max_length=40)
    content = RecipeContent()
    digest = Text(max_length=64)


class RecipeCopyIn(In):
    change_number = Text(max_length=40)
    change_summary = Text(max_length=20_000)


class RecipeSignIn(In):
    password = Text(max_length=200, write_only=True)


class RecipeReviewIn(RecipeSignIn):
    comment = Text(max_length=2000, allow_blank=True, default="")


class RecipeApprovalIn(RecipeSignIn):
    effective_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="A day (UTC); by default today."
    )


class RecipeWithdrawalIn(RecipeSignIn):
    reason = Text(max_length=1000)


class RecipeReasonIn(In):
    reason = Text(max_length=1000)


class ProductOut(Out):
    code = serializers.CharField()
    name = serializers.CharField()
    strength = serializers.CharField()
    dosage_form = serializers.CharField()
    shelf_life_months = serializers.IntegerField(allow_null=True)
    markets = serializers.ListField(child=serializers.CharField())


class RecipeOut(Out):
    product = serializers.CharField(source="product.code")
    version = serializers.IntegerField()
    title = serializers.CharField()
    state = serializers.CharField()
    based_on = serializers.IntegerField(source="based_on.version", default=None, allow_null=True)
    change_number = serializers.CharField()
    author = serializers.CharField(source="author.username")
    reviewer = serializers.CharField(source="reviewer.username", default=None, allow_null=True)
    checker = serializers.CharField(source="checker.username", default=None, allow_null=True)
    drafted_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    reviewed_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    effective_on = serializers.DateField(allow_null=True)
    effective_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class RecipeSignatureOut(Out):
    """A signature as it is shown: printed name, time and meaning (21 CFR 11.50)."""

    printed_name = serializers.CharField()
    username = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    comment = serializers.CharField()
    signed_at = serializers.DateTimeField()
    record_digest = serializers.CharField()
    is_current = serializers.SerializerMethodField(
        help_text="False when the version was changed after it was signed."
    )

    def get_is_current(self, signature: Any) -> bool:
        return bool(signature.record_digest == self.context["digest"])


class RecipeDetailOut(RecipeOut):
    digest = serializers.SerializerMethodField()
    content = serializers.SerializerMethodField()
    signatures = serializers.SerializerMethodField()

    def get_digest(self, recipe: MasterRecipe) -> str:
        return master_recipes.digest(recipe)

    @extend_schema_field(RecipeContent)
    def get_content(self, recipe: MasterRecipe) -> Any:
        return master_recipes.content(recipe)

    @extend_schema_field(RecipeSignatureOut(many=True))
    def get_signatures(self, recipe: MasterRecipe) -> list[Any]:
        context = {"digest": signing.digest(recipe)}
        return list(RecipeSignatureOut(signing.of(recipe), many=True, context=context).data)


class RecipeDocumentOut(Out):
    format = serializers.CharField()
    content = RecipeContent()
    digest = serializers.CharField()


class RecipeLackOut(Out):
    code = serializers.CharField()
    clause = serializers.CharField()
    text = serializers.CharField()
    needed_for = serializers.CharField(help_text="submission or approval")


class RecipeFieldChangeOut(Out):
    name = serializers.CharField(source="field")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class RecipeLineChangeOut(Out):
    part = serializers.CharField()
    key = serializers.CharField()
    change = serializers.CharField(help_text="added, removed or changed")
    changes = RecipeFieldChangeOut(many=True, source="fields")


class RecipeDifferenceOut(Out):
    before = serializers.IntegerField(help_text="The version that is compared with.")
    after = serializers.IntegerField()
    is_empty = serializers.BooleanField()
    header = RecipeFieldChangeOut(many=True)
    lines = RecipeLineChangeOut(many=True)
