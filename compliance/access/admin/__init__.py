"""People, devices and what is on record about them in the admin."""

from compliance.access.admin import (  # noqa: F401 -- each registers its pages
    alarms,
    clients,
    devices,
    log_page,
    people,
    reviews,
    sessions,
    training_page,
)
