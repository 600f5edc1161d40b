"""The ten fictional agencies: what their database is called, who uses it, how many files they keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """One agency: its database, and its folder of `files` files at scale 1.

    `in_use`: the name under which its program reaches the database all day long; empty when nobody uses it just now.
    The DBA of a service in use gives the owner what it takes to be followed. `served`: the files are reached by SFTP.
    `own_name`: the service's name in a zone that the agency keeps itself; empty when the pilot's zone is in Route 53.
    `web`: the name under which its front end, a web server at `web_host`, reaches the database; empty without one.
    """

    pilot: str
    database: str
    folder: str
    files: int
    in_use: str = ""
    served: bool = False
    own_name: str = ""
    web: str = ""

    @property
    def host_octet(self) -> int:
        """The last number of its server's loopback address: from 201 on, the sandbox's own servers lie below."""
        return 200 + int(self.pilot.removeprefix("p"))

    @property
    def owner(self) -> str:
        """The role that owns the database and everything in it; no superuser."""
        return f"{self.database}_owner"

    @property
    def service(self) -> str:
        """The role of the agency's own program: reads and writes rows, owns nothing."""
        return f"{self.database}_app"

    @property
    def name(self) -> str:
        """The host name that the agency's own programs use."""
        return f"db.{self.pilot}.agency.example"

    @property
    def web_host(self) -> str:
        """The host name of its front end."""
        return f"www.{self.pilot}.agency.example"


# pilots/<pilot>.yaml describes the same agency from the programme's side. 5,000 files in all.
PROFILES = {
    profile.pilot: profile
    for profile in (
        Profile("p01", "website", "uploads", 450),
        Profile("p02", "registry", "documents", 350),
        Profile("p03", "booking", "tickets", 250, in_use="queue.p03.pilots.example", web="board.p03.pilots.example"),
        Profile("p04", "complaints", "attachments", 400),
        Profile("p05", "catalogue", "open_data", 2_100),
        Profile("p06", "training", "registers", 300, in_use="training.p06.pilots.example"),
        Profile("p07", "licensing", "applications", 350),
        Profile("p08", "maps", "layers", 300, in_use="maps.p08.pilots.example"),
        Profile("p09", "assets", "scans", 350),
        Profile("p11", "cooperatives", "charters", 150, served=True, own_name="coops.p11.go.th.example"),
    )
}
