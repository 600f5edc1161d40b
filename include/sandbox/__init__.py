"""A cloud in a box for one machine: AWS's control plane from moto, put right, with real PostgreSQL behind it."""
