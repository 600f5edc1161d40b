"""The agencies' side: one real PostgreSQL server and one folder of files per fictional pilot, as they stand today."""
