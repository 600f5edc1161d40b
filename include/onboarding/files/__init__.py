"""The engine `upload`: a folder of files becomes S3 objects, byte for byte, under the files' own names."""
