"""One file a check: a function that measures, made a value by `@check`, with the lines that judge it by default.

A check gets two readings and yields a measurement a subject, or says why there is none. It never raises on data: an empty window,
an all-NaN column, a lost label are measured or named, never called healthy. A new check is one new file here and its test;
what several checks do alike is in `recipes`.
"""
