"""Ladder definitions: what is read from them, and how each fault is told (contract section 4)."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.customer import stranger
from app.core.ladder import Down, Ladder
from app.errors import DefinitionErrors
from app.wire.definition import read_folder, read_ladder

DAY = 24 * 60 * 60 * 1_000_000


def ladder(text: str) -> Ladder:
    return read_ladder(dedent(text).encode(), "test.yaml")


def faults(text: str | bytes) -> list[tuple[int, int, str]]:
    """Return line, column and message of each fault."""
    data = text if isinstance(text, bytes) else dedent(text).encode()
    with pytest.raises(DefinitionErrors) as error:
        read_ladder(data, "test.yaml")
    assert all(problem.file == "test.yaml" for problem in error.value.problems)
    return [(problem.line, problem.column, problem.message) for problem in error.value.problems]


def with_rungs(*conditions: str, head: str = "kind: ladder") -> str:
    """Return a definition whose conditions stand at lines 5, 7, 9, ... from column 12 on."""
    rungs = [f'  - id: r{n}\n    when: "{when}"' for n, when in enumerate(conditions)]
    return "\n".join(["id: test", f"version: 1\n{head}\nrungs:", *rungs])


BUILT_IN = [
    "advocacy",
    "basket",
    "interests",
    "key-account",
    "moment",
    "need",
    "people",
    "raving-fan",
    "rhythm",
    "vital-few",
]


def test_the_built_in_ladders_load_sorted_by_id() -> None:
    assert [built_in.id for built_in in read_folder()] == BUILT_IN


def test_a_built_in_ladder_is_read_as_it_stands() -> None:
    advocacy, *_, vital_few = read_folder()
    assert advocacy.title == {"en": "Levels of loyalty", "vi": "Năm cấp độ trung thành"}
    assert (advocacy.kind, advocacy.climb, advocacy.version) == ("ladder", "cumulative", 1)
    assert advocacy.down == Down("grace", 30 * DAY, "one")
    assert [rung.id for rung in advocacy.rungs] == [
        "detractor",
        "transactional",
        "relationship",
        "loyal",
        "advocate",
    ]
    assert (advocacy.overrides, advocacy.steps) == ((0,), (1, 2, 3, 4))
    assert advocacy.rungs[0].when == "negatives_in(365) > positives_in(365)"
    assert advocacy.rungs[0].suggest == "win-back-call"
    assert advocacy.rungs[1].suggest is None
    assert advocacy.names == {
        "negatives_in",
        "positives_in",
        "purchases",
        "purchases_in",
        "defences_in",
        "referrals_in",
    }
    assert ("purchases", 365) in advocacy.windows
    assert vital_few.tops == {(20, 365)}
    assert vital_few.windows == {("spend", 365)}


def test_attributes_are_those_that_a_rule_names() -> None:
    people = next(each for each in read_folder() if each.id == "people")
    assert people.attributes == {"gender", "age"}


def test_what_is_left_out_has_its_default() -> None:
    plain = ladder(with_rungs("purchases >= 1", head="title: {en: Test}"))
    assert (plain.kind, plain.climb, plain.down, plain.announce) == (
        "ladder",
        "cumulative",
        Down("never"),
        False,
    )


@pytest.mark.parametrize(
    ("written", "down"),
    [
        ("never", Down("never")),
        ("now", Down("now")),
        ("{grace_days: 14, step: all}", Down("grace", 14 * DAY, "all")),
        ("{grace_days: 1, step: one}", Down("grace", DAY, "one")),
    ],
)
def test_the_ways_down(written: str, down: Down) -> None:
    assert ladder(with_rungs("purchases >= 1", head=f"down: {written}")).down == down


def test_a_ladder_may_announce_what_a_new_version_changes() -> None:
    assert ladder(with_rungs("true", head="announce: true")).announce


def test_a_ladder_answers_for_a_customer() -> None:
    raving_fan = next(each for each in read_folder() if each.id == "raving-fan")
    customer = stranger(0, 1, 1)
    customer.attributes["distance_km"] = 3
    assert raving_fan.place(customer, 0, {}) == 0
    assert raving_fan.override(customer, 0, {}) == -1
    assert raving_fan.holds(0, customer, 0, {})
    assert not raving_fan.holds(1, customer, 0, {})
    assert raving_fan.rung_facts(0, customer, 0, {}) == {
        "profile.distance_km": 3,
        "inquiries": 0,
        "registered": False,
        "purchases": 0,
    }


SAME = """
    id: test
    version: 1
    title: {en: Test}
    rungs:
      - id: first
        when: "purchases >= 1 and card != none"
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Test", "Another title"),
        ("version: 1", "version: 2 # a comment"),
        (
            "id: first",
            "id: first\n        title: {en: First}\n        suggest: hello",
        ),
        ("version: 1", "version: 1\n    kind: ladder\n    climb: cumulative\n    down: never"),
        ("version: 1", "version: 1\n    announce: true"),
        ("purchases >= 1 and", "purchases>=1  and"),
    ],
)
def test_the_digest_stays_where_the_meaning_does(old: str, new: str) -> None:
    assert ladder(SAME.replace(old, new)).digest == ladder(SAME).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: test", "id: other"),
        ("id: first", "id: second"),
        (">= 1", ">= 2"),
        ("!= none", "!= 'no  ne'"),
        ("version: 1", "version: 1\n    climb: free"),
        ("version: 1", "version: 1\n    kind: segment"),
        ("version: 1", "version: 1\n    down: now"),
        ("version: 1", "version: 1\n    down: {grace_days: 30, step: one}"),
        ("rungs:", "rungs:\n      - {id: zero, when: 'true', override: true}"),
    ],
)
def test_the_digest_changes_with_the_meaning(old: str, new: str) -> None:
    assert ladder(SAME.replace(old, new)).digest != ladder(SAME).digest


def test_spaces_inside_quotes_are_meaning() -> None:
    one, two = SAME.replace("none", "'a b'"), SAME.replace("none", "'a  b'")
    assert ladder(one).digest != ladder(two).digest


TOP = "id: test\nversion: 1\nrungs: [{id: a, when: 'true'}]\n"

FAULTS: list[tuple[str, int, int, str]] = [
    # keys
    (TOP + "colour: red\n", 4, 1, "unknown key 'colour'; there are id, version"),
    (TOP + "titel: {en: x}\n", 4, 1, "unknown key 'titel'; did you mean 'title'?"),
    (TOP + "version: 2\n", 4, 1, "a second 'version'; keep one"),
    (TOP + "<<: {kind: segment}\n", 4, 1, "unknown key '<<'"),
    ("version: 1\nrungs: [{id: a, when: 'true'}]", 1, 1, "a ladder needs 'id'"),
    ("id: a\nrungs: [{id: a, when: 'true'}]", 1, 1, "a ladder needs 'version'"),
    ("id: a\nversion: 1", 1, 1, "a ladder needs 'rungs'"),
    ("- id: a", 1, 1, "a ladder is written as fields: id, version"),
    ("raving fan", 1, 1, "a ladder is written as fields"),
    # ids
    (
        TOP.replace("id: test", "id: Raving Fan"),
        1,
        5,
        "an id has a-z, 0-9 and '-' only: raving-fan",
    ),
    (TOP.replace("id: test", "id: bậc"), 1, 5, "an id has a-z, 0-9 and '-' only"),
    (TOP.replace("id: test", "id: 2024"), 1, 5, 'YAML reads a number; write "2024"'),
    (TOP.replace("id: test", "id: no"), 1, 5, 'YAML reads a boolean; write "no"'),
    (TOP.replace("id: test", "id:"), 1, 4, "an id is empty"),
    (TOP.replace("id: test", "id: [a]"), 1, 5, "an id is a text"),
    (TOP.replace("id: test", f"id: {'a' * 65}"), 1, 5, "an id has 65 characters; at most 64"),
    # version
    (TOP.replace("version: 1", "version: 0"), 2, 10, "version is a whole number, 1 or more"),
    (TOP.replace("version: 1", "version: -1"), 2, 10, "version is a whole number, 1 or more"),
    (TOP.replace("version: 1", "version: 1.5"), 2, 10, "version is a whole number, 1 or more"),
    (TOP.replace("version: 1", "version: '1'"), 2, 10, "without quotes"),
    (TOP.replace("version: 1", "version: true"), 2, 10, "version is a whole number"),
    (TOP.replace("version: 1", "version: 9999999999"), 2, 10, "version is at most"),
    (TOP.replace("version: 1", f"version: {'9' * 5000}"), 2, 10, "version is a whole number"),
    # the other fields of a ladder
    (TOP + "kind: group\n", 4, 7, "write ladder or segment"),
    (TOP + "climb: any\n", 4, 8, "write cumulative or free"),
    (TOP + "title: Test\n", 4, 8, "a title is given by language: {en: Ladder"),
    (TOP + "title: {en: 5}\n", 4, 13, 'YAML reads a number; write "5"'),
    (TOP + "title: {en: a, en: b}\n", 4, 16, "a second 'en'; keep one"),
    (TOP + "announce: 'true'\n", 4, 11, "announce is true or false, without quotes"),
    (TOP + "announce: yes\n", 4, 11, "announce is true or false"),
    (TOP + "down: later\n", 4, 7, "write never, now, or {grace_days: 30, step: one}"),
    (TOP + "down: {grace_days: 30}\n", 4, 7, "a grace needs 'step'"),
    (TOP + "down: {step: one}\n", 4, 7, "a grace needs 'grace_days'"),
    (TOP + "down: {grace_days: 0, step: one}\n", 4, 20, "grace_days is a whole number, 1 or more"),
    (TOP + "down: {grace_days: 0.5, step: one}\n", 4, 20, "grace_days is a whole number"),
    (TOP + "down: {grace_days: 99999, step: one}\n", 4, 20, "grace_days is at most 36500"),
    (TOP + "down: {grace_days: 3, step: two}\n", 4, 29, "write all or one"),
    (TOP + "down: {grace: 3, step: one}\n", 4, 8, "did you mean 'grace_days'?"),
    # a segment has neither climb nor down nor overrides
    (TOP + "kind: segment\nclimb: free\n", 5, 8, "a segment has no climb"),
    (TOP + "kind: segment\ndown: now\n", 5, 7, "a segment has no down"),
    (
        "id: a\nversion: 1\nkind: segment\nrungs:\n- id: a\n  when: 'true'\n  override: true\n",
        7,
        13,
        "a segment has no overrides",
    ),
    # rungs
    ("id: a\nversion: 1\nrungs: []\n", 3, 8, "at least one rung"),
    ("id: a\nversion: 1\nrungs:\n", 3, 7, "at least one rung"),
    ("id: a\nversion: 1\nrungs: {a: 1}\n", 3, 8, "rungs is a list"),
    ("id: a\nversion: 1\nrungs: [a]\n", 3, 9, "a rung is written as fields: id, title, when"),
    ("id: a\nversion: 1\nrungs: [{id: a}]\n", 3, 9, "a rung needs 'when'"),
    ("id: a\nversion: 1\nrungs: [{when: 'true'}]\n", 3, 9, "a rung needs 'id'"),
    (
        "id: a\nversion: 1\nrungs:\n- {id: a, when: 'true'}\n- {id: a, when: 'true'}\n",
        5,
        8,
        "a second rung 'a'; rename one",
    ),
    (
        "id: a\nversion: 1\nrungs: [{id: a, when: 'true', override: true}]\n",
        3,
        8,
        "all rungs are overrides",
    ),
    (
        "id: a\nversion: 1\nrungs: [{id: a, when: 'true', override: 1}]\n",
        3,
        41,
        "override is true or false",
    ),
    ("id: a\nversion: 1\nrungs: [{id: a, when: 'true', suggest: 7}]\n", 3, 40, 'write "7"'),
    ("id: a\nversion: 1\nrungs: [{id: a, when: true}]\n", 3, 23, 'write "true"'),
    ("id: a\nversion: 1\nrungs: [{id: a, when: 5}]\n", 3, 23, 'write "5"'),
    ("id: a\nversion: 1\nrungs: [{id: a, when: ''}]\n", 3, 23, "a condition is empty"),
    ("id: a\nversion: 1\nrungs: [{id: a, when: [x]}]\n", 3, 23, "a condition is a text"),
    # conditions, with the place inside the value
    (with_rungs("purchase >= 1"), 6, 12, "did you mean 'purchases'?"),
    (with_rungs("true", "units > 1 and spends > 1"), 8, 26, "did you mean 'spend'?"),
    (with_rungs("purchases_in(800) >= 1"), 6, 25, "a window of 800 days is over 730"),
    (with_rungs("purchases = 1"), 6, 22, "write == instead of ="),
    # YAML itself
    ("", 0, 0, "the file is empty"),
    ("# nothing\n", 0, 0, "the file is empty"),
    ("id: a: b\n", 1, 5, "a colon and a space divide"),
    ("id: [a\n", 2, 1, "a comma or a closing bracket expected"),
    ("id: a\nversion\nkind: ladder\n", 2, 1, "a key and a colon expected"),
    ("id: a\ntitle: {en: 'a}\n\n", 2, 13, "the quote that opens here is not closed"),
    ("id: &a x\nversion: *a\n", 1, 5, "anchors"),
    ("version: *a\n", 1, 10, "anchors"),
    ("id: !!str x\n", 1, 5, "remove the tag"),
    ("!!python/object:os.system {}\n", 1, 1, "remove the tag"),
    ("id: a\n---\nid: b\n", 2, 1, "a second document"),
    ("? [a]\n: b\n", 1, 3, "a key must be a word"),
    ("[" * 100_000, 1, 9, "nested deeper than 8"),
    ('id: "\\ud800"\n', 1, 5, "half a character"),
    ('id: "\\U00110000"\n', 0, 0, "not YAML"),
    ("id: a\n" + "#" * 262_144, 0, 0, "at most 262144 are read"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), FAULTS)
def test_a_fault_is_told_with_its_place(text: str, line: int, column: int, message: str) -> None:
    found = faults(text)
    assert any((at, where) == (line, column) and message in said for at, where, said in found), (
        found
    )


def test_bytes_that_are_no_text_are_told_with_their_place() -> None:
    assert faults(b"id: a\nx: \xff") == [(2, 4, "not UTF-8 text")]
    assert faults(b"id: a\nx: \x01")[0][:2] == (2, 4)


def test_a_byte_order_mark_moves_no_place() -> None:
    assert faults(b"\xef\xbb\xbfid: A\nversion: 1\nrungs: [{id: a, when: 'true'}]")[0][:2] == (1, 5)


def test_all_faults_of_a_file_are_told_in_its_order() -> None:
    found = faults(
        """\
        id: Test
        version: 0
        rungs:
          - id: a
            when: "purchase >= 1"
          - id: b
            when: "true"
            overide: true
        """
    )
    assert [(line, column) for line, column, _ in found] == [(1, 5), (2, 10), (5, 12), (8, 5)]


def test_65_rungs_are_too_many() -> None:
    [(line, _, message)] = faults(with_rungs(*["true"] * 65))
    assert line == 4 + 2 * 64 + 1
    assert "65 rungs; at most 64" in message


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("purchases >= 1 and foo > 1", 1, 26),
        ("'card == ''gold'' and foo > 1'", 1, 29),
        ("\"card == 'gold' and foo > 1\"", 1, 27),
        (r'"card == \"gold\" and foo > 1"', 1, 29),
        (r'"card == \x27gold\u0027 and foo > 1"', 1, 35),
        ("|\n    purchases >= 1\n    and foo > 1", 3, 9),
        (">\n    purchases >= 1\n    and foo > 1", 3, 9),
        (">\n    purchases >= 1\n\n    and foo > 1", 4, 9),
        ("| # more\n    purchases >= 1 and\n\n      foo > 1", 4, 7),
        ("purchases >= 1\n    and foo > 1", 2, 9),
        ('"purchases >= 1\n    and foo > 1"', 2, 9),
        ("'purchases >= 1\n\n\n    and foo > 1'", 4, 9),
        ('"purchases >= 1 \\\n    and foo > 1"', 2, 9),
        ("|\r\n    purchases >= 1\r\n    and foo > 1", 3, 9),
        ("'purchases >= 1\r\n    and foo > 1'", 2, 9),
    ],
)
def test_the_place_in_a_condition_is_right_however_it_is_written(
    written: str, line: int, column: int
) -> None:
    text = f"id: a\nversion: 1\nrungs:\n- id: a\n  when: {written}\n"
    assert [(at - 4, where) for at, where, _ in faults(text)] == [
        (line, column + (2 if line == 1 else 0))
    ]


NEVER = [
    (with_rungs("false"), 6, "this can never hold"),
    (with_rungs("purchases >= 5 and purchases < 3"), 6, "no value of purchases fits"),
    (with_rungs("purchases < 0"), 6, "purchases is a whole number, 0 or more"),
    (with_rungs("need_in(30) > 4"), 6, "a whole number from 0 to 4"),
    (with_rungs("true", "registered and not registered"), 8, "this can never hold"),
    (with_rungs("purchases < 3", "units > 1", "purchases >= 3"), 10, "with 'r0' below it"),
    (with_rungs("true", "units >= 1", head="kind: segment"), 8, "'r0' above always holds"),
    (with_rungs("purchases >= 0", "true", head="kind: segment"), 8, "never reached"),
]


@pytest.mark.parametrize(("text", "line", "message"), NEVER)
def test_a_rung_that_can_never_hold_is_refused(text: str, line: int, message: str) -> None:
    [(at, column, said)] = faults(text)
    assert (at, column) == (line, 11)
    assert message in said


@pytest.mark.parametrize(
    "text",
    [
        with_rungs("purchases < 3", "purchases >= 3", head="climb: free"),
        with_rungs("purchases < 3", "purchases >= 3", head="kind: segment"),
        with_rungs("purchases >= 3", "purchases >= 1"),
        with_rungs("units >= 1", "true", head="kind: segment"),
        with_rungs("true", "units >= 1", head="climb: free"),
    ],
)
def test_a_rung_that_may_hold_is_let_be(text: str) -> None:
    assert len(ladder(text).rungs) == 2


def test_an_override_may_contradict_the_rungs_that_it_covers() -> None:
    text = with_rungs("purchases >= 3") + "\n  - {id: o, when: purchases < 3, override: true}"
    assert ladder(text).overrides == (1,)


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
        st.lists(
            st.sampled_from(
                [*"{}[]:-,'\"|>&*!#%\n \t", "id", "version", "rungs:", "when:", "- ", "1", "true"]
            ),
            max_size=40,
        ).map(lambda parts: "".join(parts).encode()),
    )
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused_with_their_faults(data: bytes) -> None:
    try:
        read_ladder(data, "any")
    except DefinitionErrors as error:
        refused = error.problems
    else:
        refused = ()
    assert all(problem.file == "any" and problem.message for problem in refused)


def _write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def test_a_folder_gives_its_ladders_sorted_by_id(tmp_path: Path) -> None:
    _write(tmp_path, b=TOP.replace("test", "first"), a=TOP.replace("test", "second"))
    (tmp_path / "README.md").write_text("no ladder")
    (tmp_path / ".hidden.yaml").write_text("no ladder")
    assert [each.id for each in read_folder(tmp_path)] == ["first", "second"]


def test_two_ladders_of_one_id_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, a=TOP, b=TOP)
    with pytest.raises(DefinitionErrors, match=r"b.yaml:1:5: the id 'test' is taken by .*a.yaml"):
        read_folder(tmp_path)


def test_the_faults_of_all_files_are_told(tmp_path: Path) -> None:
    _write(tmp_path, a="id: A", b="id: B")
    with pytest.raises(DefinitionErrors) as error:
        read_folder(tmp_path)
    assert {Path(problem.file).name for problem in error.value.problems} == {"a.yaml", "b.yaml"}


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DefinitionErrors, match="unset LADDER_LADDERS"):
        read_folder(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DefinitionErrors, match="no such folder"):
        read_folder(tmp_path / "none")


def test_more_than_64_ladders_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, **{f"l{n:02}": TOP.replace("test", f"l{n}") for n in range(65)})
    with pytest.raises(DefinitionErrors, match="65 ladders; at most 64"):
        read_folder(tmp_path)
