"""Post a simulated batch through the real API, as often as it takes and nothing twice."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from twins.plant import posts, process
from twins.plant.batch_details import FIRST_TRAIN, Train
from twins.plant.posts import Post
from twins.plant.process import Fault

Progress = Callable[[int, int, str], None]  # done, total, what

PATIENCE_S = 120.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
_IN_FLIGHT = "idempotency-key-in-flight"


class PlantRefused(Exception):
    """The product said no to a message: posting it again would not help."""

    def __init__(self, post: Post, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem = _problem(response)
        super().__init__(
            f"{post.key} was refused with {self.status}: "
            f"{self.problem.get('detail') or self.problem.get('title') or response.text[:300]}"
        )


class PlantUnheard(Exception):
    """The product could not be reached, or was not able to answer, for as long as was waited."""


class RecipeUnfit(Exception):
    """The product's recipe is not one that this plant can run."""


@dataclass(frozen=True)
class Posted:
    """How many messages a call posted, and how many of them the product had already."""

    sent: int
    known: int


@dataclass(frozen=True)
class Plant:
    """A simulated plant with the address of the product and the token of its device.

    Each message is repeated for up to `patience_s` while the product is away or busy.
    """

    base_url: str
    token: str = field(repr=False)
    patience_s: float = PATIENCE_S

    def post_batch(
        self, *, number: str, product: str, seed: int, started_at: datetime,
        fault: Fault | None = None, until_h: float | None = None, train: Train = FIRST_TRAIN,
        progress: Progress | None = None,
    ) -> Posted:  # fmt: skip
        """Post one batch, from its issue to the last result, or to an hour of it.

        Called again with the same arguments, also after it was killed, it posts the same messages
        under the same keys: the product has each once. Raise `PlantRefused`, `PlantUnheard` or
        `RecipeUnfit`.
        """
        messages = process.simulate(seed, fault)
        with self._client() as client:
            known = int(self._post(client, posts.issue(number, product)))
            script = posts.of_batch(
                messages,
                number=number,
                phases=self._phases(client, number),
                started_at=started_at,
                until_h=float("inf") if until_h is None else until_h,
                train=train,
            )
            total = len(script) + 1
            for done, post in enumerate(script, start=1):
                if progress:
                    progress(done, total, post.text)
                known += self._post(client, post)
        if progress:
            progress(total, total, "all posted")
        return Posted(sent=total, known=known)

    def deliver(self, script: Sequence[Post], *, progress: Progress | None = None) -> Posted:
        """Post a prepared script in its order; called again, it posts nothing twice."""
        known = 0
        with self._client() as client:
            for done, post in enumerate(script, start=1):
                known += self._post(client, post)
                if progress:
                    progress(done, len(script), post.text)
        return Posted(sent=len(script), known=known)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.base_url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30.0,
        )

    def _phases(self, client: httpx.Client, number: str) -> list[str]:
        asked = Post(f"{number}:read", f"batches/{number}", b"", "", "phases")
        answer = self._send(client, asked, "GET")
        phases = [f"{one['unit_procedure']}/{one['name']}" for one in answer.json()["phases"]]
        if len(phases) != len(posts.PHASE_HOURS) + 1:
            raise RecipeUnfit(
                f"this plant runs recipes of {len(posts.PHASE_HOURS) + 1} phases; "
                f"{number} has {len(phases)}"
            )
        return phases

    def _post(self, client: httpx.Client, post: Post) -> bool:
        """Post a message; return whether the product had it already."""
        response = self._send(client, post, "POST")
        return bool(response.headers.get("Idempotency-Replayed") == "true")

    def _send(self, client: httpx.Client, post: Post, method: str) -> httpx.Response:
        """Send until there is an answer that counts; raise when there is none in time."""
        deadline = time.monotonic() + self.patience_s
        wait_s = _FIRST_WAIT_S
        headers = {"Idempotency-Key": post.key, "Content-Type": post.media_type}
        while True:
            try:
                response = client.request(
                    method,
                    post.path,
                    content=post.content or None,
                    headers=headers if method == "POST" else None,
                )
            except httpx.TransportError as error:
                problem, asked_s = f"{type(error).__name__}: {error}", None
            else:
                if response.is_success:
                    return response
                if not _may_pass(response):
                    raise PlantRefused(post, response)
                problem, asked_s = f"HTTP {response.status_code}", _retry_after_s(response)
            # Never sooner than asked for.
            pause_s = wait_s if asked_s is None else max(asked_s, wait_s)
            if time.monotonic() + pause_s > deadline:
                raise PlantUnheard(
                    f"{post.key}: no answer within {self.patience_s:.0f} s, last {problem}"
                )
            time.sleep(pause_s)
            wait_s = min(2.0 * wait_s, _LONGEST_WAIT_S)


def _may_pass(response: httpx.Response) -> bool:
    """Tell whether the same message may be accepted a little later."""
    if response.status_code == httpx.codes.CONFLICT:
        # Our own message, sent before and still under way: its connection broke, not its work.
        return str(_problem(response).get("type", "")).endswith(f"/{_IN_FLIGHT}")
    return response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS


def _retry_after_s(response: httpx.Response) -> float | None:
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else None


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        said = response.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
