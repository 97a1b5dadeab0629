"""Trail reviews and periodic reviews over the API."""

from django.urls import path

from compliance.quality.acts import reviews as acts
from compliance.quality.api import endpoints
from compliance.quality.messages import reviews as messages
from compliance.quality.messages.reviews import (
    PeriodicReviewDetailOut,
    PeriodicReviewOut,
    SampledEntryOut,
    TrailReviewDetailOut,
    TrailReviewOut,
)
from compliance.quality.messages.signatures import WithReasonIn
from compliance.quality.models import PeriodicReview, TrailReview

_TRAIL = TrailReview.objects.select_related("reviewer")
_PERIODIC = PeriodicReview.objects.select_related("opened_by")
_REVIEW = "trail-reviews/<str:number>"

urlpatterns = [
    path(
        "trail-reviews",
        endpoints.collection(
            "trail_reviews",
            _TRAIL,
            gives=TrailReviewOut,
            takes=messages.TrailReviewIn,
            act=acts.open_trail_review,
            filters=("state", "kind", "name"),
            searched=("number", "title", "reviewer__username"),
        ),
        name="trail-reviews",
    ),
    path(
        _REVIEW,
        endpoints.member(
            "trail_review",
            _TRAIL.prefetch_related("sample__deviation"),
            gives=TrailReviewDetailOut,
        ),
        name="trail-review",
    ),
    path(
        f"{_REVIEW}/standing",
        endpoints.member("trail_review_standing", _TRAIL, gives=messages.TrailStandingOut),
        name="trail-review-standing",
    ),
    path(
        f"{_REVIEW}/sample/<int:sampled>/assessment",
        endpoints.act(
            "trail_review_assess",
            _TRAIL,
            acts.assess,
            gives=SampledEntryOut,
            takes=messages.TrailAssessmentIn,
        ),
        name="trail-review-assessment",
    ),
    path(
        f"{_REVIEW}/assessments",
        endpoints.act(
            "trail_review_assess_each",
            _TRAIL,
            acts.assess_each,
            gives=SampledEntryOut,
            takes=messages.TrailAssessmentsIn,
            is_many=True,
        ),
        name="trail-review-assessments",
    ),
    path(
        f"{_REVIEW}/conclusion",
        endpoints.act(
            "trail_review_conclude",
            _TRAIL,
            acts.conclude_trail_review,
            gives=TrailReviewOut,
            takes=messages.TrailConclusionIn,
        ),
        name="trail-review-conclusion",
    ),
    path(
        f"{_REVIEW}/abandonment",
        endpoints.act(
            "trail_review_abandon", _TRAIL, acts.abandon, gives=TrailReviewOut, takes=WithReasonIn
        ),
        name="trail-review-abandonment",
    ),
    path(
        "periodic-reviews",
        endpoints.collection(
            "periodic_reviews",
            _PERIODIC,
            gives=PeriodicReviewOut,
            takes=messages.PeriodicReviewIn,
            act=acts.open_periodic_review,
            filters=("state", "system"),
            searched=("number", "system"),
        ),
        name="periodic-reviews",
    ),
    path(
        "periodic-reviews/<str:number>",
        endpoints.member("periodic_review", _PERIODIC, gives=PeriodicReviewDetailOut),
        name="periodic-review",
    ),
    path(
        "periodic-reviews/<str:number>/conclusion",
        endpoints.act(
            "periodic_review_conclude",
            _PERIODIC,
            acts.conclude_periodic_review,
            gives=PeriodicReviewOut,
            takes=messages.PeriodicConclusionIn,
        ),
        name="periodic-review-conclusion",
    ),
]
