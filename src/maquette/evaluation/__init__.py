"""How any family is measured: pure functions of pixels and features; knows no model, no network."""
