"""What `clamp demo` shows: a small shop and its visitors, as outside programs."""
