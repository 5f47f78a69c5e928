"""Near misses of trade and offices: what is bought, sent, measured and filed, and looks like somebody's number."""

from __future__ import annotations

import json
import random
import string

from bench.dlp_blind_near_ids import Maker
from bench.dlp_blind_text import WORDS, hexadecimal, moment, person
from bench.dlp_blind_vat import STATES
from bench.dlp_random import digits, some

_UPPER, _DIGITS = string.ascii_uppercase, string.digits


def _orders(rng: random.Random) -> str:
    number = digits(rng, rng.choice((7, 8, 9, 10, 12, 13, 14, 15, 16)))
    return rng.choice((
        f"Your order {number} has shipped.", f'{{"orderId":{number},"items":{digits(rng, 1)}}}',
        f"Bestellnummer {number} vom {moment(rng):%d.%m.%Y}", f"order no. {number[:3]}-{number[3:]}",
        f"Commande n° {number} expédiée",
        f"INV-{moment(rng).year}-{digits(rng, 6)} paid", f"PO {number} / line {digits(rng, 2)}",
        f"customer_number;{number};active", f"account {number} closed",
        f"Auftrag {digits(rng, 3)}-{digits(rng, 7)}-{digits(rng, 7)}",
        f"Rechnung Nr. {digits(rng, 4)}/{digits(rng, 5)}", f"receipt {number}, till {digits(rng, 1)}",
        f"transaction_id={number}", f"member {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 3)} since 2019",
        f"quote #{digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 3)}",
    ))  # fmt: skip


def _tracking(rng: random.Random) -> str:
    return rng.choice((
        f"1Z{some(rng, _UPPER + _DIGITS, 6)}{digits(rng, 10)}",
        f"9400 1{digits(rng, 3)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 2)}",
        f"RR{digits(rng, 9)}GB", f"JD01{digits(rng, 16)}", f"Sendungsnummer 0034{digits(rng, 16)}",
        f"container MSKU{digits(rng, 6)}-{digits(rng, 1)}", f"AWB 020-{digits(rng, 8)}",
        f"FedEx {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}", f"LX{digits(rng, 9)}DE",
        f"colis 6A{digits(rng, 11)}", f"tracking: {digits(rng, 12)}", f"SSCC 00{digits(rng, 18)}",
    )) + rng.choice(("", " is on its way", " delivered", f", signed by {person(rng)}"))  # fmt: skip


def _parts(rng: random.Random) -> str:
    return rng.choice((
        f"part no. {digits(rng, 3)}-{digits(rng, 4)}-{digits(rng, 3)}",
        f"P/N {digits(rng, 2)}-{digits(rng, 5)}-{digits(rng, 4)}",
        f"SKU {some(rng, _UPPER, 2)}{digits(rng, 6)}{some(rng, _UPPER, 1)}-XL",
        f"model {some(rng, _UPPER, 3)}-{digits(rng, 4)}/{digits(rng, 2)}",
        f"bolt M{digits(rng, 1)}x{digits(rng, 2)} DIN {digits(rng, 3)}", f"serial {some(rng, _UPPER + _DIGITS, 12)}",
        f"0{digits(rng, 3)}.{digits(rng, 3)}.{digits(rng, 3)}-{digits(rng, 2)} gasket",
        f"NSN {digits(rng, 4)}-{digits(rng, 2)}-{digits(rng, 3)}-{digits(rng, 4)}",
        f"toner {some(rng, _UPPER, 2)}{digits(rng, 3)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
        f"item {some(rng, _UPPER, 2)}{digits(rng, 6)}{some(rng, 'ABCDEFGH', 1)}",
    ))  # fmt: skip


def _books(rng: random.Random) -> str:
    thirteen = f"978{digits(rng, 9)}"
    check = -sum(int(digit) * (1 + place % 2 * 2) for place, digit in enumerate(thirteen)) % 10
    return rng.choice((
        f"ISBN {thirteen}{check}", f"ISBN 978-{thirteen[3]}-{thirteen[4:8]}-{thirteen[8:12]}-{check}",
        f'"isbn13":"{thirteen}{check}"',
        f"ISBN-10: {digits(rng, 1)}-{digits(rng, 3)}-{digits(rng, 5)}-{rng.choice(_DIGITS + 'X')}",
        f"ISSN {digits(rng, 4)}-{digits(rng, 3)}X", f"EAN 40{digits(rng, 10)}{digits(rng, 1)}",
        f"doi:10.{digits(rng, 4)}/{some(rng, string.ascii_lowercase, 4)}.{digits(rng, 4)}.{digits(rng, 7)}",
        f"arXiv:{digits(rng, 4)}.{digits(rng, 5)}v2", f"PMID: {digits(rng, 8)}", f"GTIN {digits(rng, 14)}",
        f"UPC {digits(rng, 12)}", f"IMEI {digits(rng, 15)}",
    ))  # fmt: skip


def _prices(rng: random.Random) -> str:
    return rng.choice((
        f"Total: {digits(rng, 3)}.{digits(rng, 3)},{digits(rng, 2)} EUR",
        f"$ {digits(rng, 1)},{digits(rng, 3)},{digits(rng, 3)}.00",
        (
            f"net {digits(rng, 4)}.{digits(rng, 2)} gross {digits(rng, 4)}.{digits(rng, 2)} tax "
            f"{digits(rng, 3)}.{digits(rng, 2)}"
        ),
        f"{digits(rng, 3)} {digits(rng, 3)} {digits(rng, 3)} Kč",
        f"CHF {digits(rng, 2)}'{digits(rng, 3)}.{digits(rng, 2)}", f"1 EUR = 1.0{digits(rng, 4)} USD",
        f"population {digits(rng, 1)},{digits(rng, 3)},{digits(rng, 3)}",
        f"{digits(rng, 2)}.{digits(rng, 2)}.{digits(rng, 4)} {digits(rng, 5)} {digits(rng, 4)}",
        f"shares: {digits(rng, 10)} at {digits(rng, 2)}.{digits(rng, 4)}",
        f"Saldo {digits(rng, 2)}.{digits(rng, 3)}.{digits(rng, 3)},{digits(rng, 2)}",
        f"₹ {digits(rng, 2)},{digits(rng, 2)},{digits(rng, 3)}", f"EUR{digits(rng, 9)}",
    ))  # fmt: skip


def _places(rng: random.Random) -> str:
    return rng.choice((
        f"{digits(rng, 2)}.{digits(rng, 7)},-{digits(rng, 2)}.{digits(rng, 7)}",
        f'{{"lat":{digits(rng, 2)}.{digits(rng, 6)},"lon":{digits(rng, 1)}.{digits(rng, 6)}}}',
        f"{digits(rng, 2)}°{digits(rng, 2)}'{digits(rng, 2)}\"N {digits(rng, 2)}°{digits(rng, 2)}'{digits(rng, 2)}\"E",
        (
            f"POLYGON(({digits(rng, 2)}.{digits(rng, 4)} {digits(rng, 2)}.{digits(rng, 4)}, {digits(rng, 2)}."
            f"{digits(rng, 4)} {digits(rng, 2)}.{digits(rng, 4)}))"
        ),
        f"plus code {some(rng, '23456789CFGHJMPQRVWX', 8)}+{some(rng, '23456789CFGHJMPQRVWX', 2)}",
        f"{digits(rng, 5)} {rng.choice(WORDS).capitalize()}, {rng.choice(WORDS).capitalize()}str. {digits(rng, 2)}",
        f"{digits(rng, 5)}-{digits(rng, 4)} {rng.choice(WORDS).capitalize()}, OR",
        f"UTM 32U {digits(rng, 6)} {digits(rng, 7)}", f"BN{digits(rng, 1)} {digits(rng, 1)}AB Brighton",
        f"parcel {digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 3)}",
    ))  # fmt: skip


def _scores(rng: random.Random) -> str:
    return rng.choice((
        f"sets {digits(rng, 1)}-{digits(rng, 1)} {digits(rng, 1)}-{digits(rng, 1)}",
        f"{digits(rng, 2)}:{digits(rng, 2)}:{digits(rng, 2)}.{digits(rng, 3)} finish",
        f"pages {digits(rng, 3)}-{digits(rng, 3)}, {moment(rng).year}",
        f"opening hours 08:00-18:30, room {digits(rng, 3)}.{digits(rng, 2)}",
        f"temp {digits(rng, 2)}.{digits(rng, 2)} 10.{digits(rng, 2)} 20.{digits(rng, 2)} 30.{digits(rng, 2)}",
        f"Lotto: {' '.join(digits(rng, 2) for _ in range(6))}",
        f"seasons 2019-2020-2021, {digits(rng, 4)} tickets",
        (
            f"flight {some(rng, _UPPER, 2)}{digits(rng, 4)} gate {some(rng, 'ABC', 1)}{digits(rng, 2)} seat "
            f"{digits(rng, 2)}C"
        ),
        f"court ruling {digits(rng, 1)} AZR {digits(rng, 3)}/{digits(rng, 2)}",
        f"chapter {digits(rng, 1)}.{digits(rng, 1)}.{digits(rng, 2)}",
        f"EN {digits(rng, 5)}-{digits(rng, 1)}:{moment(rng).year}", f"ratio 16:9 at {digits(rng, 4)}x{digits(rng, 4)}",
        f"CAS {digits(rng, 4)}-{digits(rng, 2)}-{digits(rng, 1)}",
    ))  # fmt: skip


def _like_iban(rng: random.Random) -> str:
    country = rng.choice(("DE", "FR", "GB", "NL", "XX", "QP", "US"))
    bank = some(rng, _UPPER, 4) if country in {"GB", "NL"} else digits(rng, 4)
    return rng.choice((
        f"voucher {country}{digits(rng, 2)} {bank} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 2)}",
        f"ref {country}{digits(rng, 2)}{digits(rng, 18)}",
        (
            f"license {some(rng, _UPPER, 2)}{digits(rng, 2)} {some(rng, _UPPER + _DIGITS, 4)} "
            f"{some(rng, _UPPER + _DIGITS, 4)} {some(rng, _UPPER + _DIGITS, 4)}"
        ),
        f"BIC {some(rng, _UPPER, 4)}DEFF{digits(rng, 3)}", f"mandate {country}98ZZZ0{digits(rng, 10)}",
        f"RF{digits(rng, 2)} {digits(rng, 4)} {digits(rng, 4)}", f"ISIN {country}{digits(rng, 10)}",
        f"LEI 5299{some(rng, _UPPER + _DIGITS, 14)}{digits(rng, 2)}",
    ))  # fmt: skip


def _like_vat(rng: random.Random) -> str:
    state = rng.choice(list(STATES))
    number = STATES[state](rng)
    wrong = number[:-2] + "".join(str((int(digit) + 3) % 10) if digit.isdigit() else digit for digit in number[-2:])
    return rng.choice((
        f"SKU {some(rng, 'AGHJKQRVWX', 2)}{digits(rng, 9)}", f"fake id {state}{wrong[:-1]}",
        f"patent {state}{digits(rng, 7)}A1", f"locale {state.lower()}-{state} {digits(rng, 5)}",
        f"article DE{digits(rng, 6)}", f"EP{digits(rng, 7)}B1", f"US{digits(rng, 8)}B2",
        f"train IC{digits(rng, 4)} to {state} {digits(rng, 5)}", f"WEEE-Reg.-Nr. DE {digits(rng, 7)}",
        f"HRB {digits(rng, 6)} B", f"build SE{digits(rng, 4)}-{digits(rng, 6)}",
    ))  # fmt: skip


def _offices(rng: random.Random) -> str:
    return rng.choice((
        f"ticket {digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 3)} escalated",
        f"JIRA-{digits(rng, 5)} blocks OPS-{digits(rng, 4)}",
        f"case {moment(rng).year}-{digits(rng, 2)}-{digits(rng, 5)}", f"form SS-{digits(rng, 2)}-{digits(rng, 4)}",
        f"FCC ID: {some(rng, _UPPER + _DIGITS, 5)}-{digits(rng, 6)}", f"EIN {digits(rng, 2)}-{digits(rng, 7)}",
        f"{person(rng)} (staff {digits(rng, 6)}) started {moment(rng):%d.%m.%Y}",
        f"passport control opens at 0{digits(rng, 1)}:30 at gate {digits(rng, 2)}",
        f"we routed {digits(rng, 9)} packets", f"phone model {some(rng, _UPPER, 2)}-{digits(rng, 4)}",
        f"policy {some(rng, _UPPER, 2)} {digits(rng, 6)} {some(rng, 'EFGHJK', 1)}",
        f"dial tone at {digits(rng, 3)} Hz, {digits(rng, 3)} ohm", f"sin(x) = {rng.random():.9f}",
        f"grant {some(rng, _UPPER, 2)}-{digits(rng, 3)}-{digits(rng, 4)}",
        f"report {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 4)} pages",
        f"extension {digits(rng, 4)}, fax machine {digits(rng, 3)}",
        f"npi=0, rtn=None, ssn_last4={digits(rng, 4)}", f'"session_seconds": {digits(rng, 9)}',
        f"Visa application {digits(rng, 8)}", f"card ending in {digits(rng, 4)}", f"**** **** **** {digits(rng, 4)}",
        f"XXX-XX-{digits(rng, 4)}", "SSN: 000-00-0000", f"SSN 666-{digits(rng, 2)}-{digits(rng, 4)}",
    ))  # fmt: skip


def _like_mail(rng: random.Random) -> str:
    word, other = rng.choice(WORDS), rng.choice(WORDS)
    return rng.choice((
        f"@{word}_{other} thanks!", f"npm i @{word}/{other}@{digits(rng, 1)}.{digits(rng, 1)}.{digits(rng, 1)}",
        f"git@{word}:{other}/{word}.git", f"{word}@{digits(rng, 1)}.0.{digits(rng, 2)}", f"@app.route('/{word}')",
        "user@host", f"{word} @ {digits(rng, 2)} USD", f"@media (min-width: {digits(rng, 3)}px)",
        f"ssh {word}@{other}-{digits(rng, 1)}", f"{hexadecimal(rng, 8)}@{word}", f"Java @Override public void {word}()",
        f"cron {digits(rng, 1)} @ {word}",
    ))  # fmt: skip


def _pages(rng: random.Random) -> str:
    rows = [
        {
            "sku": f"{some(rng, _UPPER, 3)}-{digits(rng, 5)}",
            "qty": rng.randrange(90),
            "ean": digits(rng, 13),
            "at": moment(rng).isoformat(),
            "wh": digits(rng, 4),
        }
        for _ in range(6)
    ]
    return json.dumps({"page": rng.randrange(90), "total": rng.randrange(10**6), "rows": rows})


TRADE: dict[str, Maker] = {
    "orders and invoices": _orders, "tracking numbers": _tracking, "part numbers": _parts, "books and barcodes": _books,
    "prices": _prices, "coordinates and addresses": _places,
    "scores and pages": _scores, "like an IBAN": _like_iban, "like a VAT number": _like_vat, "offices": _offices,
    "like an e-mail address": _like_mail, "pages of an API": _pages,
}  # fmt: skip
