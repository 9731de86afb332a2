"""What `clamp demo` shows: a small shop and its visitors, as outside programs.

`plan` draws what happens; `shop` and `browsers` send it.
"""
