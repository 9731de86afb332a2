"""The currencies of ISO 4217, and how many decimals an amount of each shows.

Facts of the standard's list one as published on 2026-01-01 (read from PyPI's
`iso4217` 1.16.20260101, public domain) and of its list three, the historic
codes (read from `datasets/currency-codes`, PDDL). `scripts/update-data` tells
where this table and the published list differ.

Codes withdrawn since 2000 stay in, because an event may be dated back to
2000-01-01: a purchase of 2021 in kuna was made in kuna. `XXX` is left out: it
stands for "no currency", and an amount of no currency is not money.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NO_DECIMALS = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
"""
TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP
    BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB
    EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
    KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
    RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
FOUR_DECIMALS = "CLF UYW"
# Metals, bond units and the testing code have no minor unit; two decimals is
# what an amount without a rule of its own shows.
NO_MINOR_UNIT = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA"

WITHDRAWN_WITHOUT_DECIMALS = """
    ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL
"""
WITHDRAWN_WITH_TWO = """
    AFA ANG AON AOR ATS AYM AZM BGL BGN CHC CSD CUC CYP DEM ECS ECV EEK FIM FRF GHC
    GHP HRK IEP LTL LVL MRO MTL MZM NLG RUR SDD SIT SKK SLL SRG STD TJR TMM USS VEB
    VEF XFO XFU YUM ZMK ZWD ZWL ZWN ZWR
"""

CURRENCIES: Mapping[str, int] = MappingProxyType(
    {
        code: decimals
        for codes, decimals in (
            (NO_DECIMALS + WITHDRAWN_WITHOUT_DECIMALS, 0),
            (TWO_DECIMALS + NO_MINOR_UNIT + WITHDRAWN_WITH_TWO, 2),
            (THREE_DECIMALS, 3),
            (FOUR_DECIMALS, 4),
        )
        for code in codes.split()
    }
)
"""Every code that money may carry, and the decimals that its amounts show."""
