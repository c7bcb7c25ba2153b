"""Limits in words, each with its part of the plan."""

from __future__ import annotations

import random

MINUTES = {
    5: ("five minutes", "5 min"),
    10: ("ten minutes", "10 minutes", "10 min"),
    15: ("a quarter of an hour", "fifteen minutes", "15 min"),
    20: ("twenty minutes", "20 minutes", "20 min"),
    25: ("25 minutes",),
    30: ("half an hour", "30 minutes", "thirty minutes", "30 min", "half hour"),
    40: ("40 minutes", "forty minutes"),
    45: ("45 minutes", "three quarters of an hour", "45 min", "forty-five minutes"),
    60: ("an hour", "one hour", "1 hour", "60 minutes", "1h"),
    75: ("75 minutes", "an hour and a quarter"),
    90: ("an hour and a half", "90 minutes", "ninety minutes", "1.5 hours", "one and a half hours", "90 min"),
    100: ("100 minutes", "a hundred minutes"),
    120: ("two hours", "2 hours", "120 minutes", "2h"),
    150: ("two and a half hours", "2.5 hours"),
    180: ("three hours", "3 hours"),
}
DECADES = {
    "twenties": 1920,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
}
AT_MOST = (
    "under {}",
    "no longer than {}",
    "at most {}",
    "in under {}",
    "max {}",
    "less than {}",
    "below {}",
    "{} at most",
    "{} tops",
    "not longer than {}",
    "shorter than {}",
    "up to {}",
    "{} or less",
    "(<= {})",
    "<= {}",
    "within {}",
    "that fits into {}",
)
COSTS = (
    "under {}",
    "below {}",
    "for less than {}",
    "at most {}",
    "up to {}",
    "cheaper than {}",
    "max {}",
    "for under {}",
    "no more than {}",
    "{} tops",
    "within {}",
)
TIMED, DATED, PRICED = (
    ("movies", "recipes", "workouts", "courses", "apps"),
    ("movies", "books", "music", "apps"),
    ("apps", "courses", "books", "music"),
)


def span(rng: random.Random) -> tuple[str, int]:
    """A length in words, and its minutes."""
    minutes = rng.choice(list(MINUTES))
    return rng.choice(MINUTES[minutes]), minutes


def money(rng: random.Random) -> tuple[str, int]:
    """A sum in words, and its number."""
    amount = rng.choice((5, 8, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100, 120, 150, 200, 250, 300, 500))
    return rng.choice(("{} dollars", "${}", "{} bucks", "{} euros", "€{}", "{} pounds", "£{}", "{} usd", "{}$")).format(amount), amount


def condition(domain: str, rng: random.Random, used: set[str]) -> tuple[str, str, str]:
    """A condition that suits items of this kind: its words, its part of the plan, and its sort ("time", "year", "price")."""
    sorts = [("time", domain in TIMED), ("year", domain in DATED), ("price", domain in PRICED)]
    open_ = [sort for sort, fits in sorts if sort not in used and (fits or rng.random() < 0.1)] or ["time", "year", "price"]
    sort = rng.choice([one for one in open_ if one not in used] or open_)
    if sort == "time":
        text, minutes = span(rng)
        return rng.choice(AT_MOST).format(text), f"max({minutes} min)", sort
    if sort == "price":
        text, amount = money(rng)
        return rng.choice(COSTS).format(text), f"max({amount} usd)", sort
    return (*years(rng), sort)


def years(rng: random.Random) -> tuple[str, str]:
    """A span of years in words, and its part of the plan."""
    year, decade = rng.randint(1935, 2023), rng.choice(list(DECADES.values()))
    name = next(word for word, first in DECADES.items() if first == decade)
    ten = f"since({decade}) until({decade + 9})"
    later = year + rng.randint(3, 20)
    forms = (
        (
            4,
            rng.choice(
                (
                    f"from the {decade % 100}s",
                    f"from the {name}",
                    f"from the {decade}s",
                    f"made in the {decade}s",
                    f"out of the {decade % 100}s",
                )
            ),
            ten,
        ),
        (2, rng.choice((f"after {year}", f"newer than {year}", f"more recent than {year}", f"from after {year}")), f"since({year + 1})"),
        (
            2,
            rng.choice((f"since {year}", f"from {year} on", f"not older than {year}", f"from {year} or later", f"no earlier than {year}")),
            f"since({year})",
        ),
        (2, rng.choice((f"before {year}", f"older than {year}", f"from before {year}")), f"until({year - 1})"),
        (1, rng.choice((f"until {year}", f"up to {year}", f"from {year} or earlier", f"not newer than {year}")), f"until({year})"),
        (2, rng.choice((f"from {year}", f"made in {year}", f"of {year}")), f"since({year}) until({year})"),
        (
            1,
            rng.choice((f"between {year} and {later}", f"from {year} to {later}", f"from {year}-{later}")),
            f"since({year}) until({later})",
        ),
        (1, rng.choice(("from the 2000s", "from the two thousands")), "since(2000) until(2009)"),
        (1, rng.choice(("from the 2010s", "made in the 2010s")), "since(2010) until(2019)"),
        (1, rng.choice(("from this century", "of the 21st century")), "since(2000)"),
    )
    _, text, plan = rng.choices(forms, [form[0] for form in forms])[0]
    return text, plan
