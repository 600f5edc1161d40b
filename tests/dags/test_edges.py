"""The journey's exact shape, stated once: which task leads to which."""

from __future__ import annotations

from airflow_process import SAMPLES, Parsed

from onboarding.manifests import load_folder

ONBOARD_P02 = {
    "intake.receive": ["intake.assess"],
    "intake.assess": ["intake.gate_intake"],
    "intake.gate_intake": ["account.request_account"],
    #
    "account.request_account": ["account.gate_account_made"],
    "account.gate_account_made": ["account.place_and_guard"],
    "account.place_and_guard": ["account.gate_region_open"],
    "account.gate_region_open": ["account.apply_baseline"],
    "account.apply_baseline": ["account.grant_access"],
    "account.grant_access": ["account.gate_account"],
    "account.gate_account": ["migration.request_targets"],
    #
    "migration.request_targets": ["migration.gate_targets_made"],
    "migration.gate_targets_made": [
        "migration.copy_registry.hold_snapshot",
        "migration.copy_registry.prepare_load",
        "migration.upload_documents.plan_files",
    ],
    "migration.upload_documents.plan_files": ["migration.upload_documents.move_files"],
    "migration.upload_documents.move_files": ["migration.gate_migration"],
    "migration.copy_registry.hold_snapshot": [],
    "migration.copy_registry.prepare_load": ["migration.copy_registry.copy_rows"],
    "migration.copy_registry.copy_rows": ["migration.copy_registry.finish_load"],
    "migration.copy_registry.finish_load": ["migration.back_up"],
    "migration.back_up": ["migration.gate_backed_up"],
    "migration.gate_backed_up": ["migration.restore_backup"],
    "migration.restore_backup": ["migration.gate_restored"],
    "migration.gate_restored": ["migration.prove_restore"],
    "migration.prove_restore": ["migration.gate_migration"],
    "migration.gate_migration": ["validation.ask_golden_queries", "validation.expect", "validation.reconcile"],
    #
    "validation.reconcile": ["validation.rehearse"],
    "validation.expect": ["validation.rehearse"],
    "validation.ask_golden_queries": ["validation.rehearse"],
    "validation.rehearse": ["validation.gate_validation"],
    "validation.gate_validation": ["cutover.gate_window"],
    #
    "cutover.gate_window": ["cutover.approve_cutover_1"],
    "cutover.approve_cutover_1": ["cutover.approve_cutover_2"],
    "cutover.approve_cutover_2": ["cutover.freeze"],
    "cutover.freeze": [
        "cutover.copy_registry.hold_snapshot",
        "cutover.copy_registry.prepare_load",
        "cutover.prove",
        "cutover.stand_down",
    ],
    "cutover.copy_registry.hold_snapshot": [],
    "cutover.copy_registry.prepare_load": ["cutover.copy_registry.copy_rows"],
    "cutover.copy_registry.copy_rows": ["cutover.copy_registry.finish_load"],
    "cutover.copy_registry.finish_load": ["cutover.prove", "cutover.stand_down"],
    "cutover.prove": ["cutover.shift_traffic"],
    "cutover.shift_traffic": ["cutover.release"],
    "cutover.release": ["cutover.gate_cutover", "cutover.stand_down"],
    "cutover.gate_cutover": ["soak.gate_soak"],
    "cutover.stand_down": [],
    #
    "soak.gate_soak": ["live.revoke_access"],
    "live.revoke_access": ["live.declare"],
    "live.declare": [],
}

ROLL_BACK_P02 = {
    "close_target": ["measure_loss", "stay"],
    "measure_loss": ["approve_way_back_1"],
    "approve_way_back_1": ["approve_way_back_2"],
    "approve_way_back_2": ["turn_back"],
    "turn_back": ["gate_turned_back", "stay"],
    "stay": [],
    "gate_turned_back": [],
}


FOLLOWED_P03 = {
    "cutover.begin_following": ["cutover.gate_window"],
    "cutover.gate_window": ["cutover.approve_cutover_1", "cutover.gate_deciding"],
    "cutover.gate_deciding": [],
    "cutover.approve_cutover_1": ["cutover.approve_cutover_2"],
    "cutover.approve_cutover_2": ["cutover.gate_near"],
    "cutover.gate_near": ["cutover.ramp_reads"],
    "cutover.ramp_reads": ["cutover.switch_over"],
    "cutover.switch_over": ["cutover.gate_cutover", "cutover.stand_down"],
    "cutover.gate_cutover": ["soak.gate_soak"],
    "cutover.stand_down": [],
}

CLOSE_P03 = {
    "describe": ["approve_no_return_1"],
    "approve_no_return_1": ["approve_no_return_2"],
    "approve_no_return_2": ["give_up_way_back"],
    "give_up_way_back": [],
}

ABANDON_P03 = {
    "abandon": ["free_agency"],
    "free_agency": ["take_back"],
    "take_back": [],
}

SELECT_PILOTS = {
    "assess": ["propose_list"],
    "propose_list": ["confirm_list"],
    "confirm_list": ["record"],
    "record": [],
}


def test_the_selection_has_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["select_pilots"]["edges"] == SELECT_PILOTS
    assert samples["dags"]["select_pilots"]["kinds"]["confirm_list"] == "ListConfirmation"


def test_the_journey_has_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["onboard_p02"]["edges"] == ONBOARD_P02


def test_who_keeps_others_waiting_gets_a_worker_first(samples: Parsed) -> None:
    journey, back = samples["dags"]["onboard_p02"]["weights"], samples["dags"]["roll_back_p02"]["weights"]
    holders = {task for task in journey if task.endswith(".hold_snapshot")}
    stopped = {task for task in journey if task.startswith("cutover.")} - holders
    usual = journey.keys() - holders - stopped
    assert len(holders) == 2 and {"cutover.copy_registry.copy_rows", "cutover.freeze"} < stopped
    weigh = [{journey[task] for task in group} for group in (usual, stopped, holders)] + [set(back.values())]
    assert weigh == [{1}, {10}, {100}, {10}]


def test_every_followed_pilot_is_watched(samples: Parsed) -> None:
    followed = [one.id for one in load_folder(SAMPLES).manifests.values() if one.follows]
    assert samples["dags"]["watch_slots"]["edges"] == {f"watch_{pilot}": [] for pilot in followed}
    assert followed


def test_of_many_units_no_more_are_at_work_than_the_manifest_says(samples: Parsed) -> None:
    manifest = load_folder(SAMPLES).manifests["p02"]
    (database,), (folder,) = manifest.databases, manifest.files
    loads = dict.fromkeys(("migration.copy_registry.copy_rows", "cutover.copy_registry.copy_rows"), database.shards)
    assert samples["dags"]["onboard_p02"]["at_a_time"] == loads | {
        "migration.upload_documents.move_files": folder.batches
    }


def test_the_night_of_what_is_followed_has_exactly_these_edges(samples: Parsed) -> None:
    edges = samples["dags"]["onboard_p03"]["edges"]
    assert {task: after for task, after in edges.items() if task.startswith("cutover.")} == FOLLOWED_P03
    assert "cutover.ramp_reads" not in samples["dags"]["onboard_p08"]["edges"], "p08 has no readers' name"


def test_a_name_that_people_turn_is_asked_for_and_waited_for(turned_by_people: Parsed) -> None:
    assert turned_by_people["import_errors"] == {}
    night = {pilot: turned_by_people["dags"][f"onboard_{pilot}"]["edges"] for pilot in ("p02", "p03")}
    assert night["p02"]["cutover.prove"] == ["cutover.ask_for_name"]
    assert night["p02"]["cutover.ask_for_name"] == ["cutover.gate_named"]
    assert night["p02"]["cutover.gate_named"] == ["cutover.release"]
    assert night["p03"]["cutover.gate_near"] == ["cutover.make_ready"]
    assert night["p03"]["cutover.make_ready"] == ["cutover.gate_named", "cutover.stand_down"]
    assert night["p03"]["cutover.gate_named"] == ["cutover.release", "cutover.stand_down"]
    assert night["p03"]["cutover.release"] == ["cutover.gate_cutover", "cutover.stand_down"]


def test_the_point_of_no_return_has_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["close_p03"]["edges"] == CLOSE_P03


def test_the_way_back_has_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["roll_back_p02"]["edges"] == ROLL_BACK_P02


def test_giving_a_pilot_up_has_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["abandon_p03"]["edges"] == ABANDON_P03


def test_the_programmes_dags_have_exactly_these_edges(samples: Parsed) -> None:
    assert samples["dags"]["report_programme"]["edges"] == {"count_live": ["tell_again"], "tell_again": []}
    assert samples["dags"]["report_programme"]["mapped"] == ["tell_again"]  # none to tell: no task at all
    assert samples["dags"]["report_programme"]["outlets"] == {"tell_again": ["pilot/live"]}
    assert samples["dags"]["reach_goal"]["edges"] == {"record_goal": []}
