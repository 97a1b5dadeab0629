"""Answer recorded requests again and again, in pools of processes and in every order.

`python -m tests.journeys.repeating` inside an installation: of the newest prediction, 100 answers
between those of all others, by pools of 1, 2 and 4 fresh processes. Prints how many there were and
their digests.
"""

import multiprocessing
import os
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

TIMES = ((1, 20), (2, 40), (4, 40))  # processes, answers of the newest


def answer(given: bytes) -> str:
    """Return the digest of the answer to recorded bytes; knows no database."""
    from twins.models.registry import MODELS
    from twins.predictions import request_bytes

    twin = MODELS.get("cho-fed-batch")
    output = request_bytes.write(
        twin.to_document(twin.run(twin.read(request_bytes.document(given))))
    )
    import hashlib

    return hashlib.sha256(output).hexdigest()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from twins.predictions.models import Prediction

    made = list(Prediction.objects.filter(state="done").order_by("as_of", "pk"))
    newest = made[-1]
    recorded = {one.input: one.output_digest for one in made}
    counted: Counter[str] = Counter()
    wrong = 0
    for processes, times in TIMES:
        asked = [newest.input] * times + [one.input for one in made[:-1]]
        random.Random(processes).shuffle(asked)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            digests = list(pool.map(answer, [one.encode() for one in asked]))
        for given, digest in zip(asked, digests, strict=True):
            counted[digest if given == newest.input else "others"] += 1
            wrong += digest != recorded[given]
    del counted["others"]
    print(f"{sum(counted.values())} answers, {len(counted)} digest, {wrong} not as recorded")
    return 0 if not wrong and list(counted) == [newest.output_digest] else 1


if __name__ == "__main__":
    sys.exit(main())
