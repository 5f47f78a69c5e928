"""Asks an introspection endpoint (RFC 7662) over HTTP, with connections that are kept open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from authz_service.identity.introspection import MAX_ANSWER_BYTES, AnswerError, question, read_answer
from authz_service.identity.introspector import MAX_QUESTIONS, EndpointError
from authz_service.settings.introspection import Introspection
from service_kit.http_client import Bounds, HttpClient, HttpError, shown
from service_kit.secret_file import BEARER_TOKEN, PRINTABLE, SecretFile, SecretFileError

ASK_SECONDS = 2.0  # for the whole exchange


class IntrospectionEndpoint:
    """An issuer's endpoint, and as whom we ask it."""

    def __init__(self, settings: Introspection) -> None:
        self._settings = settings
        form = BEARER_TOKEN if settings.authentication == "bearer" else PRINTABLE
        self._secret = SecretFile(settings.client_secret_file, form)
        self._client = HttpClient(MAX_QUESTIONS)
        self._name = shown(settings.endpoint)

    async def ask(self, token: str) -> Mapping[str, Any] | None:
        """Return what the issuer says of a token that is active, None for one that is not.

        Raises:
            EndpointError: the endpoint is away, or its answer cannot be relied on.
        """
        settings = self._settings
        bounds = Bounds(ASK_SECONDS, MAX_ANSWER_BYTES)
        try:
            secret = await asyncio.to_thread(self._secret.read)
            asked = question(token, settings.authentication, settings.client_id, secret)
            answer = await self._client.ask("POST", settings.endpoint, bounds, headers=asked.headers, body=asked.body)
            return read_answer(answer.body)
        except SecretFileError as error:
            raise EndpointError(str(error), away=False) from error
        except HttpError as error:
            # A status below 500 says that this question was not liked: the endpoint is there.
            away = error.status is None or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise EndpointError(f"{self._name} {error}", away=away) from error
        except AnswerError as error:
            raise EndpointError(f"{self._name}: {error}", away=False) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
