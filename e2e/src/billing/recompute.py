#!/usr/bin/env python3
"""Recomputes every charge of the billing corpus from the raw answers and the prices that stand in each row.

Shares nothing with the TypeScript: its own reading of each format's usage, its own tiers, `decimal` for the money. Ends
with 1 and the names of the rows that disagree. Standard library only:

    python3 e2e/src/billing/recompute.py
"""

import json
import sys
from decimal import ROUND_CEILING, Decimal, getcontext
from pathlib import Path

getcontext().prec = 60
MILLION = Decimal(1_000_000)
INPUT_KINDS = ("input", "cachedInput", "cacheWrite5m", "cacheWrite1h", "audioInput")
OUTPUT_KINDS = ("output", "reasoning", "audioOutput")


def openai_usage(usage, prompt_key, completion_key, provider):
    """Cached, cache-written and audio tokens are inside the prompt; reasoning and audio inside the completion.

    xAI alone leaves reasoning out of the completion.
    """
    sent = usage.get(f"{prompt_key}_details") or {}
    answered = usage.get(f"{completion_key}_details") or {}
    cached = sent.get("cached_tokens", usage.get("prompt_cache_hit_tokens", 0))
    written = sent.get("cache_write_tokens", 0)
    audio = sent.get("audio_tokens", 0)
    reasoning = answered.get("reasoning_tokens", 0)
    spoken = answered.get("audio_tokens", 0)
    return {
        "input": usage[prompt_key] - cached - written - audio,
        "cachedInput": cached,
        "cacheWrite5m": written,
        "audioInput": audio,
        "output": usage.get(completion_key, 0) - spoken - (0 if provider == "x-ai" else reasoning),
        "reasoning": reasoning,
        "audioOutput": spoken,
    }


def anthropic_usage(usage):
    """Cache reads and writes stand beside input_tokens; thinking is inside output_tokens."""
    split = usage.get("cache_creation") or {"ephemeral_5m_input_tokens": usage.get("cache_creation_input_tokens", 0)}
    return {
        "input": usage["input_tokens"],
        "cachedInput": usage.get("cache_read_input_tokens", 0),
        "cacheWrite5m": split.get("ephemeral_5m_input_tokens", 0),
        "cacheWrite1h": split.get("ephemeral_1h_input_tokens", 0),
        "output": usage["output_tokens"],
        "webSearch": (usage.get("server_tool_use") or {}).get("web_search_requests", 0),
    }


def gemini_usage(usage):
    """Cached tokens are inside the prompt; tool use and thoughts are beside prompt and candidates."""
    audio = sum(each["tokenCount"] for each in usage.get("promptTokensDetails", []) if each["modality"] == "AUDIO")
    cached = usage.get("cachedContentTokenCount", 0)
    return {
        "input": usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0) - cached - audio,
        "cachedInput": cached,
        "audioInput": audio,
        "output": usage.get("candidatesTokenCount", 0),
        "reasoning": usage.get("thoughtsTokenCount", 0),
    }


def json_usage(row):
    answer, form = row["answer"], row["format"]
    if form == "gemini-generate":
        return gemini_usage(answer["usageMetadata"]) if "usageMetadata" in answer else None
    usage = answer.get("usage")
    if usage is None:
        return None
    if form == "anthropic-messages":
        return anthropic_usage(usage)
    if form == "openai-responses":
        return openai_usage(usage, "input_tokens", "output_tokens", row["provider"])
    return openai_usage(usage, "prompt_tokens", "completion_tokens", row["provider"])


def parse_events(row):
    """The data of each event, as far as the stream was read."""
    events = row["events"][: row.get("settle", {}).get("abortAfterEvents", len(row["events"]))]
    for text in events:
        data = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        if data and data[0] != "[DONE]":
            yield json.loads("\n".join(data))


def stream_usage(row):
    """What the stream has said by its end (or by the abort)."""
    form, said = row["format"], None
    for event in parse_events(row):
        if form == "gemini-generate":
            said = gemini_usage(event["usageMetadata"]) if "usageMetadata" in event else said
        elif form == "anthropic-messages":
            said = anthropic_stream(said, event)
        elif form == "openai-responses":
            usage = (event.get("response") or {}).get("usage")
            said = openai_usage(usage, "input_tokens", "output_tokens", row["provider"]) if usage else said
        elif event.get("usage"):
            said = openai_usage(event["usage"], "prompt_tokens", "completion_tokens", row["provider"])
    return said


def anthropic_stream(said, event):
    """message_start seeds the figures, its output_tokens being only a beginning; message_delta overrides what it carries."""
    if event["type"] == "message_start" and event["message"].get("usage"):
        return anthropic_usage(event["message"]["usage"])
    if event["type"] == "message_delta" and event.get("usage"):
        last = event["usage"]
        searches = (last.get("server_tool_use") or {}).get("web_search_requests", 0)
        return {**(said or {}), "output": last["output_tokens"], "webSearch": searches}
    return said


def text_of(row):
    """The text delivered, as far as the answer was read."""
    form = row["format"]
    if "answer" in row:
        return json_text(form, row["answer"])
    return "".join(event_text(form, event) for event in parse_events(row))


def json_text(form, answer):
    if form == "openai-chat":
        return "".join(choice["message"]["content"] or "" for choice in answer["choices"])
    if form == "openai-completions":
        return "".join(choice["text"] for choice in answer["choices"])
    if form == "openai-responses":
        return "".join(part["text"] for item in answer["output"] for part in item["content"])
    if form == "anthropic-messages":
        return "".join(block["text"] for block in answer["content"])
    if form == "gemini-generate":
        return "".join(part["text"] for each in answer["candidates"] for part in each["content"]["parts"])
    return ""


def event_text(form, event):
    if form == "openai-chat":
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    if form == "openai-completions":
        return "".join(choice["text"] for choice in event["choices"])
    if form == "openai-responses":
        return event["delta"] if event["type"] == "response.output_text.delta" else ""
    if form == "anthropic-messages":
        return event["delta"].get("text", "") if event["type"] == "content_block_delta" else ""
    return "".join(part["text"] for each in event["candidates"] for part in each["content"]["parts"])


def ceil_div(amount, by):
    return -(-amount // by)


def settled_usage(row, said):
    """The usage that a row is charged by: the provider's, or the local count where it never came."""
    settle = row.get("settle")
    if settle is None:
        return said
    delivered = len(text_of(row).encode("utf-8"))
    if delivered != settle["deliveredBytes"]:
        raise ValueError(f"delivered {delivered} bytes, the row says {settle['deliveredBytes']}")
    usage = dict(said) if said else {"input": ceil_div(settle["request"]["bytes"], 3)}
    output = max(ceil_div(delivered, 3), sum(usage.get(kind, 0) for kind in OUTPUT_KINDS))
    if settle["as"] == "abandoned":
        output += ceil_div(output * 5, 100) + 16
    output = min(output, settle["bound"]["outputTokens"])
    usage["output"] = output - usage.get("reasoning", 0) - usage.get("audioOutput", 0)
    return usage


def tiers_within(price, tokens):
    return [tier for index, tier in enumerate(price["tiers"]) if index == 0 or tokens > tier["aboveInputTokens"]]


def charge(price, usage):
    sent = sum(usage.get(kind, 0) for kind in INPUT_KINDS)
    rates = tiers_within(price, sent)[-1]["rates"]
    tokens = sum(Decimal(usage.get(kind, 0)) * Decimal(rates[kind]) for kind in INPUT_KINDS + OUTPUT_KINDS)
    pieces = sum(Decimal(usage.get(kind, default)) * Decimal(price["units"].get(kind, 0)) for kind, default in (("request", 1), ("webSearch", 0)))
    return (tokens / MILLION + pieces).to_integral_value(ROUND_CEILING)


def hold(row):
    """The bound of the request: bytes and template constants as input, the cap as output, at the dearest rates."""
    settle, price = row["settle"], row["price"]
    request, bound = settle["request"], settle["bound"]
    tokens = request["bytes"] + 16 * request["messages"] + 512
    if (tokens, request["outputCap"]) != (bound["inputTokens"], bound["outputTokens"]):
        raise ValueError(f"the bound is {tokens} and {request['outputCap']}")
    kinds = ["input", "cachedInput"] + ([] if row["format"] == "anthropic-messages" else ["cacheWrite5m"])
    reached = [tier["rates"] for tier in tiers_within(price, tokens)]
    dear_in = max(Decimal(rates[kind]) for rates in reached for kind in kinds)
    dear_out = max(Decimal(rates[kind]) for rates in reached for kind in OUTPUT_KINDS)
    return ((tokens * dear_in + request["outputCap"] * dear_out) / MILLION).to_integral_value(ROUND_CEILING)


def check(row):
    said = stream_usage(row) if "events" in row else json_usage(row)
    if row.get("settle", {}).get("as") == "hold":
        usage, found = {}, hold(row)
    else:
        usage = settled_usage(row, said)
        if usage is None:
            raise ValueError("the answer has no usage")
        found = charge(row["price"], usage)
    wanted = {kind: count for kind, count in row["usage"].items() if count}
    counted = {kind: count for kind, count in usage.items() if count}
    if counted != wanted:
        raise ValueError(f"usage {counted}, the row says {wanted}")
    if found != Decimal(row["charge"]):
        raise ValueError(f"charge {found} nano, the row says {row['charge']}")
    if not row["arithmetic"].endswith(f"= {row['charge']}"):
        raise ValueError("the arithmetic ends in another figure")


def main(folder):
    rows = [row for path in sorted(folder.glob("*.json")) for row in json.loads(path.read_text("utf-8"))]
    faults = []
    for row in rows:
        try:
            check(row)
        except (ArithmeticError, LookupError, TypeError, ValueError) as fault:
            faults.append(f"{row['id']}: {fault!r}")
    if not rows:
        faults.append(f"no rows in {folder}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"billing corpus: {len(rows) - len(faults)} of {len(rows)} rows agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus"))
