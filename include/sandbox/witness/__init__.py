"""The witness: a service's own program that writes whatever happens, and a judge who compares what it was told."""
