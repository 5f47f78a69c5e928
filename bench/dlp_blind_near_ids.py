"""Near misses of machines: what programs number, hash, encode and measure, and nobody need hide."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
import zlib
from collections.abc import Callable

from bench.dlp_blind_text import (
    SERVICES,
    WORDS,
    filler,
    hexadecimal,
    moment,
    person,
    some_uuid,
    stamp,
)  # fmt: skip
from bench.dlp_random import digits, some

Maker = Callable[[random.Random], str]
_ALNUM = string.ascii_letters + string.digits


def _commit(rng: random.Random) -> str:
    sha = hexadecimal(rng, 40)
    return rng.choice((
        (
            f"commit {sha}\nAuthor: {person(rng)}\nDate:   {moment(rng):%a %b %d %H:%M:%S %Y}\n\n    Fix the "
            f"{rng.choice(WORDS)} case\n"
        ),
        f"uses: actions/checkout@{sha} # v4.2.{rng.randrange(9)}", f"Merge {sha[:8]} into {hexadecimal(rng, 40)}",
        f"index {sha[:7]}..{hexadecimal(rng, 7)} 100644",
        f"https://git.{rng.choice(WORDS)}.example/{rng.choice(WORDS)}/commit/{sha}",
    ))  # fmt: skip


def _uuids(rng: random.Random) -> str:
    first = rng.choice(
        (
            some_uuid(rng),
            some_uuid(rng).upper(),
            f"{{{some_uuid(rng)}}}",
            f"urn:uuid:{some_uuid(rng)}",
            some_uuid(rng).replace("-", ""),
        )
    )
    return rng.choice((
        f'{{"id":"{first}","parent":"{some_uuid(rng)}"}}', f"trace {first} span {hexadecimal(rng, 16)}",
        f"SELECT * FROM jobs WHERE id = '{first}'",  # noqa: S608  (text to be scanned, no query)
        f"GET /v1/accounts/{first}/orders?cursor={hexadecimal(rng, 24)}", f"job: {first} done",
    ))  # fmt: skip


def _stamps(rng: random.Random) -> str:
    time = moment(rng)
    return rng.choice((
        (
            f'{{"created":{int(time.timestamp())},"updated":{int(time.timestamp() * 1000)},"ns":'
            f'{int(time.timestamp() * 10**9)}}}'
        ),
        f"{time:%Y%m%d%H%M%S}{rng.randrange(1000):03d} start",
        f"backup-{time:%Y-%m-%d}-{rng.randrange(10_000):04d}.tar.zst",
        f"[{stamp(rng)}] tick {rng.randrange(10**9)}", f"Expires: {time:%a, %d %b %Y %H:%M:%S} GMT",
        f"valid {time:%d.%m.%Y} - {moment(rng):%d.%m.%Y}",
        f"due {time:%m/%d/%Y}, issued {moment(rng):%m/%d/%Y}", f'"release_date": "{time:%Y-%m-%d}"',
        f"meeting on {time:%d %B %Y} at 10:30",
    ))  # fmt: skip


def _hashes(rng: random.Random) -> str:
    value = hexadecimal(rng, rng.choice((32, 40, 56, 64, 128)))
    return rng.choice((
        f"{value}  {rng.choice(WORDS)}-{rng.randrange(9)}.tar.gz", f"sha256:{hexadecimal(rng, 64)}",
        f'ETag: "{value[:32]}"', f"--hash=sha256:{hexadecimal(rng, 64)}",
        f"image: registry.example/{rng.choice(WORDS)}@sha256:{hexadecimal(rng, 64)}",
        f'"integrity": "sha512-{base64.b64encode(rng.randbytes(64)).decode()}"',
        f"Content-MD5: {base64.b64encode(rng.randbytes(16)).decode()}",
        f'{{"checksum":"{value}","size":{rng.randrange(10**7)}}}', f"md5={hexadecimal(rng, 32)} ok",
        f"SHA256:{base64.b64encode(rng.randbytes(32)).decode().rstrip('=')} {rng.choice(WORDS)} (ED25519)",
        f"cache key {value}", f'"fingerprint": "{":".join(hexadecimal(rng, 2).upper() for _ in range(20))}"',
    ))  # fmt: skip


def _versions(rng: random.Random) -> str:
    a, b, c, d = (rng.randrange(n) for n in (30, 60, 200, 9_000))
    return rng.choice((
        (
            f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{100 + a}.0."
            f"{4_000 + d}.{c} Safari/537.36"
        ),
        f'"{rng.choice(WORDS)}": "^{a}.{b}.{c}"', f"{rng.choice(WORDS)}=={a}.{b}.{c}.post{a}",
        f"AssemblyVersion({chr(34)}{a}.{b}.{d}.0{chr(34)})", f"version {a}.{b}.{c}.{d} is out",
        f"FileVersion: {a}.{b}.{c}.{rng.randrange(256)}",
        f"upgraded {rng.choice(WORDS)} from {a}.{b} to {a + 1}.0-rc{b}", f"v{a}.{b}.{c}+build.{d}",
        f"OID 1.3.6.1.4.1.{d}.{a}.{b}",
        f"see section {a}.{b}.{c % 9}.{b % 9} of the manual",
    ))  # fmt: skip


def _blobs(rng: random.Random) -> str:
    data = base64.b64encode(rng.randbytes(rng.randrange(300, 1_500))).decode()
    packed = base64.b64encode(zlib.compress(rng.randbytes(300))).decode()
    return rng.choice((
        f'<img src="data:image/png;base64,iVBORw0KGgo{data}">', f'{{"thumbnail":"{data}","w":64}}',
        f"//# sourceMappingURL=data:application/json;base64,{data}",
        f"background:url(data:font/woff2;base64,{packed})",
        "Content-Transfer-Encoding: base64\r\n\r\n" + "\r\n".join(data[at : at + 76] for at in range(0, len(data), 76)),
        f'"cursor":"{base64.urlsafe_b64encode(rng.randbytes(30)).decode()}"',
        f"-----BEGIN CERTIFICATE-----\n{data[:640]}\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{data[:392]}\n-----END PUBLIC KEY-----",
        f"ssh-rsa AAAAB3NzaC1yc2E{data[:360]} {rng.choice(WORDS)}",
    ))  # fmt: skip


def _minified(rng: random.Random) -> str:
    names = [some(rng, string.ascii_letters, rng.randrange(1, 3)) for _ in range(8)]
    return (
        f"!function({names[0]},{names[1]}){{var {names[2]}=0x{hexadecimal(rng, 8)},{names[3]}={rng.random()};"
        f"for(let i=0;i<{digits(rng, 3)};i++){names[4]}[i]^={names[5]}.charCodeAt({digits(rng, 2)})<<"
        f"{digits(rng, 1)};return {names[6]}?{names[7]}:void 0}}"
        f'(window,{{{names[0]}:{digits(rng, rng.choice((5, 9, 10, 13, 16)))},path:"M{digits(rng, 2)}.'
        f'{digits(rng, 4)} {digits(rng, 3)}-{digits(rng, 2)}-{digits(rng, 4)}z"}});'
    )


def _telemetry(rng: random.Random) -> str:
    return json.dumps({
        "ts": int(moment(rng).timestamp() * 1000), "svc": rng.choice(SERVICES), "p99_ms": round(rng.random() * 900, 3),
        "bytes": rng.randrange(10**12),
        "span_id": hexadecimal(rng, 16), "parent": str(rng.randrange(10**18)),
        "cpu": [round(rng.random(), 6) for _ in range(6)], "seq": rng.randrange(10**9),
    })  # fmt: skip


def _snowflakes(rng: random.Random) -> str:
    number = rng.randrange(10**17, 2 * 10**18)
    return rng.choice((
        f'{{"message_id":"{number}","channel_id":"{rng.randrange(10**17, 10**18)}"}}',
        f"https://social.example/status/{number}", f"<@{rng.randrange(10**17, 10**18)}> hello",
        f'"account_id": {rng.randrange(10**15, 10**16)}',
        f"node_id={rng.randrange(10**14, 10**16)} shard={rng.randrange(90)}",
        f"offset {rng.randrange(10**12, 10**16)} of partition {rng.randrange(30)}",
    ))  # fmt: skip


def _cloud(rng: random.Random) -> str:
    account = digits(rng, 12)
    return rng.choice((
        f"arn:aws:iam::{account}:role/{rng.choice(WORDS)}",
        f"arn:aws:lambda:eu-west-1:{account}:function:{rng.choice(WORDS)}",
        f"i-{hexadecimal(rng, 17)} vpc-{hexadecimal(rng, 8)} ami-{hexadecimal(rng, 17)}",
        f"AROA{some(rng, string.ascii_uppercase + '234567', 17)}:session",
        f"projects/{digits(rng, 12)}/locations/europe-west1/keyRings/{rng.choice(WORDS)}",
        f"/subscriptions/{some_uuid(rng)}/resourceGroups/{rng.choice(WORDS)}",
        f"price_1{some(rng, _ALNUM, 23)} cus_{some(rng, _ALNUM, 14)} pi_3{some(rng, _ALNUM, 23)}",
        f"pk_live_{some(rng, _ALNUM, 24)}",
        f"chatcmpl-{some(rng, _ALNUM, 29)} resp_{hexadecimal(rng, 48)} msg_01{some(rng, _ALNUM, 22)}",
        f"SM{hexadecimal(rng, 32)} delivered, service MG{hexadecimal(rng, 32)}",
        f"gid://shopify/Product/{digits(rng, 13)}",
        f"{digits(rng, 12)}-{some(rng, string.ascii_lowercase + string.digits, 32)}.apps.googleusercontent.com",
        (
            f"Ray ID: {hexadecimal(rng, 16)}-FRA, x-amz-request-id: "
            f"{some(rng, string.ascii_uppercase + string.digits, 16)}, x-amz-id-2: "
            f"{base64.b64encode(rng.randbytes(56)).decode()}"
        ),
    ))  # fmt: skip


def _numbers_in_code(rng: random.Random) -> str:
    return rng.choice((
        f"const MAX = {digits(rng, rng.choice((9, 10, 13, 16)))};",
        f"#define MAGIC 0x{hexadecimal(rng, rng.choice((8, 16, 40)))}",
        f"[{', '.join(str(rng.randrange(10**9)) for _ in range(8))}]",
        f"{rng.random()},{rng.random()},{-rng.random() * 90}", f"uint64_t seed = {rng.randrange(2**63)}ULL;",
        f"at Object.<anonymous> ({rng.choice(WORDS)}.js:{digits(rng, 3)}:{digits(rng, 2)})",
        (
            f"0x{hexadecimal(rng, 12)} in {rng.choice(WORDS)}::{rng.choice(WORDS)} ("
            f"{uuid.UUID(int=rng.getrandbits(128)).hex})"
        ),
        f"rgb({digits(rng, 2)}, {digits(rng, 2)}, {digits(rng, 2)}) #{hexadecimal(rng, 6)}",
        (
            f'viewBox="0 0 {digits(rng, 3)} {digits(rng, 3)}" d="M{digits(rng, 3)}.{digits(rng, 2)}-'
            f'{digits(rng, 2)}.{digits(rng, 4)}l{digits(rng, 2)}-{digits(rng, 4)}"'
        ),
        f"{filler(rng)[1]} at 0x{hexadecimal(rng, 16)}",
        (
            f"{hexadecimal(rng, 2)}:{hexadecimal(rng, 2)}:{hexadecimal(rng, 2)}:{hexadecimal(rng, 2)}:"
            f"{hexadecimal(rng, 2)}:{hexadecimal(rng, 2)} REACHABLE"
        ),
        f"std::vector<int>::begin() Foo::bar({digits(rng, 4)})",
        f"10:{digits(rng, 2)}:{digits(rng, 2)} up {digits(rng, 3)} days",
    ))  # fmt: skip


def _placeholders(rng: random.Random) -> str:
    return rng.choice((
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        'password = "changeme"', "password: ${DB_PASSWORD}", "api_key = os.environ['API_KEY']",
        "token: <your-token-here>", "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx", "OPENAI_API_KEY=sk-...",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "postgres://user:password@localhost:5432/db",
        "https://user:pass@host/path",
        "GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}", 'secret = get_secret("billing/stripe")', "password=********",
        "client_secret: !vault |", "postgresql://${DB_USER}:${DB_PASS}@${DB_HOST}/app",
        "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "xoxb-your-bot-token", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "password: str = Field(min_length=12)", "if (password !== confirmPassword) {",
        "const { token } = await login(username, password);", "passwordResetTokenExpiry = 3600",
        '"passwordPolicy": "NIST-800-63B-revision-3"', "secretName: billing-tls-certificate-2024",
        'api_key_header = "X-Api-Key-Authorization"', "auth_token_url=https://id.example/oauth2/token",
        "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "export VAULT_TOKEN=$(vault print token)", "SECRET_KEY = config('SECRET_KEY')",
        "redis://:${REDIS_PASSWORD}@cache:6379/0", "password_hash_algorithm: argon2id-v19-m65536",
        "token_count: 128000", 'tokens = tokenizer.encode("some longer text here")', "api_key=YOUR_API_KEY_GOES_HERE",
        "dapiXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "sk-ant-api03-...", "PASSWORD_FILE=/run/secrets/db_password",
        "secret/data/billing/production/database",
    )) + rng.choice(("", "\n", f"  # {rng.choice(WORDS)}", f"\n{filler(rng)[0]}: {filler(rng)[1]}"))  # fmt: skip


MACHINES: dict[str, Maker] = {
    "commits": _commit, "UUIDs": _uuids, "timestamps and dates": _stamps, "hashes": _hashes, "versions": _versions,
    "base64 and certificates": _blobs,
    "minified code": _minified, "telemetry": _telemetry, "snowflakes and offsets": _snowflakes,
    "cloud resources": _cloud, "numbers in code": _numbers_in_code,
    "placeholders of secrets": _placeholders,
}  # fmt: skip
