"""The engine `upload`: files become S3 objects, byte for byte, under the names that they have."""
