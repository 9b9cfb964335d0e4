"""A bot that always has a good token. Run an agent, and then: python example_bot.py ctrader/alice"""

import sys

import venuekey

agent = venuekey.Agent()
who = sys.argv[1]
try:
    token = agent.token(who)
    print("begins with", token)
    while token:
        # ... trade with token.headers ...
        token = agent.wait_newer(who, token.generation, timeout=float(sys.argv[2]) if len(sys.argv) > 2 else None)
        if token:
            print("goes on with", token)
except venuekey.Error as err:
    sys.exit(f"{err}{'' if err.temporary else ' (a person has to act)'}")
