"""What scripts do all day: words counted in dictionaries, text taken apart and put together, objects, calls, JSON."""

import json
import re


class Account:
    """An object whose methods are called often."""

    def __init__(self, name):
        self.name = name
        self.balance = 0
        self.history = []

    def book(self, amount):
        self.balance += amount
        if len(self.history) < 64:
            self.history.append(amount)
        return self.balance

    def as_dict(self):
        return {"name": self.name, "balance": self.balance, "history": self.history}


def numbers(seed):
    while True:
        seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
        yield seed >> 8


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def bookings(count):
    accounts = {}
    source = numbers(7)
    for _ in range(count):
        name = f"account-{next(source) % 997:04d}"
        account = accounts.get(name)
        if account is None:
            account = accounts[name] = Account(name)
        account.book(next(source) % 2001 - 1000)
    return sorted((account.as_dict() for account in accounts.values()), key=lambda each: (each["balance"], each["name"]))


def log_lines(count):
    source = numbers(11)
    levels = ("info", "warning", "error")
    return [f"{at:06d} [{levels[next(source) % 3]}] device={next(source) % 64} took {next(source) % 5000} us" for at in range(count)]


def summary(lines):
    pattern = re.compile(r"^(\d+) \[(\w+)\] device=(\d+) took (\d+) us$")
    slowest = {}
    for line in lines:
        at, level, device, took = pattern.match(line).groups()
        key = level.upper() + "/" + device
        slowest[key] = max(slowest.get(key, (0, "")), (int(took), at))
    return slowest


def primes(limit):
    sieve = bytearray([1]) * limit
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            for multiple in range(n * n, limit, n):
                sieve[multiple] = 0
    return [n for n in range(2, limit) if sieve[n]]


report = {
    "fibonacci": fibonacci(21),
    "accounts": bookings(60_000),
    "slowest": summary(log_lines(20_000)),
    "primes": primes(100_000)[-50:],
}
text = json.dumps(report, sort_keys=True, indent=1)
assert json.loads(text)["fibonacci"] == report["fibonacci"]
print(text)
