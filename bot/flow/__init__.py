"""The story, one verb a file. Read it in this order.

    watch → detect → triage → announce → propose → decide → execute → verify → resolve → report

*A check measures, a threshold judges, a finding reports; a person proposes, another approves, the run does, the check verifies.*
This room knows `bot.core` only: whatever it needs of the world lies on the `Desk`.
"""
