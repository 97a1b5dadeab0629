"""Every task waits in a queue that a worker of `up` serves, and bulk work in one of its own."""

from config import celery_app, queues
from config.management.commands import up


def queue_of(name: str) -> str:
    options = celery_app.amqp.router.route({}, name, args=(), kwargs={})
    return str(options["queue"].name)


def test_each_task_of_the_product_has_the_queue_of_its_kind() -> None:
    celery_app.loader.import_default_modules()
    names = [one for one in celery_app.tasks if not one.startswith(("celery.", "tests."))]

    waiting = {name: queue_of(name) for name in names}

    assert set(queues.ROUTES) <= set(names)
    assert {n for n, q in waiting.items() if q == queues.INTERACTIVE} == {
        "compliance.reports.tasks.build_report", "compliance.inspection.tasks.run_inspection",
        "twins.advice.tasks.advise", "twins.explanations.tasks.explain",
    }  # fmt: skip
    assert {n for n, q in waiting.items() if q == queues.BULK} == {"twins.bulk.tasks.run_part"}
    assert set(waiting.values()) == set(queues.ALL)


def test_each_queue_is_served_by_one_worker_of_up() -> None:
    served = [queue for names in queues.WORKERS.values() for queue in names]

    assert sorted(served) == sorted(queues.ALL)
    commands = {child.name: child.command for child in up.children(None, workers=1)}
    for name, names in queues.WORKERS.items():
        assert commands[name][commands[name].index("--queues") + 1] == ",".join(names)
    assert "--max-memory-per-child" in commands["bulk"]
