"""A request line's path → the one path that policies judge."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import RequestRefused
from authz_service.policy import target
from authz_service.policy.target import MAX_PARAMETERS, MAX_PATH_BYTES, MAX_QUERY_BYTES, Target, parse_target
from tests import lenient_paths

REFUSED = ""


def path_of(written: str) -> str:
    """The canonical path, or `REFUSED`."""
    try:
        return parse_target(written).path
    except RequestRefused:
        return REFUSED


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/hr/x", "/hr/x"),
        # slashes
        ("//hr/x", "/hr/x"),
        ("///hr///x", "/hr/x"),
        ("/hr//x", "/hr/x"),
        ("/%2fhr/x", "/hr/x"),
        ("/hr%2fx", "/hr/x"),
        ("/hr%2Fx", "/hr/x"),
        ("/hr/%2f%2F/x", "/hr/x"),
        ("%2fhr/x", REFUSED),
        # backslashes
        ("/\\hr\\x", "/hr/x"),
        ("/hr\\x", "/hr/x"),
        ("/hr%5cx", "/hr/x"),
        ("/hr%5Cx", "/hr/x"),
        ("/a\\..\\hr/x", REFUSED),
        ("/a%5c..%5Chr%5cx", REFUSED),
        ("\\hr\\x", REFUSED),
        # dot segments
        ("/./hr/x", "/hr/x"),
        ("/hr/./x", "/hr/x"),
        ("/a/../hr/x", "/hr/x"),
        ("/../hr/x", "/hr/x"),
        ("/../../../hr/x", "/hr/x"),
        ("/hr/a/../x", "/hr/x"),
        ("/hr/a/b/../../x", "/hr/x"),
        ("/hr/x/a/..", "/hr/x/"),
        ("/hr/x/.", "/hr/x/"),
        ("/hr/x/", "/hr/x/"),
        ("/hr/x//", "/hr/x/"),
        ("/a//../hr/x", REFUSED),
        ("/a/%2e%2e/hr/x", REFUSED),
        ("/a/%2E%2e/hr/x", REFUSED),
        ("/a/.%2e/hr/x", REFUSED),
        ("/a/%2e./hr/x", REFUSED),
        ("/%2e/hr/x", "/hr/x"),
        ("/a/..%2fhr/x", REFUSED),
        ("/a%2f%2e%2e%2fhr%2fx", REFUSED),
        ("/a/..%5chr%5cx", REFUSED),
        # escapes of what needs none
        ("/%68r/x", "/hr/x"),
        ("/%68%72/%78", "/hr/x"),
        ("/h%72/x", "/hr/x"),
        # a query changes nothing
        ("/hr/x?", "/hr/x"),
        ("/hr/x?a=/../b", "/hr/x"),
        ("/hr/x??", "/hr/x"),
        ("/hr/x?a=%zz&b=\x00#", "/hr/x"),
        # dot segments with parameters, which Java servers resolve
        ("/a/..;/hr/x", REFUSED),
        ("/a/..;v=1/hr/x", REFUSED),
        ("/a/%2e%2e%3b/hr/x", REFUSED),
        ("/.;/hr/x", REFUSED),
        # control characters
        ("/hr/x%00", REFUSED),
        ("/hr%00/x", REFUSED),
        ("/hr/x%00.png", REFUSED),
        ("/hr/x\x00", REFUSED),
        ("/hr/x%0d%0a", REFUSED),
        ("/hr/%09x", REFUSED),
        ("/hr/x%7f", REFUSED),
        ("/hr\t/x", REFUSED),
        # overlong and broken UTF-8
        ("/a/%c0%ae%c0%ae/hr/x", REFUSED),
        ("/hr%c0%afx", REFUSED),
        ("/hr%e0%80%afx", REFUSED),
        ("/hr%f0%80%80%afx", REFUSED),
        ("/hr/x%ff", REFUSED),
        ("/hr/x%ed%a0%80", REFUSED),
        ("/hr/x%e4", REFUSED),
        # broken escapes
        ("/hr/x%", REFUSED),
        ("/hr/x%2", REFUSED),
        ("/hr/x%zz", REFUSED),
        ("/hr%u002fx", REFUSED),
        ("/%%36%38r/x", REFUSED),
        ("/hr/x% 2f", REFUSED),
        # not a path
        ("", REFUSED),
        ("*", REFUSED),
        ("hr/x", REFUSED),
        ("?/hr/x", REFUSED),
        ("http://gateway/hr/x", REFUSED),
        ("//gateway@/../hr/x", "/hr/x"),
        # fragments have no place in a request
        ("/hr/x#", REFUSED),
        ("/a#/../hr/x", REFUSED),
        ("/hr#/x", REFUSED),
    ],
)
def test_each_spelling_of_a_path_is_that_path_or_refused(written: str, expected: str) -> None:
    """None is a third thing that a policy would judge otherwise."""
    assert path_of(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/HR/x", "/HR/x"),
        ("/hr/..x", "/hr/..x"),
        ("/.hr/x", "/.hr/x"),
        ("/hr+/x", "/hr+/x"),
        ("/hr%e2%88%95x", "/hr\u2215x"),
        ("/z%C3%BCrich", "/zürich"),
        ("/zürich", "/zürich"),
    ],
)
def test_what_is_another_name_stays_one(written: str, expected: str) -> None:
    """Case and characters that merely look alike belong to the name."""
    assert path_of(written) == expected


@pytest.mark.parametrize("written", ["/hr;v=1/x", "/hr/x;v=1", "/hr;/x", "/;a/hr/x", "/hr;a=%2f/x", "/hr%3bv=1/x"])
def test_path_parameters_count_for_nothing(written: str) -> None:
    """Many servers take them off before they look for what is asked for."""
    assert path_of(written) == "/hr/x"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/hr%3fx", "/hr"),
        ("/hr%3F/x", "/hr/x"),
        ("/hr%23x", "/hr"),
        ("/hr/x%2523", "/hr/x"),
        ("/hr%ef%bc%9f/x", "/hr/x"),
        ("/hr;v=%3f/x", "/hr/x"),
        ("/wiki/c%23/faq%3f", "/wiki/c/faq"),
        ("/hr%3f/../x", REFUSED),
        ("/x/%2e%2e/hr%23", REFUSED),
        ("/a/..%3f/hr/x", REFUSED),
        ("/%3f/hr/x", REFUSED),
        ("/hr/%23", REFUSED),
    ],
)
def test_an_escaped_question_mark_or_number_sign_ends_a_name(written: str, expected: str) -> None:
    """Some servers decode before they look for the query; both of their readings lie below the path that is judged."""
    assert path_of(written) == expected


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/..", "/"),
        ("/reports", "/reports"),
        ("/reports/", "/reports"),
        ("/Reports/2024/x", "/reports"),
        ("/REPORTS;v=2/x", "/reports"),
        ("/%52eports/x", "/reports"),
        ("/a/../reports", "/reports"),
        ("/reports%2fx", "/reports"),
    ],
)
def test_limits_count_by_the_first_segment(written: str, endpoint: str) -> None:
    """However it is spelt: otherwise each spelling would have a budget of its own."""
    assert parse_target(written).endpoint == endpoint


@pytest.mark.parametrize(
    ("written", "query"),
    [("/x", ""), ("/x?", ""), ("/x?a=1", "a=1"), ("/x?a=%20&b=c?d", "a=%20&b=c?d"), ("/?/../y", "/../y")],
)
def test_the_query_is_kept_as_it_is_written(written: str, query: str) -> None:
    """It is read elsewhere."""
    assert parse_target(written).query == query


@pytest.mark.parametrize(
    "written",
    ["/hr./x", "/hr.../x", "/hr%20/x", "/hr%20./x", "/%2568r/x", "/hr%252fx", "/%25%36%38r/x",
     "/hr\uff0fx", "/\uff48\uff52/x", "/hr%2ex/../x", "/hr .;v=1/x", "/%20hr/x", "/%E3%80%80 hr/x", "/%ef%bc%8568r/x",
     "/\uff0568r/x", "/%ef%b9%aa68r/x"],
)  # fmt: skip
def test_a_path_is_read_as_the_most_lenient_server_reads_it(written: str) -> None:
    """Some decode twice, fold look-alikes, also into escapes, or take dots and spaces off the ends of a name."""
    assert path_of(written) in {"/hr/x", "/x"}


@pytest.mark.parametrize(
    "written",
    ["/...", "/a/.../x", "/a/.. /hr", "/a/..%20/hr", "/ /x", "/%2525252525/x", "/x%C2%85", "/x%E2%80%AE", "/%E2%80%A8"],
)
def test_what_only_some_servers_take_for_a_dot_segment_or_nothing_is_refused(written: str) -> None:
    """There is no reading that is safe for all of them; characters that only steer a display are refused too."""
    with pytest.raises(RequestRefused):
        parse_target(written)


@pytest.mark.parametrize("written", ["/hr;%252f../x", "/hr;%2f%2e%2e/x", "/hr;\\../x", "/hr;v=1/x/..", "/hr%23/../x"])
def test_a_parent_beside_a_parameter_is_refused(written: str) -> None:
    """To those who leave parameters out before they decode, the `..` is a part of the parameter."""
    with pytest.raises(RequestRefused):
        parse_target(written)


def test_path_and_query_are_bounded() -> None:
    """In bytes, and in parameters: each of them costs time on its way through the policy."""
    longest = "/" + "a" * (MAX_PATH_BYTES - 1)
    assert parse_target(f"{longest}?{'q' * 10_000}") == Target(longest, "q" * 10_000, longest)
    for written, code in (
        (longest + "a", "path_too_long"),
        ("/x?" + "q" * (MAX_QUERY_BYTES + 1), "query_too_large"),
        ("/x?" + "&" * MAX_PARAMETERS, "query_too_large"),
    ):
        with pytest.raises(RequestRefused) as caught:
            parse_target(written)
        assert (caught.value.status, caught.value.code) == (400, code)


def test_a_refusal_repeats_nothing_of_the_path() -> None:
    """It is shown to the caller, and the path may hold secrets."""
    with pytest.raises(RequestRefused) as caught:
        parse_target("/123-45-6789/%00")
    assert "6789" not in caught.value.text


SEGMENTS = st.sampled_from(
    [
        "",
        ".",
        "..",
        "hr",
        "HR",
        "x",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        ";",
        "..;",
        "a;b",
        "...",
        "%25",
        "%c3%bc",
        "ü",
    ]
)
PATHS = st.lists(SEGMENTS | st.text(max_size=4), max_size=8).map(lambda parts: "/" + "/".join(parts)) | st.text()


@given(PATHS)
def test_no_path_keeps_an_empty_or_dot_segment_inside(written: str) -> None:
    """Nor a backslash, nor a control character; and it starts with a slash."""
    path = path_of(written)
    if path == REFUSED:
        return
    assert path.startswith("/")
    segments = path[1:].split("/")
    assert "" not in segments[:-1]
    assert not {".", ".."} & set(segments)
    assert "\\" not in path
    assert all(character >= " " and character != "\x7f" for character in path)


@given(PATHS)
def test_a_canonical_path_is_its_own_canonical_path(written: str) -> None:
    """Where no escape is left that would be decoded again."""
    path = path_of(written)
    if path != REFUSED and not set(path) & set("%?#"):
        assert path_of(path) == path


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.data())
def test_escaping_any_characters_changes_nothing(segments: list[str], data: st.DataObject) -> None:
    """In either case of hexadecimal digits."""
    plain = "/" + "/".join(segments)
    written = "/"
    for character in plain[1:]:
        forms = [character, f"%{ord(character):02x}", f"%{ord(character):02X}"]
        written += data.draw(st.sampled_from(forms))
    assert path_of(written) == plain


@given(st.text())
def test_no_path_raises_anything_but_a_refusal(written: str) -> None:
    """A client chooses it freely."""
    path_of(written)
    path_of("/" + written)


@given(st.from_regex(target._PLAIN, fullmatch=True))
def test_the_short_way_for_plain_paths_leads_where_the_long_one_does(written: str) -> None:
    """An escape makes it go the long way."""
    escaped = f"/%{ord(written[1]):02X}{written[2:]}"
    assert parse_target(written) == parse_target(escaped)


# What a spelling can do to a protected path: written before it, after its first name, or in place of a character.
BEFORE = ("/", "/.", "/public/..", "/public/../.", "/a/b/../..", "/%2e", "/a/%2e%2e", "/;", "/;v=1", "/\\", "/..",
          "/a/..;", "/%20", "/public%252f..", "/%3f")  # fmt: skip
AFTER = ("", ";", ";v=1", "%3b", ";%252f..", "%252f..", ";\\..", "%3f/..", ".", "..", "%20", "%20.", "%3f", "%23",
         "%00", "/", "/.", "/x/..", "\\", "%5c", "%2f", "#", "?")  # fmt: skip
FORMS: Mapping[str, tuple[str, ...]] = {
    "h": ("h", "H", "\uff48", "\u210b", "%68", "%48", "%2568", "%ef%bd%88", "%ef%bc%8568", "%c1%a8", "%u0068", "h%09",
          "h%c2%ad"),
    "r": ("r", "R", "\uff52", "\u24e1", "%72", "%52", "%2572", "%252572", "%ef%bd%92", "\uff0572", "r%e2%80%8b"),
}  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        "/payroll/%252e%252e/public", "/admin/x%252F..%252F..%252Fpublic", "/admin/%EF%BC%8E%EF%BC%8E/public",
        "/admin/x%EF%BC%8F..%EF%BC%8F..%EF%BC%8Fpublic", "/admin/%2e%2e/public", "/admin/.%2e/public",
        "/a%2fb/../../public", "/a/%252e%252e/hr/x", "/admin/\u2025/public", "/admin/%E2%80%A5/public",
    ],
)  # fmt: skip
def test_no_path_is_judged_as_one_that_only_some_servers_step_up_to(written: str) -> None:
    """To all others it is below the place that it names first."""
    assert path_of(written) == REFUSED


@given(
    st.lists(st.sampled_from(BEFORE), max_size=3),
    st.sampled_from(FORMS["h"]),
    st.sampled_from(FORMS["r"]),
    st.lists(st.sampled_from(AFTER), max_size=3),
    st.sampled_from(("", "/", "/salaries", "//x", "/..;/x", "/../hr/x", "?/../x")),
)
def test_a_protected_path_is_judged_as_one_or_refused(
    before: list[str], first: str, second: str, after: list[str], rest: str
) -> None:
    """However it is written, if any server at all could take it for what is protected."""
    written = "".join(before) + "/" + first + second + "".join(after) + rest
    path = path_of(written)
    if path != REFUSED and lenient_paths.is_protected(written):
        assert path[1:].partition("/")[0].lower() == lenient_paths.PROTECTED, written
