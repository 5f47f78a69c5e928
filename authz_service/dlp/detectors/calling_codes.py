"""Country calling codes (ITU-T E.164) and how long the numbers behind them are, from national numbering plans.

Where a plan has numbers of several lengths, those of subscribers count: services and emergency numbers are nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping

# Shortest and longest national number, in digits without the trunk prefix: the codes that have them.
_PLANS: Mapping[tuple[int, int], str] = {
    (10, 10): "7 30 52 90 91 98",
    (8, 10): "20 57 58 63 64 84 95 225 229 234 263 374 880 964 977",
    (
        9,
        9,
    ): "27 33 34 48 56 61 93 94 211 212 221 233 240 242 249 251 255 256 260 261 262 351 375 380 420 421 590 594 595 "
    "596 992 994 995 996 998",
    (9, 10): "31 44 81 92 254",
    (8, 9): "32 36 51 66 213 218 237 250 258 264 353 355 370 377 383 385 591 593 855 856 962 963 966 970 971 972",
    (8, 11): "82",
    (6, 12): "39 49",
    (9, 11): "40 86",
    (9, 12): "41",
    (7, 13): "43",
    (
        8,
        8,
    ): "45 47 53 65 216 222 223 224 226 227 228 232 235 236 253 257 266 350 356 357 359 371 373 376 382 386 387 389 "
    "502 503 504 505 506 509 598 852 853 965 968 973 974 976 993",
    (7, 10): "46 60 371 381",
    (8, 12): "62",
    (10, 11): "54 55",
    (7, 7): "220 238 239 246 248 267 268 269 291 297 423 501 592 673 674 679 680 691 692 960",
    (7, 8): "230 241 354 372 507 599 670 675 961 975",
    (7, 9): "231 243 244 245 252 265 378 967",
    (6, 6): "298 299 508 597 681 687",
    (6, 11): "352 358",
    (5, 7): "290 672 676 677 678 682 683 685 686 688 689 690",
}
SHORTEST = 5  # digits of a national number
LONGEST = 15  # digits in all (E.164)


def _by_code() -> Mapping[bytes, tuple[int, int]]:
    return {code.encode(): lengths for lengths, codes in _PLANS.items() for code in codes.split()}


PLANS = _by_code()


def split(number: bytes) -> tuple[bytes, bytes] | None:
    """Part an international number's digits into calling code and national number; None where no plan has it."""
    if number[:1] == b"1":
        # Behind `+1` there is no doubt what it is to be: an exchange that is not given out may stand there (`123`).
        exists = is_north_american(number[1:4] + b"2" + number[5:]) if len(number) == 11 else False  # noqa: PLR2004
        return (number[:1], number[1:]) if exists else None
    for size in (1, 2, 3):
        code, national = number[:size], number[size:]
        if (lengths := PLANS.get(code)) is not None:
            return (code, national) if lengths[0] <= len(national) <= lengths[1] else None
    return None


def is_north_american(number: bytes) -> bool:
    """Whether ten digits can be a subscriber's number: area NXX without N9X and N11, exchange NXX without N11."""
    if len(number) != 10 or not number.isdigit():  # noqa: PLR2004
        return False
    area, exchange = number[:3], number[3:6]
    return (
        area >= b"200"
        and area[1:2] != b"9"
        and area[1:] != b"11"
        and exchange >= b"200"
        and exchange[1:] != b"11"
        and area + exchange not in _NEVER
    )


_NEVER = frozenset(digit * 6 for digit in (b"2", b"3", b"4", b"5", b"6", b"7", b"8"))
