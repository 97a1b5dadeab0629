"""The forms that an address of the trail's pages answers."""

from http import HTTPStatus
from typing import Any, Self

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict


class QueryForm(forms.Form):
    """What is asked in an address. A name that the page does not know, or that is there twice, is
    an error: it would narrow nothing, and all there is would look like its answer.
    """

    others: tuple[str, ...] = ()  # what the page itself reads of the address

    @classmethod
    def demand(cls, request: HttpRequest) -> Self:
        """Return what a page is asked that shows no form; raise `BadRequest` with what is wrong."""
        form = cls(request.GET)
        if form.is_valid():
            return form
        said = [
            str(message) if name == "__all__" else f"{name}: {message}"
            for name, messages in form.errors.items()
            for message in messages
        ]
        raise BadRequest(" ".join(said))

    @property
    def status(self) -> int:
        """Return what a page answers that shows this form."""
        return HTTPStatus.BAD_REQUEST if self.errors else HTTPStatus.OK

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        known = [*self.fields, *self.others]
        if unknown := sorted(set(self.data) - set(known)):
            names = ", ".join(f"“{name[:40]}”" for name in unknown)
            raise forms.ValidationError(
                f"This page knows {', '.join(known) or 'no parameter'}, and not {names}."
            )
        if isinstance(self.data, MultiValueDict):
            twice = sorted(name for name, values in self.data.lists() if len(values) > 1)
            if twice:
                raise forms.ValidationError(f"The address has {', '.join(twice)} more than once.")
        return found
