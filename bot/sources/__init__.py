"""One file a source: where prediction logs lie. Each makes one value, `SourceKind`, that the configuration names as `kind:`.

However a source reads, it ends with an Arrow table of one window, which `bot.sources.table` turns into a reading: one way of
counting, whatever the store.
"""
