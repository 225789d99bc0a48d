"""The official OpenAI client for Python through Tollgate: nothing changes but the base URL.

    pip install openai
    OPENAI_BASE_URL=http://127.0.0.1:4100/openai/v1 OPENAI_API_KEY=... python examples/sdk_openai.py
"""

import os

from openai import APIError, OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:4100/openai/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "no-key"),
)
messages = [{"role": "user", "content": "In one sentence: why do bridges have tolls?"}]

try:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=messages)
    print(raw.parse().choices[0].message.content)
    print(f"cost ${raw.headers.get('x-tollgate-cost-usd')}, left ${raw.headers.get('x-tollgate-remaining-usd')}")
except APIError as error:
    # A spent budget is a RateLimitError (429), a call that no budget could ever pay a BadRequestError (400): the code tells.
    if not str(error.code).startswith("budget_"):
        raise
    print(f"refused: {error.message}")  # names the budget, and says what to do
