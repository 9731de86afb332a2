"""What an error's message says, without what differs between two occurrences."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

LONGEST_MESSAGE_CHARS = 1_024

QUOTED = re.compile(
    r"""
    (?<!\w) (?:
        "(?:[^"\\\n]++|\\.)*+"
      | '(?:[^'\\\n]++|\\.)*+' (?!\w)
      | `[^`'\n]*[`']
      | \u201c[^\u201d\n]*\u201d | \u2018[^\u2019\n]*\u2019 | «[^»\n]*»
      | ["'`] [^"'`\n]*+ \Z    # cut before its end
    )
    """,
    re.VERBOSE,
)
# An interpreter quotes names of the code, which are the same in each occurrence
# and often all that tells two bugs of one function apart.
CODE_NAME = re.compile(r"[A-Za-z_$][\w$.]*(?:\(\))?")
BEFORE_A_CODE_NAME = (
    "has no attribute ",
    "keyword argument ",
    "positional argument: ",
    "positional arguments: ",
    "values for argument ",
    "No module named ",
    "cannot import name ",
    "(reading ",
    "(setting ",
    "(evaluating ",
    "access property ",
    "undefined method ",
    "variable or method ",
    "Cannot invoke ",
)
AFTER_A_CODE_NAME = (
    " object ",
    " is not defined",
    " referenced before assignment",
    " where it is not associated with a value",
)

URL = re.compile(r"\b[A-Za-z][A-Za-z0-9]*+://[^\s\"'<>)\]}]++")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
UUID = re.compile(r"(?<!\w)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\w)")
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d++)?(?!\w|\.\d)")
IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
# Directories name the machine; the file's own name stays.
DIRECTORIES = re.compile(r"(?<![\w/\\.])(?:[A-Za-z]:)?[\\/](?:[\w.@+-]++[\\/])++(?=\w)")
# Also a date, a time, a version, an amount; not the digits inside of a word.
NUMBER = re.compile(r"(?<![\w.])[+-]?\d++(?:[T.,:+-]\d++)*+(?=[A-Za-z]{0,3}(?!\w))")
WORD_WITH_DIGIT = re.compile(r"[A-Za-z_]*+\d\w*+")
DIGITS = re.compile(r"\d++")
HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]++|(?=\d*[A-Fa-f])[0-9A-Fa-f]{7,}")
# Letters and digits by turns, or a prefix and a word of both cases: `cus_9s6XKzk`.
RANDOM = re.compile(
    r"(?=.{8})[A-Za-z]*\d++[A-Za-z]++\w*|(?=.{12})\w*[a-z][A-Z]\w*\d\w*"
)
# How many of a kind follow each other is a value too.
LIST = re.compile(r"(<(?:number|id|quoted|ip|email|url)>)(?:[,;]? ?\1)++")


def normalised(message: str) -> str:
    """Replace numbers, ids, addresses and quoted values by what they are.

    >>> normalised("order 4711 of 'Ann' <ann@example.com>: 3.5 s at 0x7f3a")
    'order <number> of <quoted> <<email>>: <number> s at <id>'
    >>> normalised("'Cart' object has no attribute 'total'")
    "'Cart' object has no attribute 'total'"
    """
    text = message[:LONGEST_MESSAGE_CHARS]
    text = QUOTED.sub(_quoted, text)
    text = URL.sub("<url>", text)
    text = EMAIL.sub("<email>", text)
    text = UUID.sub("<id>", text)
    text = IPV4.sub("<ip>", text)
    text = IPV6.sub(_ipv6, text)
    text = DIRECTORIES.sub("", text)
    text = NUMBER.sub("<number>", text)
    text = WORD_WITH_DIGIT.sub(_word, text)
    text = " ".join(text.split())
    return LIST.sub(r"\1", text)


def _quoted(found: re.Match[str]) -> str:
    before = found.string[max(found.start() - 30, 0) : found.start()]
    is_code = before.endswith(BEFORE_A_CODE_NAME) or found.string.startswith(
        AFTER_A_CODE_NAME, found.end()
    )
    if is_code and CODE_NAME.fullmatch(found[0][1:-1]):
        return found[0]
    return "<quoted>"


def _ipv6(found: re.Match[str]) -> str:
    # A time of day looks much like one.
    try:
        IPv6Address(found[0])
    except ValueError:
        return found[0]
    return "<ip>"


def _word(found: re.Match[str]) -> str:
    if HEXADECIMAL.fullmatch(found[0]):
        return "<id>"
    return "_".join(map(_part, found[0].split("_")))


def _part(part: str) -> str:
    if HEXADECIMAL.fullmatch(part) or RANDOM.fullmatch(part):
        return "<id>"
    return DIGITS.sub("<number>", part)
