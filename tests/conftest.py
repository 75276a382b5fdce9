"""Before anything imports Ray: clusters of the tests ask for no token.

Ray settles that once for a process and all it starts. Tests of the token (test_submit.py) run
in processes of their own.
"""

import os

os.environ["RAY_AUTH_MODE"] = "disabled"
