# What program() of stage_test.go does, in Python.
import json
import os
import time
import urllib.request

import venuekey

agent, id = venuekey.Agent(), os.environ["VENUEKEY_TEST_ID"]
said = {"Tokens": 0, "Generations": 0, "Refused": 0, "Errors": 0, "Wrong": []}
seen = set()


def accepts(token):
    request = urllib.request.Request(os.environ["VENUEKEY_TEST_ALIVE"], headers={"Token": str(token.access_token)})
    with urllib.request.urlopen(request) as response:
        return response.read() == b"true"


end = time.monotonic() + float(os.environ["VENUEKEY_TEST_SECONDS"])
while time.monotonic() < end:
    try:
        token = agent.token(id)
        if not accepts(token):
            said["Refused"] += 1
            token = agent.refused(id, token.access_token)
            if not accepts(token):
                said["Wrong"].append(f"generation {token.generation} in place of a refused one is refused too")
        said["Tokens"] += 1
        seen.add(token.generation)
    except venuekey.Error as err:
        said["Errors"] += 1
        if not err.temporary:
            said["Wrong"].append(str(err))
    time.sleep(0.02)
said["Generations"] = len(seen)
print(json.dumps(said))
