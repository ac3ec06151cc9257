"""obsws-python: the requests of the script in JSON, and a wrong password."""

import sys
from urllib.parse import urlsplit

import obsws_python
from obsws_python.error import OBSSDKRequestError

import script

url, password, wanted = script.read()
place = urlsplit(url)
where = {"host": place.hostname, "port": place.port, "timeout": 60}
try:
    obsws_python.ReqClient(password=password + "x", **where)
    sys.exit("a wrong password is accepted")
except SystemExit:
    raise
except Exception as refused:  # The library has different errors for a closed connection.
    print("refused:", type(refused).__name__)

client = obsws_python.ReqClient(password=password, **where)
steps = script.steps(wanted)
name, data = next(steps)
count = 0
while True:
    try:
        result = (100, None, client.send(name, data or None, raw=True))
    except OBSSDKRequestError as error:
        result = (error.code, str(error), None)
    count += 1
    try:
        name, data = steps.send(result)
    except StopIteration:
        break
print(f"{count} requests")
