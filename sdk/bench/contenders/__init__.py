"""One module for each contender, which `measure.py` runs in its environment.

`setup(endpoint)` is what an application does once, `call()` is what is measured, and
`finish()` returns when the SDK says that everything is delivered. All is as the SDK
has it by default, but for the length of its queue.
"""
