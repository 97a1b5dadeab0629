"""Generate the client and let it do a whole batch: `make generated-client`."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.generated_client import generating
from tests.journeys import api_walk, records, site
from tests.journeys.conftest import Installation


def main() -> int:
    """From recipe to shipment by the generated functions; raises what is refused or not as it must."""
    by = generating.install()
    folder = Path(tempfile.mkdtemp(prefix="gmp-generated-"))
    installation = Installation(folder)
    schema = folder / "openapi.yaml"
    try:
        for words in (("migrate", "--verbosity", "0"), ("spectacular", "--file", str(schema))):
            done = installation.manage(*words)
            assert done.returncode == 0, done.stderr
        sys.path.append(str(generating.client(schema, folder / "client", by=by)))
        from tests.generated_client import calling

        calling.GeneratedCaller.operations = calling.Operations.of(schema)
        password = site.first_administrator(installation)
        with site.running(installation) as url:
            left = api_walk.walk(
                url, password, person=calling.GeneratedPerson, machine=calling.GeneratedCaller
            )
        records.must_be_finished(left)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    used = len(calling.GeneratedCaller.used)
    print(f"generated client: a batch is certified and shipped, by {used} operations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
