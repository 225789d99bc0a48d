"""The official Python clients, unmodified but for their base URL, through a proxy that serves the mock provider.

run.sh says in TOLLGATE_URL where the proxy is, and in TOLLGATE_METRICS where it counts.
"""

import json
import os
import re
import sys
import unittest
import urllib.request

import anthropic
import openai

URL = os.environ["TOLLGATE_URL"]
METRICS = os.environ["TOLLGATE_METRICS"]

CHAT = "gpt-4o-mini"
CLAUDE = "claude-haiku-4-5"
QUESTION = [{"role": "user", "content": "What does the bridge cost?"}]
WEATHER = [{"role": "user", "content": "How is the weather?"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def refusals(code):
    """How often the proxy itself said no: a refusal that was retried in vain counts twice."""
    with urllib.request.urlopen(METRICS) as page:
        found = re.search(r'^tollgate_refusals_total\{code="%s"\} (\d+)' % code, page.read().decode(), re.MULTILINE)
    return int(found.group(1)) if found else 0


class RefusalCase(unittest.TestCase):
    def assert_refused_once(self, error, code, call):
        """The call raises that error, which names the budget, and was not tried again."""
        before = refusals(code)
        with self.assertRaises(error) as raised:
            call()
        self.assertIn("TokenBudget default/clients", str(raised.exception))
        self.assertEqual(refusals(code), before + 1)
        return raised.exception


class OpenAI(RefusalCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="sk-test")  # retries as by default
        self.addCleanup(self.client.close)

    def test_answers_a_chat_with_its_cost_in_a_header(self):
        raw = self.client.chat.completions.with_raw_response.create(model=CHAT, messages=QUESTION)
        answer = raw.parse()
        self.assertEqual(answer.object, "chat.completion")
        self.assertTrue(answer.choices[0].message.content)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertGreater(float(raw.headers["x-tollgate-cost-usd"]), 0)

    def test_streams_the_words_of_the_same_chat_and_no_usage_that_was_not_asked_for(self):
        whole = self.client.chat.completions.create(model=CHAT, messages=QUESTION)
        text = ""
        for chunk in self.client.chat.completions.create(model=CHAT, messages=QUESTION, stream=True):
            self.assertIsNone(chunk.usage)
            text += chunk.choices[0].delta.content or ""
        self.assertEqual(text, whole.choices[0].message.content)

    def test_streams_the_usage_that_was_asked_for(self):
        whole = self.client.chat.completions.create(model=CHAT, messages=QUESTION)
        chunks = list(
            self.client.chat.completions.create(
                model=CHAT, messages=QUESTION, stream=True, stream_options={"include_usage": True}
            )
        )
        self.assertEqual(chunks[-1].usage, whole.usage)

    def test_takes_a_tool_and_its_result(self):
        tools = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
        first = self.client.chat.completions.create(model=CHAT, messages=WEATHER, tools=tools)
        message = first.choices[0].message
        self.assertEqual(json.loads(message.tool_calls[0].function.arguments), {"city": "Paris"})
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
        later = self.client.chat.completions.create(model=CHAT, messages=[*WEATHER, message, result], tools=tools)
        self.assertEqual(later.choices[0].message.content, "The tool said: sunny")

    def test_streams_a_tool_call(self):
        tools = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
        with self.client.chat.completions.stream(model=CHAT, messages=WEATHER, tools=tools) as stream:
            call = stream.get_final_completion().choices[0].message.tool_calls[0]
        self.assertEqual(json.loads(call.function.arguments), {"city": "Paris"})

    def test_answers_responses_streamed_and_not(self):
        whole = self.client.responses.create(model="gpt-5-mini", input="What now?", max_output_tokens=400)
        with self.client.responses.stream(model="gpt-5-mini", input="What now?", max_output_tokens=400) as stream:
            final = stream.get_final_response()
        self.assertTrue(whole.output_text)
        self.assertEqual((final.output_text, final.usage), (whole.output_text, whole.usage))

    def test_embeds(self):
        answer = self.client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=8)
        self.assertEqual([len(entry.embedding) for entry in answer.data], [8, 8])

    def test_raises_its_rate_limit_error_once_the_budget_is_exhausted_and_lists_models_still(self):
        self.client.chat.completions.create(model="gpt-4.1", messages=QUESTION)
        for stream in (False, True):
            error = self.assert_refused_once(
                openai.RateLimitError,
                "budget_exhausted",
                lambda: self.client.chat.completions.create(model="gpt-4.1", messages=QUESTION, stream=stream),
            )
            self.assertEqual((error.status_code, error.code), (429, "budget_exhausted"))
        self.assertIn(CHAT, [model.id for model in self.client.models.list()])

    def test_raises_its_bad_request_error_for_a_call_that_can_never_fit(self):
        self.assert_refused_once(
            openai.BadRequestError,
            "budget_never_fits",
            lambda: self.client.chat.completions.create(
                model="gpt-4.1-mini", messages=QUESTION, max_completion_tokens=1000
            ),
        )


class Anthropic(RefusalCase):
    def setUp(self):
        self.client = anthropic.Anthropic(base_url=f"{URL}/anthropic", api_key="sk-ant-test")  # retries as by default
        self.addCleanup(self.client.close)

    def ask(self, **stated):
        return {"model": CLAUDE, "max_tokens": 400, "messages": QUESTION, **stated}

    def test_answers_a_message(self):
        answer = self.client.messages.create(**self.ask())
        self.assertEqual((answer.type, answer.content[0].type), ("message", "text"))
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_streams_the_words_of_the_same_message(self):
        whole = self.client.messages.create(**self.ask())
        with self.client.messages.stream(**self.ask()) as stream:
            final = stream.get_final_message()
        self.assertEqual(final.content[0].text, whole.content[0].text)
        self.assertEqual(final.usage.output_tokens, whole.usage.output_tokens)

    def test_takes_a_tool_and_its_result_streamed_and_not(self):
        tools = [{"name": "get_weather", "input_schema": CITY}]
        whole = self.client.messages.create(**self.ask(messages=WEATHER, tools=tools))
        with self.client.messages.stream(**self.ask(messages=WEATHER, tools=tools)) as stream:
            streamed = stream.get_final_message()
        for answer in (whole, streamed):
            self.assertEqual(answer.stop_reason, "tool_use")
            self.assertEqual(answer.content[-1].input, {"city": "Paris"})
        result = {"type": "tool_result", "tool_use_id": whole.content[-1].id, "content": "sunny"}
        later = [*WEATHER, {"role": "assistant", "content": whole.content}, {"role": "user", "content": [result]}]
        answer = self.client.messages.create(**self.ask(messages=later, tools=tools))
        self.assertEqual(answer.content[0].text, "The tool said: sunny")

    def test_raises_its_rate_limit_error_once_the_budget_is_exhausted_and_counts_tokens_still(self):
        opus = self.ask(model="claude-opus-4-5")
        self.client.messages.create(**opus)
        error = self.assert_refused_once(
            anthropic.RateLimitError, "budget_exhausted", lambda: self.client.messages.create(**opus)
        )
        self.assertEqual(error.status_code, 429)

        def stream():
            with self.client.messages.stream(**opus) as stream:
                stream.get_final_message()

        self.assert_refused_once(anthropic.RateLimitError, "budget_exhausted", stream)
        counted = self.client.messages.count_tokens(model="claude-opus-4-5", messages=QUESTION)
        self.assertEqual(counted.input_tokens, 10)

    def test_raises_its_bad_request_error_for_a_call_that_can_never_fit(self):
        self.assert_refused_once(
            anthropic.BadRequestError,
            "budget_never_fits",
            lambda: self.client.messages.create(**self.ask(model="claude-sonnet-5")),
        )


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
