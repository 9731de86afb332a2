"""Clamp at home in frameworks: a module each, and an extra each to install.

pip install "clamp-analytics[django]"
"""
