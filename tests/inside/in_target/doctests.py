"""The examples in the documentation of the package."""
import doctest
import json
import sys

import cpyjit
from cpyjit import _inside

results = [doctest.testmod(module, extraglobs={"cpyjit": cpyjit}) for module in (cpyjit, _inside)]
run, failed = sum(one.attempted for one in results), sum(one.failed for one in results)
# Examples that nobody finds would pass.
print(json.dumps({"run": run, "failed": failed + (run < 15), "skipped": []}))
sys.exit(failed > 0)
