"""A cloud in a box for one machine: AWS's control plane from moto, put right, with real PostgreSQL behind it."""

import os

# moto reads these once, when it is imported. AWS has its managed policies; nobody has 1,280 sample images.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
