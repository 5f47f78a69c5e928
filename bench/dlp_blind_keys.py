"""Keys and tokens of providers, in the forms that they hand out."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid

from bench.dlp_blind_text import OPEN, SHUT, WORDS, hexadecimal, moment
from bench.dlp_checksums import crc32_base62
from bench.dlp_random import some

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_ALNUM = string.ascii_letters + _DIGITS
_URL = _ALNUM + "-_"
_B64 = _ALNUM + "+/"


def anthropic_key(rng: random.Random) -> str:
    """Keys of the API and of its administration, tokens of OAuth."""
    return f"sk-ant-{rng.choice(('api03', 'api03', 'api03', 'admin01', 'oat01', 'ort01'))}-{some(rng, _URL, 93)}AA"


def aws_access_key(rng: random.Random) -> str:
    """Key IDs, lasting and for a session."""
    return rng.choice(("AKIA", "AKIA", "AKIA", "ASIA", "ASIA", "ABIA", "ACCA")) + some(rng, _UPPER + "234567", 16)


def aws_secret_key(rng: random.Random) -> str:
    """Forty characters of base64."""
    return some(rng, _B64, 40)


def azure_key(rng: random.Random) -> str:
    """Keys of storage, of buses and databases, signatures, secrets of applications."""
    long, short = base64.b64encode(rng.randbytes(64)).decode(), base64.b64encode(rng.randbytes(32)).decode()
    pick = rng.randrange(6)
    if pick == 0:
        return (
            f"DefaultEndpointsProtocol=https;AccountName={rng.choice(WORDS)}store{rng.randrange(99)};"
            f"AccountKey={OPEN}{long}{SHUT};EndpointSuffix=core.windows.net"
        )
    if pick == 1:
        return (
            f"Endpoint=sb://{rng.choice(WORDS)}-bus.servicebus.windows.net/;"
            f"SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={OPEN}{short}{SHUT}"
        )
    if pick == 2:
        return f"AccountEndpoint=https://{rng.choice(WORDS)}.documents.azure.com:443/;AccountKey={OPEN}{long}{SHUT};"
    if pick == 3:
        signature = short.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        return (
            f"https://{rng.choice(WORDS)}store.blob.core.windows.net/backups/{rng.choice(WORDS)}.bak?sv=2022-11-02&sr=b"
            f"&se={moment(rng):%Y-%m-%dT%H%%3A%M%%3A%SZ}&sp=r&sig={OPEN}{signature}{SHUT}"
        )
    if pick == 4:
        return (
            f"HostName={rng.choice(WORDS)}-hub.azure-devices.net;DeviceId=d{rng.randrange(99)};SharedAccessKey"
            f"={OPEN}{short}{SHUT}"
        )
    return f"{some(rng, _ALNUM, 3)}{rng.choice('78')}Q~{some(rng, _ALNUM + '-_.~', 34)}"


def databricks_token(rng: random.Random) -> str:
    """Personal tokens."""
    return f"dapi{hexadecimal(rng, 32)}{rng.choice(('', '', '-2', '-3'))}"


def digitalocean_token(rng: random.Random) -> str:
    """Personal, OAuth's and refresh tokens."""
    return f"do{rng.choice('ppor')}_v1_{hexadecimal(rng, 64)}"


def gcp_api_key(rng: random.Random) -> str:
    """Keys, secrets of clients, access tokens."""
    pick = rng.randrange(10)
    if pick < 6:
        return f"AIza{rng.choice(('Sy', 'Sy', ''))}{some(rng, _URL, 35)}"[:39]
    return (
        f"GOCSPX-{some(rng, _URL, 28)}"
        if pick < 8
        else f"ya29.{rng.choice(('a0', 'c.', ''))}{some(rng, _URL, rng.randrange(120, 210))}"
    )


def github_token(rng: random.Random) -> str:
    """Classic and fine-grained ones, and those of servers, old and new."""
    pick = rng.randrange(10)
    if pick < 5:
        body = some(rng, _ALNUM, 30)
        return f"gh{rng.choice('pppour')}_{body}{crc32_base62(body)}"
    if pick < 7:
        return f"github_pat_{some(rng, _ALNUM, 22)}_{some(rng, _ALNUM, 59)}"
    if pick < 8:
        return f"ghs_{some(rng, _ALNUM, 36)}"
    return f"ghs_{rng.randrange(10_000, 3_000_000)}_{jwt(rng)}"


def gitlab_token(rng: random.Random) -> str:
    """By what they are for; personal ones also in the form that tells the cell."""
    kind = rng.choice(
        (
            "glpat",
            "glpat",
            "glpat",
            "glpat",
            "gldt",
            "glptt",
            "glrt",
            "glsoat",
            "glft",
            "glimt",
            "glagent",
            "glcbt",
            "GR1348941",
        )
    )
    if kind == "GR1348941":
        return kind + some(rng, _URL, 20)
    if kind == "glcbt":
        return f"glcbt-{hexadecimal(rng, 2)}_{some(rng, _URL, 20)}"
    if kind == "glptt":
        return f"glptt-{hexadecimal(rng, 40)}"
    if kind == "glagent":
        return f"glagent-{some(rng, _URL, 50)}"
    if kind == "glpat" and rng.random() < 0.35:
        return f"glpat-{some(rng, _URL, 27)}.01.{some(rng, _LOWER + _DIGITS, 9)}"
    return f"{kind}-{some(rng, _URL, 20)}"


def huggingface_token(rng: random.Random) -> str:
    """A user's and an organization's."""
    return f"{rng.choice(('hf_', 'hf_', 'hf_', 'api_org_'))}{some(rng, string.ascii_letters, 34)}"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def jwt(rng: random.Random) -> str:
    """Signed ones of all algorithms, and encrypted ones."""
    algorithm, length = rng.choice(
        (("HS256", 43), ("RS256", 342), ("ES256", 86), ("EdDSA", 86), ("PS384", 342), ("HS512", 86))
    )
    header: dict[str, object] = {"alg": algorithm, "typ": rng.choice(("JWT", "at+jwt"))}
    if rng.random() < 0.5:
        header = {"kid": hexadecimal(rng, 16), **header}
    if rng.random() < 0.1:
        encrypted = _part({"alg": "RSA-OAEP-256", "enc": "A256GCM"})
        return ".".join((encrypted, *(some(rng, _URL, n) for n in (342, 16, rng.randrange(60, 200), 22))))
    issued = int(moment(rng).timestamp())
    claims = {
        "iss": f"https://id.{rng.choice(WORDS)}.example/",
        "sub": str(uuid.UUID(int=rng.getrandbits(128))),
        "iat": issued,
        "exp": issued + 3_600,
    }
    return f"{_part(header)}.{_part(claims)}.{some(rng, _URL, length)}"


def npm_token(rng: random.Random) -> str:
    """Thirty characters and their checksum."""
    body = some(rng, _ALNUM, 30)
    return f"npm_{body}{crc32_base62(body)}"


def openai_key(rng: random.Random) -> str:
    """Of projects, service accounts and administrators, and the legacy form."""
    kind = rng.choice(("proj-", "proj-", "svcacct-", "admin-", ""))
    length = 20 if not kind else rng.choice((58, 74))
    signs = _ALNUM if not kind else _URL
    return f"sk-{kind}{some(rng, signs, length)}T3BlbkFJ{some(rng, signs, length)}"


def pypi_token(rng: random.Random) -> str:
    """Macaroons of PyPI and of its test instance."""
    start = rng.choice(("pypi-AgEIcHlwaS5vcmc", "pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"))
    return start + some(rng, _URL, rng.randrange(120, 180))


def sendgrid_key(rng: random.Random) -> str:
    """Two parts behind two letters."""
    return f"SG.{some(rng, _URL, 22)}.{some(rng, _URL, 43)}"


def shopify_token(rng: random.Random) -> str:
    """Of apps of all kinds."""
    return f"{rng.choice(('shpat_', 'shpat_', 'shpca_', 'shppa_', 'shpss_'))}{hexadecimal(rng, 32)}"


def slack_token(rng: random.Random) -> str:
    """Of bots, users, apps, and those that are rotated."""
    number = str(rng.randrange(10**11, 10**13))
    pick = rng.randrange(7)
    if pick < 3:
        return f"xoxb-{number}-{rng.randrange(10**11, 10**13)}-{some(rng, _ALNUM, 24)}"
    if pick == 3:
        return f"xoxp-{number}-{rng.randrange(10**11, 10**13)}-{rng.randrange(10**11, 10**13)}-{hexadecimal(rng, 32)}"
    if pick == 4:
        return f"xapp-1-A{some(rng, _UPPER + _DIGITS, 10)}-{number}-{hexadecimal(rng, 64)}"
    if pick == 5:
        return f"xoxe.xox{rng.choice('bp')}-1-{some(rng, _ALNUM, 166)}"
    return f"xoxe-1-{some(rng, _ALNUM, 146)}"


def slack_webhook(rng: random.Random) -> str:
    """Where messages and workflows are sent to."""
    team, other = f"T{some(rng, _UPPER + _DIGITS, rng.choice((8, 10)))}", some(rng, _UPPER + _DIGITS, 10)
    if rng.random() < 0.75:
        return f"https://hooks.slack.com/services/{team}/B{other}/{some(rng, _ALNUM, 24)}"
    kind, number = rng.choice(("workflows", "triggers")), rng.randrange(10**11, 10**13)
    if kind == "workflows":
        return f"https://hooks.slack.com/workflows/{team}/A{other}/{number * 100_000}/{some(rng, _ALNUM, 24)}"
    return f"https://hooks.slack.com/triggers/{team}/{number}/{hexadecimal(rng, 32)}"


def stripe_key(rng: random.Random) -> str:
    """Secret and restricted ones, old and long, live and test; secrets of webhooks."""
    if rng.random() < 0.2:
        return f"whsec_{some(rng, _ALNUM, 32)}"
    return (
        f"{rng.choice(('sk', 'sk', 'rk'))}_{rng.choice(('live', 'live', 'test'))}_"
        f"{some(rng, _ALNUM, rng.choice((24, 24, 99)))}"
    )


def vault_token(rng: random.Random) -> str:
    """Of services, batches and recovery, as they are since 1.10."""
    pick = rng.randrange(6)
    if pick < 3:
        return f"hvs.{some(rng, _ALNUM, 24)}"
    if pick == 3:
        return f"hvs.CAESI{some(rng, _URL, 90)}"
    return f"hvb.AAAAAQ{some(rng, _URL, rng.randrange(140, 180))}" if pick == 4 else f"hvr.{some(rng, _ALNUM, 24)}"
