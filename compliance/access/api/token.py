"""The token endpoint: a client's credentials for a short-lived access token (RFC 6749 4.4)."""

import base64
import binascii
from urllib.parse import unquote_plus

from django.http import QueryDict
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import access_tokens, callers
from compliance.access.access_tokens import ClientWrong, ScopeNotGranted
from compliance.access.credentials import Locked
from compliance.access.devices import DeviceNotQualified
from compliance.refusals import Refused
from compliance.wire import Out

_FORM = "application/x-www-form-urlencoded"
_READ = ("grant_type", "scope", "client_id", "client_secret")
MOST_BYTES = 8192


class TokenRequestMalformed(Refused):
    """A request for a token lacks something, says it twice, or says it in two places."""

    code = "token-request-malformed"
    status = 400


class GrantUnsupported(Refused):
    """Tokens are given for client credentials only."""

    code = "grant-unsupported"
    status = 400


# RFC 6749 5.2 knows six words and two statuses; ours say more, and are on record.
_ERRORS: dict[type[Refused], tuple[str, int]] = {
    ClientWrong: ("invalid_client", 401),
    Locked: ("invalid_client", 401),
    DeviceNotQualified: ("unauthorized_client", 400),
    ScopeNotGranted: ("invalid_scope", 400),
    GrantUnsupported: ("unsupported_grant_type", 400),
    TokenRequestMalformed: ("invalid_request", 400),
}
_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_WORD = {"type": "string"}


class AccessTokenOut(Out):
    access_token = serializers.CharField(help_text="Shown this once.")
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="In seconds.")
    scope = serializers.CharField()


class TokenRefusedOut(Out):
    error = serializers.ChoiceField(choices=sorted({word for word, _ in _ERRORS.values()}))
    error_description = serializers.CharField()


class TokenEndpoint(APIView):
    """Open to strangers, who show who they are in the request itself."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (FormParser,)
    is_query_free = True  # RFC 6749 3.2
    without_key = "a token is given anew each time, and a repeat gets another one"

    @extend_schema(
        operation_id="access_token_issue",
        # A plain schema and no form: RFC 6749 3.2 wants members that are not known ignored.
        request={
            _FORM: {
                "type": "object",
                "properties": {
                    "grant_type": {"type": "string", "enum": ["client_credentials"]},
                    **dict.fromkeys(("scope", "client_id", "client_secret"), _WORD),
                },
                "required": ["grant_type"],
            }
        },
        responses={200: AccessTokenOut, 400: TokenRefusedOut, 401: TokenRefusedOut},
        auth=[{}],  # type: ignore[list-item]  # of OpenAPI: the request itself shows who asks
    )
    def post(self, request: Request) -> Response:
        """Issue an access token to a client: by HTTP Basic, or with its secret in the body."""
        said = _said(request)
        client_id, secret = _credentials(request, said)
        if said.get("grant_type") != "client_credentials":
            if "grant_type" not in said:
                raise TokenRequestMalformed("say grant_type=client_credentials")
            raise GrantUnsupported("the grant_type here is client_credentials")
        token, text = access_tokens.issue(
            client_id=client_id,
            secret=secret,
            wanted=said.get("scope", "").split(),
            address=callers.address(request),
            at=timezone.now(),
        )
        lasts = token.expires_at - token.issued_at
        given = {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": int(lasts.total_seconds()),
            "scope": token.scopes,
        }
        return Response(AccessTokenOut(given).data, headers=_NOT_STORED)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer in the words of RFC 6749 5.2 what is refused here; it is on record by then."""
        answer: Response = super().handle_exception(exc)
        error, status = _ERRORS.get(type(exc), ("", 0))  # type: ignore[arg-type]
        if not error:
            return answer
        body = {"error": error, "error_description": _ascii(str(exc))}
        headers = dict(_NOT_STORED)
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="api", charset="UTF-8"'
        return Response(body, status=status, headers=headers)


def _said(request: Request) -> dict[str, str]:
    """Return what the form says, each once (RFC 6749 3.2); what nobody reads is ignored."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise TokenRequestMalformed(f"a request for a token has at most {MOST_BYTES} bytes")
    if set(request.query_params) & set(_READ):
        raise TokenRequestMalformed("send it in the body: addresses end up in logs")
    form = request.data
    if not isinstance(form, QueryDict):  # there is no body at all
        return {}
    if any(len(form.getlist(name)) > 1 for name in _READ):
        raise TokenRequestMalformed("say each parameter once")
    return {name: str(form[name]) for name in _READ if form.get(name)}


def _credentials(request: Request, said: dict[str, str]) -> tuple[str, str]:
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        if "client_id" not in said or "client_secret" not in said:
            raise ClientWrong("say who asks: by HTTP Basic, or client_id and client_secret")
        return said["client_id"], said["client_secret"]
    if "client_secret" in said:
        raise TokenRequestMalformed("show the secret once: by HTTP Basic or in the body")
    try:
        name, colon, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise ClientWrong("the Authorization of a client is Basic, with its name and secret")
    client_id = unquote_plus(name)
    if said.get("client_id", client_id) != client_id:
        raise TokenRequestMalformed("client_id in the body is another than by HTTP Basic")
    return client_id, unquote_plus(secret)


def _ascii(text: str) -> str:
    """Return text with the characters that RFC 6749 5.2 allows in a description."""
    plain = text.replace("“", "'").replace("”", "'").replace('"', "'").replace("\\", "/")
    return "".join(one if " " <= one <= "~" else "?" for one in plain)


urlpatterns = [path("oauth/token", TokenEndpoint.as_view(), name="oauth-token")]
