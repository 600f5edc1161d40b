"""Behind `./namrong`: sets up, starts and supervises the processes of one machine."""
