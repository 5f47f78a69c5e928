"""What looks like a secret or a number of a person, and is none: one function for each kind.

Each gives a text and the words that stand beside it where it is met. Numbers with a wrong check digit stand beside the
very words that a right one would: there only the check tells them apart.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bench import dlp_checksums as checks
from bench.dlp_credentials import CREDENTIALS
from bench.dlp_personal import CAPITALS, HEX, PERSONAL, Value, grouped
from bench.dlp_random import digits, some

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_WORD = CAPITALS + _LOWER + _DIGITS
_BASE64 = _WORD + "+/"
_IDS = ("id", "ref", "order", "trace", "item", "value")


def _hexadecimal(words: tuple[str, ...], *counts: int) -> Callable[[random.Random], Value]:
    return lambda rng: Value(some(rng, HEX, rng.choice(counts)), words)


def _one_of(words: tuple[str, ...], *texts: str) -> Callable[[random.Random], Value]:
    """Texts in which `#` is any digit, `?` any lower-case letter and `^` any hexadecimal digit."""
    alphabets = {"#": _DIGITS, "?": _LOWER, "^": HEX}

    def one(rng: random.Random) -> Value:
        text = rng.choice(texts)
        return Value("".join(rng.choice(alphabets.get(letter, letter)) for letter in text), words)

    return one


def _other_digit(digit: str, rng: random.Random) -> str:
    return str((int(digit) + rng.randrange(1, 10)) % 10)


def _wrong_end(entity: str) -> Callable[[random.Random], Value]:
    """A value whose last digit is another one: its check digit."""

    def one(rng: random.Random) -> Value:
        value = PERSONAL[entity][0](rng)
        return Value(value.text[:-1] + _other_digit(value.text[-1], rng), value.words)

    return one


def _wrong_iban(rng: random.Random) -> Value:
    value = PERSONAL["iban"][0](rng)
    return Value(value.text[:2] + _other_digit(value.text[2], rng) + value.text[3:], value.words)


def _wrong_vat(rng: random.Random) -> Value:
    # Of Germany alone: other members have more than one scheme, and a wrong digit may be right by another.
    first = digits(rng, 8)
    return Value(f"DE{first}{_other_digit(checks.mod_11_10(first), rng)}", ("VAT", "vat_number", "USt-IdNr"))


def _impossible_ssn(rng: random.Random) -> Value:
    area, group, serial = (
        f"{rng.randrange(1, 900):03d}",
        f"{rng.randrange(1, 100):02d}",
        f"{rng.randrange(1, 10_000):04d}",
    )
    match rng.randrange(4):
        case 0:
            area = rng.choice(["000", "666"])
        case 1:
            group = "00"
        case 2:
            serial = "0000"
        case _:
            area, group = f"9{rng.randrange(100):02d}", f"{rng.randrange(1, 50):02d}"
    return Value(f"{area}-{group}-{serial}", ("ssn", "ref", "number", "id"))


def _impossible_nino(rng: random.Random) -> Value:
    prefix = rng.choice(
        ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ", "DA", "FA", "IA", "QA", "UA", "VA", "AO", "AD", "AV"]
    )
    return Value(f"{prefix}{some(rng, _DIGITS, 6)}{rng.choice('ABCD')}", ("part", "NINO", "ref", "code"))


def _wrong_wallet(rng: random.Random) -> Value:
    address = checks.base58check(b"\0" + rng.randbytes(20))
    match rng.randrange(3):
        case 0:
            return Value(address[:-1] + ("b" if address[-1] == "a" else "a"), ("wallet", "address", "id"))
        case 1:
            segwit = checks.segwit(0, rng.randbytes(20))
            return Value(segwit[:-1] + ("q" if segwit[-1] == "p" else "p"), ("wallet", "address", "id"))
        case _:
            text = checks.eip55(some(rng, _LOWER[:6], 40))
            at = rng.randrange(2, 42)
            return Value(text[:at] + text[at].swapcase() + text[at + 1 :], ("wallet", "address", "contract"))


def _passes_luhn(number: str) -> bool:
    return checks.luhn(number[:-1]) == number[-1]


def _order_number(rng: random.Random) -> Value:
    number = digits(rng, rng.choice([6, 7, 8, 9, 9, 9, 10, 10, 11, 12, 13, 14, 15, 16, 16, 18, 20]))
    if 13 <= len(number) <= 19 and _passes_luhn(number):  # nobody could tell that one from a card
        number = number[:-1] + _other_digit(number[-1], rng)
    words = ("order", "order_id", "invoice", "ticket", "batch", "count", "bytes", "pid", "sequence", "customer no")
    return Value(rng.choice(["", "", "", "ORD-", "INV-", "#"]) + number, words)


def _timestamp(rng: random.Random) -> Value:
    seconds = rng.randrange(1_500_000_000, 1_900_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    shapes = (str(seconds), f"{seconds}{rng.randrange(1000):03d}", f"{seconds}{rng.randrange(10**6):06d}",
              f"{seconds}.{rng.randrange(10**6):06d}", moment.isoformat(), moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
              moment.strftime("%Y%m%d%H%M%S"), moment.strftime("%Y-%m-%d"), moment.strftime("%d/%m/%Y"))  # fmt: skip
    return Value(
        rng.choice(shapes), ("time", "ts", "created_at", "updated", "due date", "expires", "timestamp", "date")
    )


def _beside_an_empty_field(rng: random.Random) -> Value:
    number = _order_number(rng).text
    name = rng.choice(["ssn", "passport", "routing_number", "sin", "npi", "phone", "password"])
    other = rng.choice(["order_id", "rows", "build", "sequence"])
    return Value(f'"{name}": null, "{other}": "{number}"', ())


def _minified(rng: random.Random) -> Value:
    names = [some(rng, _LOWER, rng.choice([1, 1, 2])) for _ in range(12)]
    pieces = [f"function {rng.choice(names)}({rng.choice(names)},{rng.choice(names)}){{return {rng.choice(names)}"
              f"[{rng.randrange(9999)}]^{rng.choice(names)}>>>{rng.randrange(32)}}}" for _ in range(6)]  # fmt: skip
    pieces.insert(3, f"var {rng.choice(names)}=[{','.join(str(rng.randrange(2**32)) for _ in range(8))}],")
    pieces.insert(5, f'{rng.choice(names)}.token={rng.choice(names)}.password||"",{rng.choice(names)}=!0;')
    return Value("!" + "".join(pieces), ())


def _image(rng: random.Random) -> Value:
    head = rng.choice([b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"GIF89a"])
    data = base64.b64encode(head + rng.randbytes(rng.choice([60, 300, 900]))).decode()
    return Value(f"data:image/{rng.choice(['png', 'jpeg', 'gif'])};base64,{data}", ("src", "icon", "avatar", "image"))


def _integrity(rng: random.Random) -> Value:
    sha512 = base64.b64encode(rng.randbytes(64)).decode()
    sha256 = base64.b64encode(rng.randbytes(32)).decode()
    texts = (f"sha512-{sha512}", f"--hash=sha256:{some(rng, HEX, 64)}", f"h1:{sha256}", f"sha256:{some(rng, HEX, 64)}",
             f"{some(rng, HEX, 32)}-gzip", f"sha1-{base64.b64encode(rng.randbytes(20)).decode()}")  # fmt: skip
    return Value(rng.choice(texts), ("integrity", "resolved", "hash", "digest", "etag"))


def _public_key(rng: random.Random) -> Value:
    body = base64.b64encode(rng.randbytes(rng.choice([91, 294]))).decode()
    if rng.random() < 0.4:
        return Value(f"ssh-rsa AAAAB3NzaC1yc2E{body} build@host", ())
    kind = rng.choice(["CERTIFICATE", "PUBLIC KEY", "CERTIFICATE REQUEST"])
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return Value(f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----", ())


def _jwt_like(rng: random.Random) -> Value:
    header = base64.urlsafe_b64encode(json.dumps({"typ": some(rng, _LOWER, 12)}).encode()).rstrip(b"=").decode()
    texts = (f"{header}.{some(rng, _WORD, 30)}.{some(rng, _WORD, 43)}",
             f"eye{some(rng, _LOWER, 8)}.eyelid.{some(rng, _LOWER, 20)}",
             f"ey{some(rng, _WORD, 30)}.{some(rng, _WORD, 30)}.{some(rng, _WORD, 43)}",
             f"com.example.{some(rng, _LOWER, 8)}.{some(rng, _LOWER, 8)}.Main",
             f"eyJ{some(rng, _WORD, 5)}.js")  # fmt: skip
    return Value(rng.choice(texts), ("module", "class", "name", "value"))


def _truncated(rng: random.Random) -> Value:
    """The beginning of a token, as documents and logs show it."""
    entity = rng.choice(["github_token", "gcp_api_key", "stripe_key", "huggingface_token", "npm_token",
                         "aws_access_key",
                         "gitlab_token", "sendgrid_key", "shopify_token", "digitalocean_token"])  # fmt: skip
    text = CREDENTIALS[entity][0](rng).text
    return Value(text[: rng.randrange(4, 10)] + rng.choice(["...", "****", "…", "xxxx"]), ("key", "token", "prefix"))


def _card_in_a_float(rng: random.Random) -> Value:
    return Value(
        f"0.{PERSONAL['payment_card'][0](rng).text.replace(' ', '').replace('-', '')}", ("score", "ratio", "x")
    )


def _phone_like(rng: random.Random) -> Value:
    texts = (f"{digits(rng, 3)}-{digits(rng, 4)}-{digits(rng, 2)}", f"{digits(rng, 2)}-{digits(rng, 7)}",
             f"{rng.choice('01')}{digits(rng, 2)}-{rng.choice('01')}{digits(rng, 2)}-{digits(rng, 4)}", digits(rng, 10),
             f"{digits(rng, 5)}-{digits(rng, 4)}", f"{digits(rng, 4)}-{digits(rng, 4)}-{digits(rng, 4)}")  # fmt: skip
    return Value(rng.choice(texts), ("part no", "sku", "zip", "item", "lot", "model"))


_PLACEHOLDERS = _one_of(
    ("password", "api_key", "client_secret", "secret", "token"),
    "${DB_PASSWORD}", "<YOUR_API_KEY>", "your-api-key-here", "changeme", "********", "xxxxxxxxxxxxxxxxxxxx", "REDACTED",
    "{{ .Values.token }}", "os.environ[SECRET]", "process.env.API_KEY", "[REDACTED:generic_secret]", "null",
    "undefined",
    "getPassword(user)", "%s", "$(cat /run/secrets/token)", "required", "string", "string(min=8,max=64)",
    "YOUR_SECRET_HERE",
    "self.settings.password", "config.get_secret_value()", "vault:secret/data/app#password", "example", "test", "None",
)  # fmt: skip
_WORDS_WITH_PREFIXES = _one_of(
    _IDS,
    "sk-learn-compatible-estimators", "hf_hub_download", "npm_config_registry", "pypi-server-index",
    "ghp_pages_deploy_key",
    "dapi-documentation", "SG.mail.templates", "xoxb-your-token-here", "glpat-documentation", "hvs.configuration.yaml",
    "sk_live_mode_enabled", "shpat_description", "github_pat_rotation_policy", "dop_v1_migration", "AKIAN-region-list",
    "sk-ant-colony-simulator", "AIza-prefix-table", "ASIANFUSIONRESTAURANT", "skeleton_test_fixture_loader_class_name",
)  # fmt: skip
_ADDRESS_LIKE = _one_of(
    _IDS,
    "@scope/package@#.#.#", "https://blog.example/@?????/post-###", "@Override", "user at example", "react@^##.#.#",
    "a@b", "????@", "@????????", "left@right", "postgres://localhost:5432/app", "https://example.com:8443/a?b=c#d",
    "redis://cache:6379/0", "mysql://host/db", "http://proxy.example:3128", "amqp://broker/vhost",
)  # fmt: skip
_IP_LIKE = _one_of(
    ("version", "release", "oid", "build", "time"),
    "1.3.6.1.4.1.311.#", "999.#.#.#", "25#.300.1.1", "#.#.#.#.#", "##.#.##", "v#.##.#-rc.#", "std::vector::size",
    "##:##:##.###", "^^:^^:^^:^^:^^:^^", "abc::def::ghi", "#.#",
    "^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^:^^",
)  # fmt: skip

NEAR_MISSES: Mapping[str, Callable[[random.Random], Value]] = {
    "git sha": _hexadecimal(("commit", "sha", "rev", "parent", "tree"), 40, 40, 7, 12),
    "uuid": lambda rng: Value(str(uuid.UUID(int=rng.getrandbits(128), version=4)), ("id", "uuid", "device")),
    "uuid without hyphens": _hexadecimal(("trace_id", "correlation", "object"), 32),
    "timestamp": _timestamp,
    "order number": _order_number,
    "number beside an empty field": _beside_an_empty_field,
    "phone-like number": _phone_like,
    "hash": _hexadecimal(("md5", "sha256", "checksum", "etag", "digest", "fingerprint"), 32, 40, 64, 128),
    "minified code": _minified,
    "base64 image": _image,
    "integrity line": _integrity,
    "four-part version": lambda rng: Value(
        ".".join(str(rng.randrange(n)) for n in (20, 10, 30_000, 3_000)), ("version", "build", "Chrome/", "release")
    ),
    "hex colour": lambda rng: Value(
        "#" + some(rng, HEX, rng.choice([3, 6, 6, 8])), ("color", "background", "border", "fill")
    ),
    "card with a wrong check digit": _wrong_end("payment_card"),
    "IBAN with wrong check digits": _wrong_iban,
    "routing number with a wrong check digit": _wrong_end("us_routing_number"),
    "SIN with a wrong check digit": _wrong_end("ca_sin"),
    "NPI with a wrong check digit": _wrong_end("us_npi"),
    "VAT number with a wrong check digit": _wrong_vat,
    "impossible SSN": _impossible_ssn,
    "impossible NINO": _impossible_nino,
    "wallet with a wrong checksum": _wrong_wallet,
    "JWT-like word": _jwt_like,
    "truncated token": _truncated,
    "words that begin like a token": _WORDS_WITH_PREFIXES,
    "placeholder for a secret": _PLACEHOLDERS,
    "public key or certificate": _public_key,
    "e-mail-like or URL without password": _ADDRESS_LIKE,
    "IP-like": _IP_LIKE,
    "decimal fraction": _card_in_a_float,
    "0x address or hash": _one_of(("tx", "ptr", "at", "block"), "0x" + "^" * 64, "0x7ff" + "^" * 9, "0x" + "^" * 16),
    "trace or cloud id": _one_of(
        ("traceparent", "arn", "request", "resource"),
        f"00-{'^' * 32}-{'^' * 16}-01", f"1-{'^' * 8}-{'^' * 24}", "arn:aws:iam::############:role/deploy-????",
        f"projects/#########/zones/eu-{'?' * 4}", f"i-0{'^' * 16}", f"vpc-{'^' * 8}", "####-####-##",
    ),
    "tracking, book or article number": _one_of(
        ("tracking", "isbn", "ean", "upc"), "1Z999AA1##########", "978-3-16-14841#-#", "97831614841##", "0########## #",
        "TBA############",
    ),
    "file name or path": _one_of(
        ("file", "path", "source"),
        "src/main/java/com/example/Token?????.java", "backup-2024-##-##-######.tar.gz", "IMG_2024####_######.jpg",
        "/var/lib/app/secrets/README.md", "node_modules/jsonwebtoken/index.js",
        "password_reset_token_generator_test.go",
    ),
    "group of numbers": lambda rng: Value(grouped(digits(rng, 12), (4, 4, 4), rng.choice(" -.")), ("serial", "code")),
}  # fmt: skip
