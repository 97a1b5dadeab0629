"""How it was established who a person is, before the person may sign (21 CFR 11.100(b))."""

from django.db import models
from django.db.models import F, Q

from compliance.access.models.people import User
from compliance.trail.capture import controlled


class ProofMethod(models.TextChoices):
    IN_PERSON = "in-person", "Official document, seen in person"
    VIDEO = "video", "Official document, seen in a video call"
    EMPLOYMENT = "employment", "Personnel file of the employer"
    INSTALLATION = "installation", "Set up by the installation"


@controlled(redactable=("document",), guards=("keep_as_recorded", "not_by_oneself"))
class IdentityProof(models.Model):
    """One check of a person's identity, by somebody else; a proof found wrong is withdrawn."""

    person = models.ForeignKey(User, models.PROTECT, related_name="identity_proofs")
    method = models.CharField(max_length=20, choices=ProofMethod.choices)
    document = models.CharField(
        max_length=200,
        help_text="What was seen and where its copy is kept, e.g. passport, HR-0042.",
    )
    # Null when the installation itself did it; the text then says so.
    proven_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    proven_by_name = models.CharField(max_length=200)
    proven_at = models.DateTimeField(help_text="When the document was seen.")
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="identity_proven_by_another",
                condition=Q(proven_by=None) | ~Q(proven_by=F("person")),
            ),
            models.CheckConstraint(
                name="identity_proof_method_known", condition=Q(method__in=ProofMethod.values)
            ),
            models.CheckConstraint(
                name="identity_proof_names_prover", condition=~Q(proven_by_name="")
            ),
            models.CheckConstraint(
                name="identity_proof_seen_before_recorded",
                condition=Q(proven_at__lte=F("recorded_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"Identity of {self.person} ({self.pk})"
