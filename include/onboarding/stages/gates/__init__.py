"""The gates of a journey: which questions each asks the world, and what follows from the answer.

Who waits at a gate calls `ask`; what there is to wait for is told by `GATES`. The questions of one gate are a function
of the pilot, by the time of the journey that they belong to: `acceptance`, `arrival`, `night`, `afterwards`.
"""

from onboarding.stages.gates.acceptance import account_made as account_made
from onboarding.stages.gates.acceptance import account_ready as account_ready
from onboarding.stages.gates.acceptance import intake as intake
from onboarding.stages.gates.acceptance import region_open as region_open
from onboarding.stages.gates.afterwards import soaked as soaked
from onboarding.stages.gates.afterwards import turned_back as turned_back
from onboarding.stages.gates.arrival import backed_up as backed_up
from onboarding.stages.gates.arrival import migrated as migrated
from onboarding.stages.gates.arrival import restored as restored
from onboarding.stages.gates.arrival import targets_made as targets_made
from onboarding.stages.gates.arrival import validated as validated
from onboarding.stages.gates.asking import GATES as GATES
from onboarding.stages.gates.asking import ask as ask
from onboarding.stages.gates.night import deciding as deciding
from onboarding.stages.gates.night import named as named
from onboarding.stages.gates.night import near as near
from onboarding.stages.gates.night import switched as switched
from onboarding.stages.gates.night import window as window
