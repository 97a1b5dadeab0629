"""Do jobs of a verification, one after the other, in a process of its own or in the caller's."""

import gc
import pickle
import sys
from typing import BinaryIO

from compliance.trail.verifying import buckets, live, named, spill
from compliance.trail.verifying.ranges import Ranges
from compliance.trail.verifying.source import Source
from compliance.trail.verifying.work import (
    BucketJob,
    BucketResult,
    CountJob,
    Job,
    LiveJob,
    Plan,
    RangeJob,
    Result,
    TouchedJob,
)


class Worker:
    """One connection to the moment of the plan, and what is done with it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.source = Source(plan)
        self._ranges = Ranges(plan, self.source)

    def do(self, job: Job) -> Result:
        match job:
            case RangeJob():
                return self._ranges.verify(job)
            case LiveJob():
                return live.read(self._plan, self.source, job)
            case TouchedJob():
                return live.read_touched(self._plan, self.source, job)
            case BucketJob():
                return self._follow(job)
            case CountJob():
                return self.source.count(job.statement, job.values)

    def _follow(self, job: BucketJob) -> BucketResult:
        records = buckets.sort(spill.read(self._plan.folder, job.first, job.last))
        begins = buckets.starts(records)
        result = BucketResult(records=len(begins) - 1)
        if len(records):
            result.uncontrolled = buckets.unfollowed(records, begins)
            for log_id, size in job.seals:
                result.sealed[log_id, size] = buckets.entered(records, begins, log_id, size)
            faulty = buckets.faulty(records, begins, is_partial=job.is_partial)
            named.Namer(self._plan, self.source, job, result).name(faulty)
        return result

    def close(self) -> None:
        self.source.close()


def main(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer each job with its result, until there are no more."""
    bytes(20_000_000)  # keeps memory of its size, as `source` does at the server
    gc.disable()  # it would look at the same thousands of bodies again and again
    worker = Worker(pickle.load(incoming))  # noqa: S301 -- from the process that started this one
    while (job := pickle.load(incoming)) is not None:  # noqa: S301
        pickle.dump(worker.do(job), outgoing)
        outgoing.flush()
        gc.collect()
    worker.close()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
