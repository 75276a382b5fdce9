"""OpenRLHF's remote reward: ``python -m rewards.adapters.openrlhf --port 5000`` serves it, and
``--remote_rm_url http://HOST:5000/get_reward`` uses it.

OpenRLHF posts ``{"query": [...], "prompts": [...], "labels": [...]}`` where a query is prompt
plus response, and expects ``{"rewards": [...], "scores": [...]}``. A label is the reference, or
a JSON object ``{"domain", "reference", "question"}``. A judgement that failed is 0 in "rewards"
and marked in "extra_logs", because the protocol has no way to say "none".
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rewards.pool.pool import VerifierPool
from rewards.shaping import Shaping
from rewards.verdict import Request

_MAX_LEADING_CHARACTERS = 100
MAX_BODY_BYTES = 256 * 1024 * 1024


def judge_batch(
    body: Mapping[str, Any], pool: VerifierPool, domain: str, shaping: Shaping
) -> dict[str, Any]:
    """Judge one post and return the reply. Raises ValueError for a body not of OpenRLHF's form."""
    queries, labels = body.get("query"), body.get("labels")
    if not isinstance(queries, list) or not isinstance(labels, list):
        raise ValueError("expected lists 'query' and 'labels'")
    prompts = body.get("prompts") or [""] * len(queries)
    if not len(queries) == len(labels) == len(prompts):
        raise ValueError("'query', 'prompts' and 'labels' differ in length")
    texts = [_response(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    requests = [_request(text, label, domain) for text, label in zip(texts, labels, strict=True)]
    verdicts = pool.judge(requests)
    rewards = [shaping.reward(verdict, text) for verdict, text in zip(verdicts, texts, strict=True)]
    return {
        "rewards": [reward if reward is not None else 0.0 for reward in rewards],
        "scores": [verdict.score for verdict in verdicts],
        "extra_logs": {"judging_failed": [float(verdict.ours_failed) for verdict in verdicts]},
    }


def _response(query: str, prompt: str) -> str:
    """The part of a query after the prompt, which a token such as ``<s>`` may stand before."""
    start = query.find(prompt, 0, len(prompt) + _MAX_LEADING_CHARACTERS)
    return query if start < 0 else query[start + len(prompt) :]


def _request(text: str, label: Any, domain: str) -> Request:
    fields: Any = label
    if isinstance(label, str) and label.lstrip().startswith("{"):
        try:
            fields = json.loads(label)
        except ValueError:
            fields = label
    if isinstance(fields, dict) and "reference" in fields:
        return Request(
            domain=fields.get("domain", domain),
            response=text,
            reference=fields["reference"],
            question=fields.get("question"),
        )
    return Request(domain=domain, response=text, reference=label)


class RewardServer(ThreadingHTTPServer):
    """Serves ``POST /get_reward``."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], pool: VerifierPool, domain: str) -> None:
        super().__init__(address, _Handler)
        self.pool, self.domain, self.shaping = pool, domain, Shaping()


class _Handler(BaseHTTPRequestHandler):
    server: RewardServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.path.rstrip("/") not in ("", "/get_reward") or length > MAX_BODY_BYTES:
            self._reply(404, {"error": "POST /get_reward"})
            return
        try:
            body = json.loads(self.rfile.read(length))
            server = self.server
            self._reply(200, judge_batch(body, server.pool, server.domain, server.shaping))
        except (ValueError, TypeError, AttributeError) as error:
            self._reply(400, {"error": str(error)[:500]})

    def _reply(self, status: int, content: Mapping[str, Any]) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Responses are not logged: they are long, and not ours to show."""


def main() -> None:
    """Serve rewards until the process is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--domain", default="math", help="for labels that name none")
    arguments = parser.parse_args()
    with VerifierPool(arguments.workers) as pool:
        RewardServer((arguments.host, arguments.port), pool, arguments.domain).serve_forever()


if __name__ == "__main__":
    main()
