"""The command `clamp`: one subcommand a module."""
