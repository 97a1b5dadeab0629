"""Show what was recorded so that it hides nothing and turns nothing round."""

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.html import format_html
from django.utils.safestring import SafeString

from compliance.trail import words

register = template.Library()


@register.filter
@stringfilter
def as_recorded(text: str) -> SafeString:
    """Return a text by itself, whatever its direction, unseen characters as their code."""
    return format_html("<bdi>{}</bdi>", words.visible(text))
