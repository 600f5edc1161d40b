"""The ten: refusal before any score, exact sums, ties settled and said, and whether other weights make another list."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from fractions import Fraction
from itertools import product

import pytest
from selections import CRITERIA, SHIPPED, by_chance, files, pointed, weighing

from onboarding.errors import Stop
from onboarding.policy import load_policy
from onboarding.selection import scoring, words
from onboarding.selection.proposal import chosen, digest, entry_of, propose
from onboarding.selection.scoring import assess, order, rank, weights_of
from onboarding.selection.stability import margin, stability

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CHANCES = range(60)


def test_the_shipped_ten() -> None:
    proposal = propose(files(), NOW)
    assert sorted(chosen(proposal)) == [f"p{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11)]
    assert entry_of(proposal, "p10")["place"] == "refused"
    assert entry_of(proposal, "p12")["place"] == "out" and entry_of(proposal, "p12")["rank"] == 11
    assert proposal["stability"]["stable"] and proposal["stability"]["other_lists"] == 0
    assert proposal["stability"]["corners"] == 2 ** len(CRITERIA.criteria)


def test_the_score_is_what_a_person_with_a_pencil_gets() -> None:
    """p05: 30*917 + 15*800 + 15*1000 + 10*1000 + 5*600 + 10*739 + 5*917 + 5*289 + 5*250 = 82180, of 100000."""
    entry = entry_of(propose(files(), NOW), "p05")
    assert entry["points"] == {
        "speed": 917, "readiness": 800, "engines": 1000, "sensitivity": 1000, "impact": 600, "benefit": 739,
        "dependencies": 917, "volume": 289, "machines": 250,
    }  # fmt: skip
    assert (entry["rank"], entry["score"]) == (1, 82.18)


def test_what_policy_stops_gets_no_points_however_good_it_is() -> None:
    """p10 would come first: with another class it does."""
    assessed = {one.id: one for one in assess(SHIPPED, CRITERIA, load_policy(), NOW)}
    assert assessed["p10"].refused.why == "policy.classification" and assessed["p10"].points == {}
    by_id = {one.id: one for one in SHIPPED.candidates}
    by_id["p10"] = by_id["p10"].model_copy(
        update={"data": by_id["p10"].data.model_copy(update={"classification": "open"})}
    )
    free = assess(SHIPPED.model_copy(update={"candidates": tuple(by_id.values())}), CRITERIA, load_policy(), NOW)
    assert order(free, weights_of(CRITERIA))[0].id == "p10"


def test_a_missing_paper_refuses_nobody_and_is_said() -> None:
    entry = entry_of(propose(files(), NOW), "p06")
    assert entry["place"] == "chosen"
    assert [condition["key"] for condition in entry["conditions"]] == ["policy.personal_duties"]
    assert "72" in words.reason(entry, CRITERIA, "th") and "72-hour" in words.reason(entry, CRITERIA, "en")


def test_a_tie_is_settled_by_the_heaviest_criterion_that_differs_then_by_id() -> None:
    criteria = weighing(1, a=2, b=1, c=1)
    first, second = pointed("p01", a=0, b=500, c=500), pointed("p02", a=500, b=0, c=0)
    assert [one.id for one in order([first, second], weights_of(criteria))] == ["p02", "p01"]
    twin = pointed("p03", a=500, b=0, c=0)
    ranked = rank([first, twin, second], criteria)
    assert [(one.id, one.place) for one in ranked] == [("p02", "chosen"), ("p03", "out"), ("p01", "out")]
    assert ranked[0].tied == ("p03", "p01")


def test_out_by_a_tie_is_said_in_both_languages() -> None:
    by_id = {one.id: one for one in SHIPPED.candidates}
    twin = by_id["p12"].model_copy(update={"data": by_id["p11"].data, "facts": by_id["p11"].facts})
    fewer = tuple(twin if one.id == "p12" else one for one in SHIPPED.candidates)
    shipped = files(places=4)
    changed = type(shipped)(SHIPPED.model_copy(update={"candidates": fewer}), shipped.criteria, shipped.policy)
    proposal = propose(changed, NOW)
    entry = entry_of(proposal, "p12")
    assert entry["reason"]["key"] == "selection.reason.out_by_tie" and entry["tied"] == ["p11"]
    assert "p11" in words.reason(entry, CRITERIA, "th") and "lower number" in words.reason(entry, CRITERIA, "en")
    assert proposal["stability"]["closest"] == {"chosen": "p11", "out": "p12", "margin_percent": 0.0, "twins": True}
    told = " ".join(words.stability_lines(proposal, CRITERIA, "en"))
    assert "rule for ties" in told and "p11 and p12" in told


def test_no_weights_tell_twins_apart() -> None:
    criteria = weighing(1, a=2, b=1)
    seen = stability(rank([pointed("p01", a=1, b=2), pointed("p02", a=1, b=2)], criteria), criteria)
    assert seen.stable and [(pair.chosen, pair.out, pair.twins) for pair in seen.pairs] == [("p01", "p02", True)]


def test_a_list_that_hangs_on_the_weights_says_so_and_on_which() -> None:
    """With 7 places, 0.9 points lie between the last in and the first out."""
    proposal = propose(files(places=7), NOW)
    seen = proposal["stability"]
    assert not seen["stable"] and seen["other_lists"] > 0
    assert {"chosen": "p09", "out": "p03"}.items() <= seen["pairs"][0].items()
    assert {(one["criterion"], one["percent"]) for one in seen["alone"]} >= {("benefit", 20)}
    for language, words_of in (("th", "ขึ้นกับน้ำหนัก"), ("en", "depends on the weights")):
        told = " ".join(words.stability_lines(proposal, CRITERIA, language))
        assert words_of in told and "p09" in told and "p03" in told
        assert getattr(next(one for one in CRITERIA.criteria if one.id == "benefit").name, language) in told


def test_fewer_than_places_is_no_list() -> None:
    with pytest.raises(Stop) as stopped:
        propose(files(places=12), NOW)
    assert stopped.value.key == "selection.too_few"


def test_one_candidate_ahead_by_a_known_margin() -> None:
    """a: +100 with weight 3, b: -100 with weight 2. The lead is 100, swaps beyond 100/500 = 20 %."""
    criteria = weighing(1, 19, a=3, b=2)
    ahead, behind = pointed("p01", a=100, b=0), pointed("p02", a=0, b=100)
    assert margin(ahead.points, behind.points, weights_of(criteria)) == Fraction(20)
    seen = stability(rank([ahead, behind], criteria), criteria)
    assert seen.stable and seen.other_lists == 0 and seen.alone == ()
    wider = weighing(1, 21, a=3, b=2)
    seen = stability(rank([ahead, behind], wider), wider)
    assert not seen.stable and seen.other_lists == 1 and seen.kept == {"p01": 3, "p02": 1}
    assert seen.alone == ()  # neither weight alone does it: 3 * 0.79 > 2 and 3 > 2 * 1.21
    alone = weighing(1, 40, a=3, b=2)
    seen = stability(rank([ahead, behind], alone), alone)
    assert [(one.criterion, one.percent, one.enters, one.leaves) for one in seen.alone] == [
        ("a", -40, ("p02",), ("p01",))
    ]


@pytest.mark.parametrize("seed", CHANCES)
def test_the_margin_is_exact(seed: int) -> None:
    """Weights drawn within the box, and its worst corner: no swap before the margin, a swap right behind it."""
    chance = random.Random(seed)
    assessed, criteria = by_chance(chance)
    weights = {name: Fraction(weight) for name, weight in weights_of(criteria).items()}
    ahead, behind = order(assessed, weights_of(criteria))[:2]
    share = margin(ahead.points, behind.points, weights_of(criteria)) / 100
    assert 0 <= share <= 1

    def lead(moved: dict[str, Fraction]) -> Fraction:
        return sum((moved[name] * (ahead.points[name] - behind.points[name]) for name in moved), Fraction(0))

    def against(by: Fraction) -> dict[str, Fraction]:
        return {
            name: weight * (1 - by if ahead.points[name] > behind.points[name] else 1 + by)
            for name, weight in weights.items()
        }

    for _ in range(20):
        drawn = {name: weight * (1 + share * chance.randint(-1000, 1000) / 1000) for name, weight in weights.items()}
        assert lead(drawn) >= 0
    assert lead(against(share)) == 0
    if any(ahead.points[name] != behind.points[name] for name in weights):
        assert lead(against(share + Fraction(1, 10**6))) < 0


@pytest.mark.parametrize("seed", CHANCES)
def test_a_list_is_another_at_a_corner_exactly_when_a_margin_is_within_the_swing(seed: int) -> None:
    assessed, criteria = by_chance(random.Random(seed), most=4 if seed % 2 else 1000)
    seen = stability(rank(assessed, criteria), criteria)
    if any(pair.margin_percent < criteria.swing_percent and not pair.twins for pair in seen.pairs):
        assert seen.other_lists > 0
    elif not any(pair.margin_percent == criteria.swing_percent for pair in seen.pairs):
        assert seen.other_lists == 0
    if seen.stable:
        assert seen.other_lists == 0 and seen.alone == ()
    assert seen.corners == 2 ** len(criteria.criteria)
    assert sum(seen.kept.values()) == seen.corners * criteria.places
    assert len({one.criterion for one in seen.alone}) == 0 or not seen.stable


@pytest.mark.parametrize("seed", CHANCES)
def test_places_follow_from_totals_and_not_from_the_order_of_the_file(seed: int) -> None:
    chance = random.Random(seed)
    assessed, criteria = by_chance(chance, most=5)
    ranked = rank(assessed, criteria)
    shuffled = chance.sample(assessed, len(assessed))
    assert rank(shuffled, criteria) == ranked
    totals = [one.total for one in ranked]
    assert totals == sorted(totals, reverse=True)
    assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))
    assert sum(one.place == "chosen" for one in ranked) == criteria.places
    scaled = weighing(criteria.places, **{one.id: one.weight * 7 for one in criteria.criteria})
    assert [one.id for one in rank(assessed, scaled)] == [one.id for one in ranked]
    better = [
        pointed(one.id, **{name: points + (one.id == ranked[-1].id) * 10**6 for name, points in one.points.items()})
        for one in assessed
    ]
    assert rank(better, criteria)[0].id == ranked[-1].id


def test_the_digest_is_of_files_and_list_and_of_nothing_else() -> None:
    first = digest(propose(files(), NOW))
    assert first == digest(propose(files(), datetime(2027, 1, 1, tzinfo=UTC)))
    assert first != digest(propose(files(version="another"), NOW))
    assert first != digest(propose(files(swing_percent=19), NOW))


def test_everybody_has_a_reason_in_both_languages_in_one_table() -> None:
    shipped = files()
    proposal = propose(shipped, NOW)
    told = words.body(proposal, shipped.candidates, shipped.criteria, "platform", digest(proposal))
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    for one, language in product(shipped.candidates.candidates, ("th", "en")):
        assert sum(f"{one.id} {getattr(one.name, language)}" in row for row in rows) == 1
    assert told.index("เหตุผล") < told.index("Reason")
    assert digest(proposal) in told and "±20 %" in told
    widths = {row.count(" | ") for row in rows}
    assert widths == {4, len(CRITERIA.criteria)}
    assert all("{" not in row for row in rows)


def test_text_of_a_file_stays_in_its_cell() -> None:
    by = SHIPPED.candidates[0]
    name = by.name.model_copy(update={"en": "a | b <script>"})
    shipped = files()
    candidates = SHIPPED.model_copy(
        update={"candidates": (by.model_copy(update={"name": name}), *SHIPPED.candidates[1:])}
    )
    told = words.body(propose(shipped, NOW), candidates, shipped.criteria, "platform", "d")
    assert "a \\| b &lt;script>" in told and "<script" not in told


def test_points_are_whole_and_sums_exact() -> None:
    assessed = assess(SHIPPED, CRITERIA, load_policy(), NOW)
    assert all(isinstance(points, int) for one in assessed for points in one.points.values())
    best = {one.id: 1000 for one in CRITERIA.criteria}
    weights = weights_of(CRITERIA)
    assert scoring.score(scoring.total(best, weights), weights) == 100.0
