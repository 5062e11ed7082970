"""Metrics: each wraps a formula of this package with its floor, its ceiling and what to know."""
