"""The web page over run folders: one module a view, on the queries of :mod:`rlcs.insight`."""
