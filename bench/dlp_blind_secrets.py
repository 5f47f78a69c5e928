"""Secrets that are what they are by what stands beside them: passwords, URLs with one, private keys."""

from __future__ import annotations

import base64
import json
import random
import string
import textwrap
from urllib.parse import quote

from bench.dlp_blind_text import OPEN, SERVICES, SHUT, WORDS, also, hexadecimal, some_uuid
from bench.dlp_random import some

_ALNUM = string.ascii_letters + string.digits
_USERS = ("admin", "app", "deploy", "postgres", "readonly", "root", "svc-etl", "web_user")


def password(rng: random.Random) -> str:
    """What generators make, and what people think of."""
    pick = rng.randrange(10)
    if pick < 4:
        return some(rng, _ALNUM, rng.choice((12, 16, 20, 24, 32)))
    if pick < 7:
        signs = _ALNUM + "!#$%&*+-.=?@^_~"
        return some(rng, string.ascii_letters, 1) + some(rng, signs, rng.choice((11, 15, 19))) + some(rng, _ALNUM, 1)
    if pick == 7:
        return "-".join(some(rng, _ALNUM, 6) for _ in range(3))
    word = rng.choice(WORDS).capitalize()
    return rng.choice((
        f"{word}{rng.randrange(1_960, 2_026)}!",
        f"{word.replace('a', '4').replace('e', '3')}#{rng.randrange(10, 9_999)}",
        f"{word}-{rng.choice(WORDS).capitalize()}-{rng.randrange(10, 99)}",
    ))  # fmt: skip


def generic_secret(rng: random.Random) -> str:
    """Passwords and tokens that no provider marks."""
    return rng.choice((
        password(rng), password(rng), password(rng), hexadecimal(rng, rng.choice((32, 40, 64))),
        base64.b64encode(rng.randbytes(rng.choice((24, 32, 48)))).decode(),
        some(rng, _ALNUM + "-_", rng.choice((32, 43))),
        some_uuid(rng),
    ))  # fmt: skip


def _in_url(rng: random.Random) -> str:
    return f"{OPEN}{quote(password(rng), safe='')}{SHUT}"


def _host(rng: random.Random) -> str:
    return rng.choice(
        (f"{rng.choice(WORDS)}.internal", f"db-{rng.randrange(9)}.{rng.choice(WORDS)}.example", "localhost", "db")
    )


def basic_auth_url(rng: random.Random) -> str:
    """URLs of the web, of git, of proxies, of files, with a name and a password."""
    user = rng.choice((*_USERS, "oauth2", "x-token-auth", "ci%40corp"))
    return rng.choice((
        f"https://{user}:{_in_url(rng)}@{_host(rng)}/api/v{rng.randrange(9)}/status",
        f"https://{user}:{_in_url(rng)}@git.{rng.choice(WORDS)}.example/{rng.choice(WORDS)}/{rng.choice(WORDS)}.git",
        f"http://{user}:{_in_url(rng)}@proxy.{rng.choice(WORDS)}.example:3128",
        f"ftp://{user}:{_in_url(rng)}@files.{rng.choice(WORDS)}.example/upload",
        f"sftp://{user}:{_in_url(rng)}@{_host(rng)}:22/in",
        f"https://{user}:{_in_url(rng)}@pypi.{rng.choice(WORDS)}.example/simple/",
    ))  # fmt: skip


def connection_string(rng: random.Random) -> str:
    """URLs and settings of databases, queues and caches."""
    user, host, base, secret = rng.choice(_USERS), _host(rng), rng.choice(WORDS), _in_url(rng)
    plain = f"{OPEN}{some(rng, _ALNUM, rng.choice((12, 16, 24)))}{SHUT}"
    return rng.choice((
        (
            f"{rng.choice(('postgres', 'postgresql', 'postgresql+asyncpg'))}://{user}:{secret}@{host}:5432/"
            f"{base}?sslmode=require"
        ),
        f"{rng.choice(('mysql', 'mysql2', 'mysql+pymysql', 'mariadb'))}://{user}:{secret}@{host}:3306/{base}",
        (
            f"mongodb+srv://{user}:{secret}@cluster0.{some(rng, string.ascii_lowercase, 5)}.mongodb.net/{base}"
            "?retryWrites=true"
        ),
        f"mongodb://{user}:{secret}@{host}:27017,{host}:27018/?replicaSet=rs0",
        f"{rng.choice(('redis', 'rediss'))}://{rng.choice(('', 'default'))}:{secret}@{host}:6379/{rng.randrange(9)}",
        f"{rng.choice(('amqp', 'amqps'))}://{user}:{secret}@{host}:5672/%2f",
        f"Server=tcp:{host},1433;Initial Catalog={base};User ID={user};Password={plain};Encrypt=True;",
        f"Data Source={host};Database={base};Uid={user};Pwd={plain};",
        f"Driver={{ODBC Driver 18 for SQL Server}};Server={host};Database={base};UID={user};PWD={plain}",
        f"host={host} port=5432 dbname={base} user={user} password={plain} sslmode=require",
        f"jdbc:postgresql://{host}:5432/{base}?user={user}&password={plain}",
        f"jdbc:sqlserver://{host}:1433;databaseName={base};user={user};password={plain};",
        f"jdbc:mysql://{user}:{plain}@{host}:3306/{base}",
        f"clickhouse://{user}:{secret}@{host}:9000/{base}",
    ))  # fmt: skip


def datadog_key(rng: random.Random) -> str:
    """Keys of the API, and of applications."""
    return hexadecimal(rng, rng.choice((32, 32, 40)))


def twilio_key(rng: random.Random) -> str:
    """SIDs of accounts and of keys."""
    return rng.choice(("AC", "SK")) + hexadecimal(rng, 32)


def twilio_auth_token(rng: random.Random) -> str:
    """Thirty-two digits beside the provider's name."""
    token = f"{OPEN}{hexadecimal(rng, 32)}{SHUT}"
    return rng.choice((
        f"TWILIO_AUTH_TOKEN={token}", f"twilio:\n  auth_token: {token}\n", f'{{"twilio": {{"authToken": "{token}"}}}}',
        f'twilio_auth_token = "{token}"', f"the Twilio auth token is {token}",
        f'const twilio = require("twilio")(sid, "{token}");',
        f'{{"twilioAuthToken":"{token}","region":"ie1"}}', f"export TWILIO_TOKEN='{token}'",
        f"Twilio Console > Auth Token: {token}", f"--twilio-auth-token {token}",
    ))  # fmt: skip


def _pem(rng: random.Random, name: str, size: int) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(rng.randbytes(size)).decode(), 64))
    extra = (
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,1B44C1B2\n\n" if name == "RSA " and rng.random() < 0.3 else ""
    )
    return f"-----BEGIN {name}PRIVATE KEY-----\n{extra}{body}\n-----END {name}PRIVATE KEY-----"


def private_key(rng: random.Random) -> str:
    """PEM of all names, PGP's, PuTTY's, in blocks, on one line, in JSON and YAML."""
    pick = rng.randrange(10)
    if pick == 0:
        body = "\n".join(textwrap.wrap(base64.b64encode(rng.randbytes(600)).decode(), 64))
        return f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{body}\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----\n"
    if pick == 1:
        lines = [base64.b64encode(rng.randbytes(48)).decode() for _ in range(8)]
        return (
            f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: {rng.choice(WORDS)}\nPublic-L"
            f"ines: 2\n{lines[0]}\n{lines[1]}\n"
            f"Private-Lines: 1\n{OPEN}{lines[2]}{SHUT}\nPrivate-MAC: {hexadecimal(rng, 64)}\n"
        )
    name, size = rng.choice(
        (("", 1_218), ("RSA ", 1_190), ("EC ", 121), ("OPENSSH ", 300), ("ENCRYPTED ", 1_300), ("", 138), ("DSA ", 668))
    )
    key = f"{OPEN}{_pem(rng, name, size)}{SHUT}"
    if pick < 5:
        return rng.choice(
            ("{}\n", "$ cat id_rsa\n{}\n$ exit\n", "here you go:\n\n```\n{}\n```\n", 'TLS_KEY="{}"\n')
        ).format(key)
    if pick == 5:
        return json.dumps({"tls": {"key": key, "cert": "./cert.pem"}}, ensure_ascii=False)
    if pick == 6:
        return f'SIGNING_KEY="{key}"\nPORT=80\n'.replace("\n", "\\n", key.count("\n"))
    if pick == 7:
        return f"tls:\n  key: |\n{textwrap.indent(key, '    ')}\n  port: 443\n"
    if pick == 8:
        return 'String pem = "' + key.replace("\n", '\\n" +\n    "') + '";'
    return key.replace("\n", "\r\n") if rng.random() < 0.5 else key.replace("\n", " ")


def gcp_service_account(rng: random.Random) -> str:
    """The file of keys, as it is downloaded, on one line, or within another."""
    project = f"{rng.choice(WORDS)}-{rng.randrange(100_000, 999_999)}"
    mail = f"{rng.choice(SERVICES)}@{project}.iam.gserviceaccount.com"
    key = OPEN + _pem(rng, "", 1_218) + "\n" + SHUT
    document = {
        "type": "service_account", "project_id": project, "private_key_id": hexadecimal(rng, 40), "private_key": key,
        "client_email": also("email_address", mail), "client_id": str(rng.randrange(10**20, 10**21)),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
    }  # fmt: skip
    whole = json.dumps(document, ensure_ascii=False, indent=rng.choice((None, 2, 4)))
    if rng.random() < 0.2:
        return json.dumps({"credentials": document, "location": "EU"}, ensure_ascii=False)
    return f"GOOGLE_CREDENTIALS='{whole}'\n" if rng.random() < 0.25 else whole
