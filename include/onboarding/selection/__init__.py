"""Which services become pilots: candidates and criteria as files, the ten with their reasons, people's yes to them."""
