#!/usr/bin/env python3
"""Replays a ledger in decimal: reads `provider/model TAB usage TAB charged` lines from stdin, and prices every one anew.

Shares nothing with the TypeScript but the table of prices, a file of decimal strings. Ends with 1 and the first rows that
disagree; else prints one line of JSON: the rows and the sum of their charges in nano-USD. Standard library only:

    psql -c 'COPY (…) TO STDOUT' | python3 e2e/src/billing/replay.py packages/prices/src/table.json
"""

import json
import sys
from decimal import ROUND_CEILING, Decimal, getcontext

getcontext().prec = 60
MILLION = Decimal(1_000_000)
SENT = ("input", "cachedInput", "cacheWrite5m", "cacheWrite1h", "audioInput")
ANSWERED = ("output", "reasoning", "audioOutput")
SHOWN = 10


class Price:
    def __init__(self, row):
        self.free = row["free"]
        self.tiers = [
            (tier["aboveInputTokens"], {kind: Decimal(rate) / MILLION for kind, rate in tier["rates"].items()})
            for tier in row["tiers"]
        ]
        self.units = {kind: Decimal(price) for kind, price in row["units"].items()}

    def charge(self, usage):
        if self.free:
            return Decimal(0)
        sent = sum(usage.get(kind, 0) for kind in SENT)
        rates = [rates for at, (above, rates) in enumerate(self.tiers) if at == 0 or sent > above][-1]
        tokens = sum((usage[kind] * rates[kind] for kind in SENT + ANSWERED if kind in usage), Decimal(0))
        pieces = sum(usage.get(kind, 1 if kind == "request" else 0) * price for kind, price in self.units.items())
        return (tokens + pieces).to_integral_value(ROUND_CEILING)


def main(table, lines):
    prices = {f"{row['provider']}/{row['model']}": Price(row) for row in table["rows"]}
    rows, total, wrong = 0, Decimal(0), 0
    for line in lines:
        model, usage, charged = line.rstrip("\n").split("\t")
        found = prices[model].charge(json.loads(usage))
        rows, total = rows + 1, total + found
        if found != Decimal(charged):
            wrong += 1
            if wrong <= SHOWN:
                print(f"{model} {usage}: {found} nano, the ledger says {charged}", file=sys.stderr)
    print(json.dumps({"rows": rows, "total": str(total), "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        TABLE = json.load(file)
    sys.exit(main(TABLE, sys.stdin))
