"""How people hand on keys, tokens and passwords: settings, code, commands, diffs, chats.

Each carrier is given a phrase that names the value (`api key`) and the value between marks. A value that spans lines is
carried by `LONG` alone, one that no quotes or shells would bear is carried quoted.
"""

from __future__ import annotations

import json
import random

from bench.dlp_blind_records import Carrier
from bench.dlp_blind_text import (
    SERVICES,
    WORDS,
    filler,
    hexadecimal,
    moment,
    person,
    screaming,
    some_uuid,
    stamp,
    styled,
)  # fmt: skip


def dotenv(rng: random.Random, phrase: str, value: str) -> str:
    """A file of an environment."""
    quote = rng.choice(("", "", '"', "'"))
    export = rng.choice(("", "", "export "))
    return (
        f"APP_ENV=production\n{export}{screaming(phrase)}={quote}{value}{quote}\n"
        f"{export}LOG_LEVEL={rng.choice(('debug', 'info'))}\nPORT={rng.randrange(1_024, 9_999)}\n"
    )


def settings(rng: random.Random, phrase: str, value: str) -> str:
    """YAML, TOML, INI, properties, HCL."""
    name, shape = styled(rng, phrase), rng.randrange(7)
    snake = "_".join(phrase.lower().split())
    if shape == 0:
        return (
            f"services:\n  {rng.choice(SERVICES)}:\n    {snake}: {rng.choice((value, f'{value!s}'))}\n    time"
            "out: 30s\n"
        )
    if shape == 1:
        return f'[{rng.choice(SERVICES)}]\n{snake} = "{value}"\nretries = {rng.randrange(9)}\n'
    if shape == 2:
        return f"; written by the installer\n[default]\n{snake}={value}\nregion={rng.choice(WORDS)}\n"
    if shape == 3:
        return f"{rng.choice(WORDS)}.{rng.choice(WORDS)}.{phrase.lower().replace(' ', '.')}={value}\nserver.port=8080\n"
    if shape == 4:
        return (
            f'resource "kubernetes_secret" "{rng.choice(WORDS)}" {{\n  data = {{\n    {snake} = "{value}"\n  }}\n}}\n'
        )
    if shape == 5:
        return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {rng.choice(WORDS)}\nstringData:\n  {name}: {value}\n"
    return f"    environment:\n      - TZ=UTC\n      - {screaming(phrase)}={value}\n    restart: always\n"


def document(rng: random.Random, phrase: str, value: str) -> str:
    """JSON: settings and answers."""
    name = styled(rng, phrase)
    fields = [filler(rng), (name, value), filler(rng)]
    rng.shuffle(fields)
    whole: object = rng.choice((
        dict(fields), {"config": {"auth": dict(fields)}}, {"env": [{"name": screaming(phrase), "value": value}]},
        {"cells": [{"cell_type": "code", "source": [f'{name.replace("-", "_")} = "{value}"\n', "client.ping()\n"]}]},
        {"log": json.dumps(dict(fields), ensure_ascii=False), "stream": "stderr"},
    ))  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, indent=rng.choice((None, 2)))


def source(rng: random.Random, phrase: str, value: str) -> str:
    """Constants and arguments in programs."""
    name, shape = styled(rng, phrase).replace("-", "_"), rng.randrange(8)
    if shape == 0:
        return f'import os\n\n{screaming(phrase)} = os.getenv("{screaming(phrase)}", "{value}")\n'
    if shape == 1:
        return f"const client = new Client({{ {name}: '{value}', timeout: {rng.randrange(90)} }});"
    if shape == 2:
        return f'private static final String {screaming(phrase)} = "{value}";'
    if shape == 3:
        return f'client = connect(host="{rng.choice(WORDS)}", {"_".join(phrase.lower().split())}="{value}")'
    if shape == 4:
        return f'\tcfg.{name[0].upper() + name[1:]} = "{value}" // TODO: move to the store'
    if shape == 5:
        return f"$config['{name}'] = '{value}';"
    if shape == 6:
        return f'  "{name}" => "{value}",'
    return f'let {name}: &str = "{value}";'


def command(rng: random.Random, phrase: str, value: str) -> str:
    """What is typed or shown at a terminal."""
    name, shape = phrase.lower().replace(" ", "-"), rng.randrange(6)
    if shape == 0:
        return f"$ {rng.choice(WORDS)}ctl login --{name} {value} --region {rng.choice(WORDS)}"
    if shape == 1:
        return f"{rng.choice(WORDS)}ctl deploy --{name}={value} --replicas {rng.randrange(9)}"
    if shape == 2:
        return f"docker run -d -e {screaming(phrase)}={value} -p 8080:80 {rng.choice(WORDS)}:{rng.randrange(30)}"
    if shape == 3:
        return f"helm upgrade {rng.choice(WORDS)} ./chart --set auth.{name.replace('-', '_')}={value}"
    if shape == 4:
        return f"ENV {screaming(phrase)} {value}\nRUN make build"
    return f"gh secret set {screaming(phrase)} --body '{value}'"


def change(rng: random.Random, phrase: str, value: str) -> str:
    """A diff."""
    name = "_".join(phrase.lower().split())
    sign = rng.choice("+-")
    return (
        f"diff --git a/app/config.py b/app/config.py\nindex {hexadecimal(rng, 7)}..{hexadecimal(rng, 7)} 100644\n"
        f'@@ -{rng.randrange(90)},7 +{rng.randrange(90)},7 @@\n import sys\n{sign}{name} = "{value}"\n'
    )


def told(rng: random.Random, phrase: str, value: str) -> str:
    """A line of a log, or a trace that shows an argument."""
    name, shape = styled(rng, phrase), rng.randrange(4)
    if shape == 0:
        return f"{stamp(rng)} DEBUG {rng.choice(SERVICES)} calling upstream with {name}={value} attempt=2"
    if shape == 1:
        return (
            f'Traceback (most recent call last):\n  File "run.py", line {rng.randrange(90)}, in main\nAuthErro'
            f"r: {name} {value!s} was refused"
        )
    if shape == 2:
        return json.dumps(
            {"ts": stamp(rng), "level": "error", name: value, "trace": some_uuid(rng)}, ensure_ascii=False
        )
    return f'{moment(rng):%b %d %H:%M:%S} {rng.choice(WORDS)} app[{rng.randrange(9_999)}]: loaded {name}: "{value}"'


def said(rng: random.Random, phrase: str, value: str) -> str:
    """Chats, tickets and mails."""
    who, shape = person(rng), rng.randrange(7)
    if shape == 0:
        return f"{who}: what's the {phrase} for staging again?\n{person(rng)}: {phrase} is `{value}`, don't share it"
    if shape == 1:
        return (
            f"Hi {who.split()[0]},\n\nhere is the {phrase} you asked for:\n\n{phrase}: {value}\n\nBest,\n{person(rng)}"
        )
    if shape == 2:
        return f"## Setup\n\nSet the {phrase}:\n\n```sh\nexport {screaming(phrase)}={value}\n```\n"
    if shape == 3:
        return f"<@U{hexadecimal(rng, 8).upper()}> rotate please, {phrase} = {value} was in the build output :fire:"
    if shape == 4:
        return f"| Variable | Value |\n|---|---|\n| `{screaming(phrase)}` | `{value}` |\n"
    if shape == 5:
        return f"Bitte den {phrase} ersetzen: {value} (läuft am Freitag ab)"
    return f"voici le {phrase} : {value} — à changer demain"


def rows(rng: random.Random, phrase: str, value: str) -> str:
    """Tables and dumps."""
    name = "_".join(phrase.lower().split())
    if rng.random() < 0.5:
        return f"INSERT INTO integrations (id, {name}, active) VALUES ({rng.randrange(999)}, '{value}', true);"  # noqa: S608  (text to be scanned, no query)
    return f"service,{name},owner\n{rng.choice(SERVICES)},{value},{rng.choice(WORDS)}\n"


def bare(rng: random.Random, phrase: str, value: str) -> str:
    """With nothing near that names it: for values whose own form says what they are."""
    del phrase
    return rng.choice((
        f"Authorization: Bearer {value}\r\nAccept: */*\r\n",
        f"curl -s -H 'Authorization: Bearer {value}' localhost:8080/v1",
        f"{rng.choice(WORDS)} {value} {rng.choice(WORDS)}", f"{value}\n", f'["{value}"]', f"({value})", f"<{value}>",
        f"try {value}.", f"{rng.choice(WORDS)}:{value}", f"?token={value}&v=2", f"old: {value}, new: none",
        f'{{"role":"user","content":"why does {value} not work?"}}',
    ))  # fmt: skip


SETTINGS: tuple[Carrier, ...] = (
    dotenv, dotenv, settings, settings, settings, document, document, source, source, command, change, told, said, said,
    rows,
)  # fmt: skip
